-- The transparency log: a Merkle tree (RFC 6962) over each county's transfers, decisions and events, and signed checkpoints of it.

-- What stood in a ledger before it had a log could not be proved by it.
DO $$ BEGIN
    IF EXISTS (SELECT FROM transfers) OR EXISTS (SELECT FROM decisions) THEN
        RAISE EXCEPTION 'this ledger began before the transparency log'
            USING HINT = 'A log proves what it saw from the first entry on. Begin with an empty database; this one stays as it is.';
    END IF;
END $$;

-- Leaves of the county's log; the next one gets this number.
ALTER TABLE ledgers ADD COLUMN leaves bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT ledgers_leaves_not_negative CHECK (leaves >= height);
-- Where each stands in the log. An event that concerns nobody outside, such as a look at personal data, stands in none.
ALTER TABLE transfers ADD COLUMN leaf bigint NOT NULL,
    ADD CONSTRAINT transfers_leaf_not_negative CHECK (leaf >= 0);
ALTER TABLE decisions ADD COLUMN leaf bigint NOT NULL,
    -- What the claim holds against others: a byte for the kind and 16 of the keyed digest, each.
    ADD COLUMN keys bytea NOT NULL,
    ADD CONSTRAINT decisions_leaf_not_negative CHECK (leaf >= 0),
    ADD CONSTRAINT decisions_keys_are_whole CHECK (octet_length(keys) % 17 = 0);
ALTER TABLE events ADD COLUMN leaf bigint,
    -- What was signed, as canonical JSON (RFC 8785).
    ADD COLUMN detail text,
    ADD CONSTRAINT events_leaf_not_negative CHECK (leaf >= 0);

-- Hashes of leaves as they were appended, 32 bytes each, from number `first` on. Rows are added, never changed.
CREATE TABLE log_leaves (
    jurisdiction  text NOT NULL,
    first         bigint NOT NULL,
    hashes        bytea NOT NULL,
    CONSTRAINT log_leaves_pkey PRIMARY KEY (jurisdiction, first),
    CONSTRAINT log_leaves_first_not_negative CHECK (first >= 0),
    CONSTRAINT log_leaves_hashes_are_whole CHECK (octet_length(hashes) > 0 AND octet_length(hashes) % 32 = 0)
);
-- Hashes do not compress.
ALTER TABLE log_leaves ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- Roots of complete subtrees of 2^level leaves, for every eighth level: what proofs are made of.
CREATE TABLE log_nodes (
    jurisdiction  text NOT NULL,
    level         smallint NOT NULL,
    number        bigint NOT NULL,
    hash          bytea NOT NULL,
    CONSTRAINT log_nodes_pkey PRIMARY KEY (jurisdiction, level, number),
    CONSTRAINT log_nodes_level_is_kept CHECK (level > 0 AND level % 8 = 0),
    CONSTRAINT log_nodes_number_not_negative CHECK (number >= 0),
    CONSTRAINT log_nodes_hash_is_sha256 CHECK (octet_length(hash) = 32)
);

-- Signed notes (C2SP tlog-checkpoint).
CREATE TABLE checkpoints (
    jurisdiction  text NOT NULL,
    size          bigint NOT NULL,
    root          bytea NOT NULL,
    note          text NOT NULL,
    made_at       timestamptz NOT NULL,
    CONSTRAINT checkpoints_pkey PRIMARY KEY (jurisdiction, size),
    CONSTRAINT checkpoints_size_not_negative CHECK (size >= 0),
    CONSTRAINT checkpoints_root_is_sha256 CHECK (octet_length(root) = 32),
    CONSTRAINT checkpoints_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);

-- Witnesses' words on checkpoints (C2SP tlog-cosignature): the first that each gave is kept.
CREATE TABLE cosignatures (
    jurisdiction  text NOT NULL,
    size          bigint NOT NULL,
    witness       text NOT NULL,
    line          text NOT NULL,
    signed_at     timestamptz NOT NULL,
    received_at   timestamptz NOT NULL,
    CONSTRAINT cosignatures_pkey PRIMARY KEY (jurisdiction, size, witness),
    CONSTRAINT cosignatures_checkpoint_fkey FOREIGN KEY (jurisdiction, size) REFERENCES checkpoints (jurisdiction, size)
);

CREATE FUNCTION log_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is added to, never changed'
        USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_append_only', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER log_leaves_append_only BEFORE UPDATE OR DELETE ON log_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse_change();
CREATE TRIGGER log_nodes_append_only BEFORE UPDATE OR DELETE ON log_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse_change();
CREATE TRIGGER checkpoints_append_only BEFORE UPDATE OR DELETE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse_change();
CREATE TRIGGER cosignatures_append_only BEFORE UPDATE OR DELETE ON cosignatures
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse_change();
