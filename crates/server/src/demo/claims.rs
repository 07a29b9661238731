//! The demo's claims: what a till in Yanhu, a phone shop in Hejin and a car dealer would send.

use serde_json::{Value, json};

use super::identifiers::{bank_account, gtin, identity_number, imei, invoice_number, phone, tag, vin};

/// A claim and the entries of registers that it needs.
pub(super) struct DemoClaim {
    /// File name and part of the idempotency key.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) client: &'static str,
    pub(super) jurisdiction: &'static str,
    pub(super) programme: &'static str,
    pub(super) body: Value,
    /// Register and row.
    pub(super) registers: Vec<(&'static str, Value)>,
    /// The body that corrects the claim, if it is wrong at first.
    pub(super) corrected: Option<Value>,
    /// The outcome that the demo expects of the decision; another fails the demo.
    pub(super) expected: &'static str,
}

const INVOICE_DATE: &str = "2026-05-01";

struct Person {
    name: &'static str,
    identity_number: String,
    phone: String,
}

impl Person {
    fn new(name: &'static str) -> anyhow::Result<Self> {
        Ok(Self {
            name,
            identity_number: identity_number()?,
            phone: phone(),
        })
    }

    fn applicant(&self) -> Value {
        json!({"name": self.name, "identity_number": self.identity_number, "phone": self.phone})
    }

    fn entitlement(&self, programme: &str, category: &str) -> (String, (&'static str, Value)) {
        let code = format!("QY{}", tag(14));
        let row = json!({
            "code": code, "programme": programme, "applicant_identity_number": self.identity_number,
            "category": category, "issued_on": "2026-01-09", "expires_on": "2026-12-31",
        });
        (code, ("entitlements", row))
    }
}

struct Sale {
    list: &'static str,
    price: &'static str,
    paid: &'static str,
    goods: &'static str,
    address: &'static str,
}

fn purchase(person: &Person, sale: &Sale) -> Value {
    json!({
        "invoice": {
            "number": invoice_number(), "date": INVOICE_DATE, "total": sale.price,
            "buyer_name": person.name, "goods_name": sale.goods,
        },
        "list_price": sale.list, "final_price": sale.price, "paid": sale.paid,
        "payer_name": person.name, "consignee_name": person.name,
        "delivery_address": sale.address, "delivered_on": "2026-05-03",
    })
}

/// One eligible claim of each kind, one that is corrected, and one that a rule refuses.
pub(super) fn all() -> anyhow::Result<Vec<DemoClaim>> {
    Ok(vec![
        air_conditioner()?,
        phone_claim()?,
        car()?,
        corrected()?,
        refused()?,
    ])
}

fn appliance(
    person: &Person,
    sale: &Sale,
    item: Value,
    jurisdiction: &str,
    entitlement: &str,
) -> anyhow::Result<Value> {
    let category = item.get("category").cloned();
    let collector = first_code(include_str!("../../../../seeds/registers/collectors.csv"))?;
    Ok(json!({
        "programme": "appliance-2026", "jurisdiction": jurisdiction, "merchant_reference": format!("DEMO-{}", tag(10)),
        "channel": "in_store", "applicant": person.applicant(), "purchase": purchase(person, sale), "item": item,
        "old_item": {
            "kind": "appliance", "category": category, "collector": collector, "collected_on": "2026-05-03",
        },
        "entitlement": entitlement, "payee": {"kind": "merchant"},
    }))
}

fn goods(category: &str, brand: &str, model: &str, label: &str) -> anyhow::Result<Value> {
    Ok(json!({
        "kind": "appliance", "category": category, "brand": brand, "model": model,
        "serial_number": format!("SN{}", tag(12)), "gtin": gtin()?, "efficiency_label": label,
    }))
}

fn air_conditioner() -> anyhow::Result<DemoClaim> {
    let person = Person::new("王建国")?;
    let (code, entitlement) = person.entitlement("appliance-2026", "air_conditioner");
    let sale = Sale {
        list: "3899.00",
        price: "3899.00",
        paid: "3314.15",
        goods: "空调",
        address: "山西省运城市盐湖区解放北路100号",
    };
    let item = goods(
        "air_conditioner",
        "格力",
        "KFR-35GW/NhAa1BAj",
        "20241001-471100-92391729144470001",
    )?;
    Ok(DemoClaim {
        name: "air-conditioner",
        title: "空调，盐湖区 · an air conditioner sold in Yanhu",
        client: "retailer-hualian",
        jurisdiction: "140802",
        programme: "appliance-2026",
        body: appliance(&person, &sale, item, "140802", &code)?,
        registers: vec![entitlement],
        corrected: None,
        expected: "eligible",
    })
}

fn phone_claim() -> anyhow::Result<DemoClaim> {
    let person = Person::new("李秀英")?;
    let (code, entitlement) = person.entitlement("digital-2026", "phone");
    let sale = Sale {
        list: "4499.00",
        price: "4499.00",
        paid: "3999.00",
        goods: "手机",
        address: "山西省运城市河津市新耿街12号",
    };
    let body = json!({
        "programme": "digital-2026", "jurisdiction": "140882", "merchant_reference": format!("DEMO-{}", tag(10)),
        "channel": "in_store", "applicant": person.applicant(), "purchase": purchase(&person, &sale),
        "item": {
            "kind": "digital", "category": "phone", "brand": "小米", "model": "15",
            "serial_number": format!("SN{}", tag(12)), "gtin": gtin()?, "imei": imei()?,
        },
        "entitlement": code, "payee": {"kind": "merchant"},
    });
    Ok(DemoClaim {
        name: "phone",
        title: "手机，河津市 · a phone sold in Hejin",
        client: "retailer-longmen",
        jurisdiction: "140882",
        programme: "digital-2026",
        body,
        registers: vec![entitlement],
        corrected: None,
        expected: "eligible",
    })
}

fn car() -> anyhow::Result<DemoClaim> {
    let person = Person::new("张伟")?;
    let (code, entitlement) = person.entitlement("vehicle-scrap-2026", "vehicle");
    let (old, plate, certificate) = (vin()?, format!("晋M{}", tag(5)), format!("1408{}", tag(10)));
    let dismantler = first_code(include_str!("../../../../seeds/registers/dismantlers.csv"))?;
    let row = json!({
        "number": certificate, "issued_on": "2026-04-20", "owner_identity_number": person.identity_number, "vin": old,
        "plate": plate, "energy": "petrol", "vehicle_type": "small_passenger", "first_registered_on": "2010-05-01",
        "dismantler": dismantler,
    });
    let sale = Sale {
        list: "109800.00",
        price: "100000.00",
        paid: "100000.00",
        goods: "小型轿车",
        address: "山西省运城市永济市中山街8号",
    };
    let body = json!({
        "programme": "vehicle-scrap-2026", "jurisdiction": "140881", "merchant_reference": format!("DEMO-{}", tag(10)),
        "channel": "in_store", "applicant": person.applicant(), "purchase": purchase(&person, &sale),
        "item": {
            "kind": "vehicle", "vin": vin()?, "energy": "new_energy", "vehicle_type": "small_passenger",
            "model": "BYD7009BEVA9", "registered_on": "2026-05-06", "registration_certificate": format!("DJ{}", tag(10)),
        },
        "old_item": {
            "kind": "vehicle", "vin": old, "plate": plate, "energy": "petrol", "vehicle_type": "small_passenger",
            "first_registered_on": "2010-05-01", "owned_since": "2010-05-01",
            "owner_identity_number": person.identity_number,
            "scrap_certificate": {"number": certificate, "date": "2026-04-20", "dismantler": dismantler},
            "deregistration": {"number": format!("ZX{}", tag(10)), "date": "2026-04-22"},
        },
        "entitlement": code,
        "payee": {"kind": "applicant", "bank_account": bank_account(), "bank_name": "中国工商银行运城分行"},
    });
    Ok(DemoClaim {
        name: "car",
        title: "报废旧车购买新能源汽车，永济市 · an old car scrapped and an electric one bought in Yongji",
        client: "dealer-hedong",
        jurisdiction: "140881",
        programme: "vehicle-scrap-2026",
        body,
        registers: vec![("scrap-certificates", row), entitlement],
        corrected: None,
        expected: "eligible",
    })
}

/// The credit code in the first row of a register's file.
fn first_code(csv: &str) -> anyhow::Result<String> {
    let code = csv.lines().nth(1).and_then(|line| line.split(',').next());
    code.map(str::to_owned)
        .ok_or_else(|| anyhow::anyhow!("a register of the seeds is empty"))
}

fn corrected() -> anyhow::Result<DemoClaim> {
    let person = Person::new("赵敏")?;
    let (code, entitlement) = person.entitlement("appliance-2026", "refrigerator");
    let sale = Sale {
        list: "4599.00",
        price: "4599.00",
        paid: "3909.15",
        goods: "电冰箱",
        address: "山西省运城市盐湖区人民路66号",
    };
    let item = goods(
        "refrigerator",
        "海尔",
        "BCD-501WGHTD7DS9U1",
        "20241005-471100-92391729144470021",
    )?;
    let right = appliance(&person, &sale, item, "140802", &code)?;
    let mut wrong = right.clone();
    if let Some(name) = wrong.pointer_mut("/purchase/payer_name") {
        *name = json!("赵明");
    }
    Ok(DemoClaim {
        name: "refrigerator",
        title: "电冰箱，付款人姓名有误后更正 · a refrigerator whose payer's name is put right",
        client: "retailer-hualian",
        jurisdiction: "140802",
        programme: "appliance-2026",
        body: wrong,
        registers: vec![entitlement],
        corrected: Some(right),
        expected: "needs_correction",
    })
}

fn refused() -> anyhow::Result<DemoClaim> {
    let person = Person::new("孙丽")?;
    let (code, entitlement) = person.entitlement("appliance-2026", "television");
    let sale = Sale {
        list: "5499.00",
        price: "5499.00",
        paid: "4674.15",
        goods: "电视机",
        address: "山西省运城市盐湖区河东街20号",
    };
    let item = goods(
        "television",
        "海信",
        "75E5N-PRO-2",
        "20241012-471100-92391729144470052",
    )?;
    Ok(DemoClaim {
        name: "television",
        title: "二级能效电视机，不予补贴 · a television of grade 2, refused",
        client: "retailer-hualian",
        jurisdiction: "140802",
        programme: "appliance-2026",
        body: appliance(&person, &sale, item, "140802", &code)?,
        registers: vec![entitlement],
        corrected: None,
        expected: "ineligible",
    })
}
