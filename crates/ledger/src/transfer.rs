//! A movement of money and its reason.

use words::words;

use crate::{Account, Fen, MoneyError};

words! {
    /// Why money moves. The reason fixes both accounts: see [`Reason::accounts`].
    pub enum Reason {
        /// The treasury gives money to the fund.
        Appropriate = "appropriate",
        /// An eligible claim reserves its subsidy.
        Reserve = "reserve",
        /// A reservation is released before approval.
        Release = "release",
        /// The approver turns a reservation into a debt.
        Approve = "approve",
        /// A claim is withdrawn, or its goods returned, after approval and before payment.
        ReleasePayable = "release_payable",
        /// The claim goes into a payment instruction to the bank.
        Instruct = "instruct",
        /// The instruction is cancelled before the bank acted on it.
        CancelInstruction = "cancel_instruction",
        /// The bank made the payment.
        Pay = "pay",
        /// The bank could not make the payment.
        FailPayment = "fail_payment",
        /// The bank returns a payment after it was made, days later perhaps: the debt stands again.
        ReturnPayment = "return_payment",
        /// Paid money, or part of it, is due back: goods returned or fraud found.
        ClawBackDue = "claw_back_due",
        /// Money due back, or part of it, was repaid or set off.
        ClawBack = "claw_back",
        /// Central money that is unused at the end of the year returns to its source.
        Lapse = "lapse",
        /// Part of the sum due back is waived: it stays paid.
        Waive = "waive",
        /// An advance to a merchant goes into a payment instruction to the bank.
        InstructAdvance = "instruct_advance",
        /// The instruction of an advance is cancelled before the bank acted on it.
        CancelAdvance = "cancel_advance",
        /// The bank could not pay an advance.
        FailAdvance = "fail_advance",
        /// The bank paid an advance: the merchant has it until claims are set against it.
        PayAdvance = "pay_advance",
        /// The bank returns an advance after it was paid.
        ReturnAdvance = "return_advance",
        /// A claim that was paid is set against an advance, whose money is available again.
        SetOff = "set_off",
        /// The merchant repaid an advance, or the rest of it.
        RepayAdvance = "repay_advance",
    }
}

impl Reason {
    /// `(debit, credit)`.
    pub fn accounts(self) -> (Account, Account) {
        match self {
            Reason::Appropriate => (Account::Available, Account::Appropriated),
            Reason::Reserve => (Account::Reserved, Account::Available),
            Reason::Release => (Account::Available, Account::Reserved),
            Reason::Approve => (Account::Payable, Account::Reserved),
            Reason::ReleasePayable => (Account::Available, Account::Payable),
            Reason::Instruct => (Account::InPayment, Account::Payable),
            Reason::CancelInstruction => (Account::Payable, Account::InPayment),
            Reason::Pay => (Account::Disbursed, Account::InPayment),
            Reason::FailPayment => (Account::Payable, Account::InPayment),
            Reason::ReturnPayment => (Account::Payable, Account::Disbursed),
            Reason::ClawBackDue => (Account::Recoverable, Account::Disbursed),
            Reason::ClawBack => (Account::Available, Account::Recoverable),
            Reason::Lapse => (Account::Appropriated, Account::Available),
            Reason::Waive => (Account::Disbursed, Account::Recoverable),
            Reason::InstructAdvance => (Account::InPayment, Account::Available),
            Reason::CancelAdvance | Reason::FailAdvance => (Account::Available, Account::InPayment),
            Reason::PayAdvance => (Account::Advanced, Account::InPayment),
            Reason::ReturnAdvance | Reason::SetOff | Reason::RepayAdvance => {
                (Account::Available, Account::Advanced)
            }
        }
    }

    pub fn title_zh(self) -> &'static str {
        match self {
            Reason::Appropriate => "拨款",
            Reason::Reserve => "预留",
            Reason::Release => "释放预留",
            Reason::Approve => "批准",
            Reason::ReleasePayable => "撤销应付",
            Reason::Instruct => "提交支付",
            Reason::CancelInstruction => "取消支付指令",
            Reason::Pay => "支付成功",
            Reason::FailPayment => "支付失败",
            Reason::ReturnPayment => "银行退汇",
            Reason::ClawBackDue => "应追回",
            Reason::ClawBack => "追回",
            Reason::Lapse => "年终失效",
            Reason::Waive => "豁免追回",
            Reason::InstructAdvance => "预拨提交支付",
            Reason::CancelAdvance => "取消预拨",
            Reason::FailAdvance => "预拨支付失败",
            Reason::PayAdvance => "预拨到账",
            Reason::ReturnAdvance => "预拨退汇",
            Reason::SetOff => "抵扣预拨",
            Reason::RepayAdvance => "归还预拨",
        }
    }

    pub fn title_en(self) -> &'static str {
        match self {
            Reason::Appropriate => "Appropriation",
            Reason::Reserve => "Reservation",
            Reason::Release => "Reservation released",
            Reason::Approve => "Approval",
            Reason::ReleasePayable => "Payable released",
            Reason::Instruct => "Payment instructed",
            Reason::CancelInstruction => "Instruction cancelled",
            Reason::Pay => "Paid",
            Reason::FailPayment => "Payment failed",
            Reason::ReturnPayment => "Payment returned",
            Reason::ClawBackDue => "Clawback due",
            Reason::ClawBack => "Clawed back",
            Reason::Lapse => "Lapsed at the end of the year",
            Reason::Waive => "Clawback waived",
            Reason::InstructAdvance => "Advance instructed",
            Reason::CancelAdvance => "Advance cancelled",
            Reason::FailAdvance => "Advance failed",
            Reason::PayAdvance => "Advanced",
            Reason::ReturnAdvance => "Advance returned by the bank",
            Reason::SetOff => "Set off against an advance",
            Reason::RepayAdvance => "Advance repaid",
        }
    }
}

/// A movement of more than zero between the two accounts of its reason. Made by [`Transfer::new`]
/// alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Transfer {
    pub reason: Reason,
    pub amount: Fen,
}

impl Transfer {
    /// [`MoneyError::Zero`] for an amount of zero.
    pub fn new(reason: Reason, amount: Fen) -> Result<Transfer, MoneyError> {
        if amount.is_zero() {
            Err(MoneyError::Zero)
        } else {
            Ok(Transfer { reason, amount })
        }
    }

    pub fn debit(&self) -> Account {
        self.reason.accounts().0
    }

    pub fn credit(&self) -> Account {
        self.reason.accounts().1
    }
}
