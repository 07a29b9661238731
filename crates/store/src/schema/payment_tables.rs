//! The tables of money on its way to the bank and back.

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Money};

    advance_set_offs (jurisdiction, payment, advance) {
        jurisdiction -> County,
        payment -> Uuid,
        advance -> Uuid,
        amount -> Money,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Money, Word};

    advances (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        programme -> Text,
        merchant -> Text,
        disbursement -> Uuid,
        payment -> Uuid,
        amount -> Money,
        document -> Text,
        set_off -> Money,
        repaid -> Money,
        pending -> Money,
        status -> Word,
        maker -> Text,
        made_at -> Timestamptz,
        paid_at -> Nullable<Timestamptz>,
        closed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::Word;

    bank_accounts (holder, revision) {
        holder -> Text,
        revision -> Int4,
        key_id -> Text,
        sealed -> Bytea,
        status -> Word,
        maker -> Text,
        made_at -> Timestamptz,
        checker -> Nullable<Text>,
        checked_at -> Nullable<Timestamptz>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Money, Word};

    bank_entries (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        fingerprint -> Bytea,
        disbursement -> Nullable<Uuid>,
        payment -> Nullable<Uuid>,
        reference -> Text,
        verdict -> Word,
        amount -> Nullable<Money>,
        code -> Nullable<Text>,
        reason -> Nullable<Text>,
        booked_on -> Nullable<Date>,
        format -> Word,
        received_at -> Timestamptz,
        receiver -> Text,
        standing -> Word,
        exception -> Nullable<Word>,
        resolver -> Nullable<Text>,
        resolved_at -> Nullable<Timestamptz>,
        resolution -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Money, Word};

    disbursement_lines (jurisdiction, disbursement, claim) {
        jurisdiction -> County,
        disbursement -> Uuid,
        claim -> Uuid,
        payment -> Uuid,
        amount -> Money,
        outcome -> Word,
        recovered -> Money,
        netted -> Money,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Money, Word};

    disbursements (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        programme -> Text,
        status -> Word,
        revision -> Int4,
        claims -> Int4,
        total -> Money,
        maker -> Text,
        made_at -> Timestamptz,
        releaser -> Nullable<Text>,
        released_at -> Nullable<Timestamptz>,
        closed_at -> Nullable<Timestamptz>,
        payments -> Int4,
        needs_three -> Bool,
        countersigner -> Nullable<Text>,
        countersigned_at -> Nullable<Timestamptz>,
        account -> Nullable<Int4>,
        per_file -> Nullable<Int4>,
        digest -> Nullable<Bytea>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::County;

    payee_corrections (jurisdiction, claim, revision) {
        jurisdiction -> County,
        claim -> Uuid,
        revision -> Int4,
        key_id -> Text,
        sealed -> Bytea,
        maker -> Text,
        made_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Money, Word};

    payments (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        disbursement -> Uuid,
        payee -> Word,
        merchant -> Nullable<Text>,
        person -> Nullable<Bytea>,
        account -> Nullable<Int4>,
        claims -> Int4,
        amount -> Money,
        outcome -> Word,
        reason -> Nullable<Text>,
        settled_at -> Nullable<Timestamptz>,
        central -> Money,
        province -> Money,
        city -> Money,
        county -> Money,
        recovered_central -> Money,
        recovered_province -> Money,
        recovered_city -> Money,
        recovered_county -> Money,
        netted -> Money,
        advance -> Nullable<Uuid>,
    }
}
