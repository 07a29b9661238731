//! A statement as a file: its accounts, then its claims. CSV as the ledger's export has it; XLSX
//! with a sheet for each.

use ledger::Fen;
use spreadsheet::csv::{self, BYTE_ORDER_MARK, LineEnd, Mark};
use spreadsheet::xlsx::{Book, Cells, Error, Place, Properties, Sheet, Style};

use super::{LaidOut, Statement, StatementFile, StatementLine};
use crate::operation::ServiceError;
use timing::shanghai;

/// How a statement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementFormat {
    /// Comma and quotes as in RFC 4180, LF, UTF-8 with BOM.
    Csv,
    Xlsx,
}

impl StatementFormat {
    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// What a cell holds.
enum Cell {
    Text(String),
    Money(Fen),
    Number(i64),
    /// Thousandths.
    Days(i64),
    Nothing,
}

const COLUMNS: [&str; 13] = [
    "申请编号",
    "项目",
    "商户单号",
    "受理日期",
    "批准日期",
    "支付日期",
    "审核中（元）",
    "应结（元）",
    "已付（元）",
    "未付（元）",
    "待追回（元）",
    "已追回（元）",
    "垫资天数",
];

pub(super) fn write(
    statement: &Statement,
    lines: &[StatementLine],
    format: StatementFormat,
) -> Result<StatementFile, ServiceError> {
    let query = &statement.query;
    let name = format!(
        "statement-{}-{}-{}-{}.{}",
        query.jurisdiction,
        query.merchant,
        query.from,
        query.to,
        format.ending()
    );
    let bytes = match format {
        StatementFormat::Csv => csv(statement, lines),
        StatementFormat::Xlsx => xlsx(statement, lines)?,
    };
    Ok(StatementFile {
        name,
        media_type: format.media_type(),
        bytes,
    })
}

/// The accounts, a line each: what it is, and how much.
fn summary(statement: &Statement) -> Vec<(&'static str, Cell)> {
    let (query, claims) = (&statement.query, &statement.claims);
    let (advances, clawbacks) = (&statement.advances, &statement.clawbacks);
    let text = |text: &str| Cell::Text(text.to_owned());
    let mut rows = vec![
        ("辖区", text(&query.jurisdiction)),
        ("商户", text(statement.name.as_deref().unwrap_or_default())),
        ("统一社会信用代码", text(&query.merchant)),
        ("项目", text(query.programme.as_deref().unwrap_or("全部"))),
        ("起始日期", Cell::Text(query.from.to_string())),
        ("截止日期", Cell::Text(query.to.to_string())),
        (
            "制表时间",
            Cell::Text(
                shanghai::local(statement.made_at)
                    .format("%Y-%m-%d %H:%M:%S")
                    .to_string(),
            ),
        ),
        ("一、应结补贴", Cell::Nothing),
        ("期初未付（元）", Cell::Money(claims.opening)),
        ("本期批准（元）", Cell::Money(claims.approved)),
        ("本期撤销（元）", Cell::Money(claims.withdrawn)),
        ("本期已付（元）", Cell::Money(claims.paid)),
        ("　其中银行支付（元）", Cell::Money(claims.transferred)),
        ("　其中抵扣预拨（元）", Cell::Money(claims.set_off)),
        ("　其中抵扣追缴（元）", Cell::Money(claims.netted)),
        ("本期退汇（元）", Cell::Money(claims.returned)),
        ("期末未付（元）", Cell::Money(claims.closing)),
        ("期末审核中（元）", Cell::Money(claims.reserved)),
        ("二、预拨资金", Cell::Nothing),
        ("期初余额（元）", Cell::Money(advances.opening)),
        ("本期预拨（元）", Cell::Money(advances.advanced)),
        ("本期退汇（元）", Cell::Money(advances.returned)),
        ("本期抵扣（元）", Cell::Money(advances.set_off)),
        ("本期归还（元）", Cell::Money(advances.repaid)),
        ("期末余额（元）", Cell::Money(advances.closing)),
        ("三、追缴", Cell::Nothing),
        ("期初待追回（元）", Cell::Money(clawbacks.opening)),
        ("本期应追回（元）", Cell::Money(clawbacks.demanded)),
        ("本期缴回（元）", Cell::Money(clawbacks.repaid)),
        ("本期抵扣（元）", Cell::Money(clawbacks.netted)),
        ("本期豁免（元）", Cell::Money(clawbacks.waived)),
        ("期末待追回（元）", Cell::Money(clawbacks.closing)),
        ("四、垫资", Cell::Nothing),
    ];
    rows.extend(laid_out(
        [
            "期末在途笔数",
            "期末在途金额（元）",
            "在途平均天数",
            "最早受理日期",
        ],
        &statement.open,
    ));
    rows.extend(laid_out(
        [
            "本期付清笔数",
            "本期付清金额（元）",
            "付清平均天数",
            "付清中最早受理日期",
        ],
        &statement.paid,
    ));
    rows
}

fn laid_out(titles: [&'static str; 4], it: &LaidOut) -> [(&'static str, Cell); 4] {
    let [claims, amount, mean, oldest] = titles;
    [
        (claims, Cell::Number(it.claims)),
        (amount, Cell::Money(it.amount)),
        (mean, it.mean_millidays.map_or(Cell::Nothing, Cell::Days)),
        (
            oldest,
            it.oldest.map_or(Cell::Nothing, |day| Cell::Text(day.to_string())),
        ),
    ]
}

fn cells(line: &StatementLine) -> [Cell; COLUMNS.len()] {
    let day = |day: Option<chrono::NaiveDate>| day.map_or(Cell::Nothing, |day| Cell::Text(day.to_string()));
    [
        Cell::Text(line.claim.to_string()),
        Cell::Text(line.programme.clone()),
        Cell::Text(line.merchant_reference.clone()),
        day(Some(line.created_on)),
        day(line.approved_on),
        day(line.paid_on),
        Cell::Money(line.reserved),
        Cell::Money(line.earned),
        Cell::Money(line.paid),
        Cell::Money(line.owed),
        Cell::Money(line.due),
        Cell::Money(line.back),
        Cell::Number(line.days_out),
    ]
}

fn csv(statement: &Statement, lines: &[StatementLine]) -> Vec<u8> {
    let mut bytes = BYTE_ORDER_MARK.as_bytes().to_vec();
    for (title, cell) in summary(statement) {
        csv::row(&mut bytes, [title, &plain(&cell)], LineEnd::Lf);
    }
    csv::row(&mut bytes, ["五、明细", ""], LineEnd::Lf);
    csv::row(&mut bytes, COLUMNS, LineEnd::Lf);
    for line in lines {
        csv::row(&mut bytes, cells(line).iter().map(plain), LineEnd::Lf);
    }
    bytes
}

/// A cell as text.
fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => Mark::Tab.defuse(text).into_owned(),
        Cell::Money(amount) => amount.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Days(millidays) => days(*millidays),
        Cell::Nothing => String::new(),
    }
}

/// Days with one decimal.
fn days(millidays: i64) -> String {
    let tenths = millidays.saturating_add(50).div_euclid(100);
    format!("{}.{}", tenths.div_euclid(10), tenths.rem_euclid(10))
}

fn xlsx(statement: &Statement, lines: &[StatementLine]) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    // The same statement is the same bytes.
    let properties = Properties {
        title: "清算单",
        created: statement.made_at,
    };
    let mut book = Book::new(&mut bytes, Some(properties))?;
    book.add_sheet(Sheet {
        name: "清算单",
        place: Place::Last,
        widths: &[24, 26],
        freeze_heading: false,
    })?;
    for (title, cell) in summary(statement) {
        let mut row = book.row()?;
        if matches!(cell, Cell::Nothing) {
            row.text(Style::Bold, title)?;
        } else {
            row.text(Style::Plain, title)?;
            put(&mut row, &cell)?;
        }
    }
    let mut widths = [14; COLUMNS.len()];
    widths[0] = 46;
    book.add_sheet(Sheet {
        name: "明细",
        place: Place::Last,
        widths: &widths,
        freeze_heading: true,
    })?;
    let mut heading = book.row()?;
    for title in COLUMNS {
        heading.text(Style::Bold, title)?;
    }
    for line in lines {
        let mut row = book.row()?;
        for cell in cells(line) {
            put(&mut row, &cell)?;
        }
    }
    book.finish()?;
    Ok(bytes)
}

fn put(row: &mut Cells<'_>, cell: &Cell) -> Result<(), Error> {
    match cell {
        Cell::Text(text) if text.is_empty() => row.skip(),
        Cell::Text(text) => row.text(Style::Plain, text)?,
        // A spreadsheet knows no other numbers than doubles; up to a million million yuan a fen is
        // exact in them.
        Cell::Money(amount) => row.number(Style::Money, amount)?,
        Cell::Number(number) => row.number(Style::Plain, number)?,
        Cell::Days(millidays) => row.text(Style::Plain, &days(*millidays))?,
        Cell::Nothing => row.skip(),
    }
    Ok(())
}
