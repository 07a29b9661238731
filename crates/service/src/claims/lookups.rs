//! What the registers say of a batch of claims: one statement for each register that some claim of
//! it needs, all in one round trip, whatever the size of the batch.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use claims::claim::Claim;
use claims::identifiers::CreditCode;
use claims::registers::{Known, LookUps, ScrapCertificate, look_ups};
use store::StoreError;
use store::operation::IdempotencyRow;
use store::programmes::registers::{PriceQuestion, RegisterKeys, RegisterRows};

use super::Claims;
use crate::operation::ServiceError;
use crate::programmes::registers::{rows, stored_model};

/// One claim's questions.
#[derive(Debug)]
struct Asked {
    look_ups: LookUps,
    merchant: String,
    price: Option<PriceQuestion>,
}

/// What one caller wants to know: what the registers say of its claims, and which of its keys were
/// used before.
#[derive(Debug)]
pub(super) struct LookUp {
    asked: Arc<[Asked]>,
    /// Idempotency keys, each with its client.
    used: Vec<(String, String)>,
}

/// The answer to a [`LookUp`].
#[derive(Debug)]
pub(super) struct LookedUp {
    /// What the registers answered to everything that was asked in the same batch.
    answers: Arc<Answers>,
    /// Those of the keys that were used.
    used: Vec<IdempotencyRow>,
}

impl Claims {
    /// What is known of a merchant's claim.
    pub(super) async fn known(&self, claim: &Claim, merchant: &str) -> Result<Known, ServiceError> {
        let asked = Arc::new([Asked::by(claim, merchant)]);
        let shared: Arc<[Asked]> = Arc::<[Asked; 1]>::clone(&asked);
        let answer = self.ask(shared, Vec::new()).await?;
        let [one] = &*asked;
        Ok(answer.answers.known(one))
    }

    /// What is known of each claim of a merchant (its credit code), in the order of the claims, and
    /// which of the idempotency keys were used before.
    pub(super) async fn known_and_used(
        &self,
        claims: &[(Claim, String)],
        used: Vec<(String, String)>,
    ) -> Result<(Vec<Known>, Vec<IdempotencyRow>), ServiceError> {
        let asked = claims.iter().map(|(claim, merchant)| Asked::by(claim, merchant));
        let asked = asked.collect::<Arc<[Asked]>>();
        let LookedUp { answers, used } = self.ask(Arc::clone(&asked), used).await?;
        Ok((asked.iter().map(|it| answers.known(it)).collect(), used))
    }

    /// Callers that ask at the same time are answered by the same statements.
    async fn ask(&self, asked: Arc<[Asked]>, used: Vec<(String, String)>) -> Result<LookedUp, ServiceError> {
        self.lanes.look_ups.ask(LookUp { asked, used })?.given().await?
    }

    /// Answers many callers with one statement for each register, all in one round trip.
    pub(super) async fn look_up(&self, batch: Vec<LookUp>) -> Vec<Result<LookedUp, ServiceError>> {
        match self.answers(&batch).await {
            Ok((answers, used)) => {
                let mut rows = HashMap::<(String, String), IdempotencyRow>::new();
                for row in used {
                    rows.insert((row.client.clone(), row.key.clone()), row);
                }
                let answers = Arc::new(answers);
                let answer = |look_up: LookUp| LookedUp {
                    answers: Arc::clone(&answers),
                    used: look_up
                        .used
                        .iter()
                        .filter_map(|key| rows.get(key).cloned())
                        .collect(),
                };
                batch.into_iter().map(|look_up| Ok(answer(look_up))).collect()
            }
            Err(error) => batch.iter().map(|_| Err(error.clone().into())).collect(),
        }
    }

    async fn answers(&self, batch: &[LookUp]) -> Result<(Answers, Vec<IdempotencyRow>), StoreError> {
        let asked = || batch.iter().flat_map(|look_up| look_up.asked.iter());
        let used = distinct(batch.iter().flat_map(|look_up| look_up.used.iter().cloned()));
        let mut answers = Answers::default();
        let mut conn = self.op.read().await?;
        let keys = keys(asked());
        let (found, used) = conn.look_up(&keys, &used).await?;
        answers.add(&keys.filed_prices, found)?;
        // A claim that names no dismantler is answered with its certificate's, which is known only
        // now.
        let unnamed = asked().filter_map(|it| {
            answers
                .dismantler_of(it)
                .filter(|_| it.look_ups.dismantler.is_none())
        });
        let dismantlers = distinct(unnamed.filter(|code| !answers.dismantlers.contains_key(code.as_str())));
        if !dismantlers.is_empty() {
            let keys = RegisterKeys {
                dismantlers,
                ..RegisterKeys::default()
            };
            answers.add(&[], conn.registers(&keys).await?)?;
        }
        Ok((answers, used))
    }
}

impl Asked {
    fn by(claim: &Claim, merchant: &str) -> Self {
        let look_ups = look_ups(claim);
        let price = look_ups
            .filed_model
            .as_deref()
            .and_then(stored_model)
            .map(|model| PriceQuestion {
                merchant: merchant.to_owned(),
                model,
                on: claim.purchase.invoice.date,
            });
        Self {
            look_ups,
            merchant: merchant.to_owned(),
            price,
        }
    }
}

/// The keys of all questions, each once.
fn keys<'a>(asked: impl Iterator<Item = &'a Asked> + Clone) -> RegisterKeys {
    let look_ups = || asked.clone().map(|it| &it.look_ups);
    RegisterKeys {
        efficiency_labels: distinct(
            look_ups().filter_map(|it| it.label.as_ref().map(|key| key.as_str().to_owned())),
        ),
        scrap_certificates: distinct(
            look_ups().filter_map(|it| it.certificate.as_ref().map(|key| key.as_str().to_owned())),
        ),
        vehicle_models: distinct(
            look_ups().filter_map(|it| it.vehicle_model.as_deref().and_then(stored_model)),
        ),
        filed_prices: distinct(asked.clone().filter_map(|it| it.price.clone())),
        entitlements: distinct(
            look_ups().filter_map(|it| it.entitlement.as_ref().map(|key| key.as_str().to_owned())),
        ),
        merchants: distinct(asked.clone().map(|it| it.merchant.clone())),
        dismantlers: distinct(look_ups().filter_map(|it| it.dismantler.as_ref().map(text))),
        collectors: distinct(look_ups().filter_map(|it| it.collector.as_ref().map(text))),
    }
}

fn text(code: &CreditCode) -> String {
    code.as_str().to_owned()
}

fn distinct<T: Ord>(keys: impl Iterator<Item = T>) -> Vec<T> {
    keys.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What the registers answered, by key.
#[derive(Debug, Default)]
struct Answers {
    labels: HashMap<String, claims::registers::EfficiencyLabel>,
    certificates: HashMap<String, ScrapCertificate>,
    vehicle_models: HashMap<String, claims::registers::VehicleModel>,
    prices: HashMap<PriceQuestion, claims::registers::FiledPrice>,
    entitlements: HashMap<String, claims::registers::Entitlement>,
    merchants: HashMap<String, claims::registers::Merchant>,
    dismantlers: HashMap<String, claims::registers::Dismantler>,
    collectors: HashMap<String, claims::registers::Collector>,
}

impl Answers {
    /// Takes in what was found; prices come in the order of their questions.
    fn add(&mut self, prices: &[PriceQuestion], found: RegisterRows) -> Result<(), StoreError> {
        gather(&mut self.labels, found.efficiency_labels, |row| {
            (row.record.clone(), rows::efficiency_label(row))
        })?;
        gather(&mut self.certificates, found.scrap_certificates, |row| {
            (row.number.clone(), rows::scrap_certificate(row))
        })?;
        gather(&mut self.vehicle_models, found.vehicle_models, |row| {
            (row.model.clone(), rows::vehicle_model(row))
        })?;
        let prices = prices.iter().cloned().zip(found.filed_prices);
        gather(
            &mut self.prices,
            prices.filter_map(|(question, row)| Some((question, row?))),
            |(question, row)| (question, rows::filed_price(row)),
        )?;
        gather(&mut self.entitlements, found.entitlements, |row| {
            (row.code.clone(), rows::entitlement(row))
        })?;
        gather(&mut self.merchants, found.merchants, |row| {
            (row.credit_code.clone(), rows::merchant(row))
        })?;
        gather(&mut self.dismantlers, found.dismantlers, |row| {
            (row.credit_code.clone(), rows::dismantler(row))
        })?;
        gather(&mut self.collectors, found.collectors, |row| {
            (row.credit_code.clone(), rows::collector(row))
        })
    }

    fn certificate(&self, asked: &Asked) -> Option<&ScrapCertificate> {
        self.certificates
            .get(asked.look_ups.certificate.as_ref()?.as_str())
    }

    /// The dismantler that the claim names; if it names none, the certificate's.
    fn dismantler_of(&self, asked: &Asked) -> Option<String> {
        let named = asked.look_ups.dismantler.as_ref();
        named
            .or_else(|| self.certificate(asked)?.dismantler.as_ref())
            .map(text)
    }

    fn known(&self, asked: &Asked) -> Known {
        let LookUps {
            label,
            vehicle_model,
            entitlement,
            collector,
            ..
        } = &asked.look_ups;
        Known {
            label: label
                .as_ref()
                .and_then(|key| self.labels.get(key.as_str()))
                .cloned(),
            filed_price: asked
                .price
                .as_ref()
                .and_then(|question| self.prices.get(question))
                .cloned(),
            certificate: self.certificate(asked).cloned(),
            vehicle_model: vehicle_model
                .as_ref()
                .and_then(|key| self.vehicle_models.get(key))
                .cloned(),
            entitlement: entitlement
                .as_ref()
                .and_then(|key| self.entitlements.get(key.as_str()))
                .cloned(),
            merchant: self.merchants.get(&asked.merchant).cloned(),
            dismantler: self
                .dismantler_of(asked)
                .and_then(|key| self.dismantlers.get(&key))
                .cloned(),
            collector: collector
                .as_ref()
                .and_then(|key| self.collectors.get(key.as_str()))
                .cloned(),
        }
    }
}

fn gather<R, K: Hash + Eq, V>(
    into: &mut HashMap<K, V>,
    rows: impl IntoIterator<Item = R>,
    read: impl Fn(R) -> (K, Result<V, StoreError>),
) -> Result<(), StoreError> {
    for row in rows {
        let (key, value) = read(row);
        into.insert(key, value?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use claims::claim::OldItem;

    use super::*;

    fn example(line: usize) -> Claim {
        let text = include_str!("../at_rest/document/v1.jsonl")
            .lines()
            .nth(line)
            .unwrap();
        crate::at_rest::document::read(text.as_bytes()).unwrap()
    }

    fn asked(claims: &[Claim]) -> Vec<Asked> {
        claims
            .iter()
            .map(|claim| Asked::by(claim, "91140802MAXG612DDP"))
            .collect()
    }

    #[test]
    fn only_registers_that_are_needed_are_asked_and_each_key_once() {
        let digital = keys(asked(&[example(1), example(1)]).iter());
        let price = PriceQuestion {
            merchant: "91140802MAXG612DDP".into(),
            model: "ABC-AL00".into(),
            on: example(1).purchase.invoice.date,
        };
        let expected = RegisterKeys {
            filed_prices: vec![price],
            merchants: vec!["91140802MAXG612DDP".into()],
            ..RegisterKeys::default()
        };
        assert_eq!(digital, expected);

        let both = keys(asked(&[example(0), example(2)]).iter());
        assert_eq!(both.efficiency_labels, ["20241017-471100-92391729144470006"]);
        assert_eq!(both.collectors, ["91140802MAXG612DDP"]);
        assert_eq!(both.scrap_certificates, ["1408ABC"]);
        assert_eq!(both.dismantlers, ["91140802MAXFD1YM2G"]);
        assert_eq!(both.vehicle_models, ["SGM7150"]);
        assert_eq!(both.entitlements, ["QY0000000001"]);
    }

    #[test]
    fn a_model_that_no_register_can_hold_is_not_asked_for() {
        let mut claim = example(3);
        if let claims::claim::Item::Vehicle(vehicle) = &mut claim.item {
            vehicle.model = "a\0b".into();
        }
        let asked = asked(&[claim]);
        assert!(keys(asked.iter()).vehicle_models.is_empty());
        assert_eq!(Answers::default().known(&asked[0]), Known::default());
    }

    #[test]
    fn a_claim_that_names_no_dismantler_gets_the_certificates() {
        let mut claim = example(2);
        let named = asked(&[claim.clone()]);
        if let Some(OldItem::Vehicle(old)) = &mut claim.old_item {
            old.scrap_certificate.as_mut().unwrap().dismantler = None;
        }
        let unnamed = asked(&[claim]);
        let mut answers = Answers::default();
        assert_eq!(answers.dismantler_of(&unnamed[0]), None);
        let row = store::programmes::registers::ScrapCertificateRow {
            number: "1408ABC".into(),
            issued_on: "2026-04-01".parse().unwrap(),
            owner: vec![1; 16],
            vin: vec![2; 16],
            plate: vec![3; 16],
            energy: "diesel".into(),
            vehicle_type: "micro_passenger".into(),
            first_registered_on: "2010-05-01".parse().unwrap(),
            dismantler: "91140802MAXG612DDP".into(),
        };
        answers
            .certificates
            .insert("1408ABC".into(), rows::scrap_certificate(row).unwrap());
        assert_eq!(
            answers.dismantler_of(&unnamed[0]).as_deref(),
            Some("91140802MAXG612DDP")
        );
        assert_eq!(
            answers.dismantler_of(&named[0]).as_deref(),
            Some("91140802MAXFD1YM2G")
        );
    }
}
