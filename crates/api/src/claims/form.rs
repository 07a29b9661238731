//! A claim as it is sent. The forms read into [`claims::claim::Claim`]: what comes through cannot
//! be invalid in form.

use chrono::NaiveDate;
use claims::claim::{
    Applicant, Channel, Claim, Deregistration, Energy, Goods, Invoice, Item, NewVehicle, OldItem, OldVehicle,
    Payee, Purchase, ScrapPaper, VehicleTransfer, VehicleType,
};
use claims::identifiers::{
    Address, BankAccount, CertificateNumber, CreditCode, EfficiencyRecord, EntitlementCode, Gtin13,
    IdentityNumber, Imei, InvoiceNumber, JurisdictionCode, MerchantReference, PersonName, Phone, PlateNumber,
    ProgrammeId, SerialNumber, Vin,
};
use ledger::Fen;
use serde_json::Value;
use service::FieldError;
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};
use wire_derive::WireBody;

use crate::http::field_limits::{ADDRESS, BANK_NAME, BRAND, DISPLACEMENT_ML, GOODS_NAME, MODEL};
use crate::http::fields::{Fields, Slot, read};
use crate::http::wire::{
    AnySchema, CATEGORY, Components, Field, Object, Parsed, Whole, Words, described, form, request_words,
};

/// Reads a claim, or names every field that is wrong.
pub fn read_claim(value: &Value) -> Result<Claim, Vec<FieldError>> {
    read(value, "", <SubmitClaim as Object>::read)
}

/// A claim for one subsidy on one item. `old_item` and `entitlement` are needed where the programme asks for them; what else
/// is optional may be left out, and the decision then says which facts it lacked.
#[derive(Debug, WireBody)]
#[wire(into = Claim)]
pub struct SubmitClaim {
    /// The programme, by id.
    #[wire(example = "appliance-2026")]
    pub programme: ProgrammeId,
    /// The county or development zone whose fund pays (GB/T 2260).
    pub jurisdiction: JurisdictionCode,
    /// The merchant's own number for the sale.
    #[wire(example = "YH-20260501-000123")]
    pub merchant_reference: MerchantReference,
    pub channel: Channel,
    #[wire(form::<ApplicantForm>())]
    pub applicant: Applicant,
    #[wire(form::<PurchaseForm>())]
    pub purchase: Purchase,
    #[wire(form::<ItemForm>())]
    pub item: Item,
    #[wire(form::<OldItemForm>())]
    pub old_item: Option<OldItem>,
    /// Code of the entitlement (资格码), used once.
    pub entitlement: Option<EntitlementCode>,
    #[wire(form::<PayeeForm>())]
    pub payee: Payee,
}

request_words! {
    /// Where the sale was made.
    Channel as "Channel";
    /// What drives a car.
    Energy as "Energy";
    /// Type as the traffic police register it.
    VehicleType as "VehicleType";
}

/// The consumer.
#[derive(Debug, WireBody)]
#[wire(name = "Applicant", into = Applicant)]
pub struct ApplicantForm {
    #[wire(example = "王建国")]
    pub name: PersonName,
    /// Resident identity number (GB 11643), with its check digit.
    #[wire(example = "140802198503140015")]
    pub identity_number: IdentityNumber,
    /// A mainland mobile number, or a landline with its area code.
    #[wire(example = "13800000000")]
    pub phone: Phone,
}

/// What was paid and delivered.
#[derive(Debug, WireBody)]
#[wire(name = "Purchase", into = Purchase)]
pub struct PurchaseForm {
    #[wire(form::<InvoiceForm>())]
    pub invoice: Invoice,
    pub list_price: Option<Fen>,
    /// After every discount and before the subsidy.
    pub final_price: Fen,
    /// What the consumer paid.
    pub paid: Option<Fen>,
    pub payer_name: Option<PersonName>,
    pub consignee_name: Option<PersonName>,
    #[wire(
        Parsed { lengths: 1..=ADDRESS, parse: Address::parse },
        example = "山西省运城市盐湖区解放北路100号"
    )]
    pub delivery_address: Option<Address>,
    #[wire(example = "2026-05-03")]
    pub delivered_on: Option<NaiveDate>,
}

/// The invoice of the sale.
#[derive(Debug, WireBody)]
#[wire(name = "Invoice", into = Invoice)]
pub struct InvoiceForm {
    /// 20 digits of an e-invoice (数电票), or code (10 or 12 digits) and number (8 digits), joined or with a hyphen.
    #[wire(example = "26142000000012345678")]
    pub number: InvoiceNumber,
    #[wire(example = "2026-05-01")]
    pub date: NaiveDate,
    /// Including tax.
    pub total: Fen,
    pub buyer_name: Option<PersonName>,
    #[wire(Words(GOODS_NAME), example = "空调")]
    pub goods_name: Option<String>,
}

/// What was bought.
#[derive(Debug, WireBody)]
#[wire(name = "Item", tag = "kind", value = Item)]
pub enum ItemForm {
    #[wire(Item::Appliance)]
    Appliance(ApplianceForm),
    Digital(DigitalForm),
    #[wire(Item::Vehicle)]
    Vehicle(VehicleForm),
}

#[derive(Debug, WireBody)]
#[wire(into = Goods)]
pub struct ApplianceForm {
    #[wire(CATEGORY, example = "air_conditioner")]
    pub category: String,
    #[wire(Words(BRAND), example = "海尔")]
    pub brand: String,
    #[wire(Words(MODEL), example = "KFR-35GW")]
    pub model: String,
    pub serial_number: Option<SerialNumber>,
    /// The bar code on the package (EAN-13).
    #[wire(example = "6901234567892")]
    pub gtin: Option<Gtin13>,
    /// Filing number of the efficiency label (能效标识备案号).
    pub efficiency_label: Option<EfficiencyRecord>,
}

#[derive(Debug, WireBody)]
#[wire(refine = Item)]
pub struct DigitalForm {
    #[wire(CATEGORY, example = "phone")]
    pub category: String,
    #[wire(Words(BRAND))]
    pub brand: String,
    #[wire(Words(MODEL))]
    pub model: String,
    pub serial_number: Option<SerialNumber>,
    pub gtin: Option<Gtin13>,
    pub efficiency_label: Option<EfficiencyRecord>,
    #[wire(form::<ImeiForm>())]
    pub imei: Option<Vec<Imei>>,
}

impl DigitalForm {
    fn refine(self, _: &Fields<'_>) -> Option<Item> {
        Some(Item::Digital {
            goods: Goods {
                category: self.category,
                brand: self.brand,
                model: self.model,
                serial_number: self.serial_number,
                gtin: self.gtin,
                efficiency_label: self.efficiency_label,
            },
            imeis: self.imei.unwrap_or_default(),
        })
    }
}

#[derive(Debug, WireBody)]
#[wire(into = NewVehicle)]
pub struct VehicleForm {
    #[wire(example = "LSVAA4182E2123456")]
    pub vin: Vin,
    pub energy: Energy,
    /// Millilitres; none for a car without an engine.
    #[wire(Whole::new(0..=DISPLACEMENT_ML), example = 1498)]
    pub displacement_ml: Option<u32>,
    pub vehicle_type: VehicleType,
    #[wire(Words(MODEL))]
    pub model: String,
    pub registered_on: Option<NaiveDate>,
    pub registration_certificate: Option<CertificateNumber>,
}

/// One IMEI, or the two of a phone with two SIMs.
#[derive(Debug)]
pub enum ImeiForm {}

/// IMEIs of one phone.
const SIMS: std::ops::RangeInclusive<usize> = 1..=2;

impl Field for ImeiForm {
    type Value = Vec<Imei>;
    const NAME: Option<&'static str> = Some("Imei");

    fn read(slot: &Slot<'_>) -> Option<Vec<Imei>> {
        if slot.is_list() {
            slot.list(*SIMS.start(), *SIMS.end(), Imei::read)
        } else {
            Imei::read(slot).map(|imei| vec![imei])
        }
    }

    fn schema() -> AnySchema {
        let forms = OneOfBuilder::new()
            .description(Some("One IMEI, or the two of a phone with two SIMs."))
            .item(Ref::from_schema_name("ImeiText"))
            .item(Ref::from_schema_name("ImeiList"));
        RefOr::T(Schema::OneOf(forms.build()))
    }

    fn components(found: &mut Components) {
        let text = described(Imei::schema(), "15 digits, the last a check digit.");
        let list = ArrayBuilder::new()
            .description(Some("The IMEIs of a phone with two SIMs."))
            .items(Ref::from_schema_name("ImeiText"))
            .min_items(Some(*SIMS.start()))
            .max_items(Some(*SIMS.end()));
        found.push(("ImeiText".to_owned(), text));
        found.push(("ImeiList".to_owned(), RefOr::T(Schema::Array(list.build()))));
    }
}

/// What was given up.
#[derive(Debug, WireBody)]
#[wire(name = "OldItem", tag = "kind", value = OldItem)]
pub enum OldItemForm {
    Appliance(OldApplianceForm),
    #[wire(OldItem::Vehicle)]
    Vehicle(OldVehicleForm),
}

#[derive(Debug, WireBody)]
#[wire(into = OldItem::Appliance, value = OldItem)]
pub struct OldApplianceForm {
    #[wire(CATEGORY, example = "air_conditioner")]
    pub category: String,
    /// Credit code of the collector.
    pub collector: Option<CreditCode>,
    pub collected_on: Option<NaiveDate>,
}

#[derive(Debug, WireBody)]
#[wire(into = OldVehicle)]
pub struct OldVehicleForm {
    pub vin: Vin,
    #[wire(example = "晋M12345")]
    pub plate: PlateNumber,
    pub energy: Energy,
    pub vehicle_type: VehicleType,
    pub first_registered_on: NaiveDate,
    pub owned_since: Option<NaiveDate>,
    pub owner_identity_number: Option<IdentityNumber>,
    /// For scrapping.
    #[wire(form::<ScrapCertificateForm>())]
    pub scrap_certificate: Option<ScrapPaper>,
    #[wire(form::<DeregistrationForm>())]
    pub deregistration: Option<Deregistration>,
    /// For replacement: the sale of the old car.
    #[wire(form::<TransferForm>())]
    pub transfer: Option<VehicleTransfer>,
}

/// Scrap certificate (报废机动车回收证明).
#[derive(Debug, WireBody)]
#[wire(name = "ScrapCertificate", into = ScrapPaper)]
pub struct ScrapCertificateForm {
    pub number: CertificateNumber,
    pub date: NaiveDate,
    /// Credit code of the dismantler.
    pub dismantler: Option<CreditCode>,
}

/// Deregistration certificate (机动车注销证明).
#[derive(Debug, WireBody)]
#[wire(name = "Deregistration", into = Deregistration)]
pub struct DeregistrationForm {
    pub number: CertificateNumber,
    pub date: NaiveDate,
}

/// Sale of the old car on a used-car invoice (二手车销售统一发票).
#[derive(Debug, WireBody)]
#[wire(name = "VehicleTransfer", into = VehicleTransfer)]
pub struct TransferForm {
    pub invoice_number: InvoiceNumber,
    pub date: NaiveDate,
}

/// Who is paid.
#[derive(Debug, WireBody)]
#[wire(name = "Payee", tag = "kind", value = Payee)]
pub enum PayeeForm {
    /// The merchant, who took the subsidy off the price.
    #[wire(Payee::Merchant)]
    Merchant,
    Applicant(ApplicantAccountForm),
}

#[derive(Debug, WireBody)]
#[wire(into = Payee::Applicant, value = Payee)]
pub struct ApplicantAccountForm {
    pub bank_account: BankAccount,
    #[wire(Words(BANK_NAME))]
    pub bank_name: String,
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
