//! The tables of what stands toward the world outside: the bank, and merchants' webhooks.

diesel::table! {
    bank_reports (bank, name, sha256) {
        bank -> Text,
        name -> Text,
        sha256 -> Bytea,
        id -> Uuid,
        bytes -> Int4,
        status -> Text,
        results -> Int4,
        exceptions -> Int4,
        fault -> Nullable<Text>,
        fault_line -> Nullable<Int8>,
        fault_column -> Nullable<Int8>,
        received_at -> Timestamptz,
    }
}

diesel::table! {
    bank_streams (bank) {
        bank -> Text,
        cursor -> Nullable<Text>,
        due_at -> Timestamptz,
        heard_at -> Nullable<Timestamptz>,
        failures -> Int4,
    }
}

diesel::table! {
    bank_submissions (jurisdiction, disbursement, part, version) {
        jurisdiction -> Text,
        disbursement -> Uuid,
        part -> Int4,
        version -> Int4,
        name -> Text,
        format -> Text,
        status -> Text,
        attempts -> Int4,
        in_doubt -> Bool,
        problem -> Nullable<Text>,
        why -> Nullable<Text>,
        due_at -> Timestamptz,
        queued_at -> Timestamptz,
        submitted_at -> Nullable<Timestamptz>,
        closed_at -> Nullable<Timestamptz>,
        sha256 -> Nullable<Bytea>,
        key_id -> Nullable<Text>,
        sealed -> Nullable<Bytea>,
        reference -> Nullable<Text>,
        resolver -> Nullable<Text>,
        resolution -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::County;

    webhook_attempts (jurisdiction, endpoint, delivery, attempt) {
        jurisdiction -> County,
        endpoint -> Uuid,
        delivery -> Uuid,
        attempt -> Int4,
        at -> Timestamptz,
        http_status -> Nullable<Int4>,
        error -> Nullable<Text>,
        took_ms -> Int4,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Word};

    webhook_deliveries (jurisdiction, endpoint, id) {
        jurisdiction -> County,
        endpoint -> Uuid,
        id -> Uuid,
        kind -> Word,
        subject -> Text,
        verb -> Text,
        from_status -> Nullable<Text>,
        to_status -> Nullable<Text>,
        at -> Timestamptz,
        status -> Word,
        attempts -> Int4,
        tries -> Int4,
        due_at -> Timestamptz,
        made_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Word};

    webhook_endpoints (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        merchant -> Text,
        slot -> Nullable<Int4>,
        status -> Word,
        statuses -> Array<Word>,
        key_id -> Text,
        sealed -> Bytea,
        old_until -> Nullable<Timestamptz>,
        made_at -> Timestamptz,
        failures -> Int4,
        failing_since -> Nullable<Timestamptz>,
        disabled_at -> Nullable<Timestamptz>,
        disabled_why -> Nullable<Word>,
        next_at -> Nullable<Timestamptz>,
        busy_until -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    bank_reports,
    bank_streams,
    bank_submissions,
    webhook_attempts,
    webhook_deliveries,
    webhook_endpoints,
);
