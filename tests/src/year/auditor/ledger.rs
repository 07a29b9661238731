//! A county's ledger for the auditor: an exported file, read line by line and folded by a separate
//! table of accounts.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::Value;

use super::Findings;

/// The table of `docs/auditing.md`: debit and credit of each reason. A reason without a row is a
/// finding.
const REASONS: &[(&str, &str, &str)] = &[
    ("appropriate", "available", "appropriated"),
    ("reserve", "reserved", "available"),
    ("release", "available", "reserved"),
    ("approve", "payable", "reserved"),
    ("release_payable", "available", "payable"),
    ("instruct", "in_payment", "payable"),
    ("cancel_instruction", "payable", "in_payment"),
    ("pay", "disbursed", "in_payment"),
    ("fail_payment", "payable", "in_payment"),
    ("return_payment", "payable", "disbursed"),
    ("claw_back_due", "recoverable", "disbursed"),
    ("claw_back", "available", "recoverable"),
    ("lapse", "appropriated", "available"),
    ("waive", "disbursed", "recoverable"),
    ("instruct_advance", "in_payment", "available"),
    ("cancel_advance", "available", "in_payment"),
    ("fail_advance", "available", "in_payment"),
    ("pay_advance", "advanced", "in_payment"),
    ("return_advance", "available", "advanced"),
    ("set_off", "available", "advanced"),
    ("repay_advance", "available", "advanced"),
];

/// A transfer as it stands in the file.
#[derive(Debug, Clone)]
pub(super) struct Line {
    height: u64,
    pub(super) posted_at: DateTime<FixedOffset>,
    pub(super) programme: String,
    pub(super) reason: String,
    debit: String,
    credit: String,
    /// Fen.
    pub(super) amount: i64,
    pub(super) claim: Option<String>,
    pub(super) document: Option<String>,
}

/// The sums paid of a claim, and returned of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flow {
    /// Paid less returned by the bank.
    pub(super) paid: i64,
    pub(super) due: i64,
    /// Set off against a payment or returned by the bank: the line has a disbursement.
    pub(super) by_bank: i64,
    /// Repaid directly.
    pub(super) repaid: i64,
    pub(super) waived: i64,
}

/// Advances to a merchant, by the disbursement that paid each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ahead {
    /// Paid less returned by the bank.
    pub(super) paid: i64,
    pub(super) set_off: i64,
    pub(super) repaid: i64,
}

/// A county's log, folded.
#[derive(Debug, Default)]
pub(super) struct Fold {
    pub(super) lines: Vec<Line>,
    /// By programme and account.
    pub(super) accounts: BTreeMap<(String, String), i64>,
    /// By claim and account, where anything is left.
    pub(super) claims: BTreeMap<String, BTreeMap<String, i64>>,
    pub(super) flows: BTreeMap<String, Flow>,
    pub(super) ahead: BTreeMap<String, Ahead>,
    /// By programme.
    pub(super) granted: BTreeMap<String, i64>,
    pub(super) lapsed: BTreeMap<String, i64>,
}

impl Fold {
    /// Reads a file and folds it, checking the rules for every line: its place, its time, its
    /// accounts, and that no account is ever overdrawn.
    pub(super) fn of(text: &str, county: &str, found: &mut Findings) -> Self {
        let lines = match text.starts_with('{') {
            true => text.lines().map(json_line).collect::<Vec<_>>(),
            false => csv_lines(text),
        };
        let mut fold = Self::default();
        for (place, line) in (1..).zip(&lines) {
            found.same(&format!("{county}: a height"), line.height, place);
            fold.take(line, county, found);
        }
        for pair in lines.windows(2) {
            if pair[1].posted_at < pair[0].posted_at {
                found.say(format!("{county}: time goes backwards at {}", pair[1].height));
            }
        }
        for left in fold.claims.values_mut() {
            left.retain(|_, fen| *fen != 0);
        }
        fold.lines = lines;
        fold
    }

    fn take(&mut self, line: &Line, county: &str, found: &mut Findings) {
        let known = REASONS.iter().find(|(reason, ..)| *reason == line.reason);
        let Some((_, debit, credit)) = known else {
            found.say(format!(
                "{county}: {} is no reason that is written down",
                line.reason
            ));
            return;
        };
        found.same(
            &format!("{county}: what {} debits", line.reason),
            &*line.debit,
            *debit,
        );
        found.same(
            &format!("{county}: what {} credits", line.reason),
            &*line.credit,
            *credit,
        );
        for (account, fen) in [(debit, line.amount), (credit, -line.amount)] {
            let key = (line.programme.clone(), (*account).to_owned());
            let balance = self.accounts.entry(key).or_default();
            *balance += fen;
            // Appropriations are credits: their balance has the other sign.
            let overdrawn = if *account == "appropriated" {
                *balance > 0
            } else {
                *balance < 0
            };
            if overdrawn || line.amount <= 0 {
                found.say(format!("{county}: {account} is overdrawn at {}", line.height));
            }
            if let Some(claim) = &line.claim {
                let accounts = self.claims.entry(claim.clone()).or_default();
                *accounts.entry((*account).to_owned()).or_default() += fen;
            }
        }
        let of_fund = match &*line.reason {
            "appropriate" => self.granted.entry(line.programme.clone()).or_default(),
            "lapse" => self.lapsed.entry(line.programme.clone()).or_default(),
            _ => return self.flow(line),
        };
        *of_fund += line.amount;
    }

    fn flow(&mut self, line: &Line) {
        let Some(claim) = &line.claim else {
            let Some(document) = &line.document else { return };
            let ahead = self.ahead.entry(document.clone()).or_default();
            match &*line.reason {
                "pay_advance" => ahead.paid += line.amount,
                "return_advance" => ahead.paid -= line.amount,
                "set_off" => ahead.set_off += line.amount,
                "repay_advance" => ahead.repaid += line.amount,
                _ => {}
            }
            return;
        };
        let flow = self.flows.entry(claim.clone()).or_default();
        match (&*line.reason, &line.document) {
            ("pay", _) => flow.paid += line.amount,
            ("return_payment", _) => flow.paid -= line.amount,
            ("claw_back_due", _) => flow.due += line.amount,
            ("claw_back", Some(_)) => flow.by_bank += line.amount,
            ("claw_back", None) => flow.repaid += line.amount,
            ("waive", _) => flow.waived += line.amount,
            _ => {}
        }
    }

    /// Each account of each fund at an instant, with the sign of [`Fold::balance`], where it ever
    /// moved.
    pub(super) fn at(&self, instant: DateTime<Utc>) -> BTreeMap<(&str, &str), i64> {
        let mut stood = BTreeMap::<(&str, &str), i64>::new();
        for line in self.lines.iter().filter(|line| line.posted_at < instant) {
            for (account, fen) in [(&line.debit, line.amount), (&line.credit, -line.amount)] {
                let fen = if account == "appropriated" { -fen } else { fen };
                *stood.entry((&line.programme, account)).or_default() += fen;
            }
        }
        stood
    }

    /// A fund's account; appropriations are shown with the API's sign, above zero.
    pub(super) fn balance(&self, programme: &str, account: &str) -> i64 {
        let key = (programme.to_owned(), account.to_owned());
        let fen = self.accounts.get(&key).copied().unwrap_or(0);
        if account == "appropriated" { -fen } else { fen }
    }
}

fn json_line(line: &str) -> Line {
    let line: Value = serde_json::from_str(line).expect("a line of JSON");
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    Line {
        height: line["height"].as_u64().expect("a height"),
        posted_at: text("posted_at").unwrap().parse().expect("a time"),
        programme: text("programme").unwrap(),
        reason: text("reason").unwrap(),
        debit: text("debit").unwrap(),
        credit: text("credit").unwrap(),
        amount: fen(&text("amount").unwrap()),
        claim: text("claim"),
        document: text("document"),
    }
}

fn csv_lines(text: &str) -> Vec<Line> {
    let mut rows = text.trim_start_matches('\u{feff}').lines();
    let heads = rows.next().unwrap_or_default().split(',').collect::<Vec<_>>();
    let rows = rows.map(|row| {
        // No cell of the columns that are read has a comma in it.
        let cells = row.split(',').collect::<Vec<_>>();
        let cell = |name: &str| cells[heads.iter().position(|head| *head == name).expect("a column")];
        let filled = |name: &str| Some(cell(name).to_owned()).filter(|text| !text.is_empty());
        Line {
            height: cell("height").parse().expect("a height"),
            posted_at: cell("posted_at").parse().expect("a time"),
            programme: cell("programme").to_owned(),
            reason: cell("reason").to_owned(),
            debit: cell("debit").to_owned(),
            credit: cell("credit").to_owned(),
            amount: fen(cell("amount")),
            claim: filled("claim"),
            document: filled("document"),
        }
    });
    rows.collect()
}

fn fen(yuan: &str) -> i64 {
    yuan.replace('.', "").parse().expect("a sum with two decimals")
}

#[test]
fn an_auditor_finds_what_is_wrong_in_a_ledger() {
    let line = |height: u64, reason: &str, accounts: &str, amount: &str| {
        format!(
            "{height},2026-05-01T09:00:0{height}.000000+08:00,140802,p,{reason},{accounts},{amount},,,x\n"
        )
    };
    let heading = "height,posted_at,jurisdiction,programme,reason,debit,credit,amount,claim,document,actor\n";
    let of = |lines: &[String]| {
        let mut found = Findings::default();
        Fold::of(
            &format!("\u{feff}{heading}{}", lines.concat()),
            "140802",
            &mut found,
        );
        found.0
    };
    let granted = line(1, "appropriate", "available,appropriated", "10.00");
    let reserved = |height| line(height, "reserve", "reserved,available", "10.00");
    assert_eq!(of(&[granted.clone(), reserved(2)]), [""; 0]);
    assert_eq!(of(&[granted.clone(), reserved(3)]), ["140802: a height: 3 and 2"]);
    let twice = of(&[granted.clone(), reserved(2), reserved(3)]);
    assert_eq!(twice, ["140802: available is overdrawn at 3"]);
    let swapped = of(&[granted.clone(), line(2, "reserve", "available,reserved", "1.00")]);
    assert_eq!(swapped.len(), 2, "{swapped:?}");
    let unknown = of(&[granted, line(2, "gift", "reserved,available", "1.00")]);
    assert_eq!(unknown, ["140802: gift is no reason that is written down"]);
}
