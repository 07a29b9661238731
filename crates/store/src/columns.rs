//! Columns with the types of the domain, so that a row says what it holds and no caller parses it again.
//!
//! A domain type knows neither diesel nor SQL. What joins the two is a local SQL type for each way of keeping a
//! value: [`Word`], [`County`], [`Money`], [`Digest`]. To PostgreSQL they are `text`, `int8` and `bytea` by their
//! fixed type ids: a parameter has no cast, and no type is looked up in the catalogue. The macro `columns!` lists
//! which domain type is kept as which.
//!
//! A value is read with the domain type's own constructor. One that it refuses cannot be there by the schema's
//! constraints; should it be, the row is [`StoreError::Unreadable`](crate::StoreError::Unreadable), and the error
//! names the type, never the value.
//!
//! In statements written by hand, and in rows that write themselves, a domain type is bound as it is. In diesel's
//! expressions it is wrapped in [`Value`]: diesel implements `AsExpression` for every expression, so that it
//! cannot be implemented for a type of another crate.

use std::error::Error;
use std::io::Write;

use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::SqlType;

/// `text`: one word of a closed list, see [`words::words!`].
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 25, array_oid = 1009))]
pub struct Word;

/// `text`: the code of a jurisdiction.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 25, array_oid = 1009))]
pub struct County;

/// `int8`: fen.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 20, array_oid = 1016))]
pub struct Money;

/// `bytea`: a hash, of a length that its type fixes.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 17, array_oid = 1001))]
pub struct Digest;

/// A value of a domain type in an expression of diesel, such as `status.eq(Value(ProposalStatus::Pending))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression)]
#[diesel(sql_type = Word)]
#[diesel(sql_type = County)]
#[diesel(sql_type = Money)]
#[diesel(sql_type = Digest)]
pub struct Value<T>(pub(crate) T);

impl<T> From<T> for Value<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

/// A stored value that its type refuses. Which type, not which value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored {0} cannot be read")]
struct Unreadable(&'static str);

/// The type that refused a value, if that is what is behind an error.
pub(crate) fn unreadable(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut behind = std::iter::successors(Some(error), |it| (*it).source());
    behind.find_map(|it| it.downcast_ref::<Unreadable>().map(|it| it.0))
}

/// Declares domain types as columns, each of one SQL type: how a value is read, and how it is bound.
macro_rules! columns {
    ($($ty:ty: $sql:ident),+ $(,)?) => { $(columns!(@$sql $ty);)+ };
    (@Word $ty:ty) => {
        columns!(@impl $ty, Word, bytes => std::str::from_utf8(bytes).ok().and_then(<$ty>::parse),
            value => value.as_str().as_bytes());
    };
    (@County $ty:ty) => {
        columns!(@impl $ty, County, bytes => std::str::from_utf8(bytes).ok().and_then(|text| <$ty>::parse(text).ok()),
            value => value.as_str().as_bytes());
    };
    (@Money $ty:ty) => {
        columns!(@impl $ty, Money, bytes => bytes.try_into().ok().and_then(|fen| <$ty>::new(i64::from_be_bytes(fen)).ok()),
            value => &value.get().to_be_bytes());
    };
    (@Digest $ty:ty) => {
        columns!(@impl $ty, Digest, bytes => <$ty>::try_from(bytes).ok(), value => value.as_ref());
    };
    (@impl $ty:ty, $sql:ident, $bytes:ident => $read:expr, $value:ident => $write:expr) => {
        impl FromSql<$sql, Pg> for $ty {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                let $bytes = value.as_bytes();
                $read.ok_or_else(|| Unreadable(stringify!($ty)).into())
            }
        }
        impl Queryable<$sql, Pg> for $ty {
            type Row = Self;
            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }
        impl ToSql<$sql, Pg> for $ty {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let $value = self;
                out.write_all($write)?;
                Ok(IsNull::No)
            }
        }
        impl ToSql<$sql, Pg> for Value<$ty> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<$sql, Pg>::to_sql(&self.0, out)
            }
        }
    };
}

columns! {
    claims::JurisdictionCode: County,
    claims::Digest: Digest,
    claims::claim::Energy: Word,
    claims::claim::VehicleType: Word,
    claims::clawback::ClawbackReason: Word,
    claims::clients::ClientStatus: Word,
    claims::clients::Role: Word,
    claims::jurisdictions::JurisdictionKind: Word,
    claims::keys::UniqueKind: Word,
    claims::life_cycle::Status: Word,
    claims::payments::AdvanceStatus: Word,
    claims::payments::BankStatus: Word,
    claims::payments::DisbursementStatus: Word,
    claims::payments::EntryException: Word,
    claims::payments::EntryFormat: Word,
    claims::payments::EntryStanding: Word,
    claims::payments::PayeeKind: Word,
    claims::payments::PaymentOutcome: Word,
    claims::payments::ReportStatus: Word,
    claims::payments::SubmissionProblem: Word,
    claims::payments::SubmissionStatus: Word,
    claims::proposal::DraftStatus: Word,
    claims::proposal::ProposalStatus: Word,
    claims::registers::MerchantKind: Word,
    claims::registers::MerchantStatus: Word,
    claims::webhooks::DeliveryStatus: Word,
    claims::webhooks::DisabledReason: Word,
    claims::webhooks::EndpointStatus: Word,
    claims::webhooks::MessageKind: Word,
    ledger::Account: Word,
    ledger::Fen: Money,
    ledger::PeriodKind: Word,
    ledger::Reason: Word,
    ledger::Source: Word,
    ledger::log::Hash: Digest,
    policy::Outcome: Word,
    policy::VersionStatus: Word,
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::pg::TypeOidLookup;

    struct Oid;
    impl TypeOidLookup for Oid {
        fn lookup(&self) -> std::num::NonZeroU32 {
            std::num::NonZeroU32::MIN
        }
    }

    fn read<T: FromSql<ST, Pg>, ST>(bytes: &[u8]) -> deserialize::Result<T> {
        T::from_sql(PgValue::new(bytes, &Oid))
    }

    #[test]
    fn a_value_is_read_by_its_own_type() {
        assert_eq!(
            read::<ledger::Source, Word>(b"city").unwrap(),
            ledger::Source::City
        );
        assert_eq!(
            read::<claims::JurisdictionCode, County>(b"140802")
                .unwrap()
                .as_str(),
            "140802"
        );
        assert_eq!(
            read::<ledger::Fen, Money>(&1_500_i64.to_be_bytes())
                .unwrap()
                .get(),
            1_500
        );
        assert_eq!(
            read::<claims::Digest, Digest>(&[7; 16]).unwrap(),
            claims::Digest::new([7; 16])
        );
        assert_eq!(
            read::<ledger::log::Hash, Digest>(&[7; 32]).unwrap(),
            ledger::log::Hash([7; 32])
        );
    }

    #[test]
    fn a_value_that_is_none_names_its_type_and_not_itself() {
        let faults = [
            read::<ledger::Source, Word>(b"town").unwrap_err(),
            read::<claims::JurisdictionCode, County>(b"14080").unwrap_err(),
            read::<ledger::Fen, Money>(&(-5_i64).to_be_bytes()).unwrap_err(),
            read::<claims::Digest, Digest>(&[7; 15]).unwrap_err(),
        ];
        let texts = faults.map(|fault| fault.to_string());
        assert_eq!(
            texts,
            [
                "ledger::Source",
                "claims::JurisdictionCode",
                "ledger::Fen",
                "claims::Digest"
            ]
            .map(|name| format!("stored {name} cannot be read"))
        );
    }

    #[test]
    fn postgres_knows_the_types() {
        use diesel::sql_types::{Array, BigInt, Bytea, HasSqlType, Nullable, Text};

        fn ids<ST: 'static>() -> (u32, u32)
        where
            Pg: HasSqlType<ST> + HasSqlType<Array<ST>>,
        {
            struct NoLookup;
            impl diesel::pg::PgMetadataLookup for NoLookup {
                fn lookup_type(&mut self, _: &str, _: Option<&str>) -> diesel::pg::PgTypeMetadata {
                    panic!("a type is looked up")
                }
            }
            let one = <Pg as HasSqlType<ST>>::metadata(&mut NoLookup).oid().unwrap();
            let many = <Pg as HasSqlType<Array<ST>>>::metadata(&mut NoLookup)
                .oid()
                .unwrap();
            (one, many)
        }
        assert_eq!(ids::<Word>(), ids::<Text>());
        assert_eq!(ids::<County>(), ids::<Text>());
        assert_eq!(ids::<Money>(), ids::<BigInt>());
        assert_eq!(ids::<Digest>(), ids::<Bytea>());
        assert_eq!(ids::<Nullable<Word>>(), ids::<Nullable<Text>>());
    }
}
