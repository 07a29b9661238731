//! The transparency log, and the samples that it fixes.

diesel::table! {
    checkpoints (jurisdiction, size) {
        jurisdiction -> Text,
        size -> Int8,
        root -> Bytea,
        note -> Text,
        made_at -> Timestamptz,
    }
}

diesel::table! {
    cosignatures (jurisdiction, size, witness) {
        jurisdiction -> Text,
        size -> Int8,
        witness -> Text,
        line -> Text,
        signed_at -> Timestamptz,
        received_at -> Timestamptz,
    }
}

diesel::table! {
    log_leaves (jurisdiction, first) {
        jurisdiction -> Text,
        first -> Int8,
        hashes -> Bytea,
    }
}

diesel::table! {
    log_nodes (jurisdiction, level, number) {
        jurisdiction -> Text,
        level -> Int2,
        number -> Int8,
        hash -> Bytea,
    }
}

diesel::table! {
    samples (jurisdiction, id) {
        jurisdiction -> Text,
        id -> Uuid,
        programme -> Nullable<Text>,
        since -> Timestamptz,
        until -> Timestamptz,
        size -> Int4,
        commitment -> Bytea,
        leaf -> Int8,
        leaf_hash -> Bytea,
        committer -> Text,
        committed_at -> Timestamptz,
        seed -> Nullable<Bytea>,
        population -> Nullable<Int8>,
        claims -> Nullable<Array<Uuid>>,
        drawn_leaf -> Nullable<Int8>,
        drawer -> Nullable<Text>,
        drawn_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(checkpoints, cosignatures, log_leaves, log_nodes, samples);
