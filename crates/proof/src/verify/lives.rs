//! The life of one claim: its decisions, its steps, and the place of its money.

use std::collections::VecDeque;

use claims::life_cycle::{Holdings, Ruling, Standing, Status, Verb, rule, step};
use compact_str::CompactString;
use ledger::{Account, Reason};

/// A claim as computed from its leaves.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) programme: CompactString,
    pub(crate) status: Option<Status>,
    pub(crate) revision: i64,
    /// Of the last decision; a reservation is counted under the one that made it.
    pub(crate) category: CompactString,
    /// A decision whose event has not followed yet: its outcome and revision.
    decided: Option<(Ruling, i64)>,
    /// The price of the last decision.
    pub(crate) price: Option<i64>,
    /// The time of the last decision or promotion: the month in which its money counts.
    pub(crate) acted_at: i64,
    /// Category and month under which its money is counted.
    pub(crate) counted: Option<(CompactString, CompactString)>,
    /// The sum that is counted.
    pub(crate) committed: i64,
    pub(crate) keys: Vec<[u8; 17]>,
    pub(crate) recommended_by: CompactString,
    /// The samples that it may be drawn into. A claim is approved once at most.
    pub(crate) approved_at: Option<i64>,
    /// Whether the last step was a decision, whose transfers follow from the amounts.
    just_decided: bool,
    /// Transfers that its steps require and that have not followed yet.
    calls: VecDeque<Reason>,
    reserved: i64,
    payable: i64,
    in_payment: i64,
    disbursed: i64,
    recoverable: i64,
}

impl Life {
    fn standing(&self) -> Option<Standing> {
        Some(Standing {
            status: self.status?,
            reserved: self.reserved > 0,
        })
    }

    /// A decision; its event follows.
    pub(crate) fn decide(&mut self, outcome: &str, revision: i64, at: i64) -> Result<(), String> {
        self.settled()?;
        if self.decided.is_some() {
            return Err("it was decided twice and nothing was done in between".into());
        }
        let ruling = match outcome {
            "eligible" => Ruling::UnderReview,
            "waitlisted" => Ruling::Waitlisted,
            // Whether it keeps money follows from its transfers.
            "needs_correction" => Ruling::NeedsCorrection { reserve: false },
            "ineligible" => Ruling::Rejected,
            other => return Err(format!("`{other}` is no outcome")),
        };
        self.decided = Some((ruling, revision));
        self.acted_at = at;
        Ok(())
    }

    /// A step of the claim. Returns whether it releases its holdings.
    pub(crate) fn act(
        &mut self,
        verb: &str,
        from: Option<&str>,
        to: &str,
        revision: i64,
        at: i64,
    ) -> Result<bool, String> {
        self.settled()?;
        let expected = self.revision.saturating_add(1);
        if revision != expected {
            return Err(format!("it is revision {revision}, and {expected} is due"));
        }
        if from != self.status.map(Status::as_str) {
            return Err(format!(
                "it says that the claim was {}, and the claim was {}",
                from.unwrap_or("new"),
                self.status.map_or("new", Status::as_str)
            ));
        }
        let (next, releases) = if matches!(verb, "submit" | "correct") {
            let (ruling, decided) = self.decided.take().ok_or("nothing was decided on it")?;
            if decided != revision {
                return Err(format!("revision {decided} was decided, and this is {revision}"));
            }
            let ruled = rule(self.standing(), ruling).map_err(|why| why.to_string())?;
            self.just_decided = true;
            (ruled.to, ruled.holdings == Holdings::Release)
        } else if verb == "wait_for" && self.status == Some(Status::Waitlisted) {
            // The claim waits for another limit than before.
            (Status::Waitlisted, false)
        } else {
            let verb =
                Verb::parse(verb).ok_or_else(|| format!("`{verb}` is nothing that is done to a claim"))?;
            let standing = self.standing().ok_or("nothing was decided on it")?;
            let step = step(standing, verb).map_err(|why| why.to_string())?;
            self.calls.extend(step.transfer);
            self.just_decided = false;
            if verb == Verb::Promote {
                self.acted_at = at;
            }
            (step.to, step.holdings == Holdings::Release)
        };
        if next.as_str() != to {
            return Err(format!("it ends as {to}, and {next} follows"));
        }
        self.status = Some(next);
        self.revision = revision;
        Ok(releases)
    }

    /// A transfer of the claim.
    pub(crate) fn transfer(&mut self, reason: Reason, amount: i64) -> Result<(), String> {
        match self.calls.pop_front() {
            Some(due) if due == reason => {}
            Some(due) => return Err(format!("{reason} where {due} is due")),
            // The reservation before a correction is released, and the new price is reserved.
            None if self.just_decided && matches!(reason, Reason::Release | Reason::Reserve) => {}
            None => return Err(format!("nothing that was done to the claim calls for {reason}")),
        }
        if reason == Reason::Reserve && self.price != Some(amount) {
            return Err(format!(
                "{amount} fen are reserved, and the decision priced another amount"
            ));
        }
        let (debit, credit) = reason.accounts();
        self.add(debit, amount);
        self.add(credit, amount.saturating_neg());
        let accounts = [
            self.reserved,
            self.payable,
            self.in_payment,
            self.disbursed,
            self.recoverable,
        ];
        if accounts.iter().any(|fen| *fen < 0) {
            return Err(format!("more moves as {reason} than the claim has there"));
        }
        Ok(())
    }

    fn add(&mut self, account: Account, amount: i64) {
        let fen = match account {
            Account::Reserved => &mut self.reserved,
            Account::Payable => &mut self.payable,
            Account::InPayment => &mut self.in_payment,
            Account::Disbursed => &mut self.disbursed,
            Account::Recoverable => &mut self.recoverable,
            Account::Appropriated | Account::Available | Account::Advanced => return,
        };
        *fen = fen.saturating_add(amount);
    }

    /// Whether all transfers that its steps require have followed, and its money stands where its
    /// status requires.
    pub(crate) fn settled(&self) -> Result<(), String> {
        if let Some(due) = self.calls.front() {
            return Err(format!("{due} is due and did not come"));
        }
        let Some(status) = self.status else {
            return Ok(());
        };
        let stands = |fen: i64, here: bool, where_: &str| {
            if (fen > 0) == here {
                Ok(())
            } else {
                Err(format!("the claim is {status} and {fen} fen of it are {where_}"))
            }
        };
        if status != Status::NeedsCorrection {
            stands(
                self.reserved,
                matches!(status, Status::UnderReview | Status::Recommended),
                "reserved",
            )?;
        }
        if !matches!(status, Status::Approved | Status::PaymentFailed) {
            stands(self.payable, false, "payable")?;
        }
        stands(self.in_payment, status == Status::InPayment, "in payment")?;
        stands(self.recoverable, status == Status::ClawbackDue, "to be recovered")
    }
}
