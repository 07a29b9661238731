//! The registers whose facts the rules read: whole loads go in by set, and a batch of claims is looked up by set.
//!
//! A row replaces the one under its key; of two rows for one key in a set the later wins. A row that says what is on file
//! already is left alone, so that loading the same file again writes nothing. Sets go in by the order of their keys, so that
//! two loads of one register cannot wait for each other. What a batch needs of all registers is asked in one round trip, by
//! one statement for each register that it needs at all. Personal columns are keyed hashes.

use std::cmp::Ordering;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Integer, Nullable, SmallInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::batch::{Bind, Sql, batch_insert};
use crate::operation::IdempotencyRow;
use crate::schema::{
    collectors, dismantlers, efficiency_labels, entitlements, filed_prices, merchants, scrap_certificates,
    vehicle_models,
};
use crate::{Conn, StoreError, Tx};

batch_insert! {
    /// An energy or water efficiency label on file; grades run from 1, the best, to 5.
    /// Primary key: `record`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = efficiency_labels, check_for_backend(diesel::pg::Pg))]
    pub struct EfficiencyLabelRow in "efficiency_labels" {
        record: String => Text,
        category: String => Text,
        brand: String => Text,
        model: String => Text,
        grade: i16 => SmallInt,
        standard: String => Text,
        filed_on: NaiveDate => Date,
    }
    on conflict " ON CONFLICT ON CONSTRAINT efficiency_labels_pkey DO UPDATE SET \
        category = excluded.category, brand = excluded.brand, model = excluded.model, grade = excluded.grade, \
        standard = excluded.standard, filed_on = excluded.filed_on \
        WHERE efficiency_labels.* IS DISTINCT FROM excluded.*"
}

batch_insert! {
    /// A scrapped car's certificate. Owner, VIN and plate are keyed hashes.
    /// Primary key: `number`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = scrap_certificates, check_for_backend(diesel::pg::Pg))]
    pub struct ScrapCertificateRow in "scrap_certificates" {
        number: String => Text,
        issued_on: NaiveDate => Date,
        owner: Vec<u8> => Bytea,
        vin: Vec<u8> => Bytea,
        plate: Vec<u8> => Bytea,
        energy: String => Text,
        vehicle_type: String => Text,
        first_registered_on: NaiveDate => Date,
        dismantler: String => Text,
    }
    on conflict " ON CONFLICT ON CONSTRAINT scrap_certificates_pkey DO UPDATE SET \
        issued_on = excluded.issued_on, owner = excluded.owner, vin = excluded.vin, plate = excluded.plate, \
        energy = excluded.energy, vehicle_type = excluded.vehicle_type, \
        first_registered_on = excluded.first_registered_on, dismantler = excluded.dismantler \
        WHERE scrap_certificates.* IS DISTINCT FROM excluded.*"
}

batch_insert! {
    /// A model in the purchase-tax catalogue of new-energy cars, and from when until when it is listed.
    /// Primary key: `model`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = vehicle_models, check_for_backend(diesel::pg::Pg))]
    pub struct VehicleModelRow in "vehicle_models" {
        model: String => Text,
        energy: String => Text,
        vehicle_type: String => Text,
        displacement_ml: i32 => Integer,
        listed_from: NaiveDate => Date,
        listed_until: Option<NaiveDate> => Nullable<Date>,
    }
    on conflict " ON CONFLICT ON CONSTRAINT vehicle_models_pkey DO UPDATE SET \
        energy = excluded.energy, vehicle_type = excluded.vehicle_type, displacement_ml = excluded.displacement_ml, \
        listed_from = excluded.listed_from, listed_until = excluded.listed_until \
        WHERE vehicle_models.* IS DISTINCT FROM excluded.*"
}

batch_insert! {
    /// The price, in fen, that a merchant filed for a model on a day; earlier filings are kept.
    /// Primary key: `merchant`, `model`, `filed_on`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = filed_prices, check_for_backend(diesel::pg::Pg))]
    pub struct FiledPriceRow in "filed_prices" {
        merchant: String => Text,
        model: String => Text,
        filed_on: NaiveDate => Date,
        price: i64 => BigInt,
    }
    on conflict " ON CONFLICT ON CONSTRAINT filed_prices_pkey DO UPDATE SET price = excluded.price \
        WHERE filed_prices.price <> excluded.price"
}

batch_insert! {
    /// A person's entitlement to one purchase. The applicant is a keyed hash.
    /// Primary key: `code`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = entitlements, check_for_backend(diesel::pg::Pg))]
    pub struct EntitlementRow in "entitlements" {
        code: String => Text,
        programme: String => Text,
        applicant: Vec<u8> => Bytea,
        category: String => Text,
        issued_on: NaiveDate => Date,
        expires_on: NaiveDate => Date,
    }
    on conflict " ON CONFLICT ON CONSTRAINT entitlements_pkey DO UPDATE SET \
        programme = excluded.programme, applicant = excluded.applicant, category = excluded.category, \
        issued_on = excluded.issued_on, expires_on = excluded.expires_on \
        WHERE entitlements.* IS DISTINCT FROM excluded.*"
}

batch_insert! {
    /// A merchant and its standing.
    /// Primary key: `credit_code`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = merchants, check_for_backend(diesel::pg::Pg))]
    pub struct MerchantRow in "merchants" {
        credit_code: String => Text,
        name: String => Text,
        kind: String => Text,
        jurisdiction: String => Text,
        status: String => Text,
    }
    on conflict " ON CONFLICT ON CONSTRAINT merchants_pkey DO UPDATE SET \
        name = excluded.name, kind = excluded.kind, jurisdiction = excluded.jurisdiction, status = excluded.status \
        WHERE merchants.* IS DISTINCT FROM excluded.*"
}

batch_insert! {
    /// A firm licensed to dismantle cars.
    /// Primary key: `credit_code`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = dismantlers, check_for_backend(diesel::pg::Pg))]
    pub struct DismantlerRow in "dismantlers" {
        credit_code: String => Text,
        name: String => Text,
        jurisdiction: String => Text,
        licensed_until: NaiveDate => Date,
    }
    on conflict " ON CONFLICT ON CONSTRAINT dismantlers_pkey DO UPDATE SET \
        name = excluded.name, jurisdiction = excluded.jurisdiction, licensed_until = excluded.licensed_until \
        WHERE dismantlers.* IS DISTINCT FROM excluded.*"
}

batch_insert! {
    /// A firm licensed to collect old appliances.
    /// Primary key: `credit_code`.
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = collectors, check_for_backend(diesel::pg::Pg))]
    pub struct CollectorRow in "collectors" {
        credit_code: String => Text,
        name: String => Text,
        jurisdiction: String => Text,
        licensed_until: NaiveDate => Date,
    }
    on conflict " ON CONFLICT ON CONSTRAINT collectors_pkey DO UPDATE SET \
        name = excluded.name, jurisdiction = excluded.jurisdiction, licensed_until = excluded.licensed_until \
        WHERE collectors.* IS DISTINCT FROM excluded.*"
}

/// Whose price of what, and the day on which it must be in force.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PriceQuestion {
    pub merchant: String,
    pub model: String,
    pub on: NaiveDate,
}

/// One row of each key, the last, by the order of keys.
fn last_of_each<R>(rows: &mut Vec<R>, order: impl Fn(&R, &R) -> Ordering) {
    rows.sort_by(&order);
    rows.reverse();
    rows.dedup_by(|earlier, kept| order(earlier, kept).is_eq());
    rows.reverse();
}

/// The keys under which something is asked of each register. Keys need not differ; those of a register that is not needed
/// are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegisterKeys {
    pub efficiency_labels: Vec<String>,
    pub scrap_certificates: Vec<String>,
    pub vehicle_models: Vec<String>,
    pub filed_prices: Vec<PriceQuestion>,
    pub entitlements: Vec<String>,
    pub merchants: Vec<String>,
    pub dismantlers: Vec<String>,
    pub collectors: Vec<String>,
}

/// What the registers hold under [`RegisterKeys`], each row once and in no order; a key without an entry is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegisterRows {
    pub efficiency_labels: Vec<EfficiencyLabelRow>,
    pub scrap_certificates: Vec<ScrapCertificateRow>,
    pub vehicle_models: Vec<VehicleModelRow>,
    /// In the order of the questions: the latest price filed on or before the day.
    pub filed_prices: Vec<Option<FiledPriceRow>>,
    pub entitlements: Vec<EntitlementRow>,
    pub merchants: Vec<MerchantRow>,
    pub dismantlers: Vec<DismantlerRow>,
    pub collectors: Vec<CollectorRow>,
}

/// The writing and reading of a register that is keyed by one text column.
macro_rules! keyed {
    ($($row:ident, $table:ident.$key:ident: $save:ident;)*) => {
        impl Tx {
            $(
                /// Files rows, each in place of the one under its key.
                pub async fn $save(&mut self, mut rows: Vec<$row>) -> Result<(), StoreError> {
                    last_of_each(&mut rows, |a, b| a.$key.cmp(&b.$key));
                    $row::insert(self, &rows).await?;
                    Ok(())
                }
            )*
        }

        $(
            impl $row {
                async fn under(mut pg: &AsyncPgConnection, keys: &[String]) -> Result<Vec<Self>, StoreError> {
                    if keys.is_empty() {
                        return Ok(Vec::new());
                    }
                    Ok($table::table
                        .filter($table::$key.eq_any(keys))
                        .select(Self::as_select())
                        .load(&mut pg)
                        .await?)
                }
            }
        )*
    };
}

keyed! {
    EfficiencyLabelRow, efficiency_labels.record: save_efficiency_labels;
    ScrapCertificateRow, scrap_certificates.number: save_scrap_certificates;
    VehicleModelRow, vehicle_models.model: save_vehicle_models;
    EntitlementRow, entitlements.code: save_entitlements;
    MerchantRow, merchants.credit_code: save_merchants;
    DismantlerRow, dismantlers.credit_code: save_dismantlers;
    CollectorRow, collectors.credit_code: save_collectors;
}

impl Conn {
    /// A merchant as it stands in the register.
    pub async fn merchant(&mut self, credit_code: &str) -> Result<Option<MerchantRow>, StoreError> {
        let rows = MerchantRow::under(self.pg(), &[credit_code.to_owned()]).await?;
        Ok(rows.into_iter().next())
    }
}

impl Tx {
    /// Files prices; one filed for the same day is replaced, those of other days stay.
    pub async fn save_filed_prices(&mut self, mut rows: Vec<FiledPriceRow>) -> Result<(), StoreError> {
        last_of_each(&mut rows, |a, b| {
            (&a.merchant, &a.model, a.filed_on).cmp(&(&b.merchant, &b.model, b.filed_on))
        });
        FiledPriceRow::insert(self, &rows).await?;
        Ok(())
    }
}

impl FiledPriceRow {
    /// For each question the latest price filed on or before its day, in the order of the questions.
    async fn in_force(
        mut pg: &AsyncPgConnection,
        questions: &[PriceQuestion],
    ) -> Result<Vec<Option<Self>>, StoreError> {
        #[derive(QueryableByName)]
        struct Answer {
            #[diesel(sql_type = BigInt)]
            position: i64,
            #[diesel(sql_type = Date)]
            filed_on: NaiveDate,
            #[diesel(sql_type = BigInt)]
            price: i64,
        }
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let answers: Vec<Answer> = Sql("SELECT q.position - 1 AS position, p.filed_on, p.price \
             FROM UNNEST($1, $2, $3) WITH ORDINALITY AS q (merchant, model, on_date, position) \
             CROSS JOIN LATERAL (SELECT f.filed_on, f.price FROM filed_prices f \
             WHERE f.merchant = q.merchant AND f.model = q.model AND f.filed_on <= q.on_date \
             ORDER BY f.filed_on DESC LIMIT 1) AS p")
        .bind::<Array<Text>, _>(questions.iter().map(|q| q.merchant.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(questions.iter().map(|q| q.model.as_str()).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(questions.iter().map(|q| q.on).collect::<Vec<_>>())
        .load(&mut pg)
        .await?;
        let mut prices = vec![None; questions.len()];
        for answer in answers {
            let place = usize::try_from(answer.position).unwrap_or(usize::MAX);
            let (Some(price), Some(question)) = (prices.get_mut(place), questions.get(place)) else {
                return Err(StoreError::Unreadable { what: "filed price" });
            };
            *price = Some(Self {
                merchant: question.merchant.clone(),
                model: question.model.clone(),
                filed_on: answer.filed_on,
                price: answer.price,
            });
        }
        Ok(prices)
    }
}

impl Conn {
    /// What the registers hold under `keys`, and what is remembered of these keys of idempotency (each with its client), in
    /// one round trip.
    pub async fn look_up(
        &mut self,
        keys: &RegisterKeys,
        used: &[(String, String)],
    ) -> Result<(RegisterRows, Vec<IdempotencyRow>), StoreError> {
        let pg: &AsyncPgConnection = self.pg();
        futures::try_join!(RegisterRows::under(pg, keys), IdempotencyRow::known(pg, used))
    }

    /// What the registers hold under these keys, in one round trip.
    pub async fn registers(&mut self, keys: &RegisterKeys) -> Result<RegisterRows, StoreError> {
        RegisterRows::under(self.pg(), keys).await
    }
}

impl RegisterRows {
    async fn under(pg: &AsyncPgConnection, keys: &RegisterKeys) -> Result<Self, StoreError> {
        let (
            efficiency_labels,
            scrap_certificates,
            vehicle_models,
            filed_prices,
            entitlements,
            merchants,
            dismantlers,
            collectors,
        ) = futures::try_join!(
            EfficiencyLabelRow::under(pg, &keys.efficiency_labels),
            ScrapCertificateRow::under(pg, &keys.scrap_certificates),
            VehicleModelRow::under(pg, &keys.vehicle_models),
            FiledPriceRow::in_force(pg, &keys.filed_prices),
            EntitlementRow::under(pg, &keys.entitlements),
            MerchantRow::under(pg, &keys.merchants),
            DismantlerRow::under(pg, &keys.dismantlers),
            CollectorRow::under(pg, &keys.collectors),
        )?;
        Ok(Self {
            efficiency_labels,
            scrap_certificates,
            vehicle_models,
            filed_prices,
            entitlements,
            merchants,
            dismantlers,
            collectors,
        })
    }
}

impl Conn {
    /// The prices that a merchant filed for a model, the newest first.
    pub async fn filed_price_history(
        &mut self,
        merchant: &str,
        model: &str,
        limit: i64,
    ) -> Result<Vec<FiledPriceRow>, StoreError> {
        Ok(filed_prices::table
            .filter(filed_prices::merchant.eq(merchant))
            .filter(filed_prices::model.eq(model))
            .order(filed_prices::filed_on.desc())
            .limit(limit)
            .select(FiledPriceRow::as_select())
            .load(self.pg())
            .await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_row_of_a_key_stays() {
        let mut rows = vec![("b", 1), ("a", 2), ("b", 3), ("a", 4), ("c", 5), ("b", 6)];
        last_of_each(&mut rows, |x, y| x.0.cmp(y.0));
        assert_eq!(rows, [("a", 4), ("b", 6), ("c", 5)]);
    }
}
