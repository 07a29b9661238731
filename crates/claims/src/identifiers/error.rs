//! Errors of identifiers, without the identifier.

use policy::Lang;

/// The kind of identifier of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentifierKind {
    CreditCode,
    IdentityNumber,
    Vin,
    Gtin13,
    Imei,
    SerialNumber,
    InvoiceNumber,
    PlateNumber,
    Jurisdiction,
    BankAccount,
    Phone,
    EfficiencyRecord,
    CertificateNumber,
    MerchantReference,
    PersonName,
    Address,
    EntitlementCode,
    ProgrammeId,
}

impl IdentifierKind {
    pub const ALL: [IdentifierKind; 18] = [
        IdentifierKind::CreditCode,
        IdentifierKind::IdentityNumber,
        IdentifierKind::Vin,
        IdentifierKind::Gtin13,
        IdentifierKind::Imei,
        IdentifierKind::SerialNumber,
        IdentifierKind::InvoiceNumber,
        IdentifierKind::PlateNumber,
        IdentifierKind::Jurisdiction,
        IdentifierKind::BankAccount,
        IdentifierKind::Phone,
        IdentifierKind::EfficiencyRecord,
        IdentifierKind::CertificateNumber,
        IdentifierKind::MerchantReference,
        IdentifierKind::PersonName,
        IdentifierKind::Address,
        IdentifierKind::EntitlementCode,
        IdentifierKind::ProgrammeId,
    ];

    /// Stable name, the first half of an error's code.
    pub fn as_str(self) -> &'static str {
        match self {
            IdentifierKind::CreditCode => "credit-code",
            IdentifierKind::IdentityNumber => "identity-number",
            IdentifierKind::Vin => "vin",
            IdentifierKind::Gtin13 => "gtin",
            IdentifierKind::Imei => "imei",
            IdentifierKind::SerialNumber => "serial-number",
            IdentifierKind::InvoiceNumber => "invoice-number",
            IdentifierKind::PlateNumber => "plate-number",
            IdentifierKind::Jurisdiction => "jurisdiction",
            IdentifierKind::BankAccount => "bank-account",
            IdentifierKind::Phone => "phone",
            IdentifierKind::EfficiencyRecord => "efficiency-record",
            IdentifierKind::CertificateNumber => "certificate-number",
            IdentifierKind::MerchantReference => "merchant-reference",
            IdentifierKind::PersonName => "person-name",
            IdentifierKind::Address => "address",
            IdentifierKind::EntitlementCode => "entitlement-code",
            IdentifierKind::ProgrammeId => "programme-id",
        }
    }

    pub fn title(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            IdentifierKind::CreditCode => ("统一社会信用代码", "unified social credit code"),
            IdentifierKind::IdentityNumber => ("公民身份号码", "resident identity number"),
            IdentifierKind::Vin => ("车辆识别代号", "VIN"),
            IdentifierKind::Gtin13 => ("商品条码", "GTIN-13"),
            IdentifierKind::Imei => ("IMEI", "IMEI"),
            IdentifierKind::SerialNumber => ("产品序列号", "serial number"),
            IdentifierKind::InvoiceNumber => ("发票号码", "invoice number"),
            IdentifierKind::PlateNumber => ("机动车号牌", "plate number"),
            IdentifierKind::Jurisdiction => ("辖区代码", "jurisdiction"),
            IdentifierKind::BankAccount => ("银行账号", "bank account"),
            IdentifierKind::Phone => ("电话号码", "phone number"),
            IdentifierKind::EfficiencyRecord => ("能效标识备案号", "efficiency label record"),
            IdentifierKind::CertificateNumber => ("证明编号", "certificate number"),
            IdentifierKind::MerchantReference => ("商户单号", "merchant reference"),
            IdentifierKind::PersonName => ("姓名", "name"),
            IdentifierKind::Address => ("地址", "address"),
            IdentifierKind::EntitlementCode => ("资格码", "entitlement code"),
            IdentifierKind::ProgrammeId => ("补贴项目编号", "programme id"),
        };
        pick(lang, zh, en)
    }

    /// A description of the well-formed value.
    pub fn form(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            IdentifierKind::CreditCode => (
                "18位数字或大写字母（不含I、O、Z、S、V）",
                "18 digits or capital letters without I, O, Z, S and V",
            ),
            IdentifierKind::IdentityNumber => ("17位数字和1位校验码", "17 digits and a check character"),
            IdentifierKind::Vin => (
                "17位数字或字母（不含I、O、Q）",
                "17 digits or letters without I, O and Q",
            ),
            IdentifierKind::Gtin13 => ("13位数字", "13 digits"),
            IdentifierKind::Imei => ("15位数字", "15 digits"),
            IdentifierKind::InvoiceNumber => (
                "20位数电票号码，或10位、12位发票代码加8位号码",
                "20 digits, or a code of 10 or 12 digits and a number of 8",
            ),
            IdentifierKind::PlateNumber => (
                "省份简称、发牌机关字母和5至6位序号",
                "a province's character, a letter and 5 or 6 more",
            ),
            IdentifierKind::Jurisdiction => ("6位或9位数字", "6 or 9 digits"),
            IdentifierKind::BankAccount => ("8至32位数字", "8 to 32 digits"),
            IdentifierKind::Phone => (
                "11位手机号码，或带区号的固定电话",
                "a mobile number of 11 digits, or a landline with its area code",
            ),
            IdentifierKind::PersonName => ("1至60个字", "1 to 60 characters"),
            IdentifierKind::Address => ("1至200个字", "1 to 200 characters"),
            IdentifierKind::ProgrammeId => (
                "1至64位小写字母、数字或连字符",
                "1 to 64 lower-case letters, digits or hyphens",
            ),
            IdentifierKind::SerialNumber
            | IdentifierKind::EfficiencyRecord
            | IdentifierKind::CertificateNumber
            | IdentifierKind::MerchantReference
            | IdentifierKind::EntitlementCode => ("1至64个字符", "1 to 64 characters"),
        };
        pick(lang, zh, en)
    }
}

/// The part of a date that is outside of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DatePart {
    Year,
    Month,
    Day,
}

/// Why a text is not an identifier of its kind. Positions count characters from 1, without spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum IdentifierError {
    #[error("{}", self.message(Lang::En))]
    Length { kind: IdentifierKind, found: usize },
    #[error("{}", self.message(Lang::En))]
    Character { kind: IdentifierKind, position: usize },
    /// The character at `position` should be `expected`, if all the others are right.
    #[error("{}", self.message(Lang::En))]
    CheckDigit {
        kind: IdentifierKind,
        position: usize,
        expected: char,
    },
    /// Characters `first` to `last` are a date that does not exist.
    #[error("{}", self.message(Lang::En))]
    Date {
        kind: IdentifierKind,
        part: DatePart,
        first: usize,
        last: usize,
    },
    #[error("{}", self.message(Lang::En))]
    Form { kind: IdentifierKind },
}

impl IdentifierError {
    pub fn kind(&self) -> IdentifierKind {
        match self {
            IdentifierError::Length { kind, .. }
            | IdentifierError::Character { kind, .. }
            | IdentifierError::CheckDigit { kind, .. }
            | IdentifierError::Date { kind, .. }
            | IdentifierError::Form { kind } => *kind,
        }
    }

    /// Stable code for machines, such as `identity-number.check-digit`.
    pub fn code(&self) -> String {
        let fault = match self {
            IdentifierError::Length { .. } => "length",
            IdentifierError::Character { .. } => "character",
            IdentifierError::CheckDigit { .. } => "check-digit",
            IdentifierError::Date { .. } => "date",
            IdentifierError::Form { .. } => "form",
        };
        format!("{}.{fault}", self.kind().as_str())
    }

    pub fn message(&self, lang: Lang) -> String {
        let (title, form) = (self.kind().title(lang), self.kind().form(lang));
        match (self, lang) {
            (IdentifierError::Length { found, .. }, Lang::Zh) => {
                format!("{title}的长度为{found}，应为{form}")
            }
            (IdentifierError::Length { found, .. }, Lang::En) => {
                format!("the {title} has {found} characters; it should be {form}")
            }
            (IdentifierError::Character { position, .. }, Lang::Zh) => {
                format!("{title}第{position}位的字符不正确，应为{form}")
            }
            (IdentifierError::Character { position, .. }, Lang::En) => {
                format!("character {position} of the {title} cannot stand there; it should be {form}")
            }
            (
                IdentifierError::CheckDigit {
                    position, expected, ..
                },
                Lang::Zh,
            ) => {
                format!(
                    "{title}校验不通过：按其余各位计算，第{position}位校验码应为{expected}，请核对是否有一位抄错"
                )
            }
            (
                IdentifierError::CheckDigit {
                    position, expected, ..
                },
                Lang::En,
            ) => format!(
                "the {title} fails its check: by its other characters, character {position} should be {expected}; \
                 look for one that was miscopied"
            ),
            (
                IdentifierError::Date {
                    part, first, last, ..
                },
                Lang::Zh,
            ) => {
                let part = match part {
                    DatePart::Year => "年份",
                    DatePart::Month => "月份",
                    DatePart::Day => "日",
                };
                format!("{title}第{first}至{last}位的出生日期不存在：{part}不正确")
            }
            (
                IdentifierError::Date {
                    part, first, last, ..
                },
                Lang::En,
            ) => {
                let part = match part {
                    DatePart::Year => "year",
                    DatePart::Month => "month",
                    DatePart::Day => "day",
                };
                format!(
                    "characters {first} to {last} of the {title} are a date of birth that does not exist: the {part} is wrong"
                )
            }
            (IdentifierError::Form { .. }, Lang::Zh) => format!("{title}格式不正确，应为{form}"),
            (IdentifierError::Form { .. }, Lang::En) => {
                format!("the {title} is malformed; it should be {form}")
            }
        }
    }
}

fn pick(lang: Lang, zh: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}
