//! The tables of programmes: versions in force, and those that are proposed.

diesel::table! {
    use diesel::sql_types::*;
    use crate::columns::{County, Word};

    programme_drafts (jurisdiction, id) {
        jurisdiction -> County,
        id -> Uuid,
        programme -> Text,
        version -> Int4,
        hash -> Text,
        source -> Text,
        effective_from -> Date,
        report -> Text,
        report_digest -> Bytea,
        summary -> Text,
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

    programmes (id, version) {
        id -> Text,
        version -> Int4,
        hash -> Text,
        source -> Text,
        effective_from -> Date,
        status -> Word,
        created_at -> Timestamptz,
        activated_at -> Nullable<Timestamptz>,
        draft_jurisdiction -> Nullable<Text>,
        draft -> Nullable<Uuid>,
    }
}
