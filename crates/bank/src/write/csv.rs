//! CSV for a bank whose officer uploads a table (批量代发文件).
//!
//! UTF-8 with a byte order mark, lines ended by CRLF, headings in Chinese: spreadsheets open it
//! without a dialogue. Each payment is one row with all its data, the payer included, so that a row
//! cut out of the table is complete. The last row is the control row: `合计`, the count (笔数) below
//! `序号`, the sum below `金额（元）`. The five columns of results are empty: a bank without an interface
//! fills them in and sends the table back, and [`read`](crate::read) reads it.
//!
//! A spreadsheet changes cells that look like a number or a formula. So ids, accounts and bank
//! codes end with a tab, which keeps 19 digits from becoming 6.22E+18 and which a reader has to
//! trim; and text that begins like a formula is preceded by an apostrophe ([`Mark::Apostrophe`]).

use spreadsheet::csv::{self, BYTE_ORDER_MARK, LineEnd, Mark};

use crate::instruction::{Party, Payment};
use crate::write::Part;

/// Headings, in their order. The last five are the bank's to fill in.
const HEADINGS: [&str; 22] = [
    "批次号",
    "序号",
    "支付流水号",
    "收款人户名",
    "收款人账号",
    "收款人开户行",
    "收款人开户行行号",
    "金额（元）",
    "币种",
    "附言",
    "申领笔数",
    "申领明细",
    "付款人户名",
    "付款人账号",
    "付款人开户行",
    "付款人开户行行号",
    "付款日期",
    "处理结果",
    "入账日期",
    "银行流水号",
    "原因代码",
    "原因说明",
];

/// The first cell of the control row.
const TOTAL: &str = "合计";

pub(crate) fn write(part: &Part<'_>) -> Vec<u8> {
    let mut out = BYTE_ORDER_MARK.as_bytes().to_vec();
    row(&mut out, HEADINGS.map(str::to_owned));
    for (number, payment) in (1_usize..).zip(part.payments) {
        row(&mut out, payment_row(part, number, payment));
    }
    let mut control: [String; HEADINGS.len()] = Default::default();
    let filled = [
        (0, TOTAL.to_owned()),
        (1, part.payments.len().to_string()),
        (7, part.sum.to_string()),
        (8, "CNY".to_owned()),
    ];
    for (column, text) in filled {
        if let Some(cell) = control.get_mut(column) {
            *cell = text;
        }
    }
    row(&mut out, control);
    out
}

fn payment_row(part: &Part<'_>, number: usize, payment: &Payment) -> [String; HEADINGS.len()] {
    let (payee, debtor) = (payment.payee(), part.instruction.debtor());
    let code = |party: &Party| party.bank_code().map(digits).unwrap_or_default();
    let none = String::new;
    [
        digits(&part.id.to_string()),
        number.to_string(),
        digits(&payment.id().to_string()),
        free_text(payee.name().expose()),
        digits(payee.account().expose()),
        free_text(payee.bank_name()),
        code(payee),
        payment.amount().to_string(),
        "CNY".to_owned(),
        free_text(payment.remittance().expose()),
        payment.details().len().to_string(),
        free_text(&details(payment)),
        free_text(debtor.name().expose()),
        digits(debtor.account().expose()),
        free_text(debtor.bank_name()),
        code(debtor),
        part.instruction.execute_on().format("%Y-%m-%d").to_string(),
        none(),
        none(),
        none(),
        none(),
        none(),
    ]
}

/// `claim amount; claim amount`, and the others as a count and a sum.
fn details(payment: &Payment) -> String {
    let (shown, rest) = payment.shown_details();
    let mut all: Vec<String> = shown
        .iter()
        .map(|detail| format!("{} {}", detail.claim(), detail.amount()))
        .collect();
    all.extend(rest.map(|(count, sum)| format!("其余{count}笔 {sum}")));
    all.join("; ")
}

/// Letters and digits, which a spreadsheet must not convert.
fn digits(text: &str) -> String {
    format!("{text}\t")
}

/// Free text, which a spreadsheet must not run as a formula.
fn free_text(text: &str) -> String {
    Mark::Apostrophe.defuse(text).into_owned()
}

fn row(out: &mut Vec<u8>, cells: [String; HEADINGS.len()]) {
    csv::row(out, cells, LineEnd::CrLf);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused() {
        for (given, written) in [
            ("=SUM(A1)", "'=SUM(A1)"),
            ("+86", "'+86"),
            ("-1", "'-1"),
            ("@A1", "'@A1"),
            ("＝1", "'＝1"),
            ("王=国", "王=国"),
        ] {
            assert_eq!(free_text(given), written);
        }
    }
}
