//! Sales of goods: valid claims, with the entries of registers that they need.

use chrono::{Datelike, NaiveDate};
use claims::claim::{Applicant, Channel, Claim, Goods, Invoice, Item, OldItem, Payee, Purchase};
use claims::identifiers::{
    Address, EfficiencyRecord, EntitlementCode, Gtin13, IdentityNumber, Imei, InvoiceNumber,
    MerchantReference, PersonName, Phone, ProgrammeId, SerialNumber,
};
use claims::jurisdictions::JurisdictionCode;
use claims::registers::Register;
use ledger::Fen;
use serde_json::{Value, json};

use crate::world::{World, day, yuan};
use crate::{YANHU, numbers};

/// A buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub identity_number: String,
    pub phone: String,
}

impl Person {
    /// A person who never bought anything.
    pub fn new() -> Self {
        Self {
            name: "王建国".into(),
            identity_number: numbers::identity_number(),
            phone: numbers::phone(),
        }
    }

    pub(crate) fn applicant(&self) -> Applicant {
        Applicant {
            name: self.full_name(),
            identity_number: IdentityNumber::parse(&self.identity_number).unwrap(),
            phone: Phone::parse(&self.phone).unwrap(),
        }
    }

    pub(crate) fn full_name(&self) -> PersonName {
        PersonName::parse(&self.name).unwrap()
    }
}

impl Default for Person {
    fn default() -> Self {
        Self::new()
    }
}

/// One appliance or device sold at the till of the cast's retailer, with the subsidy deducted.
#[derive(Debug, Clone)]
pub struct Sale {
    pub programme: String,
    pub county: String,
    pub category: String,
    pub price: Fen,
    pub subsidy: Fen,
    pub on: NaiveDate,
    /// Grade on the efficiency label; `None` for no label.
    pub grade: Option<u8>,
    /// `None` for a new person.
    pub person: Option<Person>,
    /// The maker's serial number; `None` for a new one.
    pub serial_number: Option<String>,
}

impl Sale {
    /// An air conditioner of 2026 at 4,000 yuan, subsidised with 600.
    pub fn air_conditioner() -> Self {
        Self::appliance(
            "appliance-2026",
            "air_conditioner",
            "4000.00",
            "600.00",
            "2026-06-01",
        )
    }

    /// An appliance of grade 1.
    pub fn appliance(programme: &str, category: &str, price: &str, subsidy: &str, on: &str) -> Self {
        Self {
            programme: programme.into(),
            county: YANHU.into(),
            category: category.into(),
            price: yuan(price),
            subsidy: yuan(subsidy),
            on: day(on),
            grade: Some(1),
            person: None,
            serial_number: None,
        }
    }

    /// A phone, tablet, watch or pair of glasses.
    pub fn digital(programme: &str, category: &str, price: &str, subsidy: &str, on: &str) -> Self {
        Self {
            grade: None,
            ..Self::appliance(programme, category, price, subsidy, on)
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

    /// The same sale at another price.
    #[must_use]
    pub fn at(mut self, price: &str, subsidy: &str) -> Self {
        (self.price, self.subsidy) = (yuan(price), yuan(subsidy));
        self
    }

    fn draft(&self, merchant: &str, collector: &str) -> (Claim, Vec<(Register, Value)>) {
        let person = self.person.clone().unwrap_or_default();
        let (model, record) = (numbers::tag("M-"), numbers::tag("2024-"));
        let entitlement = numbers::tag("QY");
        let mut on_file = vec![
            (
                Register::FiledPrices,
                json!({"merchant": merchant, "model": model, "price": self.price.to_string(), "filed_on": "2024-01-02"}),
            ),
            (
                Register::Entitlements,
                entitlement_row(&entitlement, &self.programme, &person, &self.category),
            ),
        ];
        if let Some(grade) = self.grade {
            on_file.push((
                Register::EfficiencyLabels,
                json!({"record": record, "category": self.category, "brand": "海尔", "model": model, "grade": grade.to_string(), "standard": "GB 21455-2019", "filed_on": "2023-06-01"}),
            ));
        }
        let digital = self.programme.starts_with("digital");
        let goods = Goods {
            category: self.category.clone(),
            brand: "海尔".into(),
            model,
            serial_number: Some(
                SerialNumber::parse(&self.serial_number.clone().unwrap_or_else(|| numbers::tag("SN")))
                    .unwrap(),
            ),
            gtin: Some(Gtin13::parse(&numbers::gtin()).unwrap()),
            efficiency_label: self
                .grade
                .filter(|_| !digital)
                .map(|_| EfficiencyRecord::parse(&record).unwrap()),
        };
        let old_item = (!digital).then(|| OldItem::Appliance {
            category: self.category.clone(),
            collector: collector.parse().ok(),
            collected_on: Some(self.on),
        });
        let item = if digital {
            Item::Digital {
                goods,
                imeis: vec![Imei::parse(&numbers::imei()).unwrap()],
            }
        } else {
            Item::Appliance(goods)
        };
        let claim = Claim {
            programme: ProgrammeId::parse(&self.programme).unwrap(),
            jurisdiction: JurisdictionCode::parse(&self.county).unwrap(),
            merchant_reference: MerchantReference::parse(&numbers::tag("B-")).unwrap(),
            channel: Channel::InStore,
            applicant: person.applicant(),
            purchase: purchase(
                &person,
                self.price,
                self.price.checked_sub(self.subsidy).unwrap(),
                self.on,
                goods_name(&self.category),
            ),
            item,
            old_item,
            entitlement: Some(EntitlementCode::parse(&entitlement).unwrap()),
            payee: Payee::Merchant,
        };
        (claim, on_file)
    }
}

pub(crate) fn entitlement_row(code: &str, programme: &str, person: &Person, category: &str) -> Value {
    json!({
        "code": code, "programme": programme, "applicant_identity_number": person.identity_number,
        "category": category, "issued_on": "2024-01-01", "expires_on": "2027-12-31",
    })
}

pub(crate) fn purchase(person: &Person, price: Fen, paid: Fen, on: NaiveDate, goods_name: &str) -> Purchase {
    let name = Some(person.full_name());
    Purchase {
        invoice: Invoice {
            number: InvoiceNumber::parse(&numbers::invoice_number(on.year())).unwrap(),
            date: on,
            total: price,
            buyer_name: name.clone(),
            goods_name: Some(goods_name.into()),
        },
        list_price: Some(price),
        final_price: price,
        paid: Some(paid),
        payer_name: name.clone(),
        consignee_name: name,
        delivery_address: Some(Address::parse("山西省运城市盐湖区解放北路100号").unwrap()),
        delivered_on: Some(on),
    }
}

fn goods_name(category: &str) -> &'static str {
    match category {
        "air_conditioner" => "空调",
        "refrigerator" => "电冰箱",
        "washing_machine" => "洗衣机",
        "television" => "电视机",
        "computer" => "笔记本电脑",
        "water_heater" => "热水器",
        "household_stove" => "家用灶具",
        "range_hood" => "吸油烟机",
        "water_purifier" => "净水器",
        "dishwasher" => "洗碗机",
        "rice_cooker" => "电饭煲",
        "microwave_oven" => "微波炉",
        "heater" => "取暖器",
        "phone" => "手机",
        "tablet" => "平板电脑",
        "smart_watch" => "智能手表",
        "smart_glasses" => "智能眼镜",
        other => panic!("no goods name for {other}"),
    }
}

impl World {
    /// A claim for the sale, with its papers on file.
    pub async fn sale(&self, sale: &Sale) -> Claim {
        self.sales(std::slice::from_ref(sale)).await.remove(0)
    }

    /// Claims for sales, with their papers on file.
    pub async fn sales(&self, sales: &[Sale]) -> Vec<Claim> {
        let (claims, on_file) = self.draft(sales);
        self.file(on_file).await;
        claims
    }

    /// Claims for sales, and the papers to put on file.
    pub fn draft(&self, sales: &[Sale]) -> (Vec<Claim>, Vec<(Register, Value)>) {
        let merchant = self.cast.retailer.merchant.clone().unwrap();
        let drafts = sales
            .iter()
            .map(|sale| sale.draft(&merchant, &self.cast.collector));
        let (claims, on_file): (Vec<_>, Vec<_>) = drafts.unzip();
        (claims, on_file.into_iter().flatten().collect())
    }

    /// Claims of as many persons for the same sale.
    pub async fn many(&self, count: usize, sale: &Sale) -> Vec<Claim> {
        self.sales(&vec![sale.clone(); count]).await
    }
}
