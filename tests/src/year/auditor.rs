//! The auditor: trusts neither the service nor the callers nor the bank, and compares their three
//! accounts.
//!
//! | of | answered by the service | recomputed | recorded elsewhere |
//! |---|---|---|---|
//! | an account of a fund | balances | the fold of the exported ledger | the callers' claims and payments |
//! | a source of a fund | its balances | grants, parts of payments, returns of them | the callers' grants |
//! | a merchant | clawbacks of its claims | the ledger's lines of its claims | the callers' dues; the bank's books |
//! | a county | balances, reconciliation | the ledger | the bank's books, to the fen |
//! | a month, a year | closings | the exported ledger up to its end | |
//! | a merchant in a county | statements | | the callers' claims, dues and advances |
//! | a claim, a payment | lists | the ledger's lines of the claim | the callers; the bank's books |
//!
//! Every difference is a finding; a finding fails the year.

mod closings;
mod ledger;
mod sources;
mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use ::ledger::{Account, Source};
use claims::ids::{ClaimId, PaymentId};
use claims::life_cycle::Status;
use futures::TryStreamExt;
use policy::Lang;
use service::audit::export::{Format, LedgerExport};
use service::claims::ClaimQuery;
use service::operation::access::{ReadClaims, ReadFunds, ReadLedger};
use testkit::permit;

use self::ledger::{Ahead, Flow, Fold};
use self::sources::{Parts, Spending};
use super::mirror::Claim;
use super::paying::agrees;
use super::world::{COUNTIES, Fund, Year};

/// The differences.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<String>);

impl Findings {
    fn say(&mut self, finding: String) {
        self.0.push(finding);
    }

    fn same<T: PartialEq + Debug>(&mut self, what: &str, one: T, other: T) {
        if one != other {
            self.0.push(format!("{what}: {one:?} and {other:?}"));
        }
    }

    fn must_be_none(self, when: &str) {
        let count = self.0.len();
        let first = self.0.into_iter().take(40).collect::<Vec<_>>();
        assert!(
            count == 0,
            "{when}, the auditor has {count} findings:\n{}",
            first.join("\n")
        );
    }
}

impl Year {
    /// A month ends: every account is the fold of the exported ledger.
    pub(super) async fn audit_month(&self) {
        let mut found = Findings::default();
        for (county, _) in COUNTIES {
            let fold = self.exported(county, &mut found).await;
            self.audit_accounts(county, &fold, &mut found).await;
        }
        found.must_be_none(&format!("on {}", self.today()));
        self.audit().await;
    }

    /// The year is over: every balance by account, source, merchant and county.
    pub(super) async fn audit_year(&self) {
        let mut found = Findings::default();
        let mut folds = BTreeMap::new();
        for (county, _) in COUNTIES {
            let fold = self.exported(county, &mut found).await;
            self.audit_accounts(county, &fold, &mut found).await;
            self.audit_claims(county, &fold, &mut found).await;
            self.audit_county(county, &fold, &mut found).await;
            folds.insert(county, fold);
        }
        for fund in Fund::all() {
            self.audit_fund(fund, &folds[fund.county], &mut found);
        }
        let parts = self.audit_payments(&mut found).await;
        self.audit_sources(&folds, &parts, &mut found).await;
        self.audit_merchants(&folds, &mut found);
        self.audit_dues(&mut found).await;
        for (county, fold) in &folds {
            self.audit_closings(county, fold, &mut found).await;
            self.audit_statements(county, &mut found).await;
        }
        found.must_be_none("in the end");
        self.audit().await;
    }

    /// A county's ledger as a file, in one format or the other.
    async fn exported(&self, county: &str, found: &mut Findings) -> Fold {
        let format = match county.ends_with(['0', '2', '4', '6', '8']) {
            true => Format::Csv,
            false => Format::JsonLines,
        };
        let auditor = permit::<ReadLedger>(&self.world.cast.auditor);
        let all = LedgerExport::default();
        let file = self
            .world
            .service
            .audit()
            .export_ledger(&auditor, county, &all, format, Lang::En);
        let chunks = file.unwrap().try_collect::<Vec<_>>().await.expect("an export");
        Fold::of(std::str::from_utf8(&chunks.concat()).unwrap(), county, found)
    }

    async fn audit_accounts(&self, county: &str, fold: &Fold, found: &mut Findings) {
        let answered = self
            .read(async |world| {
                let auditor = permit::<ReadLedger>(&world.cast.auditor);
                world.service.funds().balances(&auditor, county, None).await
            })
            .await;
        for (programme, balances) in answered {
            for account in Account::ALL {
                let what = format!("{county}/{programme} {account}, answered and folded");
                let folded = fold.balance(&programme, account.as_str());
                found.same(&what, balances.get(account).get(), folded);
            }
        }
    }

    /// A fund's accounts as the callers recorded their claims and payments.
    fn audit_fund(&self, fund: Fund, fold: &Fold, found: &mut Findings) {
        let mirror = &self.mirror;
        let mut own = BTreeMap::<&str, i64>::new();
        for (id, claim) in mirror.claims.iter().filter(|(_, claim)| claim.fund == fund) {
            for (account, fen) in self.money_of(*id, claim) {
                *own.entry(account).or_default() += fen;
            }
        }
        for advance in mirror.advances.values().filter(|it| it.fund == fund) {
            let under_way = mirror.disbursements[&advance.disbursement].payments.iter();
            let under_way = under_way.filter(|id| mirror.payments[id].outcome == "open");
            let under_way = under_way.map(|id| mirror.payments[id].amount).sum::<i64>();
            for (account, fen) in [
                ("in_payment", under_way),
                ("advanced", advance.out()),
                ("available", -under_way - advance.out()),
            ] {
                *own.entry(account).or_default() += fen;
            }
        }
        let granted = mirror.grants.iter().filter(|grant| grant.fund == fund);
        let granted = granted.map(|grant| grant.amount).sum::<i64>();
        let lapsed = fold.lapsed.get(fund.programme).copied().unwrap_or(0);
        own.insert("appropriated", granted - lapsed);
        *own.entry("available").or_default() += granted - lapsed;
        for account in Account::ALL {
            let what = format!("{fund} {account}, folded and remembered");
            let remembered = own.get(account.as_str()).copied().unwrap_or(0);
            found.same(&what, fold.balance(fund.programme, account.as_str()), remembered);
        }
    }

    /// Where the money of a claim is, by the callers' record; `None` if it holds none.
    fn money_of(&self, id: ClaimId, claim: &Claim) -> BTreeMap<&'static str, i64> {
        let mut money = BTreeMap::new();
        let owed = claim.amount - claim.set_off;
        match claim.status {
            Status::UnderReview | Status::Recommended => {
                money.insert("reserved", claim.amount);
            }
            Status::Approved | Status::PaymentFailed => {
                money.insert("payable", owed);
                money.insert("disbursed", claim.set_off);
            }
            Status::InPayment => {
                money.insert("in_payment", owed);
                money.insert("disbursed", claim.set_off);
            }
            Status::Paid => {
                money.insert("disbursed", claim.amount);
            }
            Status::ClawbackDue | Status::ClawedBack => {
                let due = &self.mirror.dues[&id];
                money.insert("disbursed", claim.amount - due.due + due.waived);
                money.insert("recoverable", due.open() + due.pending);
            }
            // No claim is corrected any more, so none of these is left that holds anything.
            _ => {}
        }
        let taken = money.values().sum::<i64>();
        money.insert("available", -taken);
        money.retain(|_, fen| *fen != 0);
        money
    }

    /// Every claim: its status as answered, and its money by the ledger.
    async fn audit_claims(&self, county: &str, fold: &Fold, found: &mut Findings) {
        let query = ClaimQuery {
            jurisdiction: Some(county.into()),
            ..ClaimQuery::default()
        };
        let (mut seen, mut cursor) = (BTreeSet::new(), None::<String>);
        loop {
            let page = self
                .read(async |world| {
                    let auditor = permit::<ReadClaims>(&world.cast.auditor);
                    world
                        .service
                        .claims()
                        .claims(&auditor, &query, cursor.as_deref(), 200)
                        .await
                })
                .await;
            for state in page.items {
                let Some(claim) = self.mirror.claims.get(&state.id) else {
                    found.say(format!("{} was never submitted", state.id));
                    continue;
                };
                seen.insert(state.id);
                let promoted = claim.status == Status::Waitlisted && state.status == Status::UnderReview;
                if promoted {
                    found.say(format!("{} was promoted and no caller saw it", state.id));
                }
                found.same(&format!("the status of {}", state.id), state.status, claim.status);
                let money = self.money_of(state.id, claim);
                let left = fold.claims.get(&state.id.to_string());
                let left = left
                    .into_iter()
                    .flatten()
                    .map(|(account, fen)| (&**account, *fen));
                found.same(&format!("the money of {}", state.id), left.collect(), money);
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let own = self
            .mirror
            .claims
            .keys()
            .filter(|id| id.jurisdiction.as_str() == county);
        found.same(&format!("the claims of {county}"), seen, own.copied().collect());
    }

    /// The bank's books of a county equal the ledger's, to the fen, and every disbursement adds up.
    async fn audit_county(&self, county: &str, fold: &Fold, found: &mut Findings) {
        let orders = self.bank.orders.values().filter(|order| order.county == county);
        let (mut out, mut under_way) = (0, 0);
        for order in orders {
            out += order.out;
            under_way += if order.carried_out { 0 } else { order.amount };
        }
        let all = |account: &str| {
            let own = fold.accounts.iter().filter(|((_, it), _)| it == account);
            own.map(|(_, fen)| fen).sum::<i64>()
        };
        let repaid = fold.flows.values().map(|flow| flow.repaid).sum::<i64>()
            + fold.ahead.values().map(|ahead| ahead.repaid).sum::<i64>();
        let what = format!(
            "{county}: what the bank has paid, and what is disbursed, recoverable, advanced or was repaid"
        );
        let has = all("disbursed") + all("recoverable") + all("advanced");
        found.same(&what, out, has + repaid);

        let (mut sent, mut open) = (BTreeMap::new(), 0);
        for (id, row) in &self.mirror.disbursements {
            if row.fund.county != county || row.status != "released" {
                continue;
            }
            let mut sums = BTreeMap::<&str, i64>::new();
            for payment in row.payments.iter().map(|id| &self.mirror.payments[id]) {
                *sums.entry(payment.outcome).or_default() += payment.sent();
            }
            open += sums.get("open").copied().unwrap_or(0);
            sums.retain(|_, fen| *fen != 0);
            if !sums.is_empty() {
                sent.insert(*id, sums);
            }
        }
        found.same(&format!("{county}: what is under way"), under_way, open);
        let mut answered = BTreeMap::new();
        for (from, to) in [("2026-01-01", "2026-07-31"), ("2026-08-01", "2027-05-31")] {
            let days = (testkit::day(from), testkit::day(to));
            let rows = self
                .read(async |world| {
                    let auditor = permit::<ReadFunds>(&world.cast.auditor);
                    world.service.payments().reconcile(&auditor, county, days).await
                })
                .await;
            for row in rows {
                let parts = [
                    ("paid", row.paid.amount),
                    ("failed", row.failed.amount),
                    ("returned", row.returned.amount),
                    ("open", row.open.amount),
                ];
                let mut sums = parts
                    .map(|(outcome, amount)| (outcome, amount.get()))
                    .into_iter()
                    .collect::<BTreeMap<_, _>>();
                sums.retain(|_, fen| *fen != 0);
                found.same(
                    "what was sent is the sum of what became of it",
                    row.sent.amount.get(),
                    sums.values().sum(),
                );
                if !sums.is_empty() {
                    answered.insert(row.disbursement, sums);
                }
            }
        }
        found.same(&format!("{county}: what became of what was sent"), answered, sent);
    }

    /// Every payment is as the callers predicted and as the bank's books show. Returns the sources
    /// of each.
    async fn audit_payments(&self, found: &mut Findings) -> BTreeMap<PaymentId, Parts> {
        let mut parts = BTreeMap::new();
        for id in self.mirror.disbursements.keys() {
            for answered in self.payments(*id).await {
                let Some(payment) = self.mirror.payments.get(&answered.id) else {
                    found.say(format!("{} was never made", answered.id));
                    continue;
                };
                found.same(
                    &format!("the outcome of {}", answered.id),
                    answered.outcome.as_str(),
                    payment.outcome,
                );
                let of = Source::ALL.map(|source| answered.parts.get(source).get());
                found.same(
                    &format!("the parts of {}", answered.id),
                    of.iter().sum(),
                    payment.amount,
                );
                parts.insert(answered.id, of);
                let order = self.bank.orders.get(&answered.id.uuid.simple().to_string());
                let Some(order) = order else { continue };
                found.same(
                    &format!("what was sent of {}", answered.id),
                    order.amount,
                    payment.sent(),
                );
                if !agrees(payment, order.out == order.amount && order.out > 0) {
                    found.say(format!(
                        "{} is {} and the bank paid {}",
                        answered.id, payment.outcome, order.out
                    ));
                }
            }
        }
        let known = self.mirror.payments.keys().all(|id| parts.contains_key(id));
        found.same("all payments are listed", known, true);
        parts
    }

    /// Each source of each fund: granted, in payment, spent, lapsed, left.
    async fn audit_sources(
        &self,
        folds: &BTreeMap<&str, Fold>,
        parts: &BTreeMap<PaymentId, Parts>,
        found: &mut Findings,
    ) {
        let mut spending = Spending::new(&self.mirror, parts);
        folds.values().for_each(|fold| spending.follow(fold));
        for fund in Fund::all() {
            let answered = self
                .read(async |world| {
                    let auditor = permit::<ReadFunds>(&world.cast.auditor);
                    world
                        .service
                        .funds()
                        .fund_sources(&auditor, fund.programme, fund.county)
                        .await
                })
                .await;
            let (under_way, spent) = spending.of(fund.county, fund.programme);
            let lapsed = folds[fund.county]
                .lapsed
                .get(fund.programme)
                .copied()
                .unwrap_or(0);
            for (place, source) in Source::ALL.into_iter().enumerate() {
                let grants = self.mirror.grants.iter();
                let grants = grants.filter(|grant| grant.fund == fund && grant.source == source);
                let granted = grants.map(|grant| grant.amount).sum::<i64>();
                // Central money alone lapses.
                let lapsed = if source == Source::Central { lapsed } else { 0 };
                let left = granted - under_way[place] - spent[place] - lapsed;
                let own = [granted, under_way[place], spent[place], lapsed, left];
                let it = answered
                    .iter()
                    .find(|it| it.source == source)
                    .expect("four sources");
                let it =
                    [it.appropriated, it.in_payment, it.spent, it.lapsed, it.left].map(::ledger::Fen::get);
                found.same(
                    &format!("{fund} {}, answered and recomputed", source.as_str()),
                    it,
                    own,
                );
                if source == Source::Central {
                    self.audit_lapse(fund, left, &folds[fund.county], found);
                }
            }
        }
    }

    /// Of central's grants of the year, no unused part is still available.
    fn audit_lapse(&self, fund: Fund, left: i64, fold: &Fold, found: &mut Findings) {
        let new_year = "2026-12-31T16:00:00Z"
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap();
        let grants = self.mirror.grants.iter();
        let later = grants.filter(|it| it.fund == fund && it.source == Source::Central && it.at >= new_year);
        let later = later.map(|grant| grant.amount).sum::<i64>();
        // The oldest grants are used first: the rest is of the new year, as far as it was granted
        // then.
        let unused = (left - later)
            .max(0)
            .min(fold.balance(fund.programme, "available"));
        found.same(
            &format!("{fund}: central money that should have lapsed"),
            unused,
            0,
        );
    }

    /// Each merchant: what its claims were paid, what was returned of them, what is open; and what
    /// its account received.
    fn audit_merchants(&self, folds: &BTreeMap<&str, Fold>, found: &mut Findings) {
        let mut folded = BTreeMap::<&str, Flow>::new();
        let mut remembered = BTreeMap::<&str, Flow>::new();
        for (id, claim) in self.mirror.claims.iter().filter(|(_, claim)| claim.fronted) {
            let flows = &folds[claim.fund.county].flows;
            let flow = flows.get(&id.to_string()).copied().unwrap_or_default();
            let sum = folded.entry(&claim.merchant).or_default();
            add(sum, flow);
            let due = self.mirror.dues.get(id);
            let own = Flow {
                paid: claim.paid,
                due: due.map_or(0, |due| due.due),
                by_bank: due.map_or(0, |due| due.netted + due.by_bank),
                repaid: due.map_or(0, |due| due.repaid - due.by_bank),
                waived: due.map_or(0, |due| due.waived),
            };
            add(remembered.entry(&claim.merchant).or_default(), own);
        }
        let mut ahead = BTreeMap::<&str, i64>::new();
        for (id, advance) in &self.mirror.advances {
            let of = folds[advance.fund.county]
                .ahead
                .get(&advance.disbursement.to_string());
            let of = of.copied().unwrap_or_default();
            let own = Ahead {
                paid: if advance.paid { advance.amount } else { 0 },
                set_off: advance.set_off,
                repaid: advance.repaid,
            };
            found.same(&format!("{id}, folded and remembered"), of, own);
            *ahead.entry(&advance.merchant).or_default() += of.paid - of.set_off;
        }
        let mut banked = BTreeMap::<&str, i64>::new();
        for order in self.bank.orders.values() {
            if let Some(holder) = self.mirror.accounts.get(&order.account) {
                *banked.entry(holder).or_default() += order.out;
            }
        }
        for shop in &self.shops {
            let (name, code) = (&shop.actor.client, shop.code.as_str());
            let own = remembered.get(code).copied().unwrap_or_default();
            let flow = folded.get(code).copied().unwrap_or_default();
            found.same(&format!("{name}, folded and remembered"), flow, own);
            let got = banked.get(code).copied().unwrap_or(0);
            found.same(
                &format!("{name}: what its account got"),
                got,
                flow.paid - flow.by_bank + ahead.get(code).copied().unwrap_or(0),
            );
        }
    }

    /// Every clawback as answered.
    async fn audit_dues(&self, found: &mut Findings) {
        for (id, due) in &self.mirror.dues {
            let answered = self
                .read(async |world| {
                    let auditor = permit::<ReadClaims>(&world.cast.auditor);
                    world.service.claims().clawback(&auditor, *id).await
                })
                .await;
            let sums = answered.sums;
            let answered_sums = [
                sums.due,
                sums.repaid,
                sums.netted,
                sums.pending,
                sums.waived,
                sums.open(),
            ];
            let own = [
                due.due,
                due.repaid,
                due.netted,
                due.pending,
                due.waived,
                due.open(),
            ];
            found.same(
                &format!("what is due of {id}"),
                answered_sums.map(::ledger::Fen::get),
                own,
            );
            found.same(&format!("why {id} is due"), sums.reason, due.reason);
            let claim = self.mirror.claim(*id);
            let owes = claim.fronted.then(|| claim.merchant.clone());
            found.same(&format!("who owes {id}"), answered.merchant, owes);
        }
    }
}

fn add(sum: &mut Flow, flow: Flow) {
    sum.paid += flow.paid;
    sum.due += flow.due;
    sum.by_bank += flow.by_bank;
    sum.repaid += flow.repaid;
    sum.waived += flow.waived;
}
