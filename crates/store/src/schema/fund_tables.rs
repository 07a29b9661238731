//! The tables of money: funds, caps, transfers and closings.

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
    use crate::columns::{Money, Word};

    closing_balances (jurisdiction, period, programme, account) {
        jurisdiction -> Text,
        period -> Text,
        programme -> Text,
        account -> Word,
        opening -> Money,
        debits -> Money,
        credits -> Money,
        closing -> Money,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::Word;

    closing_sources (jurisdiction, period, programme, source) {
        jurisdiction -> Text,
        period -> Text,
        programme -> Text,
        source -> Word,
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
    ledgers (jurisdiction) {
        jurisdiction -> Text,
        height -> Int8,
        last_posted_at -> Nullable<Timestamptz>,
        closed_until -> Nullable<Timestamptz>,
        leaves -> Int8,
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
    use diesel::sql_types::*;
    use crate::columns::{Money, Word};

    transfers (jurisdiction, height) {
        jurisdiction -> Text,
        height -> Int8,
        programme -> Text,
        reason -> Word,
        debit -> Word,
        credit -> Word,
        amount -> Money,
        claim -> Nullable<Uuid>,
        document -> Nullable<Uuid>,
        posted_at -> Timestamptz,
        actor -> Text,
        leaf -> Int8,
    }
}
