//! From a flat row of text columns to a typed row.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use ledger::{Fen, MoneyError};
use policy::Lang;

use super::{
    Collector, Dismantler, EfficiencyLabel, EntitlementRow, FiledPrice, Merchant, MerchantKind,
    MerchantStatus, Register, RegisterRow, ScrapCertificateRow, VehicleModel,
};
use crate::claim::{Energy, VehicleType};
use crate::identifiers::{
    CertificateNumber, CreditCode, EfficiencyRecord, EntitlementCode, IdentifierError, IdentityNumber,
    PlateNumber, ProgrammeId, Vin,
};
use crate::jurisdictions::JurisdictionCode;
use crate::text::{model_key, narrowed};

/// Column name to text. Values from CSV and from JSON strings or numbers alike.
pub type Columns = BTreeMap<String, String>;

/// The longest free text in a register: a firm's name, a brand, a standard.
const TEXT_MAX: usize = 200;

/// The fault of a column, without its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message(Lang::En))]
pub struct ColumnError {
    /// The column's name as given, cut to a bound if the register has no such column.
    pub column: String,
    pub fault: ColumnFault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnFault {
    Missing,
    Unknown,
    Identifier(IdentifierError),
    Money(MoneyError),
    /// Not `YYYY-MM-DD`, or no such day.
    Date,
    /// Not a whole number from `low` to `high`.
    Number {
        low: u32,
        high: u32,
    },
    /// Not one of these values.
    Word(&'static [&'static str]),
    /// Not a category: 1 to 40 lower-case letters, digits and underscores.
    Category,
    TooLong {
        most: usize,
    },
}

impl ColumnError {
    /// Stable code for machines, such as `column.missing` or `identity-number.check-digit`.
    pub fn code(&self) -> String {
        match self.fault {
            ColumnFault::Missing => "column.missing".to_owned(),
            ColumnFault::Unknown => "column.unknown".to_owned(),
            ColumnFault::Identifier(error) => error.code(),
            ColumnFault::Money(error) => error.code().to_owned(),
            ColumnFault::Date => "column.date".to_owned(),
            ColumnFault::Number { .. } => "column.number".to_owned(),
            ColumnFault::Word(_) => "column.word".to_owned(),
            ColumnFault::Category => "column.category".to_owned(),
            ColumnFault::TooLong { .. } => "column.too-long".to_owned(),
        }
    }

    pub fn message(&self, lang: Lang) -> String {
        let column = &self.column;
        match lang {
            Lang::Zh => format!("{column}：{}", self.fault.message_zh()),
            Lang::En => format!("{column}: {}", self.fault.message_en()),
        }
    }
}

impl ColumnFault {
    fn message_zh(self) -> String {
        match self {
            ColumnFault::Missing => "必须填写".to_owned(),
            ColumnFault::Unknown => "名录没有此列".to_owned(),
            ColumnFault::Identifier(error) => error.message(Lang::Zh),
            ColumnFault::Money(error) => error.message_zh().to_owned(),
            ColumnFault::Date => "应为存在的日期，写作YYYY-MM-DD".to_owned(),
            ColumnFault::Number { low, high } => format!("应为{low}至{high}的整数"),
            ColumnFault::Word(words) => format!("应为下列之一：{}", words.join("、")),
            ColumnFault::Category => "应为1至40位小写字母、数字或下划线".to_owned(),
            ColumnFault::TooLong { most } => format!("最多{most}个字"),
        }
    }

    fn message_en(self) -> String {
        match self {
            ColumnFault::Missing => "must be given".to_owned(),
            ColumnFault::Unknown => "the register has no such column".to_owned(),
            ColumnFault::Identifier(error) => error.message(Lang::En),
            ColumnFault::Money(error) => error.to_string(),
            ColumnFault::Date => "must be a date that exists, written YYYY-MM-DD".to_owned(),
            ColumnFault::Number { low, high } => format!("must be a whole number from {low} to {high}"),
            ColumnFault::Word(words) => format!("must be one of: {}", words.join(", ")),
            ColumnFault::Category => "must be 1 to 40 lower-case letters, digits or underscores".to_owned(),
            ColumnFault::TooLong { most } => format!("has at most {most} characters"),
        }
    }
}

/// Takes columns one by one and collects the faults of each, so that a row is reported whole.
struct Reader<'a> {
    columns: &'a Columns,
    errors: Vec<ColumnError>,
}

/// One parsed column, or `None` after its error was noted.
type Field<T> = Option<T>;

impl Reader<'_> {
    fn fail(&mut self, column: &str, fault: ColumnFault) {
        self.errors.push(ColumnError {
            column: column.to_owned(),
            fault,
        });
    }

    /// `Some(None)` when the column is blank.
    fn optional<T>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, ColumnFault>,
    ) -> Field<Option<T>> {
        match self
            .columns
            .get(column)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
        {
            None => Some(None),
            Some(text) => match parse(text) {
                Ok(value) => Some(Some(value)),
                Err(fault) => {
                    self.fail(column, fault);
                    None
                }
            },
        }
    }

    fn required<T>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, ColumnFault>,
    ) -> Field<T> {
        let value = self.optional(column, parse)?;
        if value.is_none() {
            self.fail(column, ColumnFault::Missing);
        }
        value
    }
}

fn identifier<T>(
    parse: impl FnOnce(&str) -> Result<T, IdentifierError>,
) -> impl FnOnce(&str) -> Result<T, ColumnFault> {
    |text| parse(text).map_err(ColumnFault::Identifier)
}

/// Strictly `YYYY-MM-DD`: chrono alone would also take `2026-1-5`.
fn date(text: &str) -> Result<NaiveDate, ColumnFault> {
    if text.len() != 10 {
        return Err(ColumnFault::Date);
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| ColumnFault::Date)
}

fn money(text: &str) -> Result<Fen, ColumnFault> {
    text.parse().map_err(ColumnFault::Money)
}

fn number(low: u32, high: u32) -> impl FnOnce(&str) -> Result<u32, ColumnFault> {
    move |text| {
        let fault = ColumnFault::Number { low, high };
        let value = text.parse().map_err(|_| fault)?;
        if (low..=high).contains(&value) {
            Ok(value)
        } else {
            Err(fault)
        }
    }
}

fn text(text: &str) -> Result<String, ColumnFault> {
    let text = narrowed(text);
    if text.chars().count() > TEXT_MAX {
        Err(ColumnFault::TooLong { most: TEXT_MAX })
    } else {
        Ok(text)
    }
}

fn model(value: &str) -> Result<String, ColumnFault> {
    text(value).map(|value| model_key(&value))
}

fn category(text: &str) -> Result<String, ColumnFault> {
    let fits = (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if fits {
        Ok(text.to_owned())
    } else {
        Err(ColumnFault::Category)
    }
}

/// One of a closed list of values.
macro_rules! choice {
    ($name:ty) => {
        |text: &str| <$name>::parse(text).ok_or(ColumnFault::Word(<$name>::WORDS))
    };
}

/// A dismantler or a collector: the same columns, for two registers that never mix.
macro_rules! licensed {
    ($reader:ident, $name:ident) => {
        licensed_firm(&mut $reader).map(|(credit_code, name, jurisdiction, licensed_until)| {
            RegisterRow::$name($name {
                credit_code,
                name,
                jurisdiction,
                licensed_until,
            })
        })
    };
}

fn licensed_firm(reader: &mut Reader<'_>) -> Option<(CreditCode, String, JurisdictionCode, NaiveDate)> {
    let credit_code = reader.required("credit_code", identifier(CreditCode::parse));
    let name = reader.required("name", text);
    let jurisdiction = reader.required("jurisdiction", identifier(JurisdictionCode::parse));
    let licensed_until = reader.required("licensed_until", date);
    Some((credit_code?, name?, jurisdiction?, licensed_until?))
}

pub(super) fn row(register: Register, columns: &Columns) -> Result<RegisterRow, Vec<ColumnError>> {
    let mut reader = Reader {
        columns,
        errors: Vec::new(),
    };
    for column in columns
        .keys()
        .filter(|column| !register.columns().contains(&column.as_str()))
    {
        let column: String = column.chars().take(TEXT_MAX).collect();
        reader.fail(&column, ColumnFault::Unknown);
    }
    let row = match register {
        Register::EfficiencyLabels => efficiency_label(&mut reader),
        Register::ScrapCertificates => scrap_certificate(&mut reader),
        Register::VehicleModels => vehicle_model(&mut reader),
        Register::FiledPrices => filed_price(&mut reader),
        Register::Entitlements => entitlement(&mut reader),
        Register::Merchants => merchant(&mut reader),
        Register::Dismantlers => licensed!(reader, Dismantler),
        Register::Collectors => licensed!(reader, Collector),
    };
    match row {
        Some(row) if reader.errors.is_empty() => Ok(row),
        _ => Err(reader.errors),
    }
}

// Each reads every column before it builds the row, so that one wrong column does not hide the
// next.

fn efficiency_label(reader: &mut Reader<'_>) -> Option<RegisterRow> {
    let record = reader.required("record", identifier(EfficiencyRecord::parse));
    let category = reader.required("category", category);
    let brand = reader.required("brand", text);
    let model = reader.required("model", text);
    let grade = reader
        .required("grade", number(1, 5))
        .and_then(|grade| u8::try_from(grade).ok());
    let standard = reader.optional("standard", text);
    let filed_on = reader.optional("filed_on", date);
    Some(RegisterRow::EfficiencyLabel(EfficiencyLabel {
        record: record?,
        category: category?,
        brand: brand?,
        model: model?,
        grade: grade?,
        standard: standard?,
        filed_on: filed_on?,
    }))
}

fn scrap_certificate(reader: &mut Reader<'_>) -> Option<RegisterRow> {
    let number = reader.required("number", identifier(CertificateNumber::parse));
    let issued_on = reader.required("issued_on", date);
    let owner_identity_number = reader.required("owner_identity_number", identifier(IdentityNumber::parse));
    let vin = reader.required("vin", identifier(Vin::parse));
    let plate = reader.required("plate", identifier(PlateNumber::parse));
    let energy = reader.required("energy", choice!(Energy));
    let vehicle_type = reader.required("vehicle_type", choice!(VehicleType));
    let first_registered_on = reader.required("first_registered_on", date);
    let dismantler = reader.optional("dismantler", identifier(CreditCode::parse));
    Some(RegisterRow::ScrapCertificate(ScrapCertificateRow {
        number: number?,
        issued_on: issued_on?,
        owner_identity_number: owner_identity_number?,
        vin: vin?,
        plate: plate?,
        energy: energy?,
        vehicle_type: vehicle_type?,
        first_registered_on: first_registered_on?,
        dismantler: dismantler?,
    }))
}

fn vehicle_model(reader: &mut Reader<'_>) -> Option<RegisterRow> {
    let model = reader.required("model", model);
    let energy = reader.required("energy", choice!(Energy));
    let vehicle_type = reader.required("vehicle_type", choice!(VehicleType));
    let displacement_ml = reader.optional("displacement_ml", number(0, 20_000));
    let listed_from = reader.required("listed_from", date);
    let listed_until = reader.optional("listed_until", date);
    Some(RegisterRow::VehicleModel(VehicleModel {
        model: model?,
        energy: energy?,
        vehicle_type: vehicle_type?,
        displacement_ml: displacement_ml?,
        listed_from: listed_from?,
        listed_until: listed_until?,
    }))
}

fn filed_price(reader: &mut Reader<'_>) -> Option<RegisterRow> {
    let merchant = reader.required("merchant", identifier(CreditCode::parse));
    let model = reader.required("model", model);
    let price = reader.required("price", money);
    let filed_on = reader.required("filed_on", date);
    Some(RegisterRow::FiledPrice(FiledPrice {
        merchant: merchant?,
        model: model?,
        price: price?,
        filed_on: filed_on?,
    }))
}

fn entitlement(reader: &mut Reader<'_>) -> Option<RegisterRow> {
    let code = reader.required("code", identifier(EntitlementCode::parse));
    let programme = reader.required("programme", identifier(ProgrammeId::parse));
    let applicant_identity_number =
        reader.required("applicant_identity_number", identifier(IdentityNumber::parse));
    let category = reader.optional("category", category);
    let issued_on = reader.required("issued_on", date);
    let expires_on = reader.optional("expires_on", date);
    Some(RegisterRow::Entitlement(EntitlementRow {
        code: code?,
        programme: programme?,
        applicant_identity_number: applicant_identity_number?,
        category: category?,
        issued_on: issued_on?,
        expires_on: expires_on?,
    }))
}

fn merchant(reader: &mut Reader<'_>) -> Option<RegisterRow> {
    let credit_code = reader.required("credit_code", identifier(CreditCode::parse));
    let name = reader.required("name", text);
    let kind = reader.required("kind", choice!(MerchantKind));
    let jurisdiction = reader.required("jurisdiction", identifier(JurisdictionCode::parse));
    let status = reader.required("status", choice!(MerchantStatus));
    Some(RegisterRow::Merchant(Merchant {
        credit_code: credit_code?,
        name: name?,
        kind: kind?,
        jurisdiction: jurisdiction?,
        status: status?,
    }))
}
