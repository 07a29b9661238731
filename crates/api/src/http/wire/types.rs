//! Types of the domain that have one form wherever they stand.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use claims::identifiers::{
    BankAccount, CertificateNumber, CreditCode, EfficiencyRecord, EntitlementCode, Gtin13, IdentityNumber,
    Imei, InvoiceNumber, JurisdictionCode, MerchantReference, PersonName, Phone, PlateNumber, ProgrammeId,
    SerialNumber, Vin,
};
use claims::{
    AdvanceId, AppropriationId, BankEntryId, CapChangeId, ClaimId, DisbursementId, DraftId, HoldId,
    PaymentId, SampleId, WaiverId, WebhookId,
};
use ledger::Fen;
use utoipa::PartialSchema;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{KnownFormat, ObjectBuilder, SchemaFormat};
use uuid::Uuid;

use crate::http::field_limits;
use crate::http::fields::Slot;
use crate::http::money::Money;
use crate::http::wire::members::{explained, string};
use crate::http::wire::{AnySchema, Field, Named};

/// Identifiers with a grammar: the shortest and the longest that can be one. The longest allows for
/// separators, which the grammar drops.
macro_rules! identifiers {
    ($($type:ident $least:literal $most:expr;)*) => {
        $(impl Field for $type {
            type Value = $type;

            fn read(slot: &Slot<'_>) -> Option<$type> {
                slot.parse($type::parse)
            }

            fn schema() -> AnySchema {
                let text = ObjectBuilder::new().schema_type(string());
                text.min_length(Some($least)).max_length(Some($most)).into()
            }
        })*
    };
}

identifiers! {
    BankAccount 8 field_limits::IDENTIFIER;
    CertificateNumber 1 field_limits::IDENTIFIER;
    CreditCode 18 field_limits::IDENTIFIER;
    EfficiencyRecord 1 field_limits::IDENTIFIER;
    EntitlementCode 1 field_limits::IDENTIFIER;
    Gtin13 13 field_limits::IDENTIFIER;
    IdentityNumber 18 field_limits::IDENTIFIER;
    Imei 15 field_limits::IDENTIFIER;
    InvoiceNumber 18 field_limits::IDENTIFIER;
    MerchantReference 1 field_limits::IDENTIFIER;
    PersonName 1 field_limits::PERSON_NAME;
    Phone 10 field_limits::IDENTIFIER;
    PlateNumber 7 field_limits::IDENTIFIER;
    SerialNumber 1 field_limits::IDENTIFIER;
    Vin 17 field_limits::IDENTIFIER;
}

/// Codes that have no separators: their pattern says all.
macro_rules! patterns {
    ($($type:ident $pattern:literal $longest:literal $example:expr;)*) => {
        $(impl Field for $type {
            type Value = $type;

            fn read(slot: &Slot<'_>) -> Option<$type> {
                slot.parse($type::parse)
            }

            fn schema() -> AnySchema {
                let text = ObjectBuilder::new().schema_type(string());
                let text = text.pattern(Some($pattern)).max_length(Some($longest));
                let example: Option<&str> = $example;
                explained(text.into(), "", example.map(Into::into))
            }
        })*
    };
}

patterns! {
    JurisdictionCode "^[1-9][0-9]{5}([0-9]{3})?$" 9 Some("140802");
    ProgrammeId "^[a-z0-9-]{1,64}$" 64 None;
}

/// Ids of records: what each is called in an answer, and how it stands in a request.
macro_rules! ids {
    ($($id:ident $what:literal;)*) => {
        $(impl Named for $id {
            const WHAT: &'static str = $what;
        }

        impl Field for $id {
            type Value = $id;

            fn read(slot: &Slot<'_>) -> Option<$id> {
                slot.id()
            }

            fn schema() -> AnySchema {
                let pattern = format!("^{}[0-9]{{6,9}}_[0-9a-f]{{32}}$", $id::PREFIX);
                let text = ObjectBuilder::new().schema_type(string());
                text.pattern(Some(pattern)).max_length(Some(field_limits::ID)).into()
            }
        })*
    };
}

ids! {
    ClaimId "claim";
    DisbursementId "disbursement";
    AppropriationId "appropriation";
    CapChangeId "cap change";
    PaymentId "payment";
    HoldId "hold";
    AdvanceId "advance";
    WaiverId "waiver";
    WebhookId "webhook";
    DraftId "draft";
    SampleId "sample";
    BankEntryId "bank exception";
}

impl Field for Fen {
    type Value = Fen;
    const NAME: Option<&'static str> = Some("Money");

    fn read(slot: &Slot<'_>) -> Option<Fen> {
        slot.money()
    }

    fn schema() -> AnySchema {
        Money::schema()
    }
}

impl Field for bool {
    type Value = bool;

    fn read(slot: &Slot<'_>) -> Option<bool> {
        slot.flag()
    }

    fn schema() -> AnySchema {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Boolean))
            .into()
    }
}

fn formatted(format: KnownFormat, longest: usize) -> AnySchema {
    ObjectBuilder::new()
        .schema_type(string())
        .format(Some(SchemaFormat::KnownFormat(format)))
        .max_length(Some(longest))
        .into()
}

impl Field for NaiveDate {
    type Value = NaiveDate;

    fn read(slot: &Slot<'_>) -> Option<NaiveDate> {
        slot.date()
    }

    fn schema() -> AnySchema {
        formatted(KnownFormat::Date, field_limits::DATE)
    }
}

impl Field for DateTime<Utc> {
    type Value = DateTime<Utc>;

    fn read(slot: &Slot<'_>) -> Option<DateTime<Utc>> {
        let instant = DateTime::parse_from_rfc3339(slot.text(field_limits::INSTANT)?)
            .ok()
            .map(|it| it.with_timezone(&Utc));
        // PostgreSQL's range is narrower than RFC 3339's at one end only, but no ledger starts
        // before it.
        let possible = instant.filter(|it| (2000..=2999).contains(&it.year()));
        possible.or_else(|| {
            slot.wrong(
                "instant",
                "须为 RFC 3339 时刻（2000 年至 2999 年）",
                "it is an RFC 3339 instant of the years 2000 to 2999",
            )
        })
    }

    fn schema() -> AnySchema {
        formatted(KnownFormat::DateTime, field_limits::INSTANT)
    }
}

impl Field for Uuid {
    type Value = Uuid;

    fn read(slot: &Slot<'_>) -> Option<Uuid> {
        let id = Uuid::try_parse(slot.text(field_limits::UUID)?).ok();
        id.or_else(|| {
            slot.wrong(
                "form",
                "须为消息编号（UUID）",
                "it is the id of a message, a UUID",
            )
        })
    }

    fn schema() -> AnySchema {
        formatted(KnownFormat::Uuid, field_limits::UUID)
    }
}
