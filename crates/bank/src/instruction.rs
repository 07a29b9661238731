//! A payment instruction to a bank, checked when it is made.

use std::collections::HashSet;
use std::fmt;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Utc};
use ledger::{Fen, MoneyError};

use crate::ids::{EndToEndId, MessageId};
use crate::secret::Secret;
use crate::text::{self, TextFault};
use crate::timestamp::timestamp;

/// Payments of one instruction. A bound on memory: the service gathers far fewer.
pub const MAX_PAYMENTS: usize = 100_000;

/// Claims of a payment that a file names one by one; those beyond are written as a count and a sum,
/// because banks cut off long remittance information where they please.
pub const SHOWN_DETAILS: usize = 20;

/// `Max140Text`: names of parties and banks, remittance text.
const NAME: usize = 140;
/// `Max34Text`: an account that is no IBAN.
const ACCOUNT: usize = 34;
/// Of a claim's id. Ids of this service have 43 or 46.
const CLAIM: usize = 64;
/// Digits of a bank's number in CNAPS (现代化支付系统行号).
const BANK_CODE: usize = 12;

/// The faults of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Name,
    Account,
    BankName,
    BankCode,
    Remittance,
    Claim,
}

impl Field {
    fn code(self) -> &'static str {
        match self {
            Field::Name => "name",
            Field::Account => "account",
            Field::BankName => "bank-name",
            Field::BankCode => "bank-code",
            Field::Remittance => "remittance",
            Field::Claim => "claim",
        }
    }

    pub fn title_zh(self) -> &'static str {
        match self {
            Field::Name => "户名",
            Field::Account => "账号",
            Field::BankName => "开户行",
            Field::BankCode => "开户行行号",
            Field::Remittance => "附言",
            Field::Claim => "申领编号",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Name => "name",
            Field::Account => "account",
            Field::BankName => "bank name",
            Field::BankCode => "bank code",
            Field::Remittance => "remittance text",
            Field::Claim => "claim id",
        })
    }
}

/// Why an instruction cannot be made. Holds the field and the reason, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstructionError {
    #[error("the {field} {fault}")]
    Text { field: Field, fault: TextFault },
    #[error("a payment pays more than nothing")]
    ZeroAmount,
    #[error("a payment pays at least one claim")]
    NoDetails,
    #[error("the claims of payment {0} do not add up to its amount")]
    DetailsSum(EndToEndId),
    #[error("an instruction has at least one payment")]
    NoPayments,
    #[error("an instruction has at most {MAX_PAYMENTS} payments")]
    TooManyPayments,
    #[error("payment {0} stands in the instruction twice")]
    DuplicatePayment(EndToEndId),
    #[error("payment {0} pays a claim that is paid already")]
    DuplicateClaim(EndToEndId),
    #[error("the sum may not exceed {}", Fen::MAX)]
    SumTooLarge,
    #[error("a date lies outside the calendar that banks use")]
    Date,
    #[error("the execution date lies before the day on which the instruction was made")]
    ExecutionInThePast,
}

impl InstructionError {
    /// Stable code for machines, such as `instruction.account.form`.
    pub fn code(self) -> String {
        let rest = match self {
            InstructionError::Text { field, fault } => {
                return format!("instruction.{}.{}", field.code(), fault.code());
            }
            InstructionError::ZeroAmount => "zero-amount",
            InstructionError::NoDetails => "no-claims",
            InstructionError::DetailsSum(_) => "claims-sum",
            InstructionError::NoPayments => "no-payments",
            InstructionError::TooManyPayments => "too-many-payments",
            InstructionError::DuplicatePayment(_) => "duplicate-payment",
            InstructionError::DuplicateClaim(_) => "duplicate-claim",
            InstructionError::SumTooLarge => "sum-too-large",
            InstructionError::Date => "date",
            InstructionError::ExecutionInThePast => "execution-in-the-past",
        };
        format!("instruction.{rest}")
    }

    /// The same as `Display`, in Chinese.
    pub fn message_zh(self) -> String {
        match self {
            InstructionError::Text { field, fault } => {
                format!("{}{}", field.title_zh(), fault.message_zh())
            }
            InstructionError::ZeroAmount => "付款金额必须大于零".to_owned(),
            InstructionError::NoDetails => "每笔付款至少对应一笔申领".to_owned(),
            InstructionError::DetailsSum(id) => format!("付款{id}的申领金额之和与付款金额不符"),
            InstructionError::NoPayments => "付款指令至少包含一笔付款".to_owned(),
            InstructionError::TooManyPayments => format!("付款指令最多包含{MAX_PAYMENTS}笔付款"),
            InstructionError::DuplicatePayment(id) => format!("付款{id}重复"),
            InstructionError::DuplicateClaim(id) => format!("付款{id}所付申领已在本指令中支付"),
            InstructionError::SumTooLarge => format!("合计金额不能超过{}元", Fen::MAX),
            InstructionError::Date => "日期超出银行可用范围".to_owned(),
            InstructionError::ExecutionInThePast => "付款日期早于指令生成日期".to_owned(),
        }
    }
}

fn within(field: Field, checked: Result<(), TextFault>) -> Result<(), InstructionError> {
    checked.map_err(|fault| InstructionError::Text { field, fault })
}

/// A payer or payee: an account, its holder and its bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    name: Secret,
    account: Secret,
    bank_name: String,
    bank_code: Option<String>,
}

impl Party {
    /// `name` (户名) and `bank_name` (开户行) of up to 140 characters; `account` (账号) of up to 34
    /// letters, digits and hyphens; `bank_code` (行号) of 12 digits.
    pub fn new(
        name: &str,
        account: &str,
        bank_name: &str,
        bank_code: Option<&str>,
    ) -> Result<Party, InstructionError> {
        within(Field::Name, text::line(name, NAME))?;
        within(Field::Account, text::token(account, ACCOUNT, b"-"))?;
        within(Field::BankName, text::line(bank_name, NAME))?;
        let digits = |code: &str| code.len() == BANK_CODE && code.bytes().all(|b| b.is_ascii_digit());
        if !bank_code.is_none_or(digits) {
            within(Field::BankCode, Err(TextFault::Form))?;
        }
        Ok(Party {
            name: Secret::new(name),
            account: Secret::new(account),
            bank_name: bank_name.to_owned(),
            bank_code: bank_code.map(str::to_owned),
        })
    }

    pub fn name(&self) -> &Secret {
        &self.name
    }

    pub fn account(&self) -> &Secret {
        &self.account
    }

    pub fn bank_name(&self) -> &str {
        &self.bank_name
    }

    pub fn bank_code(&self) -> Option<&str> {
        self.bank_code.as_deref()
    }
}

/// A claim that a payment pays, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    claim: String,
    amount: Fen,
}

impl Detail {
    /// `claim` is an id as this service writes it: up to 64 letters, digits, `_` and `-`.
    pub fn new(claim: &str, amount: Fen) -> Result<Detail, InstructionError> {
        within(Field::Claim, text::token(claim, CLAIM, b"_-"))?;
        if amount.is_zero() {
            return Err(InstructionError::ZeroAmount);
        }
        Ok(Detail {
            claim: claim.to_owned(),
            amount,
        })
    }

    pub fn claim(&self) -> &str {
        &self.claim
    }

    pub fn amount(&self) -> Fen {
        self.amount
    }
}

/// One credit transfer to one payee.
#[derive(Clone, PartialEq, Eq)]
pub struct Payment {
    id: EndToEndId,
    amount: Fen,
    payee: Party,
    remittance: Secret,
    details: Vec<Detail>,
}

impl Payment {
    /// `remittance` (附言) of up to 140 characters appears on the payee's statement. The amount is
    /// the sum of `details`, and given all the same: the payer states the amount twice.
    pub fn new(
        id: EndToEndId,
        amount: Fen,
        payee: Party,
        remittance: &str,
        details: Vec<Detail>,
    ) -> Result<Payment, InstructionError> {
        within(Field::Remittance, text::line(remittance, NAME))?;
        if amount.is_zero() {
            return Err(InstructionError::ZeroAmount);
        }
        if details.is_empty() {
            return Err(InstructionError::NoDetails);
        }
        if sum(details.iter().map(Detail::amount)) != Ok(amount) {
            return Err(InstructionError::DetailsSum(id));
        }
        Ok(Payment {
            id,
            amount,
            payee,
            remittance: Secret::new(remittance),
            details,
        })
    }

    pub fn id(&self) -> EndToEndId {
        self.id
    }

    pub fn amount(&self) -> Fen {
        self.amount
    }

    pub fn payee(&self) -> &Party {
        &self.payee
    }

    pub fn remittance(&self) -> &Secret {
        &self.remittance
    }

    pub fn details(&self) -> &[Detail] {
        &self.details
    }

    /// The details that a file names, and the count and sum of the others.
    pub(crate) fn shown_details(&self) -> (&[Detail], Option<(usize, Fen)>) {
        match self.details.split_at_checked(SHOWN_DETAILS) {
            Some((shown, rest)) if !rest.is_empty() => {
                // Part of a sum that was checked.
                let rest_sum = sum(rest.iter().map(Detail::amount)).unwrap_or(Fen::MAX);
                (shown, Some((rest.len(), rest_sum)))
            }
            _ => (&self.details, None),
        }
    }
}

/// The details of a payment with thousands of claims are of no use in a log.
impl fmt::Debug for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payment")
            .field("id", &self.id)
            .field("amount", &self.amount)
            .field("details", &self.details.len())
            .finish_non_exhaustive()
    }
}

/// Payments from one account on one day (付款指令): what [`files`](crate::files) writes.
#[derive(Clone, PartialEq, Eq)]
pub struct Instruction {
    id: MessageId,
    created: DateTime<FixedOffset>,
    execute_on: NaiveDate,
    debtor: Party,
    payments: Vec<Payment>,
    total: Fen,
}

impl Instruction {
    /// `created` and `execute_on` (in Shanghai) are the caller's: nothing here asks a clock.
    /// Payments keep their order.
    pub fn new(
        id: MessageId,
        created: DateTime<Utc>,
        execute_on: NaiveDate,
        debtor: Party,
        payments: Vec<Payment>,
    ) -> Result<Instruction, InstructionError> {
        let created = timestamp(created).ok_or(InstructionError::Date)?;
        if !(1..=9999).contains(&execute_on.year()) {
            return Err(InstructionError::Date);
        }
        if execute_on < created.date_naive() {
            return Err(InstructionError::ExecutionInThePast);
        }
        if payments.is_empty() {
            return Err(InstructionError::NoPayments);
        }
        if payments.len() > MAX_PAYMENTS {
            return Err(InstructionError::TooManyPayments);
        }
        let (mut ids, mut claims) = (HashSet::new(), HashSet::new());
        for payment in &payments {
            if !ids.insert(payment.id) {
                return Err(InstructionError::DuplicatePayment(payment.id));
            }
            if !payment
                .details
                .iter()
                .all(|detail| claims.insert(detail.claim.as_str()))
            {
                return Err(InstructionError::DuplicateClaim(payment.id));
            }
        }
        let total = sum(payments.iter().map(Payment::amount)).map_err(|_| InstructionError::SumTooLarge)?;
        Ok(Instruction {
            id,
            created,
            execute_on,
            debtor,
            payments,
            total,
        })
    }

    pub fn id(&self) -> MessageId {
        self.id
    }

    /// In Shanghai time, to the second.
    pub fn created(&self) -> DateTime<FixedOffset> {
        self.created
    }

    pub fn execute_on(&self) -> NaiveDate {
        self.execute_on
    }

    pub fn debtor(&self) -> &Party {
        &self.debtor
    }

    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// The sum of all payments.
    pub fn total(&self) -> Fen {
        self.total
    }
}

impl fmt::Debug for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instruction")
            .field("id", &self.id)
            .field("created", &self.created)
            .field("execute_on", &self.execute_on)
            .field("payments", &self.payments.len())
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

pub(crate) fn sum(amounts: impl IntoIterator<Item = Fen>) -> Result<Fen, MoneyError> {
    amounts.into_iter().try_fold(Fen::ZERO, Fen::checked_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fen(fen: i64) -> Fen {
        Fen::new(fen).unwrap()
    }

    fn party() -> Party {
        Party::new(
            "王建国",
            "6222020111122220000",
            "中国农业银行运城盐湖支行",
            Some("103181200016"),
        )
        .unwrap()
    }

    fn payment(id: u128, claims: &[(&str, i64)]) -> Payment {
        let details: Vec<_> = claims
            .iter()
            .map(|(claim, amount)| Detail::new(claim, fen(*amount)).unwrap())
            .collect();
        let amount = fen(claims.iter().map(|(_, amount)| amount).sum());
        Payment::new(EndToEndId::new(id), amount, party(), "以旧换新补贴", details).unwrap()
    }

    fn instruction(payments: Vec<Payment>) -> Result<Instruction, InstructionError> {
        let created = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let day = NaiveDate::from_ymd_opt(2026, 5, 29).unwrap();
        Instruction::new(MessageId::new(1), created, day, party(), payments)
    }

    #[test]
    fn parties_are_checked() {
        let refused = |name: &str, account: &str, bank: &str, code: Option<&str>| {
            Party::new(name, account, bank, code).unwrap_err().code()
        };
        assert_eq!(refused("", "1", "行", None), "instruction.name.empty");
        assert_eq!(
            refused(&"王".repeat(141), "1", "行", None),
            "instruction.name.too-long"
        );
        assert_eq!(refused("王", "6222 02", "行", None), "instruction.account.form");
        assert_eq!(
            refused("王", &"1".repeat(35), "行", None),
            "instruction.account.too-long"
        );
        assert_eq!(
            refused("王", "1", "行\u{0}", None),
            "instruction.bank-name.character"
        );
        for code in [
            "",
            "10318120001",
            "1031812000161",
            "10318120001a",
            "１03181200016",
        ] {
            assert_eq!(refused("王", "1", "行", Some(code)), "instruction.bank-code.form");
        }
        assert!(Party::new(&"王".repeat(140), &"1".repeat(34), "行", None).is_ok());
    }

    #[test]
    fn sums_are_checked() {
        let details = vec![Detail::new("clm_1", fen(100)).unwrap()];
        let id = EndToEndId::new(7);
        let with = |amount, details: &[Detail]| {
            Payment::new(id, amount, party(), "补贴", details.to_vec()).map(|_| ())
        };
        assert_eq!(with(fen(100), &details), Ok(()));
        assert_eq!(with(fen(101), &details), Err(InstructionError::DetailsSum(id)));
        assert_eq!(with(Fen::ZERO, &details), Err(InstructionError::ZeroAmount));
        assert_eq!(with(fen(100), &[]), Err(InstructionError::NoDetails));
        assert_eq!(Detail::new("clm_1", Fen::ZERO), Err(InstructionError::ZeroAmount));
        let all = Detail::new("clm_2", Fen::MAX).unwrap();
        let overflow = [details[0].clone(), all];
        assert_eq!(with(Fen::MAX, &overflow), Err(InstructionError::DetailsSum(id)));

        let largest = payment(1, &[("clm_1", Fen::MAX.get())]);
        let one_more = payment(2, &[("clm_2", 1)]);
        assert_eq!(
            instruction(vec![largest, one_more]),
            Err(InstructionError::SumTooLarge)
        );
    }

    #[test]
    fn nothing_is_paid_twice() {
        let id = EndToEndId::new(1);
        assert_eq!(
            instruction(vec![payment(1, &[("clm_1", 1)]), payment(1, &[("clm_2", 1)])]),
            Err(InstructionError::DuplicatePayment(id))
        );
        assert_eq!(
            instruction(vec![payment(1, &[("clm_1", 1), ("clm_1", 1)])]),
            Err(InstructionError::DuplicateClaim(id))
        );
        assert_eq!(
            instruction(vec![payment(2, &[("clm_1", 1)]), payment(1, &[("clm_1", 1)])]),
            Err(InstructionError::DuplicateClaim(id))
        );
        assert_eq!(instruction(Vec::new()), Err(InstructionError::NoPayments));
    }

    #[test]
    fn days_are_those_of_beijing() {
        // 20:26:40 UTC on the 28th is the 29th in Shanghai, so that the 28th has passed.
        let created = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let made = |created, day| {
            let day = NaiveDate::from_ymd_opt(2026, 5, day).unwrap();
            let payments = vec![payment(1, &[("clm_1", 1)])];
            Instruction::new(MessageId::new(1), created, day, party(), payments)
        };
        assert_eq!(made(created, 28), Err(InstructionError::ExecutionInThePast));
        assert_eq!(
            made(created, 29).unwrap().created().to_rfc3339(),
            "2026-05-29T04:26:40+08:00"
        );
        assert_eq!(made(DateTime::<Utc>::MAX_UTC, 29), Err(InstructionError::Date));
    }

    #[test]
    fn nothing_personal_prints() {
        let made = instruction(vec![payment(1, &[("clm_1", 1)])]).unwrap();
        let printed = format!("{made:?} {:?} {:?}", made.payments(), made.debtor());
        for personal in ["王建国", "6222020111122220000", "以旧换新补贴"] {
            assert!(!printed.contains(personal), "{printed}");
        }
        assert!(printed.contains("Secret(***)"), "{printed}");
    }
}
