//! The tables as diesel sees them. A test holds this file, and those of its folder, against the catalogue of a migrated database.

mod log;
mod outside;
mod registers;
mod versions;

pub use log::*;
pub use outside::*;
pub use registers::*;
pub use versions::*;

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
    use crate::columns::{County, Money, Word};

    appropriations (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        programme -> Text,
        source -> Word,
        amount -> Money,
        document -> Text,
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
    use crate::columns::{County, Word};

    cap_changes (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        programme -> Text,
        caps -> Text,
        document -> Text,
        status -> Word,
        maker -> Text,
        made_at -> Timestamptz,
        checker -> Nullable<Text>,
        checked_at -> Nullable<Timestamptz>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    caps (jurisdiction, programme, scope) {
        jurisdiction -> Text,
        programme -> Text,
        scope -> Text,
        ceiling -> Int8,
        committed -> Int8,
        waiting -> Int8,
    }
}

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
    closing_balances (jurisdiction, period, programme, account) {
        jurisdiction -> Text,
        period -> Text,
        programme -> Text,
        account -> Text,
        opening -> Int8,
        debits -> Int8,
        credits -> Int8,
        closing -> Int8,
    }
}

diesel::table! {
    closing_sources (jurisdiction, period, programme, source) {
        jurisdiction -> Text,
        period -> Text,
        programme -> Text,
        source -> Text,
        opening_appropriated -> Int8,
        opening_in_payment -> Int8,
        opening_spent -> Int8,
        opening_lapsed -> Int8,
        appropriated -> Int8,
        in_payment -> Int8,
        spent -> Int8,
        lapsed -> Int8,
        lapsed_after -> Int8,
    }
}

diesel::table! {
    closings (jurisdiction, period) {
        jurisdiction -> Text,
        period -> Text,
        kind -> Text,
        since -> Nullable<Timestamptz>,
        until -> Timestamptz,
        height -> Int8,
        transfers -> Int8,
        actor -> Text,
        made_at -> Timestamptz,
    }
}

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
    fund_sources (jurisdiction, programme, source) {
        jurisdiction -> Text,
        programme -> Text,
        source -> Text,
        appropriated -> Int8,
        in_payment -> Int8,
        spent -> Int8,
        lapsed -> Int8,
        carry -> Int8,
    }
}

diesel::table! {
    funds (jurisdiction, programme) {
        jurisdiction -> Text,
        programme -> Text,
        appropriated -> Int8,
        available -> Int8,
        reserved -> Int8,
        payable -> Int8,
        in_payment -> Int8,
        disbursed -> Int8,
        recoverable -> Int8,
        waiting -> Int8,
        advanced -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::County;

    holds (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        programme -> Nullable<Text>,
        merchant -> Nullable<Text>,
        claim -> Nullable<Uuid>,
        reason -> Text,
        placer -> Text,
        placed_at -> Timestamptz,
        lifter -> Nullable<Text>,
        lifted_at -> Nullable<Timestamptz>,
        lift_reason -> Nullable<Text>,
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
    ledgers (jurisdiction) {
        jurisdiction -> Text,
        height -> Int8,
        last_posted_at -> Nullable<Timestamptz>,
        closed_until -> Nullable<Timestamptz>,
        leaves -> Int8,
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
    source_moves (jurisdiction, number) {
        jurisdiction -> Text,
        number -> Int8,
        programme -> Text,
        source -> Text,
        appropriated -> Int8,
        in_payment -> Int8,
        spent -> Int8,
        lapsed -> Int8,
        posted_at -> Timestamptz,
    }
}

diesel::table! {
    transfers (jurisdiction, height) {
        jurisdiction -> Text,
        height -> Int8,
        programme -> Text,
        reason -> Text,
        debit -> Text,
        credit -> Text,
        amount -> Int8,
        claim -> Nullable<Uuid>,
        document -> Nullable<Uuid>,
        posted_at -> Timestamptz,
        actor -> Text,
        leaf -> Int8,
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
