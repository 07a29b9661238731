//! Reports of the bank are brought in, and exceptions are resolved by another person, who asks the
//! bank.

use std::collections::{BTreeMap, BTreeSet};

use claims::ids::{BankEntryId, DisbursementId, PaymentId};
use claims::jurisdictions::JurisdictionCode;
use claims::payments::{BankStatus, EntryException};
use service::Refusal;
use service::operation::access::{ManageFunds, ReadFunds};
use service::payments::{BankException, PaymentResult, Resolution, Results};
use testkit::permit;
use uuid::Uuid;

use super::bank::{Entry, Form, Verdict, mark, notification, table};
use super::paying::agrees;
use super::world::Year;

impl Year {
    /// A day of the bank: it executes and reports, and treasury brings the reports in.
    pub(super) async fn hear_the_bank(&mut self, percent: u32) {
        let today = self.today();
        let mut entries = std::mem::take(&mut self.unreported);
        entries.extend(self.bank.day(today));
        if !self.chance(percent) {
            self.unreported = entries;
            return;
        }
        // One file for each county and form; results entered by hand, for each disbursement.
        let mut reports = BTreeMap::<(String, Form, String), Vec<Entry>>::new();
        for entry in entries {
            let message = match entry.form {
                Form::Json => entry.message.clone(),
                _ => String::new(),
            };
            let report = reports
                .entry((entry.county.clone(), entry.form, message))
                .or_default();
            report.push(entry);
        }
        for ((county, form, _), entries) in reports {
            *self.deeds.entry("entries of the bank").or_default() += entries.len();
            self.report(&county, form, &entries).await;
        }
    }

    async fn report(&mut self, county: &str, form: Form, entries: &[Entry]) {
        let county = JurisdictionCode::parse(county).unwrap();
        let answers = self.insist("report", async |world| {
            let maker = permit::<ManageFunds>(&world.cast.maker);
            match form {
                Form::Json => {
                    let results = entries.iter().map(typed).collect();
                    let id = Uuid::try_parse(&entries[0].message).unwrap();
                    let id = DisbursementId::new(county, id);
                    world.service.payments().record_results(&maker, id, results).await
                }
                Form::Csv => {
                    world
                        .service
                        .payments()
                        .record_report(&maker, county, None, table(entries))
                        .await
                }
                Form::Camt => {
                    let report = notification(entries);
                    world
                        .service
                        .payments()
                        .record_report(&maker, county, None, report)
                        .await
                }
            }
        });
        let answers = answers.await.done("a report");
        self.compare(entries, answers);
    }

    /// Every report is processed as the callers predict.
    fn compare(&mut self, entries: &[Entry], answers: Results) {
        assert_eq!(answers.len(), entries.len(), "each entry has its answer");
        let at = self.now();
        let named = entries.iter().filter_map(Entry::payment);
        let named = named.filter_map(|id| Some((id, self.mirror.payments.get(&id)?.clone())));
        let stuck = named.filter(|(_, it)| !self.mirror.can_come_back(it));
        let stuck = stuck.map(|(id, _)| id).collect::<BTreeSet<_>>();
        let predicted = entries
            .iter()
            .map(|entry| self.predict_result(entry, &stuck, at))
            .collect::<Vec<_>>();
        for ((entry, answer), predicted) in entries.iter().zip(answers).zip(predicted) {
            let answer = match answer {
                Ok(_) => Ok(()),
                Err(Refusal::NotFound(_)) => Err("unknown_payment"),
                Err(Refusal::AmountDiffers) => Err("amount_differs"),
                Err(Refusal::ResultContradicts) => Err("contradicts"),
                Err(refusal) => panic!("{entry:?}: {refusal:?}"),
            };
            assert_eq!(answer, predicted, "{entry:?}");
        }
    }

    /// The result of a report, by the documented table; `Err` if it is set aside.
    fn predict_result(
        &mut self,
        entry: &Entry,
        stuck: &BTreeSet<PaymentId>,
        at: chrono::DateTime<chrono::Utc>,
    ) -> Result<(), &'static str> {
        if let Some(known) = self.mirror.reported.get(&entry.mark()) {
            return known.map_or(Ok(()), Err);
        }
        let id = entry.payment();
        let payment = id.and_then(|id| self.mirror.payments.get(&id));
        let result = match (id, payment) {
            (Some(id), Some(payment)) if payment.sent() == entry.amount => {
                match (payment.outcome, entry.verdict) {
                    ("open", Verdict::Paid) => Ok(Some((id, "paid"))),
                    ("open", Verdict::Failed) => Ok(Some((id, "failed"))),
                    ("open" | "paid", Verdict::Returned) if stuck.contains(&id) => Err("contradicts"),
                    ("open" | "paid", Verdict::Returned) => Ok(Some((id, "returned"))),
                    ("paid" | "returned", Verdict::Paid)
                    | ("failed", Verdict::Failed | Verdict::Returned)
                    | ("returned", Verdict::Returned) => Ok(None),
                    _ => Err("contradicts"),
                }
            }
            (Some(_), Some(_)) => Err("amount_differs"),
            _ => Err("unknown_payment"),
        };
        self.mirror.reported.insert(entry.mark(), result.err());
        if let Ok(Some((id, outcome))) = result {
            self.mirror.settle(id, outcome, at);
        }
        result.map(|_| ())
    }

    /// The open exceptions, oldest first.
    async fn exceptions(&self) -> Vec<BankException> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = self
                .read(async |world| {
                    let reader = permit::<ReadFunds>(&world.cast.auditor);
                    world
                        .service
                        .payments()
                        .bank_exceptions(&reader, None, cursor.as_deref(), 200)
                        .await
                })
                .await;
            all.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return all;
            }
        }
    }

    /// A person asks the bank for the real outcome of a payment, and decides on the report.
    pub(super) async fn resolve_some(&mut self, percent: u32) {
        for exception in self.exceptions().await {
            if self.chance(percent) {
                self.resolve(&exception).await;
            }
        }
    }

    async fn resolve(&mut self, exception: &BankException) {
        let reference = match PaymentId::parse(&exception.reference) {
            Ok(id) => id.uuid.simple().to_string(),
            Err(_) => exception.reference.clone(),
        };
        let Some(meant) = self.bank.meant(&reference) else {
            self.resolve_as(exception.id, Resolution::Dismiss)
                .await
                .expect("it is dismissed");
            return;
        };
        let id = PaymentId::new(exception.id.jurisdiction, Uuid::try_parse(&meant).unwrap());
        let has_paid = self.bank.has_paid(&meant);
        let is_true = (exception.verdict == BankStatus::Paid) == has_paid
            && exception.exception != Some(EntryException::AmountDiffers);
        if is_true {
            let available = match self.mirror.payments[&id].advance {
                Some(_) => self.available_for(id).await,
                None => true,
            };
            let named = exception.payment.is_none().then_some(id);
            let applied = self
                .resolve_as(exception.id, Resolution::Apply { payment: named })
                .await;
            let predicted = self.apply(id, exception.verdict.as_str(), available);
            assert_eq!(applied.is_ok(), predicted, "{exception:?}: {applied:?}");
            if predicted {
                *self.deeds.entry("entries applied").or_default() += 1;
                let form = exception.format.as_str();
                let (verdict, amount) = (exception.verdict.as_str(), exception.amount.map(ledger::Fen::get));
                let mark = mark(form, &exception.reference, verdict, amount, exception.booked_on);
                let known = self.mirror.reported.insert(mark, None);
                assert!(known.is_some(), "{exception:?} was reported");
                return;
            }
        }
        let dismissed = self.resolve_as(exception.id, Resolution::Dismiss).await;
        dismissed.expect("it is dismissed");
        // The books cannot record it: the bank's act is corrected by hand.
        let payment = &self.mirror.payments[&id];
        if is_true && !agrees(payment, has_paid) {
            *self.deeds.entry("put right by hand").or_default() += 1;
            self.bank.set_right(&meant, !has_paid);
        }
    }

    /// Whether a fund still has the money of an advance that had failed.
    async fn available_for(&self, id: PaymentId) -> bool {
        let payment = &self.mirror.payments[&id];
        let fund = self.mirror.disbursements[&payment.disbursement].fund;
        self.shown(fund).await.balances.available.get() >= payment.amount
    }

    async fn resolve_as(&mut self, id: BankEntryId, resolution: Resolution) -> Result<(), Refusal> {
        let resolved = self.insist("resolve_exception", async |world| {
            let checker = permit::<ManageFunds>(&world.cast.checker);
            let why = Some("经与银行核对".to_owned());
            world
                .service
                .payments()
                .resolve_exception(&checker, id, resolution, why)
                .await
        });
        let resolved = resolved.await;
        match resolved.result {
            Ok(_) => Ok(()),
            Err(Refusal::Settled {
                what: "bank exception",
                ..
            }) if resolved.again => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// Whether a report can be applied to a payment in spite of its outcome, and if so, the result.
    fn apply(&mut self, id: PaymentId, verdict: &str, available: bool) -> bool {
        let payment = self.mirror.payments[&id].clone();
        let (may, outcome) = match (payment.outcome, verdict) {
            ("failed", "paid") => (available && self.mirror.can_be_paid_after_all(&payment), "paid"),
            ("paid", "failed") | ("paid" | "open", "returned") => {
                (self.mirror.can_come_back(&payment), "returned")
            }
            ("open", "paid") => (true, "paid"),
            ("open", "failed") => (true, "failed"),
            ("paid", "paid") | ("returned", "returned") | ("failed", "failed" | "returned") => return true,
            _ => return false,
        };
        if may {
            let at = self.now();
            self.mirror.settle(id, outcome, at);
        }
        may
    }
}

fn typed(entry: &Entry) -> PaymentResult {
    let failure = match entry.verdict {
        Verdict::Failed => Some("账户已销户".to_owned()),
        _ => None,
    };
    let result = PaymentResult::of(entry.payment().expect("an id of ours"), failure);
    match entry.verdict {
        Verdict::Returned => PaymentResult {
            status: BankStatus::Returned,
            reason: Some("账户已销户".into()),
            ..result
        },
        _ => result,
    }
}
