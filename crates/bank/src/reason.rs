//! Why a bank did not pay, or returned a payment.
//!
//! Codes are those of the external code sets of ISO 20022 (ExternalStatusReason1Code,
//! ExternalReturnReason1Code) that a domestic credit transfer can meet. Banks add codes of their
//! own, which are kept as they are.

use std::fmt;

/// A code without a variant in [`FailureReason`]: 1 to 35 letters, digits, `_`, `.` and `-`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ReasonCode(String);

impl ReasonCode {
    const LONGEST: usize = 35;

    fn new(text: &str) -> Option<ReasonCode> {
        crate::text::token(text, ReasonCode::LONGEST, b"_.-").ok()?;
        Some(ReasonCode(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A long number may be an account that the bank put in the wrong place.
impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= 8 {
            f.write_str(&self.0)
        } else {
            f.write_str("ReasonCode(***)")
        }
    }
}

macro_rules! reasons {
    ($($code:ident $name:ident $cured:literal $zh:literal $en:literal;)*) => {
        /// Why a payment failed or was returned (失败原因). The bank's text beside its code is in
        /// [`Failure::text`](crate::Failure::text).
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum FailureReason {
            $(#[doc = concat!("`", stringify!($code), "`: ", $en, ".")] $name,)*
            /// A code without a variant of its own.
            Other(ReasonCode),
            /// The bank gave no code.
            Unstated,
        }

        impl FailureReason {
            /// All that have a code of ISO 20022.
            pub const ALL: &'static [FailureReason] = &[$(FailureReason::$name,)*];

            /// From a code as a bank writes it, in any case; never fails. Text that is not a code
            /// is [`FailureReason::Unstated`].
            pub fn from_code(code: &str) -> FailureReason {
                let code = code.trim();
                match code.to_ascii_uppercase().as_str() {
                    $(stringify!($code) => FailureReason::$name,)*
                    _ => ReasonCode::new(code).map_or(FailureReason::Unstated, FailureReason::Other),
                }
            }

            /// The code, such as `AC01`; empty when the bank gave none.
            pub fn code(&self) -> &str {
                match self {
                    $(FailureReason::$name => stringify!($code),)*
                    FailureReason::Other(code) => code.as_str(),
                    FailureReason::Unstated => "",
                }
            }

            pub fn title_zh(&self) -> &'static str {
                match self {
                    $(FailureReason::$name => $zh,)*
                    FailureReason::Other(_) => "银行自定义原因",
                    FailureReason::Unstated => "银行未提供原因代码",
                }
            }

            pub fn title_en(&self) -> &'static str {
                match self {
                    $(FailureReason::$name => $en,)*
                    FailureReason::Other(_) => "A reason of the bank's own",
                    FailureReason::Unstated => "The bank gave no code",
                }
            }

            /// Whether paying again makes sense only once the payee's name, account or bank has
            /// been corrected. `false` for a reason without a variant: then a person decides.
            pub fn is_cured_by_payee(&self) -> bool {
                match self {
                    $(FailureReason::$name => $cured,)*
                    FailureReason::Other(_) | FailureReason::Unstated => false,
                }
            }
        }
    };
}

reasons! {
    AC01 IncorrectAccount true "账号不存在或有误" "The account number is wrong or missing";
    AC02 InvalidDebtorAccount false "付款账号无效" "The payer's account number is invalid";
    AC03 InvalidCreditorAccount true "收款账号无效" "The payee's account number is invalid";
    AC04 ClosedAccount true "账户已销户" "The account is closed";
    AC05 ClosedDebtorAccount false "付款账户已销户" "The payer's account is closed";
    AC06 BlockedAccount true "账户被冻结或止付" "The account is blocked";
    AC07 ClosedCreditorAccount true "收款账户已销户" "The payee's account is closed";
    AC08 InvalidBranch true "开户网点有误" "The branch is wrong or missing";
    AC09 InvalidAccountCurrency true "账户币种不符" "The account is in another currency";
    AC11 InvalidCreditorCurrency true "收款账户币种不符" "The payee's account is in another currency";
    AC12 InvalidAccountType true "账户类型不符" "The account is of the wrong type";
    AC13 InvalidDebtorAccountType false "付款账户类型不符" "The payer's account is of the wrong type";
    AC14 InvalidCreditorAccountType true "收款账户类型不符" "The payee's account is of the wrong type";
    AC15 AccountChanged true "账户信息已变更" "The details of the account have changed";
    AC16 InvalidCard true "银行卡号无效" "The card number is invalid";
    AG01 AccountForbids true "该类账户不允许此交易" "The type of account does not allow the transaction";
    AG03 NotSupported false "账户不支持此类交易" "The account does not support the transaction";
    AG08 AccessRight false "操作权限不足" "The right to instruct is missing";
    AG11 CreditorAgentSuspended false "收款行暂停业务" "The payee's bank is suspended";
    AGNT IncorrectAgent true "开户行有误" "The bank is wrong";
    AM01 ZeroAmount false "金额为零" "The amount is zero";
    AM02 AmountNotAllowed false "金额超过上限" "The amount is above what is allowed";
    AM03 CurrencyNotAllowed false "币种不可处理" "The currency is not processed";
    AM04 InsufficientFunds false "付款账户余额不足" "The payer's account lacks the funds";
    AM05 Duplication false "重复付款" "The payment is a duplicate";
    AM06 AmountTooLow false "金额低于下限" "The amount is below the minimum";
    AM07 BlockedAmount false "资金被监管冻结" "A regulator has blocked the amount";
    AM09 WrongAmount false "金额不符" "The amount is not the one agreed";
    AM10 InvalidControlSum false "合计金额不符" "The control sum does not match";
    AM12 InvalidAmount false "金额无效" "The amount is invalid";
    AM13 ClearingLimit false "超过清算系统限额" "The amount exceeds the clearing system's limit";
    AM14 AgreedLimit false "超过约定限额" "The amount exceeds the limit agreed with the bank";
    AM18 InvalidCount false "笔数不符" "The number of transactions is wrong";
    AM23 SettlementLimit false "超过结算限额" "The amount exceeds the settlement limit";
    BE01 NameMismatch true "户名与账号不符" "The name does not match the account";
    BE04 CreditorAddress true "收款人地址缺失或有误" "The payee's address is missing or wrong";
    BE05 UnknownInitiator false "无法识别指令发起方" "The initiating party is not recognised";
    BE06 UnknownCustomer true "查无此收款人" "The bank does not know the payee";
    BE17 CreditorId true "收款人证件号码缺失或有误" "The payee's identification is missing or wrong";
    BE22 CreditorNameMissing true "收款人户名缺失" "The payee's name is missing";
    CNOR CreditorBankUnregistered true "收款行未接入清算系统" "The payee's bank is not in the clearing system";
    CURR IncorrectCurrency false "币种有误" "The currency is wrong";
    CUST Cancelled false "付款人要求撤销" "Cancelled at the payer's request";
    DNOR DebtorBankUnregistered false "付款行未接入清算系统" "The payer's bank is not in the clearing system";
    DT01 InvalidDate false "日期无效" "A date is invalid";
    DU01 MessageRepeated false "批次号重复" "The message id was used before";
    DU03 TransactionRepeated false "交易重复" "The transaction is not unique";
    DU04 EndToEndIdRepeated false "支付流水号重复" "The end-to-end id was used before";
    DUPL DuplicatePayment false "重复付款" "The payment repeats another";
    ED05 SettlementFailed false "清算失败" "Settlement failed";
    FF01 InvalidFile false "文件格式有误" "The file's format is wrong";
    FF10 BankSystem false "银行系统故障" "The bank's system failed";
    FOCR FollowingCancellation false "应撤销请求退回" "Returned after a request to cancel";
    FR01 Fraud false "涉嫌欺诈" "Fraud";
    MD07 Deceased false "收款人已死亡" "The payee is deceased";
    MS02 CustomerUnspecified false "客户未说明原因" "The customer gave no reason";
    MS03 BankUnspecified false "银行未说明原因" "The bank gave no reason";
    NARR Narrative false "原因见说明" "The reason is told in words";
    NOAS NoAnswer false "收款人未答复" "The payee did not answer";
    NOCM NotCompliant true "账户不合规或已失效" "The account does not comply with regulations";
    RC01 IncorrectBankId true "行号格式有误" "The bank's number has the wrong format";
    RC02 InvalidBankId true "行号无效" "The bank's number is invalid";
    RC03 InvalidDebtorBankId false "付款行行号无效" "The number of the payer's bank is invalid";
    RC04 InvalidCreditorBankId true "收款行行号无效" "The number of the payee's bank is invalid";
    RC08 InvalidClearingMember true "清算行号无效" "The number in the clearing system is invalid";
    RC10 InvalidCreditorClearingMember true "收款行清算行号无效" "The number of the payee's bank in the clearing system is invalid";
    RF01 ReferenceRepeated false "流水号在文件内重复" "A reference is not unique in the message";
    RR03 CreditorDetailsMissing true "收款人名称或地址不完整" "The payee's name or address does not suffice for the regulator";
    RR04 Regulatory false "监管原因" "A regulatory reason";
    SL12 DebtorBlacklist false "付款人黑名单限制" "The payer's blacklist";
    TM01 AfterCutOff false "超过业务截止时间" "Received after the cut-off time";
    UCRD UnknownCreditor true "收款人不存在" "The payee is unknown";
    UPAY Unjustified false "付款不当" "The payment is not justified";
}

/// Texts that county banks write in the place of a code, most specific first: all parts of an entry
/// have to be in the text.
const WORDS: [(&[&str], FailureReason); 13] = [
    (&["户名", "不符"], FailureReason::NameMismatch),
    (&["户名", "不一致"], FailureReason::NameMismatch),
    (&["姓名", "不符"], FailureReason::NameMismatch),
    (&["余额不足"], FailureReason::InsufficientFunds),
    (&["销户"], FailureReason::ClosedAccount),
    (&["冻结"], FailureReason::BlockedAccount),
    (&["止付"], FailureReason::BlockedAccount),
    (&["行号", "有误"], FailureReason::InvalidCreditorBankId),
    (&["行号", "错误"], FailureReason::InvalidCreditorBankId),
    (&["账号", "不存在"], FailureReason::IncorrectAccount),
    (&["账号", "有误"], FailureReason::IncorrectAccount),
    (&["账号", "错误"], FailureReason::IncorrectAccount),
    (&["账户", "不存在"], FailureReason::IncorrectAccount),
];

impl FailureReason {
    /// The reason in the text of a bank that gives no code; [`FailureReason::Unstated`] unless the
    /// text states one plainly.
    pub(crate) fn from_text(text: &str) -> FailureReason {
        WORDS
            .iter()
            .find(|(parts, _)| parts.iter().all(|part| text.contains(part)))
            .map_or(FailureReason::Unstated, |(_, reason)| reason.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_round_trip() {
        for reason in FailureReason::ALL {
            assert_eq!(&FailureReason::from_code(reason.code()), reason);
            assert_eq!(
                &FailureReason::from_code(&format!(" {} ", reason.code().to_lowercase())),
                reason
            );
            assert_eq!(reason.code().len(), 4, "{reason:?}");
        }
        let codes: HashSet<_> = FailureReason::ALL.iter().map(FailureReason::code).collect();
        assert_eq!(codes.len(), FailureReason::ALL.len());
    }

    #[test]
    fn unknown_codes_are_kept() {
        let reason = FailureReason::from_code("E-1042");
        assert_eq!((reason.code(), reason.is_cured_by_payee()), ("E-1042", false));
        assert_eq!(FailureReason::from_code("AC99").code(), "AC99");
        for none in ["", " ", "户名不符", "see below", &"9".repeat(36)] {
            assert_eq!(
                FailureReason::from_code(none),
                FailureReason::Unstated,
                "{none:?}"
            );
        }
        let account = FailureReason::from_code("6222020111122220000");
        assert!(!format!("{account:?}").contains("6222"));
    }

    #[test]
    fn what_the_payee_can_cure() {
        for (code, cured) in [
            ("AC01", true),
            ("AC04", true),
            ("AC06", true),
            ("BE01", true),
            ("RC04", true),
            ("BE05", false),
            ("AC02", false),
            ("AM04", false),
            ("AM05", false),
            ("MS03", false),
            ("MD07", false),
        ] {
            assert_eq!(
                FailureReason::from_code(code).is_cured_by_payee(),
                cured,
                "{code}"
            );
        }
    }

    #[test]
    fn texts_of_county_banks() {
        for (text, code) in [
            ("账号与户名不符", "BE01"),
            ("收款人账号已销户", "AC04"),
            ("账户状态异常：冻结", "AC06"),
            ("收款账号不存在", "AC01"),
            ("付款账户余额不足", "AM04"),
            ("请联系网点", ""),
            ("", ""),
        ] {
            assert_eq!(FailureReason::from_text(text).code(), code, "{text}");
        }
    }
}
