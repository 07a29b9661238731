//! The life of one claim: what was decided, what was done to it, and where its money stands.

use std::collections::VecDeque;

use claims::life_cycle::{Holdings, Ruling, Standing, Status, Verb, rule, step};
use compact_str::CompactString;
use ledger::{Account, Reason};

/// A claim as its leaves make it.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) programme: CompactString,
    pub(crate) status: Option<Status>,
    pub(crate) revision: i64,
    /// Of the last decision; what was reserved is counted under the one it was reserved with.
    pub(crate) category: CompactString,
    /// A decision whose event has not come yet: its outcome and revision.
    decided: Option<(Ruling, i64)>,
    /// What the last decision priced.
    pub(crate) price: Option<i64>,
    /// When it was last decided or promoted: the month its money counts in.
    pub(crate) acted_at: i64,
    /// Category and month that its money is counted under.
    pub(crate) counted: Option<(CompactString, CompactString)>,
    /// What of it is counted.
    pub(crate) committed: i64,
    pub(crate) keys: Vec<[u8; 17]>,
    pub(crate) recommended_by: CompactString,
    /// Which samples it may be drawn into. Nobody approves a claim twice.
    pub(crate) approved_at: Option<i64>,
    /// Whether the last step was a decision, whose transfers follow from the amounts.
    just_decided: bool,
    /// Transfers that its steps call for and that have not come yet.
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

    /// A decision was made; its event follows.
    pub(crate) fn decide(&mut self, outcome: &str, revision: i64, at: i64) -> Result<(), String> {
        self.settled()?;
        if self.decided.is_some() {
            return Err("it was decided twice and nothing was done in between".into());
        }
        let ruling = match outcome {
            "eligible" => Ruling::UnderReview,
            "waitlisted" => Ruling::Waitlisted,
            // Whether it keeps money is seen from its transfers.
            "needs_correction" => Ruling::NeedsCorrection { reserve: false },
            "ineligible" => Ruling::Rejected,
            other => return Err(format!("`{other}` is no outcome")),
        };
        self.decided = Some((ruling, revision));
        self.acted_at = at;
        Ok(())
    }

    /// Something was done to it. Whether it gives up what it holds.
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
            // It waits for another limit than before.
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

    /// Its money moved.
    pub(crate) fn transfer(&mut self, reason: Reason, amount: i64) -> Result<(), String> {
        match self.calls.pop_front() {
            Some(due) if due == reason => {}
            Some(due) => return Err(format!("{reason} where {due} is due")),
            // What was reserved before a correction is given back, and what is priced now is reserved.
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
            _ => return,
        };
        *fen = fen.saturating_add(amount);
    }

    /// Whether all its steps called for has come, and its money stands where its status says.
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
