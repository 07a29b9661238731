-- Samples of approved claims for inspection: committed to by a seed's hash, and drawn once when the seed is shown.

-- `commitment` is the SHA-256 of a seed that only the auditor knows; `leaf` and `leaf_hash` are of the event that put it into the
-- county's log. `claims` are those that were drawn, in the order of their scores, from a population of that many.
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
    -- A seed that was shown is no secret any more.
    CONSTRAINT samples_commitment_key UNIQUE (jurisdiction, commitment),
    CONSTRAINT samples_period_not_empty CHECK (since < until),
    CONSTRAINT samples_size_bounded CHECK (size BETWEEN 1 AND 1000),
    CONSTRAINT samples_hashes_are_sha256 CHECK (octet_length(commitment) = 32 AND octet_length(leaf_hash) = 32),
    CONSTRAINT samples_seed_is_committed CHECK (octet_length(seed) = 32 AND sha256(seed) = commitment),
    CONSTRAINT samples_drawn_whole CHECK (num_nulls(seed, population, claims, drawn_leaf, drawer, drawn_at) IN (0, 6)),
    CONSTRAINT samples_drawn_after_period CHECK (drawn_at >= until),
    CONSTRAINT samples_committed_before_drawn CHECK (drawn_leaf > leaf),
    CONSTRAINT samples_drawn_as_many CHECK (population >= 0 AND cardinality(claims) = least(size, population)),
    CONSTRAINT samples_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);

-- What was committed to is what is drawn: only the draw is added, once.
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
CREATE TRIGGER samples_drawn_once BEFORE UPDATE OR DELETE ON samples FOR EACH ROW EXECUTE FUNCTION samples_refuse_change();

-- Approvals by county and time, which samples are drawn from. Nothing else is in it, so that intake does not write to it.
CREATE INDEX events_approvals_idx ON events (jurisdiction, at, id) WHERE verb = 'approve';
