//! Balances of accounts: the fold of a fund's transfers.

use crate::{Account, Fen, Reason, Transfer};

/// The balance of each account of a fund, each in its normal direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Balances {
    pub appropriated: Fen,
    pub available: Fen,
    pub reserved: Fen,
    pub payable: Fen,
    pub in_payment: Fen,
    pub disbursed: Fen,
    pub recoverable: Fen,
    pub advanced: Fen,
}

/// A transfer asks more of an account than it can give. Where a transfer would raise an account
/// above [`Fen::MAX`], `held` is the room left under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{account} has {held}, {needed} is needed")]
pub struct Shortfall {
    pub account: Account,
    pub needed: Fen,
    pub held: Fen,
}

impl Balances {
    pub fn get(&self, account: Account) -> Fen {
        match account {
            Account::Appropriated => self.appropriated,
            Account::Available => self.available,
            Account::Reserved => self.reserved,
            Account::Payable => self.payable,
            Account::InPayment => self.in_payment,
            Account::Disbursed => self.disbursed,
            Account::Recoverable => self.recoverable,
            Account::Advanced => self.advanced,
        }
    }

    fn slot(&mut self, account: Account) -> &mut Fen {
        match account {
            Account::Appropriated => &mut self.appropriated,
            Account::Available => &mut self.available,
            Account::Reserved => &mut self.reserved,
            Account::Payable => &mut self.payable,
            Account::InPayment => &mut self.in_payment,
            Account::Disbursed => &mut self.disbursed,
            Account::Recoverable => &mut self.recoverable,
            Account::Advanced => &mut self.advanced,
        }
    }

    /// The balances after `transfer`; `self` does not change, so that a refused transfer changes
    /// nothing.
    pub fn apply(&self, transfer: &Transfer) -> Result<Balances, Shortfall> {
        let mut after = *self;
        after.shift(
            transfer.debit(),
            transfer.amount,
            !transfer.debit().is_credit_normal(),
        )?;
        after.shift(
            transfer.credit(),
            transfer.amount,
            transfer.credit().is_credit_normal(),
        )?;
        Ok(after)
    }

    /// The balances after transfers given as sums by reason, each in fen. A sum has no order of
    /// time: money may have gone back and forth, so that no one sum fits before the others, and
    /// only the end counts.
    ///
    /// # Errors
    /// An account would end below zero, or above [`Fen::MAX`].
    pub fn of_sums(sums: impl IntoIterator<Item = (Reason, i64)>) -> Result<Balances, Shortfall> {
        let mut nets = [0_i128; Account::ALL.len()];
        for (reason, amount) in sums {
            let (debit, credit) = reason.accounts();
            for (account, up) in [
                (debit, !debit.is_credit_normal()),
                (credit, credit.is_credit_normal()),
            ] {
                let amount = i128::from(amount);
                for (net, _) in nets.iter_mut().zip(Account::ALL).filter(|(_, it)| *it == account) {
                    *net = net.saturating_add(if up { amount } else { amount.saturating_neg() });
                }
            }
        }
        let mut balances = Balances::default();
        for (net, account) in nets.into_iter().zip(Account::ALL) {
            let fen = i64::try_from(net).ok().and_then(|net| Fen::new(net).ok());
            let most = i64::try_from(net.unsigned_abs())
                .ok()
                .and_then(|net| Fen::new(net).ok());
            *balances.slot(account) = fen.ok_or(Shortfall {
                account,
                needed: most.unwrap_or(Fen::MAX),
                held: Fen::ZERO,
            })?;
        }
        Ok(balances)
    }

    fn shift(&mut self, account: Account, amount: Fen, up: bool) -> Result<(), Shortfall> {
        let held = self.get(account);
        let (moved, limit) = if up {
            (held.checked_add(amount), Fen::MAX.saturating_sub(held))
        } else {
            (held.checked_sub(amount), held)
        };
        *self.slot(account) = moved.map_err(|_| Shortfall {
            account,
            needed: amount,
            held: limit,
        })?;
        Ok(())
    }

    /// From zero through every transfer in turn; the first that does not fit ends it.
    pub fn fold<'a>(transfers: impl IntoIterator<Item = &'a Transfer>) -> Result<Balances, Shortfall> {
        transfers
            .into_iter()
            .try_fold(Balances::default(), |balances, transfer| balances.apply(transfer))
    }

    /// Whether the sum appropriated equals the sum of the other accounts. True of every fold; false
    /// shows a row changed by hand.
    pub fn is_balanced(&self) -> bool {
        let elsewhere = self.committed().saturating_add(self.advanced);
        self.available.checked_add(elsewhere) == Ok(self.appropriated)
    }

    /// The sum that claims hold, from reservation to clawback due: caps are measured against it.
    /// Saturates, which no fold of transfers can reach since the sum never exceeds `appropriated`.
    pub fn committed(&self) -> Fen {
        [
            self.reserved,
            self.payable,
            self.in_payment,
            self.disbursed,
            self.recoverable,
        ]
        .into_iter()
        .fold(Fen::ZERO, Fen::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;
    use proptest::prelude::*;

    fn transfer() -> impl Strategy<Value = Transfer> {
        (
            0..Reason::ALL.len(),
            prop_oneof![1..1_000_i64, 1..=Fen::MAX.get()],
        )
            .prop_map(|(reason, fen)| Transfer::new(Reason::ALL[reason], Fen::new(fen).unwrap()).unwrap())
    }

    proptest! {
        /// However often money went back and forth, the sums by reason give its place.
        #[test]
        fn sums_are_the_fold(transfers in proptest::collection::vec(transfer(), 0..60)) {
            let mut balances = Balances::default();
            let mut sums = std::collections::BTreeMap::<&str, (Reason, i64)>::new();
            for transfer in transfers {
                if let Ok(after) = balances.apply(&transfer) {
                    balances = after;
                    let sum = sums.entry(transfer.reason.as_str()).or_insert((transfer.reason, 0));
                    sum.1 = sum.1.saturating_add(transfer.amount.get());
                }
            }
            prop_assert_eq!(Balances::of_sums(sums.into_values()), Ok(balances));
        }
    }

    #[test]
    fn there_and_back_and_there_again() {
        let sums = [
            (Reason::Appropriate, 1),
            (Reason::Reserve, 1),
            (Reason::Approve, 1),
            (Reason::Instruct, 2),
            (Reason::CancelInstruction, 1),
        ];
        let balances = Balances::of_sums(sums).unwrap();
        assert_eq!((balances.in_payment.get(), balances.payable.get()), (1, 0));
        assert!(Balances::of_sums([(Reason::Reserve, 1)]).is_err());
    }

    #[test]
    fn the_cap_is_what_is_available() {
        let fen = |fen| Fen::new(fen).unwrap();
        let funded = Balances::fold(&[Transfer::new(Reason::Appropriate, fen(100)).unwrap()]).unwrap();
        let over = Transfer::new(Reason::Reserve, fen(101)).unwrap();
        assert_eq!(
            funded.apply(&over),
            Err(Shortfall {
                account: Account::Available,
                needed: fen(101),
                held: fen(100)
            })
        );
    }

    #[test]
    fn appropriations_stop_at_the_largest_sum() {
        let all = Transfer::new(Reason::Appropriate, Fen::MAX).unwrap();
        let full = Balances::fold(&[all]).unwrap();
        assert_eq!(
            full.apply(&all).unwrap_err(),
            Shortfall {
                account: Account::Available,
                needed: Fen::MAX,
                held: Fen::ZERO
            }
        );
    }

    #[test]
    fn a_transfer_of_nothing_is_refused() {
        assert_eq!(
            Transfer::new(Reason::Pay, Fen::ZERO),
            Err(crate::MoneyError::Zero)
        );
    }

    #[test]
    fn names_round_trip() {
        assert!(
            Account::ALL
                .iter()
                .all(|a| Account::parse(a.as_str()) == Some(*a))
        );
        assert!(Reason::ALL.iter().all(|r| Reason::parse(r.as_str()) == Some(*r)));
        assert!(Reason::ALL.iter().all(|r| r.accounts().0 != r.accounts().1));
    }

    proptest! {
        #[test]
        fn every_balance_is_the_fold_of_its_transfers(transfers in prop::collection::vec(transfer(), 0..60)) {
            let mut balances = Balances::default();
            let mut posted = Vec::new();
            for transfer in transfers {
                if let Ok(after) = balances.apply(&transfer) {
                    posted.push(transfer);
                    balances = after;
                }
                prop_assert!(balances.is_balanced());
            }
            prop_assert_eq!(Balances::fold(&posted), Ok(balances));
        }

        #[test]
        fn a_shortfall_is_exact(transfers in prop::collection::vec(transfer(), 1..60)) {
            let mut balances = Balances::default();
            for transfer in transfers {
                match balances.apply(&transfer) {
                    Ok(after) => balances = after,
                    Err(short) => {
                        prop_assert!(short.held < short.needed);
                        if !short.held.is_zero() {
                            let fits = Transfer::new(transfer.reason, short.held).unwrap();
                            let other = balances.apply(&fits);
                            prop_assert!(other.is_ok() || other.is_err_and(|o| o.account != short.account));
                        }
                    }
                }
            }
        }
    }
}
