//! A county's books in the form of GB/T 24589.1 (会计核算软件数据接口, 企业): the chart of accounts, balances and movements of each month,
//! and every transfer as a voucher of two lines. How ours becomes theirs, and what of it is assumed, stands in `docs/gbt24589.md`.
//!
//! Balances are folded from the transfers and stand before them. Both tell of one moment: the height of the log when the file was
//! begun. Vouchers are streamed.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use ledger::{Account, Fen, Reason};
use policy::Lang;
use spreadsheet::xml::escape;

use super::Chunks;
use super::pages::{File, stream};
use super::table::Cell;
use super::transfers::{Transfer, Transfers};
use crate::audit::Audit;
use crate::funds::{LedgerQuery, document_prefix, filter};
use crate::operation::access::ReadLedger;
use crate::operation::convert::fen;
use crate::operation::{Permit, Refusal, ServiceError};
use timing::shanghai;

/// Days that a file may span.
const MOST_DAYS: i64 = 366;

const STANDARD: &str = "GB/T 24589.1-2024";

/// Which days (Asia/Shanghai, both included), and how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountingExport {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub syntax: Syntax,
    pub encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    Xml,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Gb18030,
}

impl Encoding {
    /// As XML and media types name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB18030",
        }
    }

    fn bytes(self, text: String) -> Vec<u8> {
        match self {
            Self::Utf8 => text.into_bytes(),
            Self::Gb18030 => encoding_rs::GB18030.encode(&text).0.into_owned(),
        }
    }
}

impl Audit {
    /// One county's books of a period.
    pub async fn export_accounting(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        query: AccountingExport,
    ) -> Result<Chunks, ServiceError> {
        self.funds.county(permit, jurisdiction)?;
        let days = query.to.signed_duration_since(query.from).num_days();
        if !(0..MOST_DAYS).contains(&days) {
            return Err(Refusal::field(
                "/to",
                "out-of-range",
                "截止日期不得早于起始日期，且跨度不超过366天",
                "the last day is not before the first, and at most 366 days are spanned",
            )
            .into());
        }
        let periods = Period::of(query.from, query.to);
        let chosen = LedgerQuery {
            from: Some(query.from),
            to: Some(query.to),
            ..LedgerQuery::default()
        };
        let filter = filter(jurisdiction, &chosen, 0);
        let starts = periods
            .iter()
            .map(|it| shanghai::midnight(it.first))
            .collect::<Vec<_>>();
        let mut conn = self.op.read().await?;
        let height = conn.height(jurisdiction).await?;
        let funds = conn.funds(&[jurisdiction.to_owned()], None, 10_000).await?;
        let before = filter.before.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let moves = conn
            .moved_by_period(jurisdiction, height, &starts, before)
            .await?;
        drop(conn);
        let mut books = Books::new(periods.len(), funds.iter().map(|fund| fund.programme.clone()));
        for it in &moves {
            let period = usize::try_from(it.period)?;
            books.add(&it.programme, it.reason, period, it.amount)?;
        }
        let mut writer = Writer::new(query.syntax, query.encoding);
        self.head(&mut writer, jurisdiction, &periods, &books)?;
        let file = Vouchers {
            writer,
            encoding: query.encoding,
        };
        let transfers = Transfers::new(self, filter, VecDeque::new()).up_to(height);
        Ok(Box::pin(stream(transfers, Box::new(file))))
    }

    /// All that stands before the vouchers.
    fn head(
        &self,
        out: &mut Writer,
        jurisdiction: &str,
        periods: &[Period],
        books: &Books,
    ) -> Result<(), ServiceError> {
        let catalogue = self.catalogue.current();
        let county = catalogue
            .county(jurisdiction)
            .map_or(jurisdiction, |it| it.name_zh.as_str());
        let year = periods.first().map_or_else(String::new, |it| it.year());
        out.begin();
        out.section("公共档案");
        out.table("电子账簿");
        out.record(&[
            ("电子账簿编号", jurisdiction),
            ("电子账簿名称", &format!("{county}以旧换新补贴资金账")),
            ("会计核算单位", county),
            ("组织机构代码", ""),
            ("单位性质", "行政单位"),
            ("行业", ""),
            ("开发单位", "Huanxin"),
            ("版本号", env!("CARGO_PKG_VERSION")),
            ("本位币", "人民币"),
            ("会计年度", &year),
            ("标准版本号", STANDARD),
        ]);
        out.table("会计期间");
        for it in periods {
            out.record(&[
                ("会计年度", &it.year()),
                ("会计期间号", &it.number()),
                ("会计期间起始日期", &day(it.first)),
                ("会计期间结束日期", &day(it.last)),
            ]);
        }
        out.table("记账凭证类型");
        out.record(&[
            ("记账凭证类型编号", VOUCHER),
            ("记账凭证类型名称", "记账凭证"),
            ("记账凭证类型简称", VOUCHER),
        ]);
        out.table("币种");
        out.record(&[("币种编码", CURRENCY), ("币种名称", "人民币")]);
        out.table("自定义档案项");
        out.record(&[
            ("档案编码", PROGRAMMES),
            ("档案名称", "项目"),
            ("档案描述", "补贴项目"),
            ("是否有层级特征", "0"),
            ("档案编码规则", ""),
        ]);
        out.table("自定义档案值");
        for programme in books.funds.keys() {
            let name = catalogue.versions(programme).last();
            out.record(&[
                ("档案编码", PROGRAMMES),
                ("档案值编码", programme),
                (
                    "档案值名称",
                    name.map_or(programme.as_str(), |it| it.title(Lang::Zh)),
                ),
                ("档案值描述", ""),
                ("档案值父节点", ""),
                ("档案值级次", "1"),
            ]);
        }
        out.section("总账");
        out.table("总账基础信息");
        out.record(&[("结构分隔符", "-"), ("会计科目编号规则", "4")]);
        out.table("会计科目");
        for account in Account::ALL {
            let (code, kind) = subject(account);
            out.record(&[
                ("科目编号", code),
                ("科目名称", account.title_zh()),
                ("科目级次", "1"),
                ("科目类型", kind),
                ("余额方向", side(account)),
            ]);
        }
        out.table("科目辅助核算");
        for account in Account::ALL {
            out.record(&[
                ("科目编号", subject(account).0),
                ("辅助项编号", "1"),
                ("辅助项名称", "项目"),
                ("对应档案", PROGRAMMES),
                ("辅助项描述", "补贴项目"),
            ]);
        }
        out.table("科目余额及发生额");
        for (programme, fund) in &books.funds {
            let mut opening = fund.opening;
            for (period, moved) in periods.iter().zip(&fund.periods) {
                let mut closing = opening;
                for (i, account) in Account::ALL.into_iter().enumerate() {
                    let (debit, credit) = moved.get(i).copied().unwrap_or_default();
                    let (was, now) = (
                        at(&opening, i),
                        at(&opening, i).saturating_add(debit).saturating_sub(credit),
                    );
                    if let Some(slot) = closing.get_mut(i) {
                        *slot = now;
                    }
                    out.record(&[
                        ("科目编号", subject(account).0),
                        ("辅助项1编号", programme),
                        ("期初余额方向", side(account)),
                        ("期末余额方向", side(account)),
                        ("币种编码", CURRENCY),
                        ("会计年度", &period.year()),
                        ("会计期间号", &period.number()),
                        ("期初本币余额", &balance(account, was)?),
                        ("借方本币金额", &fen(debit)?.to_string()),
                        ("贷方本币金额", &fen(credit)?.to_string()),
                        ("期末本币余额", &balance(account, now)?),
                    ]);
                }
                opening = closing;
            }
        }
        out.table("记账凭证");
        Ok(())
    }
}

/// The one kind of voucher there is.
const VOUCHER: &str = "记";

const CURRENCY: &str = "CNY";

/// The list of programmes, by which every account is kept (辅助核算).
const PROGRAMMES: &str = "XM";

/// Code and kind (科目类型) of an account.
fn subject(account: Account) -> (&'static str, &'static str) {
    match account {
        Account::Available => ("1101", "资产"),
        Account::Reserved => ("1102", "资产"),
        Account::Payable => ("1103", "资产"),
        Account::InPayment => ("1104", "资产"),
        Account::Recoverable => ("1201", "资产"),
        Account::Advanced => ("1301", "资产"),
        Account::Appropriated => ("3001", "净资产"),
        Account::Disbursed => ("5001", "支出"),
    }
}

/// On which side an account stands. None ever crosses to the other.
fn side(account: Account) -> &'static str {
    if account.is_credit_normal() { "贷" } else { "借" }
}

fn at(sums: &[i64; 8], i: usize) -> i64 {
    sums.get(i).copied().unwrap_or_default()
}

/// A balance on its account's side; debits less credits are given.
fn balance(account: Account, debits_less_credits: i64) -> Result<String, ServiceError> {
    let sum = if account.is_credit_normal() {
        debits_less_credits.saturating_neg()
    } else {
        debits_less_credits
    };
    Ok(fen(sum)?.to_string())
}

fn day(day: NaiveDate) -> String {
    day.format("%Y%m%d").to_string()
}

/// A month, or the part of it that is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Period {
    first: NaiveDate,
    last: NaiveDate,
}

impl Period {
    fn of(from: NaiveDate, to: NaiveDate) -> Vec<Self> {
        let mut periods = Vec::new();
        let mut first = from;
        while first <= to {
            let next = first
                .with_day(1)
                .and_then(|day| day.checked_add_months(Months::new(1)))
                .unwrap_or(NaiveDate::MAX);
            let last = next.pred_opt().unwrap_or(next).min(to);
            periods.push(Self { first, last });
            first = next;
        }
        periods
    }

    fn year(&self) -> String {
        self.first.year().to_string()
    }

    fn number(&self) -> String {
        self.first.month().to_string()
    }
}

/// What the accounts of each fund began with, debits less credits, and what moved in each period, debits and credits; in the order
/// of [`Account::ALL`].
struct Books {
    funds: BTreeMap<String, Fund>,
}

struct Fund {
    opening: [i64; 8],
    periods: Vec<[(i64, i64); 8]>,
}

impl Books {
    fn new(periods: usize, programmes: impl Iterator<Item = String>) -> Self {
        let empty = || Fund {
            opening: [0; 8],
            periods: vec![[(0, 0); 8]; periods],
        };
        Self {
            funds: programmes.map(|programme| (programme, empty())).collect(),
        }
    }

    /// Period 0 is before the first.
    fn add(
        &mut self,
        programme: &str,
        reason: Reason,
        period: usize,
        amount: Fen,
    ) -> Result<(), ServiceError> {
        let lost = || ServiceError::bug("a transfer is of no fund or period");
        let fund = self.funds.get_mut(programme).ok_or_else(lost)?;
        let (debit, credit) = reason.accounts();
        for (i, account) in Account::ALL.into_iter().enumerate() {
            let (up, down) = (i64::from(account == debit), i64::from(account == credit));
            let (up, down) = (amount.get().saturating_mul(up), amount.get().saturating_mul(down));
            match period.checked_sub(1) {
                None => {
                    let sum = fund.opening.get_mut(i).ok_or_else(lost)?;
                    *sum = sum.saturating_add(up).saturating_sub(down);
                }
                Some(period) => {
                    let moved = fund.periods.get_mut(period).ok_or_else(lost)?;
                    let (debits, credits) = moved.get_mut(i).ok_or_else(lost)?;
                    *debits = debits.saturating_add(up);
                    *credits = credits.saturating_add(down);
                }
            }
        }
        Ok(())
    }
}

/// The vouchers behind the head, then the end.
struct Vouchers {
    writer: Writer,
    encoding: Encoding,
}

impl File<Transfer> for Vouchers {
    fn is_slow(&self) -> bool {
        true
    }

    fn write(&mut self, rows: &[Transfer], last: bool) -> Result<Vec<u8>, ServiceError> {
        for transfer in rows {
            let Transfer { jurisdiction, row } = transfer;
            let reason = transfer.row.reason;
            let posted = shanghai::date(row.posted_at);
            let (number, amount) = (row.height.to_string(), row.amount.to_string());
            let (year, month, date) = (posted.year().to_string(), posted.month().to_string(), day(posted));
            let said = match row.claim {
                Some(claim) => format!("{} {}", reason.title_zh(), Cell::Id("clm", jurisdiction, claim)),
                None => reason.title_zh().to_owned(),
            };
            let document = row.document.map_or_else(String::new, |id| {
                Cell::Id(document_prefix(reason), jurisdiction, id).to_string()
            });
            let (debit, credit) = reason.accounts();
            let nothing = "0.00";
            for (line, account, debits, credits) in [
                ("1", debit, amount.as_str(), nothing),
                ("2", credit, nothing, amount.as_str()),
            ] {
                self.writer.record(&[
                    ("记账凭证日期", &date),
                    ("会计年度", &year),
                    ("会计期间号", &month),
                    ("记账凭证类型编号", VOUCHER),
                    ("记账凭证编号", &number),
                    ("记账凭证行号", line),
                    ("记账凭证摘要", &said),
                    ("科目编号", subject(account).0),
                    ("辅助项1编号", &row.programme),
                    ("币种编码", CURRENCY),
                    ("借方本币金额", debits),
                    ("贷方本币金额", credits),
                    ("票据号", &document),
                    ("附件数", "0"),
                    ("制单人", &row.actor),
                    ("审核人", ""),
                    ("记账人", "huanxin"),
                    ("记账标志", "1"),
                    ("作废标志", "0"),
                    ("凭证来源系统", "Huanxin"),
                ]);
            }
        }
        if last {
            self.writer.end();
        }
        Ok(self.encoding.bytes(std::mem::take(&mut self.writer.out)))
    }
}

/// Sections of tables of records of texts, as XML or as JSON.
struct Writer {
    syntax: Syntax,
    encoding: Encoding,
    out: String,
    section: Option<&'static str>,
    table: Option<&'static str>,
    /// Whether the next record is its table's first.
    first: bool,
}

impl Writer {
    fn new(syntax: Syntax, encoding: Encoding) -> Self {
        Self {
            syntax,
            encoding,
            out: String::new(),
            section: None,
            table: None,
            first: true,
        }
    }

    fn begin(&mut self) {
        let head = match self.syntax {
            Syntax::Xml => format!(
                "<?xml version=\"1.0\" encoding=\"{}\"?>\n<会计核算软件数据接口 标准=\"{STANDARD}\">",
                self.encoding.name()
            ),
            Syntax::Json => format!("{{\"标准\":\"{STANDARD}\""),
        };
        self.out.push_str(&head);
    }

    fn section(&mut self, name: &'static str) {
        self.end_section();
        self.section = Some(name);
        match self.syntax {
            Syntax::Xml => self.tag("\n<", name),
            Syntax::Json => {
                self.out.push_str(",\n");
                self.text(name);
                self.out.push_str(":{");
            }
        }
        self.first = true;
    }

    fn table(&mut self, name: &'static str) {
        let first = self.table.is_none();
        self.end_table();
        self.table = Some(name);
        self.first = true;
        if self.syntax == Syntax::Json {
            self.out.push_str(if first { "\n" } else { ",\n" });
            self.text(name);
            self.out.push_str(":[");
        }
    }

    fn record(&mut self, fields: &[(&str, &str)]) {
        let first = std::mem::replace(&mut self.first, false);
        let table = self.table.unwrap_or_default();
        match self.syntax {
            Syntax::Xml => {
                self.tag("\n<", table);
                for (name, value) in fields {
                    self.tag("<", name);
                    escape(&mut self.out, value);
                    self.tag("</", name);
                }
                self.tag("</", table);
            }
            Syntax::Json => {
                self.out.push_str(if first { "\n{" } else { ",\n{" });
                for (i, (name, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        self.out.push(',');
                    }
                    self.text(name);
                    self.out.push(':');
                    self.text(value);
                }
                self.out.push('}');
            }
        }
    }

    fn end_table(&mut self) {
        if self.table.take().is_some() && self.syntax == Syntax::Json {
            self.out.push(']');
        }
    }

    fn end_section(&mut self) {
        self.end_table();
        if let Some(name) = self.section.take() {
            match self.syntax {
                Syntax::Xml => self.tag("\n</", name),
                Syntax::Json => self.out.push('}'),
            }
        }
    }

    fn end(&mut self) {
        self.end_section();
        self.out.push_str(match self.syntax {
            Syntax::Xml => "\n</会计核算软件数据接口>\n",
            Syntax::Json => "}\n",
        });
    }

    fn tag(&mut self, opening: &str, name: &str) {
        self.out.push_str(opening);
        self.out.push_str(name);
        self.out.push('>');
    }

    /// A string of JSON.
    fn text(&mut self, text: &str) {
        self.out.push_str(&serde_json::Value::from(text).to_string());
    }
}
