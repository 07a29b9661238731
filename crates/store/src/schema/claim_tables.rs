//! The tables of claims, of what they hold, and of clawbacks.

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Digest, Money, Word};

    claims (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        programme -> Text,
        programme_version -> Int4,
        status -> Word,
        revision -> Int4,
        merchant -> Text,
        merchant_reference -> Text,
        client -> Text,
        category -> Text,
        governing_date -> Nullable<Date>,
        created_at -> Timestamptz,
        changed_at -> Timestamptz,
        decided -> Int4,
        amount -> Nullable<Money>,
        holds -> Bool,
        committed -> Bool,
        committed_month -> Nullable<Text>,
        person -> Digest,
        quota_slot -> Nullable<Text>,
        waits_for -> Nullable<Text>,
        correct_by -> Nullable<Timestamptz>,
        reviewed_by -> Nullable<Text>,
        approved_by -> Nullable<Text>,
        disbursement -> Nullable<Uuid>,
        to_merchant -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Money};

    clawback_nettings (jurisdiction, payment, claim) {
        jurisdiction -> County,
        payment -> Uuid,
        claim -> Uuid,
        amount -> Money,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Money, Word};

    clawback_waivers (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        claim -> Uuid,
        amount -> Money,
        document -> Text,
        reason -> Text,
        status -> Word,
        maker -> Text,
        made_at -> Timestamptz,
        checker -> Nullable<Text>,
        checked_at -> Nullable<Timestamptz>,
        refusal -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Money, Word};

    clawbacks (jurisdiction, claim) {
        jurisdiction -> County,
        claim -> Uuid,
        programme -> Text,
        merchant -> Nullable<Text>,
        reason -> Word,
        clause -> Text,
        document -> Nullable<Text>,
        paid -> Money,
        due -> Money,
        repaid -> Money,
        netted -> Money,
        pending -> Money,
        waived -> Money,
        made_by -> Text,
        made_at -> Timestamptz,
        closed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Digest, Word};

    decisions (jurisdiction, claim, revision) {
        jurisdiction -> County,
        claim -> Uuid,
        revision -> Int4,
        outcome -> Word,
        receipt -> Bytea,
        digest -> Digest,
        decided_at -> Timestamptz,
        packing -> Int2,
        key_id -> Text,
        sealed -> Bytea,
        leaf -> Int8,
        keys -> Bytea,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::Digest;

    quotas (person, slot) {
        person -> Digest,
        slot -> Text,
        used -> Int4,
        ceiling -> Int4,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Digest, Word};

    unique_keys (digest) {
        digest -> Digest,
        kind -> Word,
        jurisdiction -> County,
        claim -> Uuid,
    }
}
