//! Instructions to test with.

use bank::{Detail, EndToEndId, File, Format, Instruction, MessageId, Party, Payment, files};
use chrono::{DateTime, NaiveDate};
use ledger::Fen;
use proptest::prelude::*;

pub(crate) fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

pub(crate) fn total(amounts: impl IntoIterator<Item = Fen>) -> Fen {
    amounts
        .into_iter()
        .fold(Fen::ZERO, |sum, amount| sum.checked_add(amount).unwrap())
}

pub(crate) fn split(instruction: &Instruction, format: Format, limit: usize) -> Vec<File> {
    files(instruction, format, limit.try_into().unwrap()).unwrap()
}

fn claim(number: u128) -> String {
    format!(
        "clm_140802_{:032x}",
        0x018f_2f6e_7d3a_7c8e_9b0a_0000_0000_0000_u128 + number
    )
}

fn payment(number: u128, payee: Party, remittance: &str, amounts: &[i64]) -> Payment {
    let details: Vec<Detail> = amounts
        .iter()
        .zip(0..)
        .map(|(amount, at)| Detail::new(&claim(number * 1_000 + at), fen(*amount)).unwrap())
        .collect();
    let id = EndToEndId::new(0x018f_2f6e_7d3a_7c8e_a000_0000_0000_0000 + number);
    Payment::new(id, fen(amounts.iter().sum()), payee, remittance, details).unwrap()
}

/// Three payments: to a person, to a shop whose name has characters that formats escape, and to a
/// shop for more claims than a file names.
pub(crate) fn example() -> Instruction {
    let person = Party::new(
        "王建国",
        "6222020511001234567",
        "中国工商银行运城盐湖支行",
        Some("102181000019"),
    )
    .unwrap();
    let awkward = Party::new("=A&B <家电>, \"𠮷祥\"商行", "0103-1812-0001", "@农村信用社", None).unwrap();
    let shop = Party::new(
        "盐湖区惠民家电有限公司",
        "14001234567890123456",
        "中国建设银行运城分行",
        Some("105181000012"),
    )
    .unwrap();
    let many: Vec<i64> = (1..=23).map(|number| number * 100).collect();
    let payments = vec![
        payment(1, person, "家电以旧换新补贴", &[150_000]),
        payment(2, awkward, "+以旧换新补贴 & 退款]]>", &[89_985, 20_000]),
        payment(3, shop, "数码以旧换新补贴", &many),
    ];
    let debtor = Party::new(
        "盐湖区商务局",
        "14050167890800000123",
        "中国建设银行运城盐湖支行",
        Some("105181000029"),
    )
    .unwrap();
    Instruction::new(
        MessageId::new(0x018f_2f6e_7d3a_7c8e_9b0a_1122_3344_55ff),
        DateTime::parse_from_rfc3339("2026-06-01T01:30:00Z")
            .unwrap()
            .to_utc(),
        NaiveDate::from_ymd_opt(2026, 6, 2).unwrap(),
        debtor,
        payments,
    )
    .unwrap()
}

/// A line that may be sent, with many characters that formats escape.
fn line() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => proptest::char::range('一', '龥'),
        2 => proptest::sample::select(vec!['=', '+', '-', '@', '\'', '"', ',', ';', '<', '>', '&', ']', '·', '𠮷', '１', '0']),
        1 => proptest::char::range('!', '~'),
    ];
    proptest::collection::vec(character, 1..=140).prop_map(String::from_iter)
}

fn party() -> impl Strategy<Value = Party> {
    (
        line(),
        "[0-9A-Za-z][0-9A-Za-z-]{0,33}",
        line(),
        proptest::option::of("[0-9]{12}"),
    )
        .prop_map(|(name, account, bank, code)| Party::new(&name, &account, &bank, code.as_deref()).unwrap())
}

/// Any instruction of up to 12 payments.
pub(crate) fn instruction() -> impl Strategy<Value = Instruction> {
    let details = proptest::collection::vec(1..=10_000_000_i64, 1..=25);
    let payments = proptest::collection::vec((party(), line(), details), 1..=12);
    let seconds = 0..=4_000_000_000_i64;
    (any::<u128>(), seconds, 1..=60_u64, party(), payments).prop_map(
        |(id, seconds, days, debtor, payments)| {
            let created = DateTime::from_timestamp(seconds, 0).unwrap();
            let payments = payments
                .into_iter()
                .zip(1..)
                .map(|((payee, remittance, amounts), number)| payment(number, payee, &remittance, &amounts))
                .collect();
            let day = created.date_naive() + chrono::Days::new(days);
            Instruction::new(MessageId::new(id), created, day, debtor, payments).unwrap()
        },
    )
}

/// So many payments of one yuan.
pub(crate) fn many(payments: u128) -> Instruction {
    let payee = Party::new("王建国", "6222020511001234567", "中国工商银行", None).unwrap();
    let payments = (1..=payments)
        .map(|number| payment(number, payee.clone(), "补贴", &[100]))
        .collect();
    let example = example();
    let created = example.created().to_utc();
    Instruction::new(example.id(), created, example.execute_on(), payee, payments).unwrap()
}
