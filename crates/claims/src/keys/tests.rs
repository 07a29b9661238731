use super::*;
use crate::claim::Claim;
use crate::fixtures::{air_conditioner, car, digest, phone};
use crate::identifiers::{CertificateNumber, EntitlementCode, InvoiceNumber, SerialNumber};

fn kinds(claim: &Claim) -> Vec<UniqueKind> {
    natural_keys(claim).into_iter().map(|(kind, _)| kind).collect()
}

#[test]
fn each_kind_of_claim_takes_its_keys() {
    use UniqueKind::*;
    assert_eq!(kinds(&air_conditioner()), [Invoice, SerialNumber, Entitlement]);
    assert_eq!(kinds(&phone()), [Invoice, SerialNumber, Imei, Entitlement]);
    assert_eq!(
        kinds(&car()),
        [Invoice, NewVin, OldVin, ScrapCertificate, Entitlement]
    );
}

#[test]
fn the_same_thing_written_otherwise_is_the_same_key() {
    let mut other = air_conditioner();
    other.purchase.invoice.number = InvoiceNumber::parse("２６142000000012345678").unwrap();
    other.entitlement = EntitlementCode::parse(" qy0001").ok();
    if let Item::Appliance(goods) = &mut other.item {
        goods.brand = " 海 尔".to_owned();
        goods.serial_number = SerialNumber::parse("ＳＮ001 ").ok();
    }
    assert_eq!(natural_keys(&other), natural_keys(&air_conditioner()));
}

#[test]
fn a_serial_number_is_unique_within_its_brand() {
    let mut other = air_conditioner();
    if let Item::Appliance(goods) = &mut other.item {
        goods.brand = "格力".to_owned();
    }
    let serial = |claim: &Claim| {
        unique_keys(claim, digest)
            .into_iter()
            .find(|(k, _)| *k == UniqueKind::SerialNumber)
    };
    assert_ne!(serial(&other), serial(&air_conditioner()));
}

#[test]
fn a_vin_may_be_bought_once_and_scrapped_once() {
    let mut later = car();
    if let (Item::Vehicle(new), Some(OldItem::Vehicle(old))) = (&mut later.item, &mut later.old_item) {
        std::mem::swap(&mut new.vin, &mut old.vin);
        old.scrap_certificate.as_mut().unwrap().number = CertificateNumber::parse("1408X2").unwrap();
    }
    let vins = |claim: &Claim| -> Vec<_> {
        let keys = unique_keys(claim, digest).into_iter();
        keys.filter(|(kind, _)| kind.rule_id() == "unique-vin").collect()
    };
    assert!(vins(&later).iter().all(|key| !vins(&car()).contains(key)));
}

#[test]
fn kinds_and_domains_correspond() {
    let domains: std::collections::HashSet<_> = UniqueKind::ALL
        .iter()
        .map(|kind| kind.domain().as_str())
        .collect();
    assert_eq!(domains.len(), UniqueKind::ALL.len());
    assert!(
        UniqueKind::ALL
            .iter()
            .all(|kind| UniqueKind::parse(kind.as_str()) == Some(*kind))
    );
}
