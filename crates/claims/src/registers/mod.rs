//! The registers of the authorities, which rules read.
//!
//! A register is loaded from flat rows of named columns. [`RegisterRow::parse`] gives a typed row
//! or every column that is wrong, without repeating its value. [`RegisterRow::into_entry`] then
//! turns personal columns into digests: an [`Entry`] is stored, and can be compared with a claim
//! but not read back.

mod parse;

use chrono::NaiveDate;
use ledger::Fen;
use words::words;

use crate::claim::{Claim, Energy, Item, OldItem, VehicleType};
use crate::digest::{Digest, Domain};
use crate::identifiers::{
    CertificateNumber, CreditCode, EfficiencyRecord, EntitlementCode, IdentityNumber, PlateNumber,
    ProgrammeId, Vin,
};
use crate::jurisdictions::JurisdictionCode;
use crate::text::model_key;

pub use parse::{ColumnError, ColumnFault, Columns};

words! {
    /// The registers, by their name in the API's paths.
    pub enum Register {
        EfficiencyLabels = "efficiency-labels",
        ScrapCertificates = "scrap-certificates",
        VehicleModels = "vehicle-models",
        FiledPrices = "filed-prices",
        Entitlements = "entitlements",
        Merchants = "merchants",
        Dismantlers = "dismantlers",
        Collectors = "collectors",
    }
}

impl Register {
    /// Names of the columns, key first.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Register::EfficiencyLabels => &[
                "record", "category", "brand", "model", "grade", "standard", "filed_on",
            ],
            Register::ScrapCertificates => &[
                "number",
                "issued_on",
                "owner_identity_number",
                "vin",
                "plate",
                "energy",
                "vehicle_type",
                "first_registered_on",
                "dismantler",
            ],
            Register::VehicleModels => &[
                "model",
                "energy",
                "vehicle_type",
                "displacement_ml",
                "listed_from",
                "listed_until",
            ],
            Register::FiledPrices => &["merchant", "model", "price", "filed_on"],
            Register::Entitlements => &[
                "code",
                "programme",
                "applicant_identity_number",
                "category",
                "issued_on",
                "expires_on",
            ],
            Register::Merchants => &["credit_code", "name", "kind", "jurisdiction", "status"],
            Register::Dismantlers | Register::Collectors => {
                &["credit_code", "name", "jurisdiction", "licensed_until"]
            }
        }
    }

    /// The columns that together name one row. A filed price is one of a history: its key has
    /// three.
    pub fn key_columns(self) -> &'static [&'static str] {
        match self {
            Register::EfficiencyLabels => &["record"],
            Register::ScrapCertificates => &["number"],
            Register::VehicleModels => &["model"],
            Register::FiledPrices => &["merchant", "model", "filed_on"],
            Register::Entitlements => &["code"],
            Register::Merchants | Register::Dismantlers | Register::Collectors => &["credit_code"],
        }
    }

    /// Columns that may be blank or absent.
    pub fn optional_columns(self) -> &'static [&'static str] {
        match self {
            Register::EfficiencyLabels => &["standard", "filed_on"],
            Register::ScrapCertificates => &["dismantler"],
            Register::VehicleModels => &["displacement_ml", "listed_until"],
            Register::Entitlements => &["category", "expires_on"],
            Register::FiledPrices | Register::Merchants | Register::Dismantlers | Register::Collectors => &[],
        }
    }

    /// Columns with personal data, of which only digests are stored.
    pub fn personal_columns(self) -> &'static [&'static str] {
        match self {
            Register::ScrapCertificates => &["owner_identity_number", "vin", "plate"],
            Register::Entitlements => &["applicant_identity_number"],
            Register::EfficiencyLabels
            | Register::VehicleModels
            | Register::FiledPrices
            | Register::Merchants
            | Register::Dismantlers
            | Register::Collectors => &[],
        }
    }
}

/// A product in the catalogue of energy and water efficiency labels. `brand` and `model` are as
/// filed; compare by [`model_key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EfficiencyLabel {
    pub record: EfficiencyRecord,
    pub category: String,
    pub brand: String,
    pub model: String,
    /// 1 is the best of 5.
    pub grade: u8,
    pub standard: Option<String>,
    pub filed_on: Option<NaiveDate>,
}

/// A scrap certificate as parsed, with personal data in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrapCertificateRow {
    pub number: CertificateNumber,
    pub issued_on: NaiveDate,
    pub owner_identity_number: IdentityNumber,
    pub vin: Vin,
    pub plate: PlateNumber,
    pub energy: Energy,
    pub vehicle_type: VehicleType,
    pub first_registered_on: NaiveDate,
    pub dismantler: Option<CreditCode>,
}

/// A scrap certificate as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrapCertificate {
    pub number: CertificateNumber,
    pub issued_on: NaiveDate,
    pub owner: Digest,
    pub vin: Digest,
    pub plate: Digest,
    pub energy: Energy,
    pub vehicle_type: VehicleType,
    pub first_registered_on: NaiveDate,
    pub dismantler: Option<CreditCode>,
}

/// A model in the purchase-tax catalogue of new-energy cars. `model` is a [`model_key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VehicleModel {
    pub model: String,
    pub energy: Energy,
    pub vehicle_type: VehicleType,
    pub displacement_ml: Option<u32>,
    pub listed_from: NaiveDate,
    /// The last day; `None` while it is listed.
    pub listed_until: Option<NaiveDate>,
}

impl VehicleModel {
    pub fn listed_on(&self, date: NaiveDate) -> bool {
        self.listed_from <= date && self.listed_until.is_none_or(|last| date <= last)
    }
}

/// A price that a merchant filed for a model, in force from its day until the next is filed.
/// `model` is a [`model_key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiledPrice {
    pub merchant: CreditCode,
    pub model: String,
    pub price: Fen,
    pub filed_on: NaiveDate,
}

/// An entitlement as parsed, with personal data in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitlementRow {
    pub code: EntitlementCode,
    pub programme: ProgrammeId,
    pub applicant_identity_number: IdentityNumber,
    pub category: Option<String>,
    pub issued_on: NaiveDate,
    pub expires_on: Option<NaiveDate>,
}

/// An entitlement as stored: a used one is spent, and a return restores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    pub code: EntitlementCode,
    pub programme: ProgrammeId,
    pub applicant: Digest,
    pub category: Option<String>,
    pub issued_on: NaiveDate,
    /// The last day; `None` for one that does not expire.
    pub expires_on: Option<NaiveDate>,
}

words! {
    pub enum MerchantKind {
        Retailer = "retailer",
        Platform = "platform",
        Dealer = "dealer",
    }
}

words! {
    /// Standing with the commerce bureau.
    pub enum MerchantStatus {
        Admitted = "admitted",
        Suspended = "suspended",
        Removed = "removed",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    pub credit_code: CreditCode,
    pub name: String,
    pub kind: MerchantKind,
    pub jurisdiction: JurisdictionCode,
    pub status: MerchantStatus,
}

macro_rules! licensed {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            pub credit_code: CreditCode,
            pub name: String,
            pub jurisdiction: JurisdictionCode,
            /// The last day.
            pub licensed_until: NaiveDate,
        }

        impl $name {
            pub fn licensed_on(&self, date: NaiveDate) -> bool {
                date <= self.licensed_until
            }
        }
    };
}

licensed!(
    /// A firm that may dismantle scrapped cars.
    Dismantler
);
licensed!(
    /// A firm that takes back old appliances.
    Collector
);

/// A row as parsed. Debug output is safe: personal types print stars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterRow {
    EfficiencyLabel(EfficiencyLabel),
    ScrapCertificate(ScrapCertificateRow),
    VehicleModel(VehicleModel),
    FiledPrice(FiledPrice),
    Entitlement(EntitlementRow),
    Merchant(Merchant),
    Dismantler(Dismantler),
    Collector(Collector),
}

/// A row as stored: no personal data in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    EfficiencyLabel(EfficiencyLabel),
    ScrapCertificate(ScrapCertificate),
    VehicleModel(VehicleModel),
    FiledPrice(FiledPrice),
    Entitlement(Entitlement),
    Merchant(Merchant),
    Dismantler(Dismantler),
    Collector(Collector),
}

impl RegisterRow {
    /// Reads one row of a register; every wrong column is reported, and columns that the register
    /// does not have are wrong.
    pub fn parse(register: Register, columns: &Columns) -> Result<RegisterRow, Vec<ColumnError>> {
        parse::row(register, columns)
    }

    /// Hashes the personal columns, in the domains in which [`crate::keys::digests`] hashes a
    /// claim's.
    pub fn into_entry(self, digest: impl Fn(Domain, &str) -> Digest) -> Entry {
        match self {
            RegisterRow::EfficiencyLabel(label) => Entry::EfficiencyLabel(label),
            RegisterRow::ScrapCertificate(row) => Entry::ScrapCertificate(ScrapCertificate {
                owner: digest(Domain::Person, row.owner_identity_number.expose()),
                vin: digest(Domain::Vin, row.vin.expose()),
                plate: digest(Domain::Plate, row.plate.expose()),
                number: row.number,
                issued_on: row.issued_on,
                energy: row.energy,
                vehicle_type: row.vehicle_type,
                first_registered_on: row.first_registered_on,
                dismantler: row.dismantler,
            }),
            RegisterRow::VehicleModel(model) => Entry::VehicleModel(model),
            RegisterRow::FiledPrice(price) => Entry::FiledPrice(price),
            RegisterRow::Entitlement(row) => Entry::Entitlement(Entitlement {
                applicant: digest(Domain::Person, row.applicant_identity_number.expose()),
                code: row.code,
                programme: row.programme,
                category: row.category,
                issued_on: row.issued_on,
                expires_on: row.expires_on,
            }),
            RegisterRow::Merchant(merchant) => Entry::Merchant(merchant),
            RegisterRow::Dismantler(firm) => Entry::Dismantler(firm),
            RegisterRow::Collector(firm) => Entry::Collector(firm),
        }
    }
}

impl Entry {
    pub fn register(&self) -> Register {
        match self {
            Entry::EfficiencyLabel(_) => Register::EfficiencyLabels,
            Entry::ScrapCertificate(_) => Register::ScrapCertificates,
            Entry::VehicleModel(_) => Register::VehicleModels,
            Entry::FiledPrice(_) => Register::FiledPrices,
            Entry::Entitlement(_) => Register::Entitlements,
            Entry::Merchant(_) => Register::Merchants,
            Entry::Dismantler(_) => Register::Dismantlers,
            Entry::Collector(_) => Register::Collectors,
        }
    }

    /// The text that identifies the row: its key column, or `<merchant>:<model>:<filed_on>` of a
    /// filed price.
    pub fn key(&self) -> String {
        match self {
            Entry::EfficiencyLabel(label) => label.record.as_str().to_owned(),
            Entry::ScrapCertificate(certificate) => certificate.number.as_str().to_owned(),
            Entry::VehicleModel(model) => model.model.clone(),
            Entry::FiledPrice(price) => format!("{}:{}:{}", price.merchant, price.model, price.filed_on),
            Entry::Entitlement(entitlement) => entitlement.code.as_str().to_owned(),
            Entry::Merchant(merchant) => merchant.credit_code.as_str().to_owned(),
            Entry::Dismantler(firm) => firm.credit_code.as_str().to_owned(),
            Entry::Collector(firm) => firm.credit_code.as_str().to_owned(),
        }
    }
}

/// The entries of the registers for one claim. `None`: the register does not hold it, or the claim
/// names none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    pub label: Option<EfficiencyLabel>,
    /// In force on the invoice date: the merchant's latest for the model, filed on or before that
    /// day.
    pub filed_price: Option<FiledPrice>,
    pub certificate: Option<ScrapCertificate>,
    pub vehicle_model: Option<VehicleModel>,
    pub entitlement: Option<Entitlement>,
    /// The merchant who makes the claim.
    pub merchant: Option<Merchant>,
    /// The dismantler that the claim names; if it names none, the certificate's.
    pub dismantler: Option<Dismantler>,
    pub collector: Option<Collector>,
}

/// The keys under which a claim's [`Known`] is looked up, spelled as the registers keep them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookUps {
    pub label: Option<EfficiencyRecord>,
    /// [`model_key`] of goods, for the merchant's filed prices.
    pub filed_model: Option<String>,
    pub certificate: Option<CertificateNumber>,
    /// [`model_key`] of a new car.
    pub vehicle_model: Option<String>,
    pub entitlement: Option<EntitlementCode>,
    pub dismantler: Option<CreditCode>,
    pub collector: Option<CreditCode>,
}

/// The entries to look up for a claim.
pub fn look_ups(claim: &Claim) -> LookUps {
    let goods = claim.item.goods();
    let mut look_ups = LookUps {
        label: goods.and_then(|goods| goods.efficiency_label.clone()),
        filed_model: goods.map(|goods| model_key(&goods.model)),
        entitlement: claim.entitlement.clone(),
        ..LookUps::default()
    };
    if let Item::Vehicle(vehicle) = &claim.item {
        look_ups.vehicle_model = Some(model_key(&vehicle.model));
    }
    match &claim.old_item {
        Some(OldItem::Appliance { collector, .. }) => look_ups.collector.clone_from(collector),
        Some(OldItem::Vehicle(old)) => {
            let paper = old.scrap_certificate.as_ref();
            look_ups.certificate = paper.map(|paper| paper.number.clone());
            look_ups.dismantler = paper.and_then(|paper| paper.dismantler.clone());
        }
        None => {}
    }
    look_ups
}

#[cfg(test)]
mod tests;
