-- What an auditor checks: events, the transparency log (a Merkle tree, RFC 6962, over each county's
-- transfers, decisions and events) with its signed checkpoints, and samples for inspection.

-- Who did what to which subject (a prefixed id), when and why. `person` is the human behind
-- `actor`, `leaf` the event's place in the county's log, `detail` what was signed, as canonical
-- JSON (RFC 8785). An event that concerns nobody outside, such as a look at personal data, stands
-- in no log. Rows are added, never changed.
CREATE TABLE events (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    subject       text NOT NULL,
    verb          text NOT NULL,
    actor         text NOT NULL,
    person        text NOT NULL,
    at            timestamptz NOT NULL,
    revision      integer,
    from_status   text,
    to_status     text,
    reason        text,
    request       text,
    leaf          bigint,
    detail        text,
    -- One record's history is read by it, in order; intake writes to no other index.
    CONSTRAINT events_pkey PRIMARY KEY (jurisdiction, subject, id),
    CONSTRAINT events_leaf_not_negative CHECK (leaf >= 0)
);
-- Looks at personal data, by county and by person; and approvals by time, which samples are drawn
-- from. No event of intake is in any of them.
CREATE INDEX events_reads_idx ON events (jurisdiction, id)
    WHERE verb IN ('reveal', 'hand_out_instruction', 'export_claims');
CREATE INDEX events_reads_person_idx ON events (jurisdiction, person, id)
    WHERE verb IN ('reveal', 'hand_out_instruction', 'export_claims');
CREATE INDEX events_approvals_idx ON events (jurisdiction, at, id) WHERE verb = 'approve';

CREATE FUNCTION events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are added, never changed'
        USING ERRCODE = '23514', CONSTRAINT = 'events_append_only', TABLE = 'events';
END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION events_refuse_change();

-- A log that forgets or changes a leaf proves nothing.
CREATE FUNCTION log_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is added to, never changed'
        USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_append_only', TABLE = TG_TABLE_NAME;
END $$;

-- Hashes of the leaves that a unit of work appended to a county's log: 32 bytes each, from number
-- `first` on. Proofs read hashes only, so no table has an index on its `leaf`.
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
CREATE TRIGGER log_leaves_append_only BEFORE UPDATE OR DELETE ON log_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse_change();

-- Roots of complete subtrees of 2^level leaves, at every eighth level: what proofs are made of.
-- Written when a checkpoint is made.
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
CREATE TRIGGER log_nodes_append_only BEFORE UPDATE OR DELETE ON log_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse_change();

-- Signed notes on the size and root of a county's log (C2SP tlog-checkpoint).
CREATE TABLE checkpoints (
    jurisdiction  text NOT NULL,
    size          bigint NOT NULL,
    root          bytea NOT NULL,
    note          text NOT NULL,
    made_at       timestamptz NOT NULL,
    -- One root for each size: two would be a fork of the log.
    CONSTRAINT checkpoints_pkey PRIMARY KEY (jurisdiction, size),
    CONSTRAINT checkpoints_size_not_negative CHECK (size >= 0),
    CONSTRAINT checkpoints_root_is_sha256 CHECK (octet_length(root) = 32),
    CONSTRAINT checkpoints_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);
CREATE TRIGGER checkpoints_append_only BEFORE UPDATE OR DELETE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse_change();

-- Signatures of witnesses under a checkpoint (C2SP tlog-cosignature): the first of each witness is
-- kept.
CREATE TABLE cosignatures (
    jurisdiction  text NOT NULL,
    size          bigint NOT NULL,
    witness       text NOT NULL,
    line          text NOT NULL,
    signed_at     timestamptz NOT NULL,
    received_at   timestamptz NOT NULL,
    CONSTRAINT cosignatures_pkey PRIMARY KEY (jurisdiction, size, witness),
    CONSTRAINT cosignatures_checkpoint_fkey FOREIGN KEY (jurisdiction, size)
        REFERENCES checkpoints (jurisdiction, size)
);
CREATE TRIGGER cosignatures_append_only BEFORE UPDATE OR DELETE ON cosignatures
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse_change();

-- A sample of approved claims for inspection. The auditor first commits to a seed: `commitment` is
-- its SHA-256, `leaf` and `leaf_hash` are of the event that put it into the county's log. The draw
-- shows the seed: `claims` are those drawn, in the order of their scores, from `population`
-- approvals. Neither the auditor nor the county can choose the claims.
CREATE TABLE samples (
    jurisdiction    text NOT NULL,
    id              uuid NOT NULL,
    programme       text,
    since           timestamptz NOT NULL,
    until           timestamptz NOT NULL,
    size            integer NOT NULL,
    commitment      bytea NOT NULL,
    leaf            bigint NOT NULL,
    leaf_hash       bytea NOT NULL,
    committer       text NOT NULL,
    committed_at    timestamptz NOT NULL,
    seed            bytea,
    population      bigint,
    claims          uuid[],
    drawn_leaf      bigint,
    drawer          text,
    drawn_at        timestamptz,
    CONSTRAINT samples_pkey PRIMARY KEY (jurisdiction, id),
    -- A seed that was shown is no secret any more, so it serves once in a county.
    CONSTRAINT samples_commitment_key UNIQUE (jurisdiction, commitment),
    CONSTRAINT samples_period_not_empty CHECK (since < until),
    CONSTRAINT samples_size_bounded CHECK (size BETWEEN 1 AND 1000),
    CONSTRAINT samples_hashes_are_sha256 CHECK
        (octet_length(commitment) = 32 AND octet_length(leaf_hash) = 32),
    CONSTRAINT samples_seed_is_committed CHECK (octet_length(seed) = 32 AND sha256(seed) = commitment),
    CONSTRAINT samples_drawn_whole CHECK
        (num_nulls(seed, population, claims, drawn_leaf, drawer, drawn_at) IN (0, 6)),
    -- A later approval could otherwise change what is drawn.
    CONSTRAINT samples_drawn_after_period CHECK (drawn_at >= until),
    CONSTRAINT samples_committed_before_drawn CHECK (drawn_leaf > leaf),
    CONSTRAINT samples_drawn_as_many CHECK
        (population >= 0 AND cardinality(claims) = least(size, population)),
    CONSTRAINT samples_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);

-- What was committed to is what is drawn: a sample takes one draw and no other change.
CREATE FUNCTION samples_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.seed IS NULL
        AND (OLD.jurisdiction, OLD.id, OLD.since, OLD.until, OLD.size, OLD.commitment, OLD.leaf, OLD.leaf_hash, OLD.committer, OLD.committed_at)
        = (NEW.jurisdiction, NEW.id, NEW.since, NEW.until, NEW.size, NEW.commitment, NEW.leaf, NEW.leaf_hash, NEW.committer, NEW.committed_at)
        AND OLD.programme IS NOT DISTINCT FROM NEW.programme THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a sample is drawn once and never changes'
        USING ERRCODE = '23514', CONSTRAINT = 'samples_drawn_once', TABLE = 'samples';
END $$;
CREATE TRIGGER samples_drawn_once BEFORE UPDATE OR DELETE ON samples
    FOR EACH ROW EXECUTE FUNCTION samples_refuse_change();
