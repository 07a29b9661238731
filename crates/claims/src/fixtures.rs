//! Claims for this crate's tests: a valid air conditioner, a valid phone and a valid car.

use chrono::NaiveDate;
use ledger::Fen;

use crate::claim::*;
use crate::digest::{Digest, Domain};
use crate::identifiers::*;

pub(crate) const APPLICANT: &str = "11010519491231002X";
pub(crate) const FIRM: &str = "91350100M000100Y43";
pub(crate) const OLD_VIN: &str = "1M8GDM9AXKP042788";

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn yuan(text: &str) -> Fen {
    text.parse().unwrap()
}

fn name() -> PersonName {
    PersonName::parse("王建国").unwrap()
}

/// Not a hash, but as good as one here: equal for equal domain and value.
pub(crate) fn digest(domain: Domain, value: &str) -> Digest {
    let mut bytes = [0_u8; 16];
    for (i, byte) in domain
        .as_str()
        .bytes()
        .chain([0])
        .chain(value.bytes())
        .enumerate()
    {
        bytes[i % 16] = bytes[i % 16].wrapping_mul(31).wrapping_add(byte).rotate_left(3);
    }
    Digest::new(bytes)
}

pub(crate) fn goods(category: &str) -> Goods {
    Goods {
        category: category.to_owned(),
        brand: "海尔".to_owned(),
        model: "KFR-35GW".to_owned(),
        serial_number: SerialNumber::parse("sn001").ok(),
        gtin: Gtin13::parse("6901234567892").ok(),
        efficiency_label: EfficiencyRecord::parse("20241017-471100-92391729144470006").ok(),
    }
}

pub(crate) fn air_conditioner() -> Claim {
    Claim {
        programme: ProgrammeId::parse("appliance-2026").unwrap(),
        jurisdiction: JurisdictionCode::parse("140802").unwrap(),
        merchant_reference: MerchantReference::parse("YH-1").unwrap(),
        channel: Channel::InStore,
        applicant: Applicant {
            name: name(),
            identity_number: IdentityNumber::parse(APPLICANT).unwrap(),
            phone: Phone::parse("13800138000").unwrap(),
        },
        purchase: Purchase {
            invoice: Invoice {
                number: InvoiceNumber::parse("26142000000012345678").unwrap(),
                date: date("2026-06-01"),
                total: yuan("4000.00"),
                buyer_name: Some(name()),
                goods_name: Some("空调".to_owned()),
            },
            list_price: Some(yuan("4200.00")),
            final_price: yuan("4000.00"),
            paid: Some(yuan("3400.00")),
            payer_name: Some(name()),
            consignee_name: Some(name()),
            delivery_address: Address::parse("山西省运城市盐湖区解放北路100号").ok(),
            delivered_on: Some(date("2026-06-02")),
        },
        item: Item::Appliance(goods("air_conditioner")),
        old_item: Some(OldItem::Appliance {
            category: "air_conditioner".to_owned(),
            collector: CreditCode::parse(FIRM).ok(),
            collected_on: Some(date("2026-06-02")),
        }),
        entitlement: EntitlementCode::parse("QY0001").ok(),
        payee: Payee::Merchant,
    }
}

pub(crate) fn phone() -> Claim {
    Claim {
        item: Item::Digital {
            goods: goods("phone"),
            imeis: vec![Imei::parse("490154203237518").unwrap()],
        },
        old_item: None,
        ..air_conditioner()
    }
}

pub(crate) fn car() -> Claim {
    Claim {
        item: Item::Vehicle(NewVehicle {
            vin: Vin::parse("11111111111111111").unwrap(),
            energy: Energy::NewEnergy,
            displacement_ml: None,
            vehicle_type: VehicleType::SmallPassenger,
            model: "byd 7001".to_owned(),
            registered_on: Some(date("2026-06-03")),
            registration_certificate: CertificateNumber::parse("DJ1").ok(),
        }),
        old_item: Some(OldItem::Vehicle(OldVehicle {
            vin: Vin::parse(OLD_VIN).unwrap(),
            plate: PlateNumber::parse("晋M12345").unwrap(),
            energy: Energy::Petrol,
            vehicle_type: VehicleType::SmallPassenger,
            first_registered_on: date("2010-05-01"),
            owned_since: Some(date("2010-05-01")),
            owner_identity_number: IdentityNumber::parse(APPLICANT).ok(),
            scrap_certificate: Some(ScrapPaper {
                number: CertificateNumber::parse("1408x1").unwrap(),
                date: date("2026-05-20"),
                dismantler: CreditCode::parse(FIRM).ok(),
            }),
            deregistration: Some(Deregistration {
                number: CertificateNumber::parse("ZX1").unwrap(),
                date: date("2026-05-22"),
            }),
            transfer: None,
        })),
        payee: Payee::Applicant {
            bank_account: BankAccount::parse("6222021234567890123").unwrap(),
            bank_name: "中国工商银行运城分行".to_owned(),
        },
        ..air_conditioner()
    }
}
