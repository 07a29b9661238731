//! The eight accounts of a fund.

use std::fmt;

/// Where a fund's money stands. [`Account::Appropriated`] is credit-normal (what the treasury gave); the other seven are
/// debit-normal and say where that money is now, so that together they always equal it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    Appropriated,
    Available,
    Reserved,
    Payable,
    InPayment,
    Disbursed,
    Recoverable,
    Advanced,
}

impl Account {
    pub const ALL: [Account; 8] = [
        Account::Appropriated,
        Account::Available,
        Account::Reserved,
        Account::Payable,
        Account::InPayment,
        Account::Disbursed,
        Account::Recoverable,
        Account::Advanced,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Account::Appropriated => "appropriated",
            Account::Available => "available",
            Account::Reserved => "reserved",
            Account::Payable => "payable",
            Account::InPayment => "in_payment",
            Account::Disbursed => "disbursed",
            Account::Recoverable => "recoverable",
            Account::Advanced => "advanced",
        }
    }

    /// The inverse of [`Account::as_str`].
    pub fn parse(text: &str) -> Option<Account> {
        Account::ALL.into_iter().find(|account| account.as_str() == text)
    }

    pub fn title_zh(self) -> &'static str {
        match self {
            Account::Appropriated => "已拨入",
            Account::Available => "可用",
            Account::Reserved => "已预留",
            Account::Payable => "应付",
            Account::InPayment => "支付中",
            Account::Disbursed => "已支付",
            Account::Recoverable => "应追回",
            Account::Advanced => "已预拨",
        }
    }

    pub fn title_en(self) -> &'static str {
        match self {
            Account::Appropriated => "Appropriated",
            Account::Available => "Available",
            Account::Reserved => "Reserved",
            Account::Payable => "Payable",
            Account::InPayment => "In payment",
            Account::Disbursed => "Disbursed",
            Account::Recoverable => "Recoverable",
            Account::Advanced => "Advanced",
        }
    }

    /// Whether a credit raises it.
    pub fn is_credit_normal(self) -> bool {
        self == Account::Appropriated
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
