//! From the wire's claim to [`claims::claim::Claim`]: whatever comes through cannot be invalid in form.

use claims::claim::{
    Applicant, Channel, Claim, Deregistration, Energy, Goods, Invoice, Item, NewVehicle, OldItem, OldVehicle,
    Payee, Purchase, ScrapPaper, VehicleTransfer, VehicleType,
};
use claims::identifiers::{
    Address, BankAccount, CertificateNumber, CreditCode, EfficiencyRecord, EntitlementCode, Gtin13,
    IdentityNumber, Imei, InvoiceNumber, JurisdictionCode, MerchantReference, PersonName, Phone, PlateNumber,
    ProgrammeId, SerialNumber, Vin,
};
use serde_json::Value;
use service::FieldError;

use crate::http::extract::Wire;
use crate::http::field_limits;
use crate::http::fields::{Fields, Slot, read};

impl Wire for Claim {
    fn read(f: &mut Fields<'_>) -> Option<Claim> {
        claim(f)
    }
}

/// Reads a claim, or names every field that is wrong.
pub fn read_claim(value: &Value) -> Result<Claim, Vec<FieldError>> {
    read(value, "", claim)
}

/// Every field is read before the first `?`, here and below, so that all errors are found.
fn claim(f: &mut Fields<'_>) -> Option<Claim> {
    let programme = f.required("programme", |s| s.parse(ProgrammeId::parse));
    let jurisdiction = f.required("jurisdiction", |s| s.parse(JurisdictionCode::parse));
    let merchant_reference = f.required("merchant_reference", |s| s.parse(MerchantReference::parse));
    let channel = f.required("channel", |s| s.word(Channel::WORDS, Channel::parse));
    let applicant = f.required("applicant", |s| s.object(applicant));
    let purchase = f.required("purchase", |s| s.object(purchase));
    let item = f.required("item", |s| s.object(item));
    let old_item = f.optional("old_item", |s| s.object(old_item));
    let entitlement = f.optional("entitlement", |s| s.parse(EntitlementCode::parse));
    let payee = f.required("payee", |s| s.object(payee));
    Some(Claim {
        programme: programme?,
        jurisdiction: jurisdiction?,
        merchant_reference: merchant_reference?,
        channel: channel?,
        applicant: applicant?,
        purchase: purchase?,
        item: item?,
        old_item: old_item?,
        entitlement: entitlement?,
        payee: payee?,
    })
}

fn applicant(f: &mut Fields<'_>) -> Option<Applicant> {
    let name = f.required("name", |s| s.parse(PersonName::parse));
    let identity_number = f.required("identity_number", |s| s.parse(IdentityNumber::parse));
    let phone = f.required("phone", |s| s.parse(Phone::parse));
    Some(Applicant {
        name: name?,
        identity_number: identity_number?,
        phone: phone?,
    })
}

fn purchase(f: &mut Fields<'_>) -> Option<Purchase> {
    let invoice = f.required("invoice", |s| s.object(invoice));
    let list_price = f.optional("list_price", |s| s.money());
    let final_price = f.required("final_price", |s| s.money());
    let paid = f.optional("paid", |s| s.money());
    let payer_name = f.optional("payer_name", |s| s.parse(PersonName::parse));
    let consignee_name = f.optional("consignee_name", |s| s.parse(PersonName::parse));
    let delivery_address = f.optional("delivery_address", |s| {
        s.parse_within(field_limits::ADDRESS, Address::parse)
    });
    let delivered_on = f.optional("delivered_on", |s| s.date());
    Some(Purchase {
        invoice: invoice?,
        list_price: list_price?,
        final_price: final_price?,
        paid: paid?,
        payer_name: payer_name?,
        consignee_name: consignee_name?,
        delivery_address: delivery_address?,
        delivered_on: delivered_on?,
    })
}

fn invoice(f: &mut Fields<'_>) -> Option<Invoice> {
    let number = f.required("number", |s| s.parse(InvoiceNumber::parse));
    let date = f.required("date", |s| s.date());
    let total = f.required("total", |s| s.money());
    let buyer_name = f.optional("buyer_name", |s| s.parse(PersonName::parse));
    let goods_name = f.optional("goods_name", |s| s.words(field_limits::GOODS_NAME));
    Some(Invoice {
        number: number?,
        date: date?,
        total: total?,
        buyer_name: buyer_name?,
        goods_name: goods_name?,
    })
}

fn item(f: &mut Fields<'_>) -> Option<Item> {
    match f.kind(&["appliance", "digital", "vehicle"])? {
        "appliance" => goods(f).map(Item::Appliance),
        "digital" => {
            let goods = goods(f);
            let imeis = f.optional("imei", imeis);
            Some(Item::Digital {
                goods: goods?,
                imeis: imeis?.unwrap_or_default(),
            })
        }
        _ => new_vehicle(f).map(Item::Vehicle),
    }
}

fn goods(f: &mut Fields<'_>) -> Option<Goods> {
    let category = f.required("category", category);
    let brand = f.required("brand", |s| s.words(field_limits::BRAND));
    let model = f.required("model", |s| s.words(field_limits::MODEL));
    let serial_number = f.optional("serial_number", |s| s.parse(SerialNumber::parse));
    let gtin = f.optional("gtin", |s| s.parse(Gtin13::parse));
    let efficiency_label = f.optional("efficiency_label", |s| s.parse(EfficiencyRecord::parse));
    Some(Goods {
        category: category?,
        brand: brand?,
        model: model?,
        serial_number: serial_number?,
        gtin: gtin?,
        efficiency_label: efficiency_label?,
    })
}

fn category(slot: &Slot<'_>) -> Option<String> {
    let letters = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    slot.pattern(
        field_limits::CATEGORY,
        letters,
        "品类由小写字母、数字和下划线组成",
        "a category is lower-case letters, digits and underscores",
    )
}

/// One, or a list of two for a phone with two SIMs.
fn imeis(slot: &Slot<'_>) -> Option<Vec<Imei>> {
    if slot.is_list() {
        slot.list(1, 2, |s| s.parse(Imei::parse))
    } else {
        slot.parse(Imei::parse).map(|imei| vec![imei])
    }
}

fn new_vehicle(f: &mut Fields<'_>) -> Option<NewVehicle> {
    let vin = f.required("vin", |s| s.parse(Vin::parse));
    let energy = f.required("energy", |s| s.word(Energy::WORDS, Energy::parse));
    let displacement_ml = f.optional("displacement_ml", |s| s.whole(0, field_limits::DISPLACEMENT_ML));
    let vehicle_type = f.required("vehicle_type", |s| s.word(VehicleType::WORDS, VehicleType::parse));
    let model = f.required("model", |s| s.words(field_limits::MODEL));
    let registered_on = f.optional("registered_on", |s| s.date());
    let certificate = f.optional("registration_certificate", |s| s.parse(CertificateNumber::parse));
    Some(NewVehicle {
        vin: vin?,
        energy: energy?,
        displacement_ml: displacement_ml?,
        vehicle_type: vehicle_type?,
        model: model?,
        registered_on: registered_on?,
        registration_certificate: certificate?,
    })
}

fn old_item(f: &mut Fields<'_>) -> Option<OldItem> {
    match f.kind(&["appliance", "vehicle"])? {
        "appliance" => {
            let category = f.required("category", category);
            let collector = f.optional("collector", |s| s.parse(CreditCode::parse));
            let collected_on = f.optional("collected_on", |s| s.date());
            Some(OldItem::Appliance {
                category: category?,
                collector: collector?,
                collected_on: collected_on?,
            })
        }
        _ => old_vehicle(f).map(OldItem::Vehicle),
    }
}

fn old_vehicle(f: &mut Fields<'_>) -> Option<OldVehicle> {
    let vin = f.required("vin", |s| s.parse(Vin::parse));
    let plate = f.required("plate", |s| s.parse(PlateNumber::parse));
    let energy = f.required("energy", |s| s.word(Energy::WORDS, Energy::parse));
    let vehicle_type = f.required("vehicle_type", |s| s.word(VehicleType::WORDS, VehicleType::parse));
    let first_registered_on = f.required("first_registered_on", |s| s.date());
    let owned_since = f.optional("owned_since", |s| s.date());
    let owner = f.optional("owner_identity_number", |s| s.parse(IdentityNumber::parse));
    let scrap_certificate = f.optional("scrap_certificate", |s| s.object(scrap_certificate));
    let deregistration = f.optional("deregistration", |s| s.object(deregistration));
    let transfer = f.optional("transfer", |s| s.object(transfer));
    Some(OldVehicle {
        vin: vin?,
        plate: plate?,
        energy: energy?,
        vehicle_type: vehicle_type?,
        first_registered_on: first_registered_on?,
        owned_since: owned_since?,
        owner_identity_number: owner?,
        scrap_certificate: scrap_certificate?,
        deregistration: deregistration?,
        transfer: transfer?,
    })
}

fn scrap_certificate(f: &mut Fields<'_>) -> Option<ScrapPaper> {
    let number = f.required("number", |s| s.parse(CertificateNumber::parse));
    let date = f.required("date", |s| s.date());
    let dismantler = f.optional("dismantler", |s| s.parse(CreditCode::parse));
    Some(ScrapPaper {
        number: number?,
        date: date?,
        dismantler: dismantler?,
    })
}

fn deregistration(f: &mut Fields<'_>) -> Option<Deregistration> {
    let number = f.required("number", |s| s.parse(CertificateNumber::parse));
    let date = f.required("date", |s| s.date());
    Some(Deregistration {
        number: number?,
        date: date?,
    })
}

fn transfer(f: &mut Fields<'_>) -> Option<VehicleTransfer> {
    let invoice_number = f.required("invoice_number", |s| s.parse(InvoiceNumber::parse));
    let date = f.required("date", |s| s.date());
    Some(VehicleTransfer {
        invoice_number: invoice_number?,
        date: date?,
    })
}

fn payee(f: &mut Fields<'_>) -> Option<Payee> {
    match f.kind(&["merchant", "applicant"])? {
        "merchant" => Some(Payee::Merchant),
        _ => {
            let bank_account = f.required("bank_account", |s| s.parse(BankAccount::parse));
            let bank_name = f.required("bank_name", |s| s.words(field_limits::BANK_NAME));
            Some(Payee::Applicant {
                bank_account: bank_account?,
                bank_name: bank_name?,
            })
        }
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
