use policy::Value;

use super::*;
use crate::claim::Energy;
use crate::claim::VehicleType;
use crate::digest::Domain;
use crate::fixtures::{APPLICANT, FIRM, OLD_VIN, air_conditioner, car, date, digest, phone, yuan};
use crate::identifiers::{
    Address, CertificateNumber, CreditCode, EfficiencyRecord, EntitlementCode, JurisdictionCode, ProgrammeId,
};
use crate::keys::digests;
use crate::registers::{
    Collector, Dismantler, EfficiencyLabel, Entitlement, FiledPrice, Merchant, MerchantKind, MerchantStatus,
    ScrapCertificate, VehicleModel,
};

fn firm() -> CreditCode {
    CreditCode::parse(FIRM).unwrap()
}

fn everything() -> Known {
    let jurisdiction = JurisdictionCode::parse("140802").unwrap();
    Known {
        label: Some(EfficiencyLabel {
            record: EfficiencyRecord::parse("20241017-471100-92391729144470006").unwrap(),
            category: "air_conditioner".to_owned(),
            brand: "海尔".to_owned(),
            model: "kfr-35 gw".to_owned(),
            grade: 1,
            standard: None,
            filed_on: None,
        }),
        filed_price: Some(FiledPrice {
            merchant: firm(),
            model: "KFR-35GW".to_owned(),
            price: yuan("4100.00"),
            filed_on: date("2024-01-02"),
        }),
        certificate: Some(ScrapCertificate {
            number: CertificateNumber::parse("1408X1").unwrap(),
            issued_on: date("2026-05-20"),
            owner: digest(Domain::Person, APPLICANT),
            vin: digest(Domain::Vin, OLD_VIN),
            plate: digest(Domain::Plate, "晋M12345"),
            energy: Energy::Petrol,
            vehicle_type: VehicleType::SmallPassenger,
            first_registered_on: date("2010-05-01"),
            dismantler: Some(firm()),
        }),
        vehicle_model: Some(VehicleModel {
            model: "BYD7001".to_owned(),
            energy: Energy::NewEnergy,
            vehicle_type: VehicleType::SmallPassenger,
            displacement_ml: None,
            listed_from: date("2020-01-01"),
            listed_until: Some(date("2026-06-01")),
        }),
        entitlement: Some(Entitlement {
            code: EntitlementCode::parse("QY0001").unwrap(),
            programme: ProgrammeId::parse("appliance-2026").unwrap(),
            applicant: digest(Domain::Person, APPLICANT),
            category: Some("air_conditioner".to_owned()),
            issued_on: date("2026-01-01"),
            expires_on: Some(date("2026-12-31")),
        }),
        merchant: Some(Merchant {
            credit_code: firm(),
            name: "电器商场".to_owned(),
            kind: MerchantKind::Retailer,
            jurisdiction,
            status: MerchantStatus::Admitted,
        }),
        dismantler: Some(Dismantler {
            credit_code: firm(),
            name: "拆解公司".to_owned(),
            jurisdiction,
            licensed_until: date("2026-05-20"),
        }),
        collector: Some(Collector {
            credit_code: firm(),
            name: "回收站".to_owned(),
            jurisdiction,
            licensed_until: date("2026-06-01"),
        }),
    }
}

fn gathered(claim: &Claim, known: &Known) -> Facts {
    facts(claim, &digests(claim, digest), known, date("2026-06-04"))
}

/// `path = value` a line, as a receipt lists them.
fn listed(facts: &Facts) -> String {
    facts
        .iter()
        .map(|(path, value)| format!("{path} = {value}\n"))
        .collect()
}

fn answer(facts: &Facts, path: &str) -> Option<bool> {
    match facts.get(path) {
        Some(Value::Bool(answer)) => Some(*answer),
        None => None,
        other => panic!("{path} is {other:?}"),
    }
}

#[test]
fn facts_are_as_committed() {
    let goods = everything();
    for (claim, known, expected) in [
        (air_conditioner(), &goods, include_str!("air_conditioner.txt")),
        (phone(), &Known::default(), include_str!("phone.txt")),
        (car(), &everything(), include_str!("car.txt")),
    ] {
        let text = listed(&gathered(&claim, known));
        assert_eq!(text, expected, "\n{text}");
    }
}

#[test]
fn facts_hold_no_personal_data() {
    for claim in [air_conditioner(), phone(), car()] {
        let text = listed(&gathered(&claim, &everything()));
        for secret in [
            APPLICANT,
            OLD_VIN,
            "王建国",
            "13800138000",
            "晋M",
            "解放北路",
            "6222021234567890123",
            "490154203237518",
        ] {
            assert!(!text.contains(secret), "{secret}");
        }
    }
}

#[test]
fn every_given_fact_is_gathered_by_some_claim() {
    let mut seen = std::collections::BTreeSet::new();
    let mut transferred = car();
    if let Some(OldItem::Vehicle(old)) = &mut transferred.old_item {
        old.transfer = Some(crate::claim::VehicleTransfer {
            invoice_number: transferred.purchase.invoice.number.clone(),
            date: date("2026-05-01"),
        });
    }
    if let Item::Vehicle(new) = &mut transferred.item {
        new.displacement_ml = Some(1498);
    }
    for claim in [air_conditioner(), phone(), transferred] {
        seen.extend(gathered(&claim, &everything()).iter().map(|(path, _)| path));
    }
    let missing: Vec<_> = fact::FACTS
        .iter()
        .filter(|fact| !fact.computed && !seen.contains(fact.path))
        .map(|f| f.path)
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn names() {
    let name = |text: &str| PersonName::parse(text).ok();
    let check = |claim: &Claim, expected| {
        assert_eq!(
            answer(&gathered(claim, &Known::default()), "names.agree"),
            expected
        );
    };
    let (mut goods, mut vehicle) = (air_conditioner(), car());
    check(&goods, Some(true));
    check(&vehicle, Some(true));
    for claim in [&mut goods, &mut vehicle] {
        claim.purchase.payer_name = None;
        claim.purchase.consignee_name = None;
    }
    check(&goods, None);
    check(&vehicle, Some(true));
    for claim in [&mut goods, &mut vehicle] {
        claim.purchase.payer_name = name("李四");
    }
    check(&goods, Some(false));
    check(&vehicle, Some(false));
    vehicle.purchase.payer_name = name(" 王 建国 ");
    check(&vehicle, Some(true));
    vehicle.purchase.invoice.buyer_name = None;
    check(&vehicle, None);
}

#[test]
fn registers_are_compared_with_the_claim() {
    let mut known = everything();
    let certificate = known.certificate.as_mut().unwrap();
    certificate.owner = digest(Domain::Person, "other");
    certificate.vin = digest(Domain::Vin, "other");
    certificate.plate = digest(Domain::Plate, "other");
    known.entitlement.as_mut().unwrap().applicant = digest(Domain::Person, "other");
    known.dismantler.as_mut().unwrap().licensed_until = date("2026-05-19");
    known.vehicle_model.as_mut().unwrap().listed_until = Some(date("2026-05-31"));
    let facts = gathered(&car(), &known);
    for path in [
        "certificate.owner_matches",
        "certificate.vin_matches",
        "certificate.plate_matches",
        "entitlement.belongs_to_applicant",
        "dismantler.licensed",
        "vehicle_model.listed",
    ] {
        assert_eq!(answer(&facts, path), Some(false), "{path}");
    }
}

#[test]
fn an_address_that_does_not_say_is_unknown() {
    let mut claim = air_conditioner();
    claim.purchase.delivery_address = Address::parse("解放北路100号").ok();
    assert_eq!(
        answer(&gathered(&claim, &Known::default()), "delivery.in_province"),
        None
    );
    claim.purchase.delivery_address = Address::parse("陕西省韩城市").ok();
    assert_eq!(
        answer(&gathered(&claim, &Known::default()), "delivery.in_province"),
        Some(false)
    );
}
