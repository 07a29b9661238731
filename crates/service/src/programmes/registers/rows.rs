//! Between the registers' entries and the store's rows.

use chrono::NaiveDate;
use claims::claim::{Energy, VehicleType};
use claims::digest::Digest;
use claims::identifiers::{CertificateNumber, CreditCode, EfficiencyRecord, EntitlementCode, ProgrammeId};
use claims::jurisdictions::JurisdictionCode;
use claims::registers::{
    Collector, Dismantler, EfficiencyLabel, Entitlement, Entry, FiledPrice, Merchant, MerchantKind,
    MerchantStatus, Register, ScrapCertificate, VehicleModel,
};
use ledger::Fen;
use serde_json::{Value, json};
use store::programmes::registers::{
    CollectorRow, DismantlerRow, EfficiencyLabelRow, EntitlementRow, FiledPriceRow, MerchantRow,
    RegisterRows, ScrapCertificateRow, VehicleModelRow,
};
use store::{StoreError, Tx};

use crate::operation::FieldError;

/// A set of rows to be filed.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    efficiency_labels: Vec<EfficiencyLabelRow>,
    scrap_certificates: Vec<ScrapCertificateRow>,
    vehicle_models: Vec<VehicleModelRow>,
    filed_prices: Vec<FiledPriceRow>,
    entitlements: Vec<EntitlementRow>,
    merchants: Vec<MerchantRow>,
    dismantlers: Vec<DismantlerRow>,
    collectors: Vec<CollectorRow>,
}

/// Columns that may be blank. A vehicle model without a last day is listed still; of everything else the register on file is
/// the whole of what the authority issued, and a gap in it is a fault in the file.
pub(super) fn may_be_blank(register: Register) -> &'static [&'static str] {
    match register {
        Register::VehicleModels => &["listed_until"],
        Register::EfficiencyLabels
        | Register::ScrapCertificates
        | Register::FiledPrices
        | Register::Entitlements
        | Register::Merchants
        | Register::Dismantlers
        | Register::Collectors => &[],
    }
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        [
            self.efficiency_labels.len(),
            self.scrap_certificates.len(),
            self.vehicle_models.len(),
            self.filed_prices.len(),
            self.entitlements.len(),
            self.merchants.len(),
            self.dismantlers.len(),
            self.collectors.len(),
        ]
        .iter()
        .sum()
    }

    pub(super) async fn save(self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.save_efficiency_labels(self.efficiency_labels).await?;
        tx.save_scrap_certificates(self.scrap_certificates).await?;
        tx.save_vehicle_models(self.vehicle_models).await?;
        tx.save_filed_prices(self.filed_prices).await?;
        tx.save_entitlements(self.entitlements).await?;
        tx.save_merchants(self.merchants).await?;
        tx.save_dismantlers(self.dismantlers).await?;
        tx.save_collectors(self.collectors).await
    }

    /// Adds an entry, unless a constraint of the schema would refuse it and the whole set with it.
    pub(super) fn push(&mut self, entry: Entry) -> Result<(), FieldError> {
        match entry {
            Entry::EfficiencyLabel(label) => self.efficiency_labels.push(EfficiencyLabelRow {
                record: label.record.as_str().to_owned(),
                category: label.category,
                brand: label.brand,
                model: label.model,
                grade: i16::from(label.grade),
                standard: given("standard", label.standard)?,
                filed_on: given("filed_on", label.filed_on)?,
            }),
            Entry::ScrapCertificate(certificate) => self.scrap_certificates.push(ScrapCertificateRow {
                number: certificate.number.as_str().to_owned(),
                issued_on: certificate.issued_on,
                owner: certificate.owner.as_bytes().to_vec(),
                vin: certificate.vin.as_bytes().to_vec(),
                plate: certificate.plate.as_bytes().to_vec(),
                energy: certificate.energy.as_str().to_owned(),
                vehicle_type: certificate.vehicle_type.as_str().to_owned(),
                first_registered_on: certificate.first_registered_on,
                dismantler: given("dismantler", certificate.dismantler)?.as_str().to_owned(),
            }),
            Entry::VehicleModel(model) => self.vehicle_models.push(vehicle_model_row(model)?),
            Entry::FiledPrice(price) => self.filed_prices.push(filed_price_row(price)?),
            Entry::Entitlement(entitlement) => self.entitlements.push(entitlement_row(entitlement)?),
            Entry::Merchant(merchant) => self.merchants.push(MerchantRow {
                credit_code: merchant.credit_code.as_str().to_owned(),
                name: merchant.name,
                kind: merchant.kind.as_str().to_owned(),
                jurisdiction: merchant.jurisdiction.as_str().to_owned(),
                status: merchant.status.as_str().to_owned(),
            }),
            Entry::Dismantler(firm) => self.dismantlers.push(DismantlerRow {
                credit_code: firm.credit_code.as_str().to_owned(),
                name: firm.name,
                jurisdiction: firm.jurisdiction.as_str().to_owned(),
                licensed_until: firm.licensed_until,
            }),
            Entry::Collector(firm) => self.collectors.push(CollectorRow {
                credit_code: firm.credit_code.as_str().to_owned(),
                name: firm.name,
                jurisdiction: firm.jurisdiction.as_str().to_owned(),
                licensed_until: firm.licensed_until,
            }),
        }
        Ok(())
    }
}

fn vehicle_model_row(model: VehicleModel) -> Result<VehicleModelRow, FieldError> {
    in_order(model.listed_from, model.listed_until, "listed_until")?;
    let displacement = given("displacement_ml", model.displacement_ml)?;
    Ok(VehicleModelRow {
        model: model.model,
        energy: model.energy.as_str().to_owned(),
        vehicle_type: model.vehicle_type.as_str().to_owned(),
        displacement_ml: given("displacement_ml", i32::try_from(displacement).ok())?,
        listed_from: model.listed_from,
        listed_until: model.listed_until,
    })
}

fn filed_price_row(price: FiledPrice) -> Result<FiledPriceRow, FieldError> {
    if price.price.is_zero() {
        return Err(FieldError::new(
            "/price",
            "price.not-positive",
            "备案价格应大于零",
            "a filed price is more than nothing",
        ));
    }
    Ok(FiledPriceRow {
        merchant: price.merchant.as_str().to_owned(),
        model: price.model,
        filed_on: price.filed_on,
        price: price.price.get(),
    })
}

fn entitlement_row(entitlement: Entitlement) -> Result<EntitlementRow, FieldError> {
    in_order(entitlement.issued_on, entitlement.expires_on, "expires_on")?;
    Ok(EntitlementRow {
        code: entitlement.code.as_str().to_owned(),
        programme: entitlement.programme.as_str().to_owned(),
        applicant: entitlement.applicant.as_bytes().to_vec(),
        category: given("category", entitlement.category)?,
        issued_on: entitlement.issued_on,
        expires_on: given("expires_on", entitlement.expires_on)?,
    })
}

fn given<T>(column: &str, value: Option<T>) -> Result<T, FieldError> {
    value.ok_or_else(|| {
        FieldError::new(
            format!("/{column}"),
            "column.missing",
            "此列必须填写",
            "the column must be filled in",
        )
    })
}

fn in_order(first: NaiveDate, last: Option<NaiveDate>, column: &str) -> Result<(), FieldError> {
    if last.is_none_or(|last| first <= last) {
        return Ok(());
    }
    Err(FieldError::new(
        format!("/{column}"),
        "column.dates-out-of-order",
        "终止日期早于起始日期",
        "the last day is before the first",
    ))
}

/// A row that this version cannot read: something other than a load wrote it.
fn unreadable(what: &'static str) -> StoreError {
    StoreError::Unreadable { what }
}

fn digest(bytes: &[u8], what: &'static str) -> Result<Digest, StoreError> {
    <[u8; 16]>::try_from(bytes)
        .map(Digest::new)
        .map_err(|_| unreadable(what))
}

fn firm(
    credit_code: &str,
    jurisdiction: &str,
    what: &'static str,
) -> Result<(CreditCode, JurisdictionCode), StoreError> {
    let credit_code = CreditCode::parse(credit_code).map_err(|_| unreadable(what))?;
    Ok((
        credit_code,
        JurisdictionCode::parse(jurisdiction).map_err(|_| unreadable(what))?,
    ))
}

pub(crate) fn efficiency_label(row: EfficiencyLabelRow) -> Result<EfficiencyLabel, StoreError> {
    let unreadable = || unreadable("efficiency label");
    Ok(EfficiencyLabel {
        record: EfficiencyRecord::parse(&row.record).map_err(|_| unreadable())?,
        category: row.category,
        brand: row.brand,
        model: row.model,
        grade: u8::try_from(row.grade).map_err(|_| unreadable())?,
        standard: Some(row.standard),
        filed_on: Some(row.filed_on),
    })
}

pub(crate) fn scrap_certificate(row: ScrapCertificateRow) -> Result<ScrapCertificate, StoreError> {
    const WHAT: &str = "scrap certificate";
    Ok(ScrapCertificate {
        number: CertificateNumber::parse(&row.number).map_err(|_| unreadable(WHAT))?,
        issued_on: row.issued_on,
        owner: digest(&row.owner, WHAT)?,
        vin: digest(&row.vin, WHAT)?,
        plate: digest(&row.plate, WHAT)?,
        energy: Energy::parse(&row.energy).ok_or(unreadable(WHAT))?,
        vehicle_type: VehicleType::parse(&row.vehicle_type).ok_or(unreadable(WHAT))?,
        first_registered_on: row.first_registered_on,
        dismantler: Some(CreditCode::parse(&row.dismantler).map_err(|_| unreadable(WHAT))?),
    })
}

pub(crate) fn vehicle_model(row: VehicleModelRow) -> Result<VehicleModel, StoreError> {
    let unreadable = || unreadable("vehicle model");
    Ok(VehicleModel {
        model: row.model,
        energy: Energy::parse(&row.energy).ok_or_else(unreadable)?,
        vehicle_type: VehicleType::parse(&row.vehicle_type).ok_or_else(unreadable)?,
        displacement_ml: Some(u32::try_from(row.displacement_ml).map_err(|_| unreadable())?),
        listed_from: row.listed_from,
        listed_until: row.listed_until,
    })
}

pub(crate) fn filed_price(row: FiledPriceRow) -> Result<FiledPrice, StoreError> {
    let unreadable = || unreadable("filed price");
    Ok(FiledPrice {
        merchant: CreditCode::parse(&row.merchant).map_err(|_| unreadable())?,
        model: row.model,
        price: Fen::new(row.price).map_err(|_| unreadable())?,
        filed_on: row.filed_on,
    })
}

pub(crate) fn entitlement(row: EntitlementRow) -> Result<Entitlement, StoreError> {
    const WHAT: &str = "entitlement";
    Ok(Entitlement {
        code: EntitlementCode::parse(&row.code).map_err(|_| unreadable(WHAT))?,
        programme: ProgrammeId::parse(&row.programme).map_err(|_| unreadable(WHAT))?,
        applicant: digest(&row.applicant, WHAT)?,
        category: Some(row.category),
        issued_on: row.issued_on,
        expires_on: Some(row.expires_on),
    })
}

pub(crate) fn merchant(row: MerchantRow) -> Result<Merchant, StoreError> {
    const WHAT: &str = "merchant";
    let (credit_code, jurisdiction) = firm(&row.credit_code, &row.jurisdiction, WHAT)?;
    Ok(Merchant {
        credit_code,
        name: row.name,
        kind: MerchantKind::parse(&row.kind).ok_or(unreadable(WHAT))?,
        jurisdiction,
        status: MerchantStatus::parse(&row.status).ok_or(unreadable(WHAT))?,
    })
}

pub(crate) fn dismantler(row: DismantlerRow) -> Result<Dismantler, StoreError> {
    let (credit_code, jurisdiction) = firm(&row.credit_code, &row.jurisdiction, "dismantler")?;
    Ok(Dismantler {
        credit_code,
        name: row.name,
        jurisdiction,
        licensed_until: row.licensed_until,
    })
}

pub(crate) fn collector(row: CollectorRow) -> Result<Collector, StoreError> {
    let (credit_code, jurisdiction) = firm(&row.credit_code, &row.jurisdiction, "collector")?;
    Ok(Collector {
        credit_code,
        name: row.name,
        jurisdiction,
        licensed_until: row.licensed_until,
    })
}

/// What is shown of a personal column, of which only a keyed hash is kept.
const ON_FILE: &str = "on file";

/// The one entry that was looked up, as JSON of its register's columns.
pub(super) fn shown(mut found: RegisterRows) -> Option<Value> {
    let licensed = |credit_code, name, jurisdiction, licensed_until: NaiveDate| {
        let (code, name, jurisdiction): (String, String, String) = (credit_code, name, jurisdiction);
        json!({"credit_code": code, "name": name, "jurisdiction": jurisdiction, "licensed_until": licensed_until})
    };
    if let Some(it) = found.efficiency_labels.pop() {
        Some(json!({
            "record": it.record, "category": it.category, "brand": it.brand, "model": it.model, "grade": it.grade,
            "standard": it.standard, "filed_on": it.filed_on,
        }))
    } else if let Some(it) = found.scrap_certificates.pop() {
        Some(json!({
            "number": it.number, "issued_on": it.issued_on, "owner_identity_number": ON_FILE, "vin": ON_FILE,
            "plate": ON_FILE, "energy": it.energy, "vehicle_type": it.vehicle_type,
            "first_registered_on": it.first_registered_on, "dismantler": it.dismantler,
        }))
    } else if let Some(it) = found.vehicle_models.pop() {
        Some(json!({
            "model": it.model, "energy": it.energy, "vehicle_type": it.vehicle_type,
            "displacement_ml": it.displacement_ml, "listed_from": it.listed_from, "listed_until": it.listed_until,
        }))
    } else if let Some(it) = found.entitlements.pop() {
        Some(json!({
            "code": it.code, "programme": it.programme, "applicant_identity_number": ON_FILE, "category": it.category,
            "issued_on": it.issued_on, "expires_on": it.expires_on,
        }))
    } else if let Some(it) = found.merchants.pop() {
        Some(json!({
            "credit_code": it.credit_code, "name": it.name, "kind": it.kind, "jurisdiction": it.jurisdiction,
            "status": it.status,
        }))
    } else if let Some(it) = found.dismantlers.pop() {
        Some(licensed(
            it.credit_code,
            it.name,
            it.jurisdiction,
            it.licensed_until,
        ))
    } else {
        let it = found.collectors.pop()?;
        Some(licensed(
            it.credit_code,
            it.name,
            it.jurisdiction,
            it.licensed_until,
        ))
    }
}
