//! Derives the facts that rules read from the claim and the registers.
//!
//! Facts hold no personal data: names, identity numbers, VINs and plates are compared here, and
//! only the result becomes a fact. A missing value stays absent, which leaves the rules that read
//! it unknown instead of failed.

mod address;

use chrono::NaiveDate;
use ledger::Fen;
use policy::Facts;
use policy::schema as fact;
use rust_decimal::Decimal;

use crate::claim::{Claim, Item, NewVehicle, OldItem, OldVehicle};
use crate::identifiers::PersonName;
use crate::keys::ClaimDigests;
use crate::registers::Known;
use crate::text::{model_key, name_key};

pub use address::in_province;

/// The facts of a claim received on `received_on`, the date in Asia/Shanghai.
pub fn facts(claim: &Claim, digests: &ClaimDigests, known: &Known, received_on: NaiveDate) -> Facts {
    let mut facts = Facts::new();
    facts
        .put(fact::CLAIM_RECEIVED_ON, received_on)
        .put(fact::CLAIM_CHANNEL, claim.channel.as_str())
        .put(fact::PAYEE_KIND, claim.payee.kind());
    purchase(&mut facts, claim);
    names(&mut facts, claim);
    item(&mut facts, claim);
    old_item(&mut facts, claim, digests);
    label(&mut facts, claim, known);
    certificate(&mut facts, digests, known);
    vehicle_model(&mut facts, claim, known);
    entitlement(&mut facts, claim, digests, known);
    firms(&mut facts, claim, known);
    facts
}

fn yuan(sum: Fen) -> Decimal {
    sum.to_decimal()
}

fn purchase(facts: &mut Facts, claim: &Claim) {
    let purchase = &claim.purchase;
    let address = purchase.delivery_address.as_ref();
    facts
        .put(fact::PURCHASE_INVOICE_DATE, purchase.invoice.date)
        .put(fact::PURCHASE_INVOICE_TOTAL, yuan(purchase.invoice.total))
        .put_opt(fact::PURCHASE_LIST_PRICE, purchase.list_price.map(yuan))
        .put(fact::PURCHASE_FINAL_PRICE, yuan(purchase.final_price))
        .put_opt(fact::PURCHASE_PAID, purchase.paid.map(yuan))
        .put_opt(fact::PURCHASE_DELIVERED_ON, purchase.delivered_on)
        .put_opt(fact::PURCHASE_GOODS_NAME, purchase.invoice.goods_name.clone())
        .put_opt(
            fact::DELIVERY_IN_PROVINCE,
            address.and_then(|address| in_province(address.expose())),
        );
}

/// Goods need the buyer, the payer and the consignee. A car needs the buyer: it is often paid by a
/// bank and has no consignee, but every person named must be the applicant. One name that differs
/// decides the fact, even if others are missing.
fn names(facts: &mut Facts, claim: &Claim) {
    let applicant = name_key(claim.applicant.name.expose());
    let agrees = |name: &Option<PersonName>| name.as_ref().map(|name| name_key(name.expose()) == applicant);
    let buyer = agrees(&claim.purchase.invoice.buyer_name);
    let payer = agrees(&claim.purchase.payer_name);
    let consignee = agrees(&claim.purchase.consignee_name);
    let all = match &claim.item {
        Item::Vehicle(_) => [buyer, payer.or(Some(true)), consignee.or(Some(true))],
        Item::Appliance(_) | Item::Digital { .. } => [buyer, payer, consignee],
    };
    let agree = if all.contains(&Some(false)) {
        Some(false)
    } else if all.contains(&None) {
        None
    } else {
        Some(true)
    };
    facts
        .put_opt(fact::NAMES_BUYER_AGREES, buyer)
        .put_opt(fact::NAMES_PAYER_AGREES, payer)
        .put_opt(fact::NAMES_CONSIGNEE_AGREES, consignee)
        .put_opt(fact::NAMES_AGREE, agree);
}

fn item(facts: &mut Facts, claim: &Claim) {
    facts
        .put(fact::ITEM_KIND, claim.item.kind())
        .put(fact::ITEM_CATEGORY, claim.item.category());
    if let Some(goods) = claim.item.goods() {
        facts
            .put(fact::ITEM_BRAND, goods.brand.as_str())
            .put(fact::ITEM_MODEL, goods.model.as_str())
            .put(fact::ITEM_HAS_SERIAL_NUMBER, goods.serial_number.is_some())
            .put(fact::ITEM_HAS_GTIN, goods.gtin.is_some())
            .put(fact::ITEM_HAS_EFFICIENCY_LABEL, goods.efficiency_label.is_some());
    }
    match &claim.item {
        Item::Appliance(_) => {}
        Item::Digital { imeis, .. } => {
            facts.put(fact::ITEM_HAS_IMEI, !imeis.is_empty());
        }
        Item::Vehicle(vehicle) => new_vehicle(facts, vehicle),
    }
}

fn new_vehicle(facts: &mut Facts, vehicle: &NewVehicle) {
    facts
        .put(fact::ITEM_MODEL, vehicle.model.as_str())
        .put(fact::ITEM_ENERGY, vehicle.energy.as_str())
        .put(fact::ITEM_VEHICLE_TYPE, vehicle.vehicle_type.as_str())
        .put_opt(fact::ITEM_DISPLACEMENT_ML, vehicle.displacement_ml)
        .put(fact::ITEM_VIN_CHECK_DIGIT_OK, vehicle.vin.check_digit_matches())
        .put(
            fact::ITEM_HAS_REGISTRATION_CERTIFICATE,
            vehicle.registration_certificate.is_some(),
        )
        .put_opt(fact::PAPERS_REGISTRATION_DATE, vehicle.registered_on);
}

fn old_item(facts: &mut Facts, claim: &Claim, digests: &ClaimDigests) {
    facts.put(fact::OLD_GIVEN, claim.old_item.is_some());
    match &claim.old_item {
        None => {}
        Some(OldItem::Appliance {
            category,
            collected_on,
            ..
        }) => {
            facts
                .put(fact::OLD_KIND, "appliance")
                .put(fact::OLD_CATEGORY, category.as_str())
                .put_opt(fact::OLD_COLLECTED_ON, *collected_on);
        }
        Some(OldItem::Vehicle(old)) => old_vehicle(facts, old, digests),
    }
}

fn old_vehicle(facts: &mut Facts, old: &OldVehicle, digests: &ClaimDigests) {
    facts
        .put(fact::OLD_KIND, "vehicle")
        .put(fact::OLD_ENERGY, old.energy.as_str())
        .put(fact::OLD_VEHICLE_TYPE, old.vehicle_type.as_str())
        .put(fact::OLD_FIRST_REGISTERED_ON, old.first_registered_on)
        .put_opt(fact::OLD_OWNED_SINCE, old.owned_since)
        .put_opt(
            fact::OLD_OWNER_IS_APPLICANT,
            digests.owner.map(|owner| owner == digests.applicant),
        )
        .put(fact::OLD_VIN_CHECK_DIGIT_OK, old.vin.check_digit_matches())
        .put_opt(
            fact::PAPERS_SCRAP_CERTIFICATE_DATE,
            old.scrap_certificate.as_ref().map(|paper| paper.date),
        )
        .put_opt(
            fact::PAPERS_DEREGISTRATION_DATE,
            old.deregistration.as_ref().map(|paper| paper.date),
        )
        .put_opt(
            fact::PAPERS_TRANSFER_DATE,
            old.transfer.as_ref().map(|paper| paper.date),
        );
}

fn label(facts: &mut Facts, claim: &Claim, known: &Known) {
    let (Some(label), Some(goods)) = (&known.label, claim.item.goods()) else {
        return;
    };
    let same = |a: &str, b: &str| model_key(a) == model_key(b);
    facts
        .put(fact::LABEL_GRADE, Decimal::from(label.grade))
        .put(fact::LABEL_CATEGORY, label.category.as_str())
        .put(
            fact::LABEL_MATCHES_ITEM,
            same(&label.brand, &goods.brand) && same(&label.model, &goods.model),
        );
}

fn certificate(facts: &mut Facts, digests: &ClaimDigests, known: &Known) {
    let (Some(certificate), Some(vin), Some(plate)) =
        (&known.certificate, digests.old_vin, digests.old_plate)
    else {
        return;
    };
    facts
        .put(fact::CERTIFICATE_VIN_MATCHES, vin == certificate.vin)
        .put(
            fact::CERTIFICATE_OWNER_MATCHES,
            digests.applicant == certificate.owner,
        )
        .put(fact::CERTIFICATE_PLATE_MATCHES, plate == certificate.plate)
        .put(fact::CERTIFICATE_ENERGY, certificate.energy.as_str())
        .put(fact::CERTIFICATE_VEHICLE_TYPE, certificate.vehicle_type.as_str())
        .put(
            fact::CERTIFICATE_FIRST_REGISTERED_ON,
            certificate.first_registered_on,
        )
        .put(fact::CERTIFICATE_ISSUED_ON, certificate.issued_on);
}

fn vehicle_model(facts: &mut Facts, claim: &Claim, known: &Known) {
    let (Some(model), Item::Vehicle(_)) = (&known.vehicle_model, &claim.item) else {
        return;
    };
    facts
        .put(
            fact::VEHICLE_MODEL_LISTED,
            model.listed_on(claim.purchase.invoice.date),
        )
        .put(fact::VEHICLE_MODEL_ENERGY, model.energy.as_str())
        .put(fact::VEHICLE_MODEL_VEHICLE_TYPE, model.vehicle_type.as_str());
}

fn entitlement(facts: &mut Facts, claim: &Claim, digests: &ClaimDigests, known: &Known) {
    facts.put(fact::ENTITLEMENT_GIVEN, claim.entitlement.is_some());
    let Some(entitlement) = &known.entitlement else {
        return;
    };
    facts
        .put(
            fact::ENTITLEMENT_BELONGS_TO_APPLICANT,
            entitlement.applicant == digests.applicant,
        )
        .put(fact::ENTITLEMENT_PROGRAMME, entitlement.programme.as_str())
        .put_opt(fact::ENTITLEMENT_CATEGORY, entitlement.category.clone())
        .put(fact::ENTITLEMENT_ISSUED_ON, entitlement.issued_on)
        .put_opt(fact::ENTITLEMENT_EXPIRES_ON, entitlement.expires_on);
}

/// A licence counts on the day on which the firm acted: the certificate's issue as registered, or
/// as claimed if the register lacks the certificate; the day of collection.
fn firms(facts: &mut Facts, claim: &Claim, known: &Known) {
    let price = known.filed_price.as_ref();
    let merchant = known.merchant.as_ref();
    let paper = claim
        .old_item
        .as_ref()
        .and_then(OldItem::vehicle)
        .and_then(|old| old.scrap_certificate.as_ref());
    let issued_on = paper.map(|paper| {
        known
            .certificate
            .as_ref()
            .map_or(paper.date, |issued| issued.issued_on)
    });
    let collected_on = match &claim.old_item {
        Some(OldItem::Appliance { collected_on, .. }) => *collected_on,
        _ => None,
    };
    let dismantler = known
        .dismantler
        .as_ref()
        .zip(issued_on)
        .map(|(firm, date)| firm.licensed_on(date));
    let collector = known
        .collector
        .as_ref()
        .zip(collected_on)
        .map(|(firm, date)| firm.licensed_on(date));
    facts
        .put_opt(fact::FILED_PRICE, price.map(|filed| yuan(filed.price)))
        .put_opt(
            fact::MERCHANT_STATUS,
            merchant.map(|merchant| merchant.status.as_str()),
        )
        .put_opt(
            fact::MERCHANT_KIND,
            merchant.map(|merchant| merchant.kind.as_str()),
        )
        .put_opt(fact::DISMANTLER_LICENSED, dismantler)
        .put_opt(fact::COLLECTOR_LICENSED, collector);
}

#[cfg(test)]
mod tests;
