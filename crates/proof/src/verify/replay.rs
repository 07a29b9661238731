//! Replays a county's leaves one after another, each checked against all before it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike, FixedOffset};
use compact_str::{CompactString, format_compact};
use ledger::{Balances, Fen, Reason, Transfer};
use uuid::Uuid;

use super::CountyReport;
use super::acts::{self, Acts, Ceilings, Granted, Payout};
use super::entry::{Entry, Subject, What};
use super::limits::Slices;
use super::lives::Life;
use super::samples::Samples;

/// A county's ledger as computed from its leaves.
#[derive(Debug)]
pub(crate) struct Ledger {
    claim_prefix: String,
    height: i64,
    posted_at: i64,
    pub(crate) funds: BTreeMap<String, Balances>,
    pub(crate) slices: Slices,
    pub(crate) claims: HashMap<Uuid, Life>,
    pub(crate) keys: HashMap<[u8; 17], Uuid>,
    pub(crate) acts: Acts,
    samples: Samples,
}

/// The UUID of a public id such as `clm_140802_…`.
pub(super) fn uuid_of(subject: &str) -> Option<Uuid> {
    subject
        .rsplit_once('_')
        .and_then(|(_, id)| Uuid::try_parse(id).ok())
}

/// The month in China's time, in which a claim counts.
fn month_of(at: i64) -> CompactString {
    let zone = FixedOffset::east_opt(8 * 3_600);
    let at = DateTime::from_timestamp_micros(at).unwrap_or_default();
    zone.map_or_else(CompactString::default, |zone| {
        let at = at.with_timezone(&zone);
        format_compact!("{:04}-{:02}", at.year(), at.month())
    })
}

impl Ledger {
    pub(crate) fn new(jurisdiction: &str) -> Self {
        Ledger {
            claim_prefix: format!("clm_{jurisdiction}_"),
            height: 0,
            posted_at: i64::MIN,
            funds: BTreeMap::new(),
            slices: Slices::default(),
            claims: HashMap::new(),
            keys: HashMap::new(),
            acts: Acts::default(),
            samples: Samples::default(),
        }
    }

    pub(crate) fn into_slices(self) -> Slices {
        self.slices
    }

    /// Applies the next leaf.
    pub(crate) fn take(&mut self, entry: &Entry, report: &mut CountyReport) -> Result<(), String> {
        match &entry.what {
            What::Transfer {
                height,
                programme,
                reason,
                amount,
                claim,
                document,
                posted_at,
            } => {
                report.transfers = report.transfers.saturating_add(1);
                self.transfer(*height, *posted_at, programme, *reason, *amount)?;
                match claim {
                    Some(claim) => self.claims_money(claim, programme, *reason, *amount)?,
                    None => self.nobodys_money(*reason, *document, programme, *amount)?,
                }
                self.paid_out(*reason, *document, claim.is_some(), *amount)
            }
            What::Decision {
                claim,
                revision,
                outcome,
                programme,
                category,
                price,
                keys,
                at,
            } => {
                report.decisions = report.decisions.saturating_add(1);
                let life = self.claims.entry(*claim).or_default();
                life.decide(outcome, *revision, *at)?;
                (life.programme, life.category, life.price) = (programme.clone(), category.clone(), *price);
                let before = std::mem::replace(&mut life.keys, keys.clone());
                self.give_up(*claim, &before);
                self.hold(*claim, keys)
            }
            What::Event {
                subject,
                verb,
                person,
                at,
                revision,
                from,
                to,
                detail,
            } => {
                report.events = report.events.saturating_add(1);
                let subject = match subject {
                    Subject::Claim(claim) => {
                        let (from, to) = (from.as_deref(), to.as_deref());
                        return self.claim_event(*claim, verb, person, (from, to), *revision, *at, report);
                    }
                    Subject::Other(subject) => subject,
                };
                if subject.starts_with(&self.claim_prefix) {
                    return Err("no claim has such an id".into());
                }
                let detail = detail.as_deref();
                match verb.as_str() {
                    "commit_sample" => self.samples.commit(subject, detail, entry.hash),
                    "draw_sample" => {
                        report.samples = report.samples.saturating_add(1);
                        self.samples
                            .draw(subject, detail, *at, &self.claim_prefix, &self.claims)
                    }
                    verb => self.act(subject, verb, person, to.as_deref(), detail, report),
                }
            }
        }
    }

    fn transfer(
        &mut self,
        height: i64,
        posted_at: i64,
        programme: &str,
        reason: Reason,
        amount: Fen,
    ) -> Result<(), String> {
        let due = self.height.saturating_add(1);
        if height != due {
            return Err(format!("transfer {due} is due"));
        }
        if posted_at < self.posted_at {
            return Err("it was posted before the one that it follows".into());
        }
        (self.height, self.posted_at) = (height, posted_at);
        let transfer = Transfer::new(reason, amount).map_err(|why| why.to_string())?;
        if !self.funds.contains_key(programme) {
            self.funds.insert(programme.to_owned(), Balances::default());
        }
        let Some(balances) = self.funds.get_mut(programme) else {
            return Ok(());
        };
        *balances = balances.apply(&transfer).map_err(|why| why.to_string())?;
        Ok(())
    }

    fn claims_money(
        &mut self,
        claim: &Uuid,
        programme: &str,
        reason: Reason,
        amount: Fen,
    ) -> Result<(), String> {
        let life = self
            .claims
            .get_mut(claim)
            .ok_or("it is of a claim that nothing was decided on")?;
        if life.programme != programme {
            return Err(format!("the claim is of {}", life.programme));
        }
        life.transfer(reason, amount.get())?;
        let fen = match reason {
            Reason::Reserve => amount.get(),
            Reason::Release | Reason::ReleasePayable | Reason::ClawBack => amount.get().saturating_neg(),
            Reason::Appropriate
            | Reason::Approve
            | Reason::Instruct
            | Reason::CancelInstruction
            | Reason::Pay
            | Reason::FailPayment
            | Reason::ReturnPayment
            | Reason::ClawBackDue
            | Reason::Waive
            | Reason::Lapse
            | Reason::InstructAdvance
            | Reason::CancelAdvance
            | Reason::FailAdvance
            | Reason::PayAdvance
            | Reason::ReturnAdvance
            | Reason::SetOff
            | Reason::RepayAdvance => return Ok(()),
        };
        if reason == Reason::Reserve {
            // Money that was counted before keeps its month.
            let month = life
                .counted
                .take()
                .map_or_else(|| month_of(life.acted_at), |(_, month)| month);
            life.counted = Some((life.category.clone(), month));
        }
        let Some((category, month)) = life.counted.clone() else {
            return Err("it gives back what was never reserved".into());
        };
        life.committed = life.committed.saturating_add(fen);
        let over = life
            .status
            .is_none_or(|status| status.is_terminal() || status == claims::life_cycle::Status::Waitlisted);
        if over && life.committed <= 0 {
            life.counted = None;
        }
        self.slices.commit(programme, &category, &month, fen)
    }

    /// Transfers that belong to no claim: grants, lapses, and advances.
    fn nobodys_money(
        &mut self,
        reason: Reason,
        document: Option<Uuid>,
        programme: &str,
        amount: Fen,
    ) -> Result<(), String> {
        match reason {
            Reason::Appropriate => self.granted(document, programme, amount),
            Reason::Lapse
            | Reason::InstructAdvance
            | Reason::CancelAdvance
            | Reason::FailAdvance
            | Reason::PayAdvance
            | Reason::ReturnAdvance
            | Reason::SetOff
            | Reason::RepayAdvance => Ok(()),
            Reason::Reserve
            | Reason::Release
            | Reason::Approve
            | Reason::ReleasePayable
            | Reason::Instruct
            | Reason::CancelInstruction
            | Reason::Pay
            | Reason::FailPayment
            | Reason::ReturnPayment
            | Reason::ClawBackDue
            | Reason::ClawBack
            | Reason::Waive => Err(format!("{reason} moves a claim's money, and it names none")),
        }
    }

    /// Money comes only from a grant that two persons signed, once.
    fn granted(&mut self, document: Option<Uuid>, programme: &str, amount: Fen) -> Result<(), String> {
        let grant = document.and_then(|id| self.acts.grants.remove(&id));
        let granted = grant.ok_or("no grant that two persons signed stands behind it")?;
        if granted.programme != programme || acts::fen(&granted.amount)? != amount.get() {
            return Err("it is not what was granted".into());
        }
        Ok(())
    }

    /// Claims that enter and leave a payout.
    fn paid_out(
        &mut self,
        reason: Reason,
        document: Option<Uuid>,
        of_claim: bool,
        amount: Fen,
    ) -> Result<(), String> {
        let (count, fen) = match reason {
            Reason::Instruct => (1, amount.get()),
            Reason::InstructAdvance => (0, amount.get()),
            Reason::Pay | Reason::PayAdvance => {
                // A netted claim's money is paid when the payout is released, in the same
                // transaction.
                let payout = document.and_then(|id| self.acts.payouts.get(&id));
                let payout = payout.ok_or("it is of no payout")?;
                return match payout.released {
                    Some(_) => Ok(()),
                    None => Err("the payout was not released".into()),
                };
            }
            Reason::Appropriate
            | Reason::Reserve
            | Reason::Release
            | Reason::Approve
            | Reason::ReleasePayable
            | Reason::CancelInstruction
            | Reason::FailPayment
            | Reason::ReturnPayment
            | Reason::ClawBackDue
            | Reason::ClawBack
            | Reason::Waive
            | Reason::Lapse
            | Reason::CancelAdvance
            | Reason::FailAdvance
            | Reason::ReturnAdvance
            | Reason::SetOff
            | Reason::RepayAdvance => return Ok(()),
        };
        if of_claim != (reason == Reason::Instruct) {
            return Err(format!("{reason} of a claim or of none, the other way round"));
        }
        let payout = self
            .acts
            .payouts
            .entry(document.ok_or("it is of no payout")?)
            .or_default();
        if payout.released.is_some() {
            // The bank's first result was wrong, and its payment is open again: the claim was in
            // the payout before.
            return Ok(());
        }
        payout.claims = payout.claims.saturating_add(count);
        payout.fen = payout.fen.saturating_add(fen);
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the members of a leaf")]
    fn claim_event(
        &mut self,
        id: Uuid,
        verb: &str,
        person: &str,
        (from, to): (Option<&str>, Option<&str>),
        revision: Option<i64>,
        at: i64,
        report: &mut CountyReport,
    ) -> Result<(), String> {
        let Some(to) = to else {
            // An account was corrected, for example: the claim's status does not change.
            return Ok(());
        };
        let life = self
            .claims
            .get_mut(&id)
            .ok_or("nothing was decided on this claim")?;
        let revision = revision.ok_or("it has no revision")?;
        let releases = life.act(verb, from, to, revision, at)?;
        match verb {
            "recommend" => life.recommended_by = person.into(),
            "approve" => {
                if life.recommended_by == person {
                    return Err("the one who recommended it approved it".into());
                }
                life.approved_at = Some(at);
                report.pairs = report.pairs.saturating_add(1);
            }
            _ => {}
        }
        if releases {
            let keys = std::mem::take(&mut life.keys);
            self.give_up(id, &keys);
        }
        Ok(())
    }

    fn hold(&mut self, claim: Uuid, keys: &[[u8; 17]]) -> Result<(), String> {
        for key in keys {
            if let Some(other) = self.keys.insert(*key, claim)
                && other != claim
            {
                return Err(format!(
                    "it holds what claim {} holds (key {})",
                    other.simple(),
                    hex::encode(key)
                ));
            }
        }
        Ok(())
    }

    fn give_up(&mut self, claim: Uuid, keys: &[[u8; 17]]) {
        for key in keys {
            if self.keys.get(key) == Some(&claim) {
                self.keys.remove(key);
            }
        }
    }

    fn act(
        &mut self,
        subject: &str,
        verb: &str,
        person: &str,
        to: Option<&str>,
        detail: Option<&str>,
        report: &mut CountyReport,
    ) -> Result<(), String> {
        let checked = matches!(verb, "check_appropriation" | "check_caps" | "check_waiver");
        match verb {
            "appropriate" | "propose_caps" | "waive_clawback" => self.acts.make(subject, person, detail)?,
            _ if checked => {
                self.acts.check(subject, person, detail)?;
                report.pairs = report.pairs.saturating_add(1);
                if to != Some("approved") {
                    return Ok(());
                }
                match verb {
                    "check_appropriation" => {
                        let granted: Granted = acts::detail(detail)?;
                        let id = uuid_of(subject).ok_or("no grant has such an id")?;
                        self.acts.grants.insert(id, granted);
                    }
                    "check_caps" => {
                        let ceilings: Ceilings = acts::detail(detail)?;
                        let caps = ceilings
                            .caps
                            .iter()
                            .map(|(scope, yuan)| Ok((scope.clone(), acts::fen(yuan)?)));
                        let caps = caps.collect::<Result<_, String>>()?;
                        self.slices.set(&ceilings.programme, &caps)?;
                    }
                    _ => {}
                }
            }
            "make_disbursement" => {
                let id = uuid_of(subject).ok_or("no payout has such an id")?;
                let payout = self.acts.payouts.entry(id).or_default();
                if !payout.persons.is_empty() {
                    return Err("it was made before".into());
                }
                payout.persons.push(person.to_owned());
            }
            "countersign_disbursement" | "release_disbursement" => {
                let id = uuid_of(subject).ok_or("no payout has such an id")?;
                let signed = self.acts.sign(id, person)?;
                report.pairs = report.pairs.saturating_add(1);
                if verb == "release_disbursement" {
                    let released: Payout = acts::detail(detail)?;
                    if signed.persons.len() < released.persons {
                        return Err(format!(
                            "{} persons signed it and {} have to",
                            signed.persons.len(),
                            released.persons
                        ));
                    }
                    if signed.claims != released.claims || signed.fen != acts::fen(&released.total)? {
                        return Err(format!(
                            "it was signed for {} claims and {} yuan, and {} claims and {} fen are in it",
                            released.claims, released.total, signed.claims, signed.fen
                        ));
                    }
                    signed.released = Some(released);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// At the end of the log: no transfer is missing.
    pub(crate) fn close(&mut self, report: &mut CountyReport) -> Result<(), (String, String)> {
        for (id, life) in &self.claims {
            life.settled()
                .map_err(|what| (format!("claim {}", id.simple()), what))?;
        }
        if let Some(id) = self.acts.grants.keys().next() {
            return Err((
                format!("grant {}", id.simple()),
                "two persons signed it and its money did not come".into(),
            ));
        }
        report.claims = self.claims.len();
        report.disbursed = self
            .funds
            .values()
            .map(|balances| balances.get(ledger::Account::Disbursed).get())
            .fold(0, i64::saturating_add);
        Ok(())
    }
}
