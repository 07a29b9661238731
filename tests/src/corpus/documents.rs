//! Sealed documents of every form of a claim: opened, unpacked and parsed to the same claim, and
//! written, packed and masked to the same bytes. A fixture of `service` has one document of each
//! kind in plain text; these have the variants beside them, sealed with a test key.

use std::str::FromStr;

use claims::claim::{Channel, Claim, Energy, Item, OldItem, Payee};
use claims::identifiers::{Address, BankAccount, Imei, PersonName};
use serde_json::{Value, json};
use testkit::{CarSale, Sale, TestApp, World, numbers};

use super::{frozen, inside};

const FILE: &str = "documents/v1.jsonl";

/// A claim without any optional field.
fn bare(mut claim: Claim) -> Claim {
    claim.purchase.invoice.buyer_name = None;
    claim.purchase.invoice.goods_name = None;
    claim.purchase.list_price = None;
    claim.purchase.paid = None;
    claim.purchase.payer_name = None;
    claim.purchase.consignee_name = None;
    claim.purchase.delivery_address = None;
    claim.purchase.delivered_on = None;
    claim.old_item = None;
    claim.entitlement = None;
    match &mut claim.item {
        Item::Appliance(goods) | Item::Digital { goods, .. } => {
            goods.serial_number = None;
            goods.gtin = None;
            goods.efficiency_label = None;
        }
        Item::Vehicle(vehicle) => {
            vehicle.registered_on = None;
            vehicle.registration_certificate = None;
            vehicle.displacement_ml = None;
        }
    }
    claim
}

/// Characters of GB 18030's extensions, of names of minorities, and those that JSON and tables
/// escape.
fn rare(mut claim: Claim) -> Claim {
    let name = PersonName::parse("𠮷㐂䶮·阿卜杜热西提").unwrap();
    claim.applicant.name = name.clone();
    claim.purchase.invoice.buyer_name = Some(name);
    claim.purchase.invoice.goods_name = Some("=\"𠮷祥\"\\牌 <空调> & 'ＡＢＣ'\u{3000}㎡".into());
    claim.purchase.delivery_address = Some(Address::parse("山西省运城市盐湖区龍居镇𫚖魚村1号").unwrap());
    if let Item::Appliance(goods) = &mut claim.item {
        goods.brand = "ᠮᠣᠩᠭᠣᠯ ཨ ئۇيغۇر é 😀".into();
        goods.model = "+@-／\u{7f}".into();
    }
    claim
}

fn applicant_is_paid(mut claim: Claim) -> Claim {
    claim.payee = Payee::Applicant {
        bank_account: BankAccount::parse("6222021234567890128").unwrap(),
        bank_name: "中国工商银行运城分行".into(),
    };
    claim
}

/// Every form of a claim, by name.
fn forms(world: &World) -> Vec<(&'static str, Claim)> {
    let sold = |sale: Sale| world.draft(&[sale]).0.remove(0);
    let car = |sale: CarSale| world.draft_car(&sale).0;
    let appliance = || sold(Sale::air_conditioner());
    let digital = || {
        sold(Sale::digital(
            "digital-2026",
            "phone",
            "3999.00",
            "500.00",
            "2026-06-01",
        ))
    };
    let scrap = || CarSale::petrol("vehicle-scrap-2026", "120000.00", "2026-06-01");
    let replaced = || CarSale::electric("vehicle-replacement-2026", "180000.00", "2026-06-01");
    let mut two_cards = digital();
    if let Item::Digital { imeis, .. } = &mut two_cards.item {
        imeis.push(Imei::from_str(&numbers::imei()).unwrap());
    }
    let mut no_modem = digital();
    if let Item::Digital { imeis, .. } = &mut no_modem.item {
        imeis.clear();
    }
    let mut uncollected = appliance();
    if let Some(OldItem::Appliance {
        collector,
        collected_on,
        ..
    }) = &mut uncollected.old_item
    {
        (*collector, *collected_on) = (None, None);
    }
    let mut online = appliance();
    online.channel = Channel::Online;
    let mut papers = car(scrap());
    if let Some(OldItem::Vehicle(old)) = &mut papers.old_item {
        old.owned_since = None;
        old.owner_identity_number = None;
        old.deregistration = None;
        old.scrap_certificate.as_mut().unwrap().dismantler = None;
    }
    let diesel = CarSale {
        old_energy: Energy::Diesel,
        ..scrap()
    };
    vec![
        ("appliance", appliance()),
        ("appliance, online", online),
        ("appliance, old one not collected", uncollected),
        ("appliance, applicant is paid", applicant_is_paid(appliance())),
        ("appliance, bare", bare(appliance())),
        ("appliance, rare characters", rare(appliance())),
        ("digital", digital()),
        ("digital, two cards", two_cards),
        ("digital, no modem", no_modem),
        ("digital, bare", bare(digital())),
        ("scrapping", car(scrap())),
        ("scrapping, diesel", car(diesel)),
        (
            "scrapping, electric bought",
            car(CarSale::electric("vehicle-scrap-2026", "150000.00", "2026-06-01")),
        ),
        ("scrapping, few papers", papers),
        ("replacement", car(replaced())),
        (
            "replacement, petrol bought",
            car(CarSale::petrol(
                "vehicle-replacement-2026",
                "90000.00",
                "2026-06-01",
            )),
        ),
        ("replacement, bare", bare(car(replaced()))),
    ]
}

/// A form sealed to its place.
fn line(number: usize, name: &str, claim: &Claim) -> String {
    let text = inside::write_document(claim);
    let packed = inside::pack(text.as_bytes());
    let place = format!(
        "{}/{}/1",
        claim.jurisdiction,
        uuid::Uuid::from_u128(number as u128)
    );
    let sealed = inside::vault().seal(&place, &packed).unwrap();
    let line = json!({
        "name": name, "key": "test", "place": place, "packing": inside::PACKING, "text": text,
        "packed": hex::encode(packed), "sealed": hex::encode(sealed),
        "wire": inside::revealed(claim).to_string(), "masked": inside::masked(claim).to_string(),
    });
    format!("{line}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_open_to_what_they_were() {
    if frozen::wanted(FILE) {
        let app = TestApp::new().await;
        let forms = numbers::from_one(async { forms(&app) }).await;
        let lines = forms.iter().enumerate();
        let lines = lines.map(|(number, (name, claim))| line(number, name, claim));
        frozen::add(FILE, lines.collect::<String>().as_bytes());
    }
    let vault = inside::vault();
    let lines = frozen::text(FILE);
    assert_eq!(lines.lines().count(), 17);
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap();
        let bytes = |name: &str| hex::decode(text(name)).unwrap();
        let name = text("name");
        let opened = vault.open(text("key"), text("place"), &bytes("sealed")).unwrap();
        assert_eq!(opened, bytes("packed"), "{name}");
        let packing = i16::try_from(line["packing"].as_i64().unwrap()).unwrap();
        assert_eq!(inside::unpack(packing, opened), text("text").as_bytes(), "{name}");
        let claim = inside::read_document(text("text"));
        assert_eq!(inside::write_document(&claim), text("text"), "{name}");
        assert_eq!(inside::revealed(&claim).to_string(), text("wire"), "{name}");
        assert_eq!(inside::masked(&claim).to_string(), text("masked"), "{name}");
        if packing == inside::PACKING {
            assert_eq!(inside::pack(text("text").as_bytes()), bytes("packed"), "{name}");
        }
    }
}
