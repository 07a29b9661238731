//! The life cycle of a claim: statuses, verbs, and the transfer of each step.
//!
//! [`step`] is the whole table: a status and a verb give the next status, the transfer of the
//! claim's money and the effect on its holdings (uniqueness keys, quota, entitlement, the caps'
//! committed sums), or the verb is out of turn. Holdings are released only when a claim ends with
//! no money out and none owed, and a reservation never outlives them; money is paid by one arrow
//! only, out of a status that paying leaves. A clawback may end with holdings kept:
//! [`crate::clawback`] decides by which verb.
//!
//! [`rule`] is the other way into a status: the decision on a new claim or on a corrected one.

use words::words;

use ledger::Reason;
use policy::Lang;

words! {
    /// The status of a claim.
    pub enum Status {
        NeedsCorrection = "needs_correction",
        Waitlisted = "waitlisted",
        UnderReview = "under_review",
        Recommended = "recommended",
        Approved = "approved",
        InPayment = "in_payment",
        PaymentFailed = "payment_failed",
        Paid = "paid",
        ClawbackDue = "clawback_due",
        ClawedBack = "clawed_back",
        Rejected = "rejected",
        Withdrawn = "withdrawn",
        Returned = "returned",
    }
}

impl Status {
    pub fn title_zh(self) -> &'static str {
        match self {
            Status::NeedsCorrection => "待补正",
            Status::Waitlisted => "轮候中",
            Status::UnderReview => "待审核",
            Status::Recommended => "待批准",
            Status::Approved => "已批准",
            Status::InPayment => "支付中",
            Status::PaymentFailed => "支付失败",
            Status::Paid => "已支付",
            Status::ClawbackDue => "应追回",
            Status::ClawedBack => "已追回",
            Status::Rejected => "不予补贴",
            Status::Withdrawn => "已撤回",
            Status::Returned => "已退货",
        }
    }

    /// No verb is possible any more.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Status::ClawedBack | Status::Rejected | Status::Withdrawn | Status::Returned
        )
    }
}

words! {
    /// A verb on a claim.
    pub enum Verb {
        Recommend = "recommend",
        ReturnForCorrection = "return_for_correction",
        RejectReview = "reject_review",
        Approve = "approve",
        ReturnToReview = "return_to_review",
        RejectApproval = "reject_approval",
        Withdraw = "withdraw",
        Return = "return",
        Expire = "expire",
        Promote = "promote",
        Instruct = "instruct",
        CancelInstruction = "cancel_instruction",
        Pay = "pay",
        FailPayment = "fail_payment",
        ReturnPayment = "return_payment",
        Retry = "retry",
        /// A part of the subsidy is due back, for another reason than a return that its owner
        /// reports.
        Demand = "demand",
        /// A part was repaid, and not the last.
        RepayPart = "repay_part",
        /// The last part was repaid, and with it the whole subsidy, for a reason that frees the
        /// holdings.
        ClawBack = "claw_back",
        /// The last part was repaid, and the claim's holdings stay taken.
        ClawBackBarred = "claw_back_barred",
        /// A part is waived, and not the last.
        WaivePart = "waive_part",
        /// The rest is waived.
        Waive = "waive",
        Correct = "correct",
    }
}

/// A claim's status, and whether its money stands in the fund's reserved account. After approval it
/// does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Standing {
    pub status: Status,
    pub reserved: bool,
}

/// The effect on a claim's keys, quota, entitlement and its part of the caps' committed sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holdings {
    Keep,
    Release,
}

/// The effect of a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Step {
    pub to: Status,
    /// Whether the claim's money stands reserved afterwards.
    pub reserved: bool,
    /// The transfer of the claim's whole amount; for a clawback, of the part that is due, repaid or
    /// waived.
    pub transfer: Option<Reason>,
    pub holdings: Holdings,
}

impl Step {
    pub fn standing(&self) -> Standing {
        Standing {
            status: self.to,
            reserved: self.reserved,
        }
    }
}

/// The verb is not possible for a claim in this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("a claim that is {status} does not admit {verb}")]
pub struct OutOfTurn {
    pub status: Status,
    pub verb: Verb,
}

impl OutOfTurn {
    pub fn message(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => format!("申请的状态为“{}”，不能执行此操作", self.status.title_zh()),
            Lang::En => self.to_string(),
        }
    }
}

/// One step of a recorded claim.
///
/// [`Verb::Correct`] only checks that a correction is possible: the claim stays as it is until
/// [`rule`] gives the new decision's status.
pub fn step(standing: Standing, verb: Verb) -> Result<Step, OutOfTurn> {
    use Holdings::{Keep, Release};
    use Status as S;
    use Verb as V;

    let Standing { status, reserved } = standing;
    let move_to = |to, reserved, transfer, holdings| {
        Ok(Step {
            to,
            reserved,
            transfer,
            holdings,
        })
    };
    // A review without a reservation behind it would end in a debt that no fund holds: such a claim
    // is out of turn.
    match (status, verb) {
        (S::UnderReview, V::Recommend) if reserved => move_to(S::Recommended, true, None, Keep),
        (S::UnderReview, V::ReturnForCorrection) => move_to(S::NeedsCorrection, reserved, None, Keep),
        (S::Recommended, V::ReturnToReview) => move_to(S::UnderReview, reserved, None, Keep),
        (S::Recommended, V::Approve) if reserved => move_to(S::Approved, false, Some(Reason::Approve), Keep),
        (S::UnderReview, V::RejectReview)
        | (S::Recommended, V::RejectApproval)
        | (S::NeedsCorrection, V::Expire) => move_to(S::Rejected, false, release(reserved), Release),

        (S::Waitlisted, V::Promote) if !reserved => {
            move_to(S::UnderReview, true, Some(Reason::Reserve), Keep)
        }
        (S::NeedsCorrection, V::Correct) => move_to(S::NeedsCorrection, reserved, None, Keep),

        (S::NeedsCorrection | S::Waitlisted | S::UnderReview | S::Recommended, V::Withdraw) => {
            move_to(S::Withdrawn, false, release(reserved), Release)
        }
        (S::NeedsCorrection | S::Waitlisted | S::UnderReview | S::Recommended, V::Return) => {
            move_to(S::Returned, false, release(reserved), Release)
        }
        (S::Approved | S::PaymentFailed, V::Withdraw) => {
            move_to(S::Withdrawn, false, Some(Reason::ReleasePayable), Release)
        }
        (S::Approved | S::PaymentFailed, V::Return) => {
            move_to(S::Returned, false, Some(Reason::ReleasePayable), Release)
        }

        (S::Approved, V::Instruct) => move_to(S::InPayment, false, Some(Reason::Instruct), Keep),
        (S::InPayment, V::CancelInstruction) => {
            move_to(S::Approved, false, Some(Reason::CancelInstruction), Keep)
        }
        (S::InPayment, V::Pay) => move_to(S::Paid, false, Some(Reason::Pay), Keep),
        (S::InPayment, V::FailPayment) => move_to(S::PaymentFailed, false, Some(Reason::FailPayment), Keep),
        // The bank returned the money after it had paid. The claim is owed its money as after any
        // failure.
        (S::Paid, V::ReturnPayment) => move_to(S::PaymentFailed, false, Some(Reason::ReturnPayment), Keep),
        (S::PaymentFailed, V::Retry) => move_to(S::Approved, false, None, Keep),

        // The goods are returned, the money is not: the keys stay taken until it is.
        (S::Paid, V::Return | V::Demand) => move_to(S::ClawbackDue, false, Some(Reason::ClawBackDue), Keep),
        (S::ClawbackDue, V::RepayPart) => move_to(S::ClawbackDue, false, Some(Reason::ClawBack), Keep),
        (S::ClawbackDue, V::WaivePart) => move_to(S::ClawbackDue, false, Some(Reason::Waive), Keep),
        (S::ClawbackDue, V::ClawBack) => move_to(S::ClawedBack, false, Some(Reason::ClawBack), Release),
        (S::ClawbackDue, V::ClawBackBarred) => move_to(S::ClawedBack, false, Some(Reason::ClawBack), Keep),
        // A waived part stays paid, so the keys that it was paid for stay taken.
        (S::ClawbackDue, V::Waive) => move_to(S::ClawedBack, false, Some(Reason::Waive), Keep),

        _ => Err(OutOfTurn { status, verb }),
    }
}

fn release(reserved: bool) -> Option<Reason> {
    reserved.then_some(Reason::Release)
}

/// The result of a decision for a claim, after allocation of its keys, quota and money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ruling {
    /// Eligible, and its money can be reserved.
    UnderReview,
    /// Eligible, but a cap is exhausted.
    Waitlisted,
    /// A value is missing or wrong and the claimant can supply it. `reserve`: the claim could be
    /// priced all the same, and its money can be reserved, so that it keeps its place until it is
    /// corrected.
    NeedsCorrection { reserve: bool },
    /// A rule refuses the claim, finally.
    Rejected,
}

/// The status that a decision leads to, and the transfers. A correction may change the amount, so
/// the two are separate: `release` moves the amount reserved before, `reserve` the amount decided
/// now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ruled {
    pub to: Status,
    pub release: bool,
    pub reserve: bool,
    /// Whether money stands reserved afterwards, of the old amount or the new.
    pub reserved: bool,
    pub holdings: Holdings,
}

impl Ruled {
    pub fn standing(&self) -> Standing {
        Standing {
            status: self.to,
            reserved: self.reserved,
        }
    }
}

/// Records a decision on a new claim (`None`) or on one that is being corrected.
///
/// A correction that still needs correction, and asks for the same amount, keeps the reservation it
/// has; any other outcome releases it first, so that a claim never holds two. An allocation for a
/// correction therefore returns the old amount, keys and quota to the [`crate::allocate::State`]
/// before asking, with priority. [`OutOfTurn`] unless [`Verb::Correct`] is legal.
pub fn rule(before: Option<Standing>, ruling: Ruling) -> Result<Ruled, OutOfTurn> {
    let reserved = match before {
        Some(standing) => step(standing, Verb::Correct)?.reserved,
        None => false,
    };
    Ok(match ruling {
        Ruling::UnderReview => Ruled {
            to: Status::UnderReview,
            release: reserved,
            reserve: true,
            reserved: true,
            holdings: Holdings::Keep,
        },
        Ruling::Waitlisted => Ruled {
            to: Status::Waitlisted,
            release: reserved,
            reserve: false,
            reserved: false,
            holdings: Holdings::Keep,
        },
        Ruling::NeedsCorrection { reserve } => Ruled {
            to: Status::NeedsCorrection,
            release: reserve && reserved,
            reserve,
            reserved: reserve || reserved,
            holdings: Holdings::Keep,
        },
        Ruling::Rejected => Ruled {
            to: Status::Rejected,
            release: reserved,
            reserve: false,
            reserved: false,
            holdings: Holdings::Release,
        },
    })
}

#[cfg(test)]
mod tests;
