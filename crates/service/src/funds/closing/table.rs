//! A closing as a table that a spreadsheet opens: a line for each account, and for each thing that a source has.

use ledger::Fen;
use policy::Lang;
use spreadsheet::csv::{self, BYTE_ORDER_MARK, LineEnd};

use super::{ClosedAccount, ClosedBooks, ClosedSource};
use crate::funds::sources::SourceBalance;

const COLUMNS: [(&str, &str); 9] = [
    ("辖区", "jurisdiction"),
    ("期间", "period"),
    ("项目", "programme"),
    ("资金来源", "source"),
    ("科目", "account"),
    ("期初（元）", "opening"),
    ("借方（元）", "debits"),
    ("贷方（元）", "credits"),
    ("期末（元）", "closing"),
];

type OfSource = fn(&SourceBalance) -> Fen;

/// What a source has, each with its title.
const OF_SOURCE: [(&str, &str, OfSource); 5] = [
    ("appropriated", "已拨入", |it| it.appropriated),
    ("in_payment", "支付中", |it| it.in_payment),
    ("spent", "已支出", |it| it.spent),
    ("lapsed", "已失效", |it| it.lapsed),
    ("left", "结余", |it| it.left),
];

impl ClosedBooks {
    /// Comma and quotes as in RFC 4180, LF, UTF-8 with BOM. A fund's accounts name no source and have debits and credits; lines of a source have
    /// none. Of a year, `lapsed_after` is the last line of central's.
    pub fn csv(&self, lang: Lang) -> Vec<u8> {
        let mut text = BYTE_ORDER_MARK.as_bytes().to_vec();
        let said = |zh: &'static str, en: &'static str| match lang {
            Lang::Zh => zh,
            Lang::En => en,
        };
        csv::row(&mut text, COLUMNS.map(|(zh, en)| said(zh, en)), LineEnd::Lf);
        let (county, period) = (
            self.closing.jurisdiction.as_str(),
            self.closing.period.to_string(),
        );
        let mut line = |programme: &str, source: &str, account: &str, sums: [Option<Fen>; 4]| {
            let sums = sums.map(|sum| sum.map(|fen| fen.to_string()).unwrap_or_default());
            let names = [county, period.as_str(), programme, source, account];
            let cells = names.into_iter().chain(sums.iter().map(String::as_str));
            csv::row(&mut text, cells, LineEnd::Lf);
        };
        for fund in &self.funds {
            for it in &fund.accounts {
                let account = said(it.account.title_zh(), it.account.as_str());
                line(&fund.programme, "", account, of_account(it));
            }
            for it in &fund.sources {
                let source = said(it.closing.source.title_zh(), it.closing.source.as_str());
                for (en, zh, value) in OF_SOURCE {
                    line(&fund.programme, source, said(zh, en), of_source(it, value));
                }
                if !it.lapsed_after.is_zero() {
                    let after = [None, None, None, Some(it.lapsed_after)];
                    line(&fund.programme, source, said("年后失效", "lapsed_after"), after);
                }
            }
        }
        text
    }
}

fn of_account(it: &ClosedAccount) -> [Option<Fen>; 4] {
    [it.opening, it.debits, it.credits, it.closing].map(Some)
}

fn of_source(it: &ClosedSource, value: OfSource) -> [Option<Fen>; 4] {
    [Some(value(&it.opening)), None, None, Some(value(&it.closing))]
}
