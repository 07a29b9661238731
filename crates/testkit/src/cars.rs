//! Sales of cars, an old one scrapped or sold on.

use chrono::{Datelike, NaiveDate};
use claims::claim::{
    Channel, Claim, Deregistration, Energy, Item, NewVehicle, OldItem, OldVehicle, Payee, ScrapPaper,
    VehicleTransfer, VehicleType,
};
use claims::identifiers::{
    BankAccount, CertificateNumber, EntitlementCode, IdentityNumber, InvoiceNumber, MerchantReference,
    PlateNumber, ProgrammeId, Vin,
};
use claims::jurisdictions::JurisdictionCode;
use claims::registers::Register;
use ledger::Fen;
use serde_json::{Value, json};

use crate::sales::{Person, entitlement_row, purchase};
use crate::world::{World, day, yuan};
use crate::{YANHU, numbers};

/// One new car, sold by the cast's dealer; the subsidy goes to the buyer's account.
#[derive(Debug, Clone)]
pub struct CarSale {
    pub programme: String,
    pub county: String,
    pub energy: Energy,
    pub displacement_ml: Option<u32>,
    pub price: Fen,
    pub on: NaiveDate,
    pub old_energy: Energy,
    pub first_registered_on: NaiveDate,
    /// Scrapped; otherwise sold on.
    pub scrapped: bool,
    pub person: Option<Person>,
}

impl CarSale {
    /// A new-energy car; the petrol car of 2010 before it is scrapped or sold on as the programme
    /// requires.
    pub fn electric(programme: &str, price: &str, on: &str) -> Self {
        Self {
            programme: programme.into(),
            county: YANHU.into(),
            energy: Energy::NewEnergy,
            displacement_ml: None,
            price: yuan(price),
            on: day(on),
            old_energy: Energy::Petrol,
            first_registered_on: day("2010-05-01"),
            scrapped: programme.starts_with("vehicle-scrap"),
            person: None,
        }
    }

    /// A petrol car of 1,498 ml.
    pub fn petrol(programme: &str, price: &str, on: &str) -> Self {
        Self {
            energy: Energy::Petrol,
            displacement_ml: Some(1_498),
            ..Self::electric(programme, price, on)
        }
    }

    #[must_use]
    pub fn in_county(mut self, county: &str) -> Self {
        self.county = county.into();
        self
    }

    #[must_use]
    pub fn by(mut self, person: &Person) -> Self {
        self.person = Some(person.clone());
        self
    }

    fn draft(&self, dismantler: &str) -> (Claim, Vec<(Register, Value)>) {
        let person = self.person.clone().unwrap_or_default();
        let (model, old_vin, plate) = (numbers::tag("V-"), numbers::vin(), numbers::plate());
        let (certificate, entitlement) = (numbers::tag("1408"), numbers::tag("QY"));
        let mut on_file = vec![(
            Register::Entitlements,
            entitlement_row(&entitlement, &self.programme, &person, "vehicle"),
        )];
        if self.energy == Energy::NewEnergy {
            on_file.push((
                Register::VehicleModels,
                json!({"model": model, "energy": "new_energy", "vehicle_type": "small_passenger", "displacement_ml": "0", "listed_from": "2020-01-01", "listed_until": "2030-12-31"}),
            ));
        }
        if self.scrapped {
            on_file.push((
                Register::ScrapCertificates,
                json!({
                    "number": certificate, "issued_on": self.on.to_string(), "owner_identity_number": person.identity_number,
                    "vin": old_vin, "plate": plate, "energy": self.old_energy.as_str(), "vehicle_type": "small_passenger",
                    "first_registered_on": self.first_registered_on.to_string(), "dismantler": dismantler,
                }),
            ));
        }
        let old = OldVehicle {
            vin: Vin::parse(&old_vin).unwrap(),
            plate: PlateNumber::parse(&plate).unwrap(),
            energy: self.old_energy,
            vehicle_type: VehicleType::SmallPassenger,
            first_registered_on: self.first_registered_on,
            owned_since: Some(self.first_registered_on),
            owner_identity_number: Some(IdentityNumber::parse(&person.identity_number).unwrap()),
            scrap_certificate: self.scrapped.then(|| ScrapPaper {
                number: CertificateNumber::parse(&certificate).unwrap(),
                date: self.on,
                dismantler: dismantler.parse().ok(),
            }),
            deregistration: self.scrapped.then(|| Deregistration {
                number: CertificateNumber::parse(&numbers::tag("ZX")).unwrap(),
                date: self.on,
            }),
            transfer: (!self.scrapped).then(|| VehicleTransfer {
                invoice_number: InvoiceNumber::parse(&numbers::invoice_number(self.on.year())).unwrap(),
                date: self.on,
            }),
        };
        let claim = Claim {
            programme: ProgrammeId::parse(&self.programme).unwrap(),
            jurisdiction: JurisdictionCode::parse(&self.county).unwrap(),
            merchant_reference: MerchantReference::parse(&numbers::tag("B-")).unwrap(),
            channel: Channel::InStore,
            applicant: person.applicant(),
            purchase: purchase(&person, self.price, self.price, self.on, "小型轿车"),
            item: Item::Vehicle(NewVehicle {
                vin: Vin::parse(&numbers::vin()).unwrap(),
                energy: self.energy,
                displacement_ml: self.displacement_ml,
                vehicle_type: VehicleType::SmallPassenger,
                model,
                registered_on: Some(self.on),
                registration_certificate: Some(CertificateNumber::parse(&numbers::tag("DJ")).unwrap()),
            }),
            old_item: Some(OldItem::Vehicle(old)),
            entitlement: Some(EntitlementCode::parse(&entitlement).unwrap()),
            payee: Payee::Applicant {
                bank_account: BankAccount::parse(&format!("6222{:015}", numbers::next())).unwrap(),
                bank_name: "中国工商银行运城分行".into(),
            },
        };
        (claim, on_file)
    }
}

impl World {
    /// A claim for the car, with its papers on file.
    pub async fn car(&self, sale: &CarSale) -> Claim {
        let (claim, on_file) = self.draft_car(sale);
        self.file(on_file).await;
        claim
    }

    /// A claim for the car, and the papers to put on file.
    pub fn draft_car(&self, sale: &CarSale) -> (Claim, Vec<(Register, Value)>) {
        sale.draft(&self.cast.dismantler)
    }
}
