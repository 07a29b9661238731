//! What may happen to a claim, and what each step moves.
//!
//! [`step`] is the whole table: a status and a verb give the next status, the transfer of the claim's money and what becomes
//! of its holdings (uniqueness keys, quota, entitlement, the caps' committed sums), or the verb is out of turn. Holdings
//! are released only when a claim ends with no money out and none owed, and a reservation never outlives them; money
//! is paid by one arrow only, out of a status that paying leaves. A clawback may end with holdings kept: see
//! [`crate::clawback`], which says by which verb.
//!
//! [`rule`] is the other way into a status: the decision on a new claim or on a corrected one.

use words::words;

use ledger::Reason;
use policy::Lang;

words! {
    /// Where a claim stands.
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

    /// Nothing can happen to it any more.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Status::ClawedBack | Status::Rejected | Status::Withdrawn | Status::Returned
        )
    }
}

words! {
    /// What is done to a claim.
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
        /// Some of the subsidy is due back, for another reason than that its owner reports a return.
        Demand = "demand",
        /// A part came back, and not the last.
        RepayPart = "repay_part",
        /// The last part came back, and with it the whole subsidy, for a reason that sets free.
        ClawBack = "claw_back",
        /// The last part came back, and what the claim holds stays taken.
        ClawBackBarred = "claw_back_barred",
        /// A part is waived, and not the last.
        WaivePart = "waive_part",
        /// What was left is waived.
        Waive = "waive",
        Correct = "correct",
    }
}

/// A claim's status, and whether its money stands in the fund's reserved account. Past approval it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Standing {
    pub status: Status,
    pub reserved: bool,
}

/// What becomes of a claim's keys, quota, entitlement and its part of the caps' committed sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holdings {
    Keep,
    Release,
}

/// What a verb does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Step {
    pub to: Status,
    /// Whether the claim's money stands reserved afterwards.
    pub reserved: bool,
    /// The transfer of the claim's whole amount; of a clawback, of the part that is due, came back or is waived.
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

/// The verb cannot be done to a claim in this status.
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
/// [`Verb::Correct`] only asks for leave: the claim stays as it is until [`rule`] says where the new decision takes it.
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
    // A review without a reservation behind it would end in a debt that no fund holds: such a claim is out of turn.
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
        // Returned by the bank after it had paid. The claim is owed its money as after any failure.
        (S::Paid, V::ReturnPayment) => move_to(S::PaymentFailed, false, Some(Reason::ReturnPayment), Keep),
        (S::PaymentFailed, V::Retry) => move_to(S::Approved, false, None, Keep),

        // The goods are back, the money is not: the keys stay taken until it is.
        (S::Paid, V::Return | V::Demand) => move_to(S::ClawbackDue, false, Some(Reason::ClawBackDue), Keep),
        (S::ClawbackDue, V::RepayPart) => move_to(S::ClawbackDue, false, Some(Reason::ClawBack), Keep),
        (S::ClawbackDue, V::WaivePart) => move_to(S::ClawbackDue, false, Some(Reason::Waive), Keep),
        (S::ClawbackDue, V::ClawBack) => move_to(S::ClawedBack, false, Some(Reason::ClawBack), Release),
        (S::ClawbackDue, V::ClawBackBarred) => move_to(S::ClawedBack, false, Some(Reason::ClawBack), Keep),
        // What is waived stays paid, and so what it was paid for stays taken.
        (S::ClawbackDue, V::Waive) => move_to(S::ClawedBack, false, Some(Reason::Waive), Keep),

        _ => Err(OutOfTurn { status, verb }),
    }
}

fn release(reserved: bool) -> Option<Reason> {
    reserved.then_some(Reason::Release)
}

/// What a decision says of a claim, once its keys, quota and money have been asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ruling {
    /// Eligible, and its money can be reserved.
    UnderReview,
    /// Eligible, but a cap is exhausted.
    Waitlisted,
    /// Something is missing or wrong that the claimant can mend. `reserve`: it could be priced all the same, and its money
    /// can be reserved, so that it keeps its place while it is mended.
    NeedsCorrection { reserve: bool },
    /// A rule says no, finally.
    Rejected,
}

/// Where a decision takes a claim, and what it moves. A correction may change the amount, so that what is given back and what
/// is set aside are told apart: `release` moves the amount reserved before, `reserve` the amount decided now.
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
/// A correction that still needs correction, and asks for no other amount, keeps the reservation it has; whatever else happens
/// gives it back first, so that a claim never holds two. Whoever allocates for a correction therefore returns the old amount,
/// keys and quota to the [`crate::allocate::State`] before asking, with priority. [`OutOfTurn`] unless [`Verb::Correct`] is legal.
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
