//! Clawbacks: subsidies that are due back (追缴), with their reason, their parts and their end.
//!
//! A claim has one clawback at most, so that concurrent demands create one. The amount due is never
//! more than was paid, and every part of it is repaid, netted against a payment to the same
//! merchant, waived, pending in a payment whose outcome is not certain, or open: [`Clawback::open`]
//! is the part in none of the other states. A clawback ends when nothing is pending or open, and
//! then [`Clawback::is_free`] decides on keys, quota and entitlement.

use ledger::Fen;
use policy::Lang;
use words::words;

use crate::life_cycle::{Holdings, Verb};

words! {
    /// Why a subsidy is due back.
    pub enum ClawbackReason {
        GoodsReturned = "goods_returned",
        InvoiceReversed = "invoice_reversed",
        Fraud = "fraud",
        ScrapNotClosed = "scrap_not_closed",
    }
}

impl ClawbackReason {
    pub fn title(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::GoodsReturned, Lang::Zh) => "退货",
            (Self::GoodsReturned, Lang::En) => "goods returned",
            (Self::InvoiceReversed, Lang::Zh) => "发票红冲",
            (Self::InvoiceReversed, Lang::En) => "invoice reversed",
            (Self::Fraud, Lang::Zh) => "骗补",
            (Self::Fraud, Lang::En) => "fraud",
            (Self::ScrapNotClosed, Lang::Zh) => "报废未闭环",
            (Self::ScrapNotClosed, Lang::En) => "scrap not closed by its deadline",
        }
    }

    /// The instrument and its requirement, kept with each clawback as it stood at the demand.
    /// Printings of the notice number its clauses differently, so that none is numbered here.
    pub fn clause(self) -> &'static str {
        match self {
            Self::GoodsReturned => {
                "发改环资〔2025〕1745号：发生退货的，资格恢复并解绑，补贴须退回；退货不退补属违规，予以追缴"
            }
            Self::InvoiceReversed => {
                "发改环资〔2025〕1745号：一票一物，发票金额为消费者实付与补贴之和；发票红冲的，补贴予以追缴"
            }
            Self::Fraud => {
                "发改环资〔2025〕1745号：一机多卖、虚假签收等套取补贴的，追缴补贴，直至移送公安机关"
            }
            Self::ScrapNotClosed => {
                "发改环资〔2025〕1745号：旧机动车、旧家电应交售回收；逾期未完成报废闭环的，补贴予以追缴"
            }
        }
    }

    /// Whether a claim's keys, quota and entitlement become free once its whole subsidy is back.
    ///
    /// A sale that was undone may be made again, so the keys are free. After fraud the device, the
    /// invoice and the person's turn are used for ever. After scrap that was not closed the sale
    /// stands and its deadline is past: the same sale must not be subsidised a second time by a new
    /// claim, so they are kept as well.
    pub fn at_end(self) -> Holdings {
        match self {
            Self::GoodsReturned | Self::InvoiceReversed => Holdings::Release,
            Self::Fraud | Self::ScrapNotClosed => Holdings::Keep,
        }
    }
}

/// The amount due of a claim, and its parts by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clawback {
    pub reason: ClawbackReason,
    /// The claim's whole subsidy.
    pub paid: Fen,
    /// At most `paid`.
    pub due: Fen,
    pub repaid: Fen,
    pub netted: Fen,
    /// Set against payments whose outcome is not certain.
    pub pending: Fen,
    pub waived: Fen,
}

/// The part of a clawback that a sum is added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Repaid directly.
    Repaid,
    /// Set off against a payment that was made. The sum leaves `pending`.
    Netted,
    Waived,
}

/// The sum is more than is open of a clawback, or zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{open} of the clawback is open")]
pub struct NotOpen {
    pub open: Fen,
}

impl Clawback {
    /// Starts a clawback of a paid claim; `part` is less than the whole subsidy, or `None` for all
    /// of it.
    pub fn demand(reason: ClawbackReason, paid: Fen, part: Option<Fen>) -> Result<Clawback, NotOpen> {
        let due = part.unwrap_or(paid);
        if due.is_zero() || due > paid {
            return Err(NotOpen { open: paid });
        }
        Ok(Clawback {
            reason,
            paid,
            due,
            repaid: Fen::ZERO,
            netted: Fen::ZERO,
            pending: Fen::ZERO,
            waived: Fen::ZERO,
        })
    }

    /// The amount that can still be repaid, netted or waived.
    pub fn open(&self) -> Fen {
        [self.repaid, self.netted, self.pending, self.waived]
            .into_iter()
            .fold(self.due, Fen::saturating_sub)
    }

    /// The amount that the payee still has, waived parts included.
    pub fn out(&self) -> Fen {
        self.paid.saturating_sub(self.repaid).saturating_sub(self.netted)
    }

    /// Nothing is open and nothing pending.
    pub fn is_closed(&self) -> bool {
        self.pending.is_zero() && self.open().is_zero()
    }

    /// Whether the claim's keys, quota and entitlement are free at the end: by the reason, and
    /// never while money of the claim is out, because a waiver or a partial demand left it with the
    /// payee.
    pub fn is_free(&self) -> bool {
        self.reason.at_end() == Holdings::Release && self.out().is_zero()
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

    /// Settles a part, and returns the verb by which the claim moves.
    pub fn settle(&mut self, settled: Settled, part: Fen) -> Result<Verb, NotOpen> {
        let held = if settled == Settled::Netted {
            self.pending
        } else {
            self.open()
        };
        if part.is_zero() || part > held {
            return Err(NotOpen { open: held });
        }
        let sum = match settled {
            Settled::Repaid => &mut self.repaid,
            Settled::Netted => {
                self.pending = self.pending.saturating_sub(part);
                &mut self.netted
            }
            Settled::Waived => &mut self.waived,
        };
        *sum = sum.saturating_add(part);
        Ok(match (settled, self.is_closed()) {
            (Settled::Waived, false) => Verb::WaivePart,
            (Settled::Waived, true) => Verb::Waive,
            (_, false) => Verb::RepayPart,
            (_, true) if self.is_free() => Verb::ClawBack,
            (_, true) => Verb::ClawBackBarred,
        })
    }
}

#[cfg(test)]
mod tests;
