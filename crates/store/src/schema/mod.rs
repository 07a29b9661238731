//! The tables as diesel sees them. A test holds this file, and those of its folder, against the catalogue of a migrated database.

mod claim_tables;
mod fund_tables;
mod log;
mod outside;
mod payment_tables;
mod registers;
mod versions;

pub use claim_tables::*;
pub use fund_tables::*;
pub use log::*;
pub use outside::*;
pub use payment_tables::*;
pub use registers::*;
pub use versions::*;

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::Word;

    clients (id) {
        id -> Text,
        secret_hash -> Text,
        role -> Word,
        person -> Text,
        merchant -> Nullable<Text>,
        jurisdictions -> Array<Text>,
        status -> Word,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    events (jurisdiction, subject, id) {
        jurisdiction -> Text,
        id -> Uuid,
        subject -> Text,
        verb -> Text,
        actor -> Text,
        person -> Text,
        at -> Timestamptz,
        revision -> Nullable<Int4>,
        from_status -> Nullable<Text>,
        to_status -> Nullable<Text>,
        reason -> Nullable<Text>,
        request -> Nullable<Text>,
        leaf -> Nullable<Int8>,
        detail -> Nullable<Text>,
    }
}

diesel::table! {
    idempotency_keys (client, key) {
        client -> Text,
        key -> Text,
        request -> Bytea,
        operation -> Text,
        claim_jurisdiction -> Nullable<Text>,
        claim -> Nullable<Uuid>,
        answer -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::Word;

    jurisdictions (code) {
        code -> Text,
        name_zh -> Text,
        name_en -> Text,
        kind -> Word,
        parent -> Nullable<Text>,
    }
}

diesel::table! {
    outbox (jurisdiction, id) {
        jurisdiction -> Text,
        id -> Uuid,
        subjects -> Array<Text>,
        events -> Array<Uuid>,
        attempts -> Int4,
        due_at -> Timestamptz,
    }
}

diesel::table! {
    waitlist_calls (jurisdiction, id) {
        jurisdiction -> Text,
        id -> Uuid,
        programme -> Text,
        due_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    advance_set_offs,
    advances,
    appropriations,
    bank_accounts,
    bank_entries,
    cap_changes,
    caps,
    claims,
    clawback_nettings,
    clawback_waivers,
    clawbacks,
    clients,
    closing_balances,
    closing_sources,
    closings,
    collectors,
    decisions,
    disbursement_lines,
    disbursements,
    dismantlers,
    efficiency_labels,
    entitlements,
    events,
    filed_prices,
    fund_sources,
    funds,
    holds,
    idempotency_keys,
    jurisdictions,
    ledgers,
    merchants,
    outbox,
    payee_corrections,
    payments,
    programme_drafts,
    programmes,
    quotas,
    scrap_certificates,
    source_moves,
    transfers,
    unique_keys,
    vehicle_models,
    waitlist_calls,
);
