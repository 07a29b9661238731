//! A bank that has only the files it is given, and keeps books of its own: its orders, the payments
//! it really made, and the returns. Its reports come late, twice, in any order, in one format or
//! another, and sometimes wrong.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use claims::ids::PaymentId;
use claims::jurisdictions::JurisdictionCode;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use service::payments::{BankReport, InstructionFile};
use uuid::Uuid;

use super::world::money;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// Entered by a person of treasury.
    Json,
    /// The service's table with its columns of results filled in.
    Csv,
    /// A day's notification, `camt.054`.
    Camt,
}

impl Form {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Camt => "camt.054",
        }
    }
}

/// The outcome of a payment, or the reported one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Paid,
    Failed,
    Returned,
}

impl Verdict {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Returned => "returned",
        }
    }
}

/// One report of the bank on one payment.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) county: String,
    /// The message that the payment came in, 32 hex digits.
    pub(super) message: String,
    /// The bank's name for the payment: its end-to-end id, or another text.
    pub(super) reference: String,
    pub(super) verdict: Verdict,
    pub(super) amount: i64,
    pub(super) booked: NaiveDate,
    pub(super) form: Form,
}

impl Entry {
    /// The payment that the bank's name stands for, if it is an id in form.
    pub(super) fn payment(&self) -> Option<PaymentId> {
        let county = JurisdictionCode::parse(&self.county).unwrap();
        let id = Uuid::try_parse(&self.reference).ok()?;
        Some(PaymentId::new(county, id))
    }

    /// The same report has the same mark, however often it comes.
    pub(super) fn mark(&self) -> String {
        let named = self.payment().map(|id| id.to_string());
        let named = named.unwrap_or_else(|| self.reference.clone());
        let (amount, booked) = match self.form {
            Form::Json => (None, None),
            _ if self.verdict == Verdict::Failed => (Some(self.amount), None),
            _ => (Some(self.amount), Some(self.booked)),
        };
        mark(self.form.as_str(), &named, self.verdict.as_str(), amount, booked)
    }
}

/// A report that was set aside, as a person sees it.
pub(super) fn mark(
    form: &str,
    named: &str,
    verdict: &str,
    amount: Option<i64>,
    booked: Option<NaiveDate>,
) -> String {
    format!("{form} {named} {verdict} {amount:?} {booked:?}")
}

/// An order for a payment.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) county: String,
    message: String,
    pub(super) account: String,
    pub(super) amount: i64,
    /// The sum that the payee has of it.
    pub(super) out: i64,
    pub(super) carried_out: bool,
}

#[derive(Debug, Clone)]
enum Plan {
    CarryOut(String),
    ComesBack(String),
    Say(Entry),
}

pub(super) struct Bank {
    random: StdRng,
    /// By end-to-end id.
    pub(super) orders: BTreeMap<String, Order>,
    files: BTreeMap<String, Vec<u8>>,
    plans: BTreeMap<NaiveDate, Vec<Plan>>,
    /// The payment that the bank meant by another text.
    meant: BTreeMap<String, String>,
    /// How often it took each action.
    pub(super) did: BTreeMap<&'static str, usize>,
}

impl Bank {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            orders: BTreeMap::new(),
            files: BTreeMap::new(),
            plans: BTreeMap::new(),
            meant: BTreeMap::new(),
            did: BTreeMap::new(),
        }
    }

    fn did(&mut self, what: &'static str) {
        *self.did.entry(what).or_default() += 1;
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn plan(&mut self, today: NaiveDate, days: std::ops::Range<u64>, plan: Plan) {
        let day = today + Days::new(self.random.random_range(days));
        self.plans.entry(day).or_default().push(plan);
    }

    /// Accepts a file. A file that was accepted before must be the same, and is executed once.
    pub(super) fn take(&mut self, county: &str, file: &InstructionFile, today: NaiveDate) {
        if let Some(before) = self.files.get(&file.name()) {
            assert!(
                *before == file.bytes,
                "{} has other bytes the second time",
                file.name()
            );
            return;
        }
        self.files.insert(file.name(), file.bytes.clone());
        let text = std::str::from_utf8(&file.bytes).expect("UTF-8");
        let mut rows = text.trim_start_matches('\u{feff}').lines().map(cells);
        let heads = rows.next().expect("a heading");
        let place = |name: &str| heads.iter().position(|it| it == name).expect("a column");
        let (message, id) = (place("批次号"), place("支付流水号"));
        let (amount, account) = (place("金额（元）"), place("收款人账号"));
        let (mut count, mut sum) = (0, 0);
        for row in rows {
            if row[0] == "合计" {
                assert_eq!(
                    (row[1].as_str(), fen(&row[amount])),
                    (&*count.to_string(), sum),
                    "control sum"
                );
                continue;
            }
            count += 1;
            sum += fen(&row[amount]);
            let order = Order {
                county: county.to_owned(),
                message: row[message][..32].to_owned(),
                account: row[account].clone(),
                amount: fen(&row[amount]),
                out: 0,
                carried_out: false,
            };
            let before = self.orders.insert(row[id].clone(), order);
            assert!(before.is_none(), "a payment was instructed twice");
            self.plan(today, 0..3, Plan::CarryOut(row[id].clone()));
        }
    }

    /// Executes what is due and returns today's reports, in no order.
    pub(super) fn day(&mut self, today: NaiveDate) -> Vec<Entry> {
        let mut entries = Vec::new();
        // A payment executed today may be reported today.
        while let Some((day, plans)) = self.plans.pop_first() {
            if day > today {
                self.plans.insert(day, plans);
                break;
            }
            for plan in plans {
                match plan {
                    Plan::CarryOut(id) => self.carry_out(&id, today),
                    Plan::ComesBack(id) => self.comes_back(&id, today),
                    Plan::Say(entry) => entries.push(entry),
                }
            }
        }
        if !self.orders.is_empty() && self.chance(2) {
            self.did("spoke of a stranger");
            entries.extend(self.stranger(today));
        }
        entries.shuffle(&mut self.random);
        entries
    }

    /// No more payments are executed; those executed are reported.
    pub(super) fn close(&mut self) {
        for plans in self.plans.values_mut() {
            plans.retain(|plan| !matches!(plan, Plan::CarryOut(_)));
        }
    }

    /// Whether any report or return is still to come.
    pub(super) fn is_silent(&self) -> bool {
        self.plans.values().all(Vec::is_empty)
    }

    fn carry_out(&mut self, id: &str, today: NaiveDate) {
        let order = self.orders.get_mut(id).expect("an order");
        order.carried_out = true;
        let fate = self.random.random_range(0..100);
        if fate < 12 {
            self.did("refused");
            self.says(id, Verdict::Failed, today, Some(Verdict::Paid));
            return;
        }
        order_out(&mut self.orders, id);
        if fate < 22 {
            self.did("paid and got back");
            self.plan(today, 2..20, Plan::ComesBack(id.to_owned()));
            // The payment is reported late, or never.
            if self.chance(80) {
                let entry = self.entry(id, Verdict::Paid, today);
                self.plan(today, 0..30, Plan::Say(entry));
            }
            return;
        }
        self.did("paid");
        if self.chance(4) {
            self.did("named a payment wrongly");
            let mut entry = self.entry(id, Verdict::Paid, today);
            entry.reference = Uuid::from_u128(self.random.random()).simple().to_string();
            entry.form = Form::Csv;
            self.meant.insert(entry.reference.clone(), id.to_owned());
            self.say_and_repeat(entry, today, 0..5);
            return;
        }
        if self.chance(4) {
            self.did("reported a wrong sum");
            let mut entry = self.entry(id, Verdict::Paid, today);
            entry.amount += 1;
            entry.form = if self.chance(50) { Form::Csv } else { Form::Camt };
            self.say_and_repeat(entry, today, 0..3);
        }
        self.says(id, Verdict::Paid, today, Some(Verdict::Failed));
    }

    fn comes_back(&mut self, id: &str, today: NaiveDate) {
        self.set_right(id, false);
        self.says(id, Verdict::Returned, today, None);
    }

    /// Reports the truth, perhaps after or before the contrary.
    fn says(&mut self, id: &str, truth: Verdict, today: NaiveDate, lie: Option<Verdict>) {
        let lie = lie.filter(|_| self.chance(5));
        let mut first = 0..5;
        if let Some(lie) = lie {
            self.did("contradicted itself");
            let mut entry = self.entry(id, lie, today);
            if lie == Verdict::Failed && entry.form == Form::Camt {
                entry.form = Form::Csv;
            }
            if self.chance(60) {
                self.say_and_repeat(entry, today, 0..1);
                first = 1..8;
            } else {
                self.say_and_repeat(entry, today, 5..9);
            }
        }
        let entry = self.entry(id, truth, today);
        self.say_and_repeat(entry, today, first);
    }

    fn say_and_repeat(&mut self, entry: Entry, today: NaiveDate, when: std::ops::Range<u64>) {
        while self.chance(18) {
            self.did("repeated itself");
            let until = when.end + 9;
            self.plan(today, when.start..until, Plan::Say(entry.clone()));
        }
        self.plan(today, when, Plan::Say(entry));
    }

    fn entry(&mut self, id: &str, verdict: Verdict, today: NaiveDate) -> Entry {
        let order = self.orders[id].clone();
        let form = match self.random.random_range(0..3) {
            0 => Form::Json,
            1 if verdict != Verdict::Failed => Form::Camt,
            _ => Form::Csv,
        };
        Entry {
            county: order.county,
            message: order.message,
            reference: id.to_owned(),
            verdict,
            amount: order.amount,
            booked: today,
            form,
        }
    }

    /// A payment that this service did not order.
    fn stranger(&mut self, today: NaiveDate) -> Option<Entry> {
        let at = self.random.random_range(0..self.orders.len());
        let id = self.orders.keys().nth(at)?.clone();
        let mut entry = self.entry(&id, Verdict::Paid, today);
        entry.reference = Uuid::from_u128(self.random.random()).simple().to_string();
        entry.form = Form::Camt;
        Some(entry)
    }

    /// The payment that the bank meant, on request.
    pub(super) fn meant(&self, reference: &str) -> Option<String> {
        match self.orders.contains_key(reference) {
            true => Some(reference.to_owned()),
            false => self.meant.get(reference).cloned(),
        }
    }

    /// Whether the payee has the money, on request.
    pub(super) fn has_paid(&self, id: &str) -> bool {
        let order = &self.orders[id];
        order.out == order.amount
    }

    /// Corrects a fault of the bank by hand: the payee has the money, or no longer has it.
    pub(super) fn set_right(&mut self, id: &str, paid: bool) {
        let order = self.orders.get_mut(id).expect("an order");
        order.out = if paid { order.amount } else { 0 };
    }
}

fn order_out(orders: &mut BTreeMap<String, Order>, id: &str) {
    let order = orders.get_mut(id).expect("an order");
    order.out = order.amount;
}

/// The table of a county, filled in.
pub(super) fn table(entries: &[Entry]) -> BankReport {
    let mut text = String::from("支付流水号,金额（元）,处理结果,入账日期,原因代码\r\n");
    for entry in entries {
        let (result, code) = match entry.verdict {
            Verdict::Paid => ("成功", ""),
            Verdict::Failed => ("失败", "AC01"),
            Verdict::Returned => ("退汇", "AC04"),
        };
        let booked = match entry.verdict {
            Verdict::Failed => String::new(),
            _ => entry.booked.to_string(),
        };
        let row = [
            &*entry.reference,
            &money(entry.amount).to_string(),
            result,
            &booked,
            code,
        ];
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    }
    BankReport::table(text.into_bytes())
}

/// A notification of bookings.
pub(super) fn notification(entries: &[Entry]) -> BankReport {
    let items = entries.iter().map(|entry| {
        let (side, why) = match entry.verdict {
            Verdict::Returned => ("CRDT", "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"),
            _ => ("DBIT", ""),
        };
        format!(
            "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>{day}</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs>\
             <Amt Ccy=\"CNY\">{amount}</Amt>{why}</TxDtls></NtryDtls></Ntry>",
            amount = money(entry.amount),
            day = entry.booked,
            id = entry.reference,
        )
    });
    let text = format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.08\"><BkToCstmrDbtCdtNtfctn><GrpHdr>\
         <MsgId>N</MsgId><CreDtTm>2026-06-03T08:00:00+08:00</CreDtTm></GrpHdr><Ntfctn><Id>1</Id>{}</Ntfctn>\
         </BkToCstmrDbtCdtNtfctn></Document>",
        items.collect::<String>()
    );
    BankReport::xml(text.into_bytes())
}

/// The cells of a row of the service's table, without the marks for spreadsheets.
fn cells(row: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in row.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

fn fen(yuan: &str) -> i64 {
    yuan.replace('.', "").parse().expect("a sum with two decimals")
}
