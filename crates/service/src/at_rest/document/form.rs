//! Version 1 of the written claim, which is also the shape of the wire's.

use std::borrow::Cow;
use std::str::FromStr;

use chrono::NaiveDate;
use claims::claim;
use claims::identifiers::{Address, IdentityNumber, PersonName};
use ledger::Fen;
use serde::{Deserialize, Serialize};

use super::region::region;
use super::{DocumentError, Person};

/// Whether personal data is written as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Personal {
    Plain,
    Masked,
}

impl Personal {
    fn show<'a>(self, plain: &'a str, masked: impl FnOnce() -> String) -> Text<'a> {
        match self {
            Self::Plain => Cow::Borrowed(plain),
            Self::Masked => Cow::Owned(masked()),
        }
    }

    fn name(self, name: &PersonName) -> Text<'_> {
        self.show(name.expose(), || name.masked())
    }

    fn identity(self, number: &IdentityNumber) -> Text<'_> {
        self.show(number.expose(), || number.masked())
    }

    fn address(self, address: &Address) -> Text<'_> {
        self.show(address.expose(), || region(address.expose()))
    }
}

/// Borrowed from the claim when written, owned when read.
type Text<'a> = Cow<'a, str>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form<'a> {
    programme: Text<'a>,
    jurisdiction: Text<'a>,
    merchant_reference: Text<'a>,
    channel: Text<'a>,
    applicant: Applicant<'a>,
    purchase: Purchase<'a>,
    item: Item<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_item: Option<OldItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entitlement: Option<Text<'a>>,
    payee: Payee<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Applicant<'a> {
    name: Text<'a>,
    identity_number: Text<'a>,
    phone: Text<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Purchase<'a> {
    invoice: Invoice<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_price: Option<Text<'a>>,
    final_price: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consignee_name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_address: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_on: Option<NaiveDate>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invoice<'a> {
    number: Text<'a>,
    date: NaiveDate,
    total: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer_name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_name: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Item<'a> {
    Appliance(Goods<'a>),
    Digital(Goods<'a>),
    Vehicle(NewVehicle<'a>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Goods<'a> {
    category: Text<'a>,
    brand: Text<'a>,
    model: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gtin: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    efficiency_label: Option<Text<'a>>,
    /// Of digital goods only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    imei: Vec<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewVehicle<'a> {
    vin: Text<'a>,
    energy: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    displacement_ml: Option<u32>,
    vehicle_type: Text<'a>,
    model: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registered_on: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_certificate: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum OldItem<'a> {
    Appliance(OldAppliance<'a>),
    Vehicle(OldVehicle<'a>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldAppliance<'a> {
    category: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collector: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collected_on: Option<NaiveDate>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldVehicle<'a> {
    vin: Text<'a>,
    plate: Text<'a>,
    energy: Text<'a>,
    vehicle_type: Text<'a>,
    first_registered_on: NaiveDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    owned_since: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_identity_number: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scrap_certificate: Option<ScrapPaper<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deregistration: Option<Deregistration<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<VehicleTransfer<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScrapPaper<'a> {
    number: Text<'a>,
    date: NaiveDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    dismantler: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deregistration<'a> {
    number: Text<'a>,
    date: NaiveDate,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VehicleTransfer<'a> {
    invoice_number: Text<'a>,
    date: NaiveDate,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Payee<'a> {
    Merchant {},
    Applicant {
        bank_account: Text<'a>,
        bank_name: Text<'a>,
    },
}

fn money<'a>(fen: Fen) -> Text<'a> {
    Cow::Owned(fen.to_string())
}

impl<'a> Form<'a> {
    pub(super) fn of(claim: &'a claim::Claim, personal: Personal) -> Self {
        Self {
            programme: claim.programme.as_str().into(),
            jurisdiction: claim.jurisdiction.as_str().into(),
            merchant_reference: claim.merchant_reference.as_str().into(),
            channel: claim.channel.as_str().into(),
            applicant: Applicant {
                name: personal.name(&claim.applicant.name),
                identity_number: personal.identity(&claim.applicant.identity_number),
                phone: personal.show(claim.applicant.phone.expose(), || claim.applicant.phone.masked()),
            },
            purchase: Purchase::of(&claim.purchase, personal),
            item: Item::of(&claim.item, personal),
            old_item: claim.old_item.as_ref().map(|old| OldItem::of(old, personal)),
            entitlement: claim.entitlement.as_ref().map(|code| code.as_str().into()),
            payee: match &claim.payee {
                claim::Payee::Merchant => Payee::Merchant {},
                claim::Payee::Applicant {
                    bank_account,
                    bank_name,
                } => Payee::Applicant {
                    bank_account: personal.show(bank_account.expose(), || bank_account.masked()),
                    bank_name: bank_name.into(),
                },
            },
        }
    }

    /// What of it is about the person.
    pub(super) fn person(self) -> Person {
        let owned = |text: Text<'a>| text.into_owned();
        Person {
            name: owned(self.applicant.name),
            identity_number: owned(self.applicant.identity_number),
            phone: owned(self.applicant.phone),
            buyer_name: self.purchase.invoice.buyer_name.map(owned),
            account: match self.payee {
                Payee::Merchant {} => None,
                Payee::Applicant {
                    bank_account,
                    bank_name,
                } => Some((owned(bank_account), owned(bank_name))),
            },
        }
    }

    pub(super) fn parse(self) -> Result<claim::Claim, DocumentError> {
        Ok(claim::Claim {
            programme: parsed("programme", &self.programme)?,
            jurisdiction: parsed("jurisdiction", &self.jurisdiction)?,
            merchant_reference: parsed("merchant_reference", &self.merchant_reference)?,
            channel: word("channel", claim::Channel::parse(&self.channel))?,
            applicant: claim::Applicant {
                name: parsed("applicant.name", &self.applicant.name)?,
                identity_number: parsed("applicant.identity_number", &self.applicant.identity_number)?,
                phone: parsed("applicant.phone", &self.applicant.phone)?,
            },
            purchase: self.purchase.parse()?,
            item: self.item.parse()?,
            old_item: self.old_item.map(OldItem::parse).transpose()?,
            entitlement: optional("entitlement", self.entitlement)?,
            payee: match self.payee {
                Payee::Merchant {} => claim::Payee::Merchant,
                Payee::Applicant {
                    bank_account,
                    bank_name,
                } => claim::Payee::Applicant {
                    bank_account: parsed("payee.bank_account", &bank_account)?,
                    bank_name: bank_name.into_owned(),
                },
            },
        })
    }
}

impl<'a> Purchase<'a> {
    fn of(purchase: &'a claim::Purchase, personal: Personal) -> Self {
        let name = |name: &'a Option<PersonName>| name.as_ref().map(|name| personal.name(name));
        Self {
            invoice: Invoice {
                number: purchase.invoice.number.as_str().into(),
                date: purchase.invoice.date,
                total: money(purchase.invoice.total),
                buyer_name: name(&purchase.invoice.buyer_name),
                goods_name: purchase.invoice.goods_name.as_ref().map(Into::into),
            },
            list_price: purchase.list_price.map(money),
            final_price: money(purchase.final_price),
            paid: purchase.paid.map(money),
            payer_name: name(&purchase.payer_name),
            consignee_name: name(&purchase.consignee_name),
            delivery_address: purchase
                .delivery_address
                .as_ref()
                .map(|address| personal.address(address)),
            delivered_on: purchase.delivered_on,
        }
    }

    fn parse(self) -> Result<claim::Purchase, DocumentError> {
        let invoice = self.invoice;
        Ok(claim::Purchase {
            invoice: claim::Invoice {
                number: parsed("purchase.invoice.number", &invoice.number)?,
                date: invoice.date,
                total: parsed("purchase.invoice.total", &invoice.total)?,
                buyer_name: optional("purchase.invoice.buyer_name", invoice.buyer_name)?,
                goods_name: invoice.goods_name.map(Cow::into_owned),
            },
            list_price: optional("purchase.list_price", self.list_price)?,
            final_price: parsed("purchase.final_price", &self.final_price)?,
            paid: optional("purchase.paid", self.paid)?,
            payer_name: optional("purchase.payer_name", self.payer_name)?,
            consignee_name: optional("purchase.consignee_name", self.consignee_name)?,
            delivery_address: optional("purchase.delivery_address", self.delivery_address)?,
            delivered_on: self.delivered_on,
        })
    }
}

impl<'a> Item<'a> {
    fn of(item: &'a claim::Item, personal: Personal) -> Self {
        match item {
            claim::Item::Appliance(goods) => Self::Appliance(Goods::of(goods, Vec::new())),
            claim::Item::Digital { goods, imeis } => Self::Digital(Goods::of(
                goods,
                imeis
                    .iter()
                    .map(|imei| personal.show(imei.expose(), || imei.masked()))
                    .collect(),
            )),
            claim::Item::Vehicle(vehicle) => Self::Vehicle(NewVehicle {
                vin: personal.show(vehicle.vin.expose(), || vehicle.vin.masked()),
                energy: vehicle.energy.as_str().into(),
                displacement_ml: vehicle.displacement_ml,
                vehicle_type: vehicle.vehicle_type.as_str().into(),
                model: (&vehicle.model).into(),
                registered_on: vehicle.registered_on,
                registration_certificate: vehicle
                    .registration_certificate
                    .as_ref()
                    .map(|n| n.as_str().into()),
            }),
        }
    }

    fn parse(self) -> Result<claim::Item, DocumentError> {
        Ok(match self {
            Self::Appliance(goods) => {
                let (goods, imeis) = goods.parse()?;
                if !imeis.is_empty() {
                    return Err(DocumentError::Field("item.imei"));
                }
                claim::Item::Appliance(goods)
            }
            Self::Digital(goods) => {
                let (goods, imeis) = goods.parse()?;
                claim::Item::Digital { goods, imeis }
            }
            Self::Vehicle(vehicle) => claim::Item::Vehicle(claim::NewVehicle {
                vin: parsed("item.vin", &vehicle.vin)?,
                energy: word("item.energy", claim::Energy::parse(&vehicle.energy))?,
                displacement_ml: vehicle.displacement_ml,
                vehicle_type: word(
                    "item.vehicle_type",
                    claim::VehicleType::parse(&vehicle.vehicle_type),
                )?,
                model: vehicle.model.into_owned(),
                registered_on: vehicle.registered_on,
                registration_certificate: optional(
                    "item.registration_certificate",
                    vehicle.registration_certificate,
                )?,
            }),
        })
    }
}

impl<'a> Goods<'a> {
    fn of(goods: &'a claim::Goods, imei: Vec<Text<'a>>) -> Self {
        Self {
            category: (&goods.category).into(),
            brand: (&goods.brand).into(),
            model: (&goods.model).into(),
            serial_number: goods.serial_number.as_ref().map(|n| n.as_str().into()),
            gtin: goods.gtin.as_ref().map(|n| n.as_str().into()),
            efficiency_label: goods.efficiency_label.as_ref().map(|n| n.as_str().into()),
            imei,
        }
    }

    fn parse(self) -> Result<(claim::Goods, Vec<claims::identifiers::Imei>), DocumentError> {
        let goods = claim::Goods {
            category: self.category.into_owned(),
            brand: self.brand.into_owned(),
            model: self.model.into_owned(),
            serial_number: optional("item.serial_number", self.serial_number)?,
            gtin: optional("item.gtin", self.gtin)?,
            efficiency_label: optional("item.efficiency_label", self.efficiency_label)?,
        };
        let imeis = self
            .imei
            .iter()
            .map(|imei| parsed("item.imei", imei))
            .collect::<Result<_, _>>()?;
        Ok((goods, imeis))
    }
}

impl<'a> OldItem<'a> {
    fn of(old: &'a claim::OldItem, personal: Personal) -> Self {
        match old {
            claim::OldItem::Appliance {
                category,
                collector,
                collected_on,
            } => Self::Appliance(OldAppliance {
                category: category.into(),
                collector: collector.as_ref().map(|code| code.as_str().into()),
                collected_on: *collected_on,
            }),
            claim::OldItem::Vehicle(car) => Self::Vehicle(OldVehicle {
                vin: personal.show(car.vin.expose(), || car.vin.masked()),
                plate: personal.show(car.plate.expose(), || car.plate.masked()),
                energy: car.energy.as_str().into(),
                vehicle_type: car.vehicle_type.as_str().into(),
                first_registered_on: car.first_registered_on,
                owned_since: car.owned_since,
                owner_identity_number: car.owner_identity_number.as_ref().map(|n| personal.identity(n)),
                scrap_certificate: car.scrap_certificate.as_ref().map(|paper| ScrapPaper {
                    number: paper.number.as_str().into(),
                    date: paper.date,
                    dismantler: paper.dismantler.as_ref().map(|code| code.as_str().into()),
                }),
                deregistration: car.deregistration.as_ref().map(|paper| Deregistration {
                    number: paper.number.as_str().into(),
                    date: paper.date,
                }),
                transfer: car.transfer.as_ref().map(|sale| VehicleTransfer {
                    invoice_number: sale.invoice_number.as_str().into(),
                    date: sale.date,
                }),
            }),
        }
    }

    fn parse(self) -> Result<claim::OldItem, DocumentError> {
        let car = match self {
            Self::Appliance(old) => {
                return Ok(claim::OldItem::Appliance {
                    category: old.category.into_owned(),
                    collector: optional("old_item.collector", old.collector)?,
                    collected_on: old.collected_on,
                });
            }
            Self::Vehicle(car) => car,
        };
        let scrap_certificate = |paper: ScrapPaper<'_>| -> Result<_, DocumentError> {
            Ok(claim::ScrapPaper {
                number: parsed("old_item.scrap_certificate.number", &paper.number)?,
                date: paper.date,
                dismantler: optional("old_item.scrap_certificate.dismantler", paper.dismantler)?,
            })
        };
        let deregistration = |paper: Deregistration<'_>| -> Result<_, DocumentError> {
            let number = parsed("old_item.deregistration.number", &paper.number)?;
            Ok(claim::Deregistration {
                number,
                date: paper.date,
            })
        };
        let transfer = |sale: VehicleTransfer<'_>| -> Result<_, DocumentError> {
            let invoice_number = parsed("old_item.transfer.invoice_number", &sale.invoice_number)?;
            Ok(claim::VehicleTransfer {
                invoice_number,
                date: sale.date,
            })
        };
        Ok(claim::OldItem::Vehicle(claim::OldVehicle {
            vin: parsed("old_item.vin", &car.vin)?,
            plate: parsed("old_item.plate", &car.plate)?,
            energy: word("old_item.energy", claim::Energy::parse(&car.energy))?,
            vehicle_type: word(
                "old_item.vehicle_type",
                claim::VehicleType::parse(&car.vehicle_type),
            )?,
            first_registered_on: car.first_registered_on,
            owned_since: car.owned_since,
            owner_identity_number: optional("old_item.owner_identity_number", car.owner_identity_number)?,
            scrap_certificate: car.scrap_certificate.map(scrap_certificate).transpose()?,
            deregistration: car.deregistration.map(deregistration).transpose()?,
            transfer: car.transfer.map(transfer).transpose()?,
        }))
    }
}

fn parsed<T: FromStr>(field: &'static str, text: &str) -> Result<T, DocumentError> {
    text.parse().map_err(|_| DocumentError::Field(field))
}

fn optional<T: FromStr>(field: &'static str, text: Option<Text<'_>>) -> Result<Option<T>, DocumentError> {
    text.map(|text| parsed(field, &text)).transpose()
}

fn word<T>(field: &'static str, word: Option<T>) -> Result<T, DocumentError> {
    word.ok_or(DocumentError::Field(field))
}
