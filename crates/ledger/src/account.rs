//! The eight accounts of a fund.

use words::words;

words! {
    /// The place of a fund's money. [`Account::Appropriated`] is credit-normal (the treasury's
    /// grant); the other seven are debit-normal and show where that money is now, so that together
    /// they always equal it.
    pub enum Account {
        Appropriated = "appropriated",
        Available = "available",
        Reserved = "reserved",
        Payable = "payable",
        InPayment = "in_payment",
        Disbursed = "disbursed",
        Recoverable = "recoverable",
        Advanced = "advanced",
    }
}

impl Account {
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

    /// Whether a credit raises the account.
    pub fn is_credit_normal(self) -> bool {
        self == Account::Appropriated
    }
}
