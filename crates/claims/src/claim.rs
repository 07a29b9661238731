//! A claim as parsed: it cannot be invalid in form.
//!
//! Optional members on the wire are optional here. Each programme defines which evidence it asks
//! for, and a missing fact leaves a rule unknown, which a correction can supply; so absence is
//! never an error at this stage.

use chrono::NaiveDate;
use ledger::Fen;
use words::words;

use crate::identifiers::{
    Address, BankAccount, CertificateNumber, CreditCode, EfficiencyRecord, EntitlementCode, Gtin13,
    IdentityNumber, Imei, InvoiceNumber, MerchantReference, PersonName, Phone, PlateNumber, ProgrammeId,
    SerialNumber, Vin,
};
use crate::jurisdictions::JurisdictionCode;

/// One request for one subsidy on one item. The merchant is not part of it: the signed-in client
/// defines the merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub programme: ProgrammeId,
    pub jurisdiction: JurisdictionCode,
    pub merchant_reference: MerchantReference,
    pub channel: Channel,
    pub applicant: Applicant,
    pub purchase: Purchase,
    pub item: Item,
    pub old_item: Option<OldItem>,
    pub entitlement: Option<EntitlementCode>,
    pub payee: Payee,
}

words! {
    /// The place of the sale. Both parts count together against a person's quota.
    pub enum Channel {
        InStore = "in_store",
        Online = "online",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applicant {
    pub name: PersonName,
    pub identity_number: IdentityNumber,
    pub phone: Phone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    pub invoice: Invoice,
    pub list_price: Option<Fen>,
    /// After every discount and before the subsidy.
    pub final_price: Fen,
    /// The consumer's payment: the invoice total less a subsidy deducted at the till.
    pub paid: Option<Fen>,
    pub payer_name: Option<PersonName>,
    pub consignee_name: Option<PersonName>,
    pub delivery_address: Option<Address>,
    pub delivered_on: Option<NaiveDate>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub number: InvoiceNumber,
    pub date: NaiveDate,
    /// Including tax.
    pub total: Fen,
    pub buyer_name: Option<PersonName>,
    pub goods_name: Option<String>,
}

/// The item that was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Appliance(Goods),
    Digital {
        goods: Goods,
        /// One for each SIM; none for a device without a modem.
        imeis: Vec<Imei>,
    },
    Vehicle(NewVehicle),
}

impl Item {
    /// The goods, of an item that is not a vehicle.
    pub fn goods(&self) -> Option<&Goods> {
        match self {
            Item::Appliance(goods) | Item::Digital { goods, .. } => Some(goods),
            Item::Vehicle(_) => None,
        }
    }

    /// `appliance`, `digital` or `vehicle`.
    pub fn kind(&self) -> &'static str {
        match self {
            Item::Appliance(_) => "appliance",
            Item::Digital { .. } => "digital",
            Item::Vehicle(_) => VEHICLE,
        }
    }

    /// The category for quotas, caps and entitlements; `vehicle` for every car.
    pub fn category(&self) -> &str {
        self.goods().map_or(VEHICLE, |goods| &goods.category)
    }
}

/// Kind and category of every car.
pub const VEHICLE: &str = "vehicle";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    /// A category code of the programme, such as `air_conditioner`.
    pub category: String,
    pub brand: String,
    pub model: String,
    pub serial_number: Option<SerialNumber>,
    pub gtin: Option<Gtin13>,
    pub efficiency_label: Option<EfficiencyRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVehicle {
    pub vin: Vin,
    pub energy: Energy,
    pub displacement_ml: Option<u32>,
    pub vehicle_type: VehicleType,
    pub model: String,
    pub registered_on: Option<NaiveDate>,
    pub registration_certificate: Option<CertificateNumber>,
}

/// The old item that was traded in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OldItem {
    Appliance {
        category: String,
        collector: Option<CreditCode>,
        collected_on: Option<NaiveDate>,
    },
    Vehicle(OldVehicle),
}

impl OldItem {
    /// The vehicle, if it is one.
    pub fn vehicle(&self) -> Option<&OldVehicle> {
        match self {
            OldItem::Vehicle(vehicle) => Some(vehicle),
            OldItem::Appliance { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldVehicle {
    pub vin: Vin,
    pub plate: PlateNumber,
    pub energy: Energy,
    pub vehicle_type: VehicleType,
    pub first_registered_on: NaiveDate,
    pub owned_since: Option<NaiveDate>,
    pub owner_identity_number: Option<IdentityNumber>,
    pub scrap_certificate: Option<ScrapPaper>,
    pub deregistration: Option<Deregistration>,
    pub transfer: Option<VehicleTransfer>,
}

/// The scrap certificate (报废机动车回收证明) as the claimant states it; the register holds it as issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrapPaper {
    pub number: CertificateNumber,
    pub date: NaiveDate,
    pub dismantler: Option<CreditCode>,
}

/// The deregistration certificate (机动车注销证明).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deregistration {
    pub number: CertificateNumber,
    pub date: NaiveDate,
}

/// The sale of the old car on a used-car invoice (二手车销售统一发票).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VehicleTransfer {
    pub invoice_number: InvoiceNumber,
    pub date: NaiveDate,
}

words! {
    /// Energy of a car, in the classes that cut-off dates and amounts distinguish. Other: mixed
    /// oil, CNG, LPG, methanol, ethanol, hydrogen, biofuel.
    pub enum Energy {
        NewEnergy = "new_energy",
        Petrol = "petrol",
        Diesel = "diesel",
        Other = "other",
    }
}

words! {
    /// Type as the traffic police register it. Only small and micro passenger cars are 乘用车.
    pub enum VehicleType {
        SmallPassenger = "small_passenger",
        MicroPassenger = "micro_passenger",
        MediumPassenger = "medium_passenger",
        LargePassenger = "large_passenger",
        Lorry = "lorry",
        MicroLorry = "micro_lorry",
        LightLorry = "light_lorry",
        MediumLorry = "medium_lorry",
        HeavyLorry = "heavy_lorry",
        Motorcycle = "motorcycle",
        Other = "other",
    }
}

/// The payee of the subsidy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payee {
    /// The merchant deducted the subsidy from the price.
    Merchant,
    Applicant {
        bank_account: BankAccount,
        bank_name: String,
    },
}

impl Payee {
    /// `merchant` or `applicant`.
    pub fn kind(&self) -> &'static str {
        match self {
            Payee::Merchant => "merchant",
            Payee::Applicant { .. } => "applicant",
        }
    }
}
