//! Advances to merchants (预拨): the parts of one that are set against claims, repaid, pending and
//! open.

use crate::Fen;

/// An advance that the bank paid. Every part of it is set off, repaid, pending in a payment whose
/// outcome is not certain, or open: [`Advance::open`] is the part in none of the other states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advance {
    pub amount: Fen,
    /// Set against claims that were paid.
    pub set_off: Fen,
    pub repaid: Fen,
    /// Set against payments whose outcome is not certain.
    pub pending: Fen,
}

/// The sum is more than the advance has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{held} of the advance is left")]
pub struct NotLeft {
    pub held: Fen,
}

impl Advance {
    /// The sum that claims can still be set against, and that the merchant can still repay.
    pub fn open(&self) -> Fen {
        [self.set_off, self.repaid, self.pending]
            .into_iter()
            .fold(self.amount, Fen::saturating_sub)
    }

    /// The sum that the merchant has: open or pending.
    pub fn out(&self) -> Fen {
        self.amount
            .saturating_sub(self.set_off)
            .saturating_sub(self.repaid)
    }

    /// Sets as much as is open, up to `most`, against a payment that is being prepared.
    pub fn set_against(&mut self, most: Fen) -> Fen {
        let part = self.open().min(most);
        self.pending = self.pending.saturating_add(part);
        part
    }

    /// Reverses the set-off against a payment that failed.
    pub fn give_back(&mut self, part: Fen) {
        self.pending = self.pending.saturating_sub(part);
    }

    /// The payment was made: the sum pending in it is set off.
    pub fn set_off(&mut self, part: Fen) -> Result<(), NotLeft> {
        let held = self.pending;
        self.pending = held.checked_sub(part).map_err(|_| NotLeft { held })?;
        self.set_off = self.set_off.saturating_add(part);
        Ok(())
    }

    /// The merchant repaid a part of the open sum.
    pub fn repay(&mut self, part: Fen) -> Result<(), NotLeft> {
        let held = self.open();
        if part.is_zero() || part > held {
            return Err(NotLeft { held });
        }
        self.repaid = self.repaid.saturating_add(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone, Copy)]
    enum Deed {
        SetAgainst(i64),
        GiveBack(i64),
        SetOff(i64),
        Repay(i64),
    }

    fn deed() -> impl Strategy<Value = Deed> {
        (0..4_u8, 0..1_500_i64).prop_map(|(kind, fen)| match kind {
            0 => Deed::SetAgainst(fen),
            1 => Deed::GiveBack(fen),
            2 => Deed::SetOff(fen),
            _ => Deed::Repay(fen),
        })
    }

    proptest! {
        #[test]
        fn every_fen_is_in_one_place(amount in 1..1_000_i64, deeds in prop::collection::vec(deed(), 0..40)) {
            let fen = |it| Fen::new(it).unwrap();
            let mut advance = Advance {
                amount: fen(amount),
                set_off: Fen::ZERO,
                repaid: Fen::ZERO,
                pending: Fen::ZERO,
            };
            for deed in deeds {
                let before = advance;
                match deed {
                    Deed::SetAgainst(most) => {
                        let part = advance.set_against(fen(most));
                        prop_assert_eq!(part, before.open().min(fen(most)));
                    }
                    Deed::GiveBack(part) => advance.give_back(fen(part).min(before.pending)),
                    Deed::SetOff(part) => {
                        let fits = fen(part) <= before.pending;
                        prop_assert_eq!(advance.set_off(fen(part)).is_ok(), fits);
                        prop_assert!(fits || advance == before);
                    }
                    Deed::Repay(part) => {
                        let fits = part > 0 && fen(part) <= before.open();
                        prop_assert_eq!(advance.repay(fen(part)).is_ok(), fits);
                        prop_assert!(fits || advance == before);
                    }
                }
                let all = [advance.set_off, advance.repaid, advance.pending, advance.open()];
                prop_assert_eq!(all.iter().map(|it| it.get()).sum::<i64>(), amount);
                prop_assert_eq!(advance.out().get(), advance.pending.get() + advance.open().get());
            }
        }
    }
}
