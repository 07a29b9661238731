//! The shape of a claim as it is sent, for the OpenAPI document and for those who build one in Rust.
//!
//! [`super::form_reader`] reads it; a test holds the two together.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::money::Money;

/// A claim for one subsidy on one item. `old_item` and `entitlement` are needed where the programme asks for them; what else
/// is optional may be left out, and the decision then says which facts it lacked.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitClaim {
    /// The programme, by id.
    #[schema(pattern = "^[a-z0-9-]{1,64}$", max_length = 64, example = "appliance-2026")]
    pub programme: String,
    /// The county or development zone whose fund pays (GB/T 2260).
    #[schema(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: String,
    /// The merchant's own number for the sale.
    #[schema(min_length = 1, max_length = 64, example = "YH-20260501-000123")]
    pub merchant_reference: String,
    pub channel: ChannelWord,
    pub applicant: ApplicantForm,
    pub purchase: PurchaseForm,
    pub item: ItemForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_item: Option<OldItemForm>,
    /// Code of the entitlement (资格码), used once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64)]
    pub entitlement: Option<String>,
    pub payee: PayeeForm,
}

/// Where the sale was made.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Channel)]
pub enum ChannelWord {
    InStore,
    Online,
}

/// The consumer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Applicant)]
pub struct ApplicantForm {
    #[schema(min_length = 1, max_length = 60, example = "王建国")]
    pub name: String,
    /// Resident identity number (GB 11643), with its check digit.
    #[schema(min_length = 18, max_length = 64, example = "140802198503140015")]
    pub identity_number: String,
    /// A mainland mobile number, or a landline with its area code.
    #[schema(min_length = 10, max_length = 64, example = "13800000000")]
    pub phone: String,
}

/// What was paid and delivered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Purchase)]
pub struct PurchaseForm {
    pub invoice: InvoiceForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_price: Option<Money>,
    /// After every discount and before the subsidy.
    pub final_price: Money,
    /// What the consumer paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60)]
    pub payer_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60)]
    pub consignee_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, example = "山西省运城市盐湖区解放北路100号")]
    pub delivery_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Date, max_length = 10, example = "2026-05-03")]
    pub delivered_on: Option<String>,
}

/// The invoice of the sale.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Invoice)]
pub struct InvoiceForm {
    /// 20 digits of an e-invoice (数电票), or code (10 or 12 digits) and number (8 digits), joined or with a hyphen.
    #[schema(min_length = 18, max_length = 64, example = "26142000000012345678")]
    pub number: String,
    #[schema(format = Date, max_length = 10, example = "2026-05-01")]
    pub date: String,
    /// Including tax.
    pub total: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60)]
    pub buyer_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, example = "空调")]
    pub goods_name: Option<String>,
}

/// What was bought.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = Item)]
pub enum ItemForm {
    Appliance {
        #[schema(pattern = "^[a-z0-9_]{1,40}$", max_length = 40, example = "air_conditioner")]
        category: String,
        #[schema(min_length = 1, max_length = 60, example = "海尔")]
        brand: String,
        #[schema(min_length = 1, max_length = 100, example = "KFR-35GW")]
        model: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(min_length = 1, max_length = 64)]
        serial_number: Option<String>,
        /// The bar code on the package (EAN-13).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(min_length = 13, max_length = 64, example = "6901234567892")]
        gtin: Option<String>,
        /// Filing number of the efficiency label (能效标识备案号).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(min_length = 1, max_length = 64)]
        efficiency_label: Option<String>,
    },
    Digital {
        #[schema(pattern = "^[a-z0-9_]{1,40}$", max_length = 40, example = "phone")]
        category: String,
        #[schema(min_length = 1, max_length = 60)]
        brand: String,
        #[schema(min_length = 1, max_length = 100)]
        model: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(min_length = 1, max_length = 64)]
        serial_number: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(min_length = 13, max_length = 64)]
        gtin: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(min_length = 1, max_length = 64)]
        efficiency_label: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        imei: Option<ImeiForm>,
    },
    Vehicle {
        #[schema(min_length = 17, max_length = 64, example = "LSVAA4182E2123456")]
        vin: String,
        energy: EnergyWord,
        /// Millilitres; none for a car without an engine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 0, maximum = 20000, example = 1498)]
        displacement_ml: Option<u32>,
        vehicle_type: VehicleTypeWord,
        #[schema(min_length = 1, max_length = 100)]
        model: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(format = Date, max_length = 10)]
        registered_on: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(min_length = 1, max_length = 64)]
        registration_certificate: Option<String>,
    },
}

/// One IMEI, or the two of a phone with two SIMs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Imei)]
pub enum ImeiForm {
    One(ImeiText),
    Two(ImeiList),
}

/// The IMEIs of a phone with two SIMs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(min_items = 1, max_items = 2)]
pub struct ImeiList(pub Vec<ImeiText>);

/// 15 digits, the last a check digit.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(min_length = 15, max_length = 64)]
pub struct ImeiText(pub String);

/// What was given up.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = OldItem)]
#[allow(clippy::large_enum_variant, reason = "built once a request")]
pub enum OldItemForm {
    Appliance {
        #[schema(pattern = "^[a-z0-9_]{1,40}$", max_length = 40, example = "air_conditioner")]
        category: String,
        /// Credit code of the collector.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(min_length = 18, max_length = 64)]
        collector: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(format = Date, max_length = 10)]
        collected_on: Option<String>,
    },
    Vehicle {
        #[schema(min_length = 17, max_length = 64)]
        vin: String,
        #[schema(min_length = 7, max_length = 64, example = "晋M12345")]
        plate: String,
        energy: EnergyWord,
        vehicle_type: VehicleTypeWord,
        #[schema(format = Date, max_length = 10)]
        first_registered_on: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(format = Date, max_length = 10)]
        owned_since: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(min_length = 18, max_length = 64)]
        owner_identity_number: Option<String>,
        /// For scrapping.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scrap_certificate: Option<ScrapCertificateForm>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deregistration: Option<DeregistrationForm>,
        /// For replacement: the sale of the old car.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transfer: Option<TransferForm>,
    },
}

/// What drives a car.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Energy)]
pub enum EnergyWord {
    NewEnergy,
    Petrol,
    Diesel,
    Other,
}

/// Type as the traffic police register it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VehicleType)]
pub enum VehicleTypeWord {
    SmallPassenger,
    MicroPassenger,
    MediumPassenger,
    LargePassenger,
    Lorry,
    MicroLorry,
    LightLorry,
    MediumLorry,
    HeavyLorry,
    Motorcycle,
    Other,
}

/// Scrap certificate (报废机动车回收证明).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScrapCertificate)]
pub struct ScrapCertificateForm {
    #[schema(min_length = 1, max_length = 64)]
    pub number: String,
    #[schema(format = Date, max_length = 10)]
    pub date: String,
    /// Credit code of the dismantler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 18, max_length = 64)]
    pub dismantler: Option<String>,
}

/// Deregistration certificate (机动车注销证明).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Deregistration)]
pub struct DeregistrationForm {
    #[schema(min_length = 1, max_length = 64)]
    pub number: String,
    #[schema(format = Date, max_length = 10)]
    pub date: String,
}

/// Sale of the old car on a used-car invoice (二手车销售统一发票).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VehicleTransfer)]
pub struct TransferForm {
    #[schema(min_length = 18, max_length = 64)]
    pub invoice_number: String,
    #[schema(format = Date, max_length = 10)]
    pub date: String,
}

/// Who is paid.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = Payee)]
pub enum PayeeForm {
    /// The merchant, who took the subsidy off the price.
    Merchant {},
    Applicant {
        #[schema(min_length = 8, max_length = 64)]
        bank_account: String,
        #[schema(min_length = 1, max_length = 100)]
        bank_name: String,
    },
}
