-- Few, narrow writes for a claim: one row instead of two for what was sent and decided, no index that nobody reads, no look-up of
-- a parent for each row of a batch. The store's README counts what is left.

-- What was sent and what was decided on it are of one revision: one row. `packing` says how both texts are packed
-- (0: as they are; above: the number of the dictionary they are compressed with).
ALTER TABLE decisions
    ADD COLUMN packing smallint,
    ADD COLUMN key_id text,
    ADD COLUMN sealed bytea;
UPDATE decisions d SET packing = 0, key_id = s.key_id, sealed = s.sealed
    FROM claim_documents s WHERE s.jurisdiction = d.jurisdiction AND s.claim = d.claim AND s.revision = d.revision;
ALTER TABLE decisions
    ALTER COLUMN packing SET NOT NULL,
    ALTER COLUMN key_id SET NOT NULL,
    ALTER COLUMN sealed SET NOT NULL,
    ALTER COLUMN receipt TYPE bytea USING convert_to(receipt, 'UTF8'),
    ADD CONSTRAINT decisions_packing_not_negative CHECK (packing >= 0);
-- Packed already, and sealed text does not compress: PostgreSQL need not try.
ALTER TABLE decisions ALTER COLUMN receipt SET STORAGE EXTERNAL, ALTER COLUMN sealed SET STORAGE EXTERNAL;
DROP TABLE claim_documents;

-- A foreign key looks its parent up for each row. These parents are never deleted, which is a rule now, and a batch names few of
-- them: they are looked up once a statement.
CREATE FUNCTION refuse_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are never deleted', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_never_deleted', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER funds_never_deleted BEFORE DELETE ON funds FOR EACH STATEMENT EXECUTE FUNCTION refuse_deletion();
CREATE TRIGGER claims_never_deleted BEFORE DELETE ON claims FOR EACH STATEMENT EXECUTE FUNCTION refuse_deletion();

CREATE FUNCTION refuse_unknown_fund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT jurisdiction, programme FROM added) a WHERE NOT EXISTS
            (SELECT FROM funds f WHERE f.jurisdiction = a.jurisdiction AND f.programme = a.programme)) THEN
        RAISE EXCEPTION 'a row of % names no fund', TG_TABLE_NAME
            USING ERRCODE = '23503', CONSTRAINT = TG_TABLE_NAME || '_fund_known', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION refuse_unknown_programme() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT programme, programme_version FROM added) a WHERE NOT EXISTS
            (SELECT FROM programmes p WHERE p.id = a.programme AND p.version = a.programme_version)) THEN
        RAISE EXCEPTION 'a row of % names no version of a programme', TG_TABLE_NAME
            USING ERRCODE = '23503', CONSTRAINT = TG_TABLE_NAME || '_programme_known', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;

ALTER TABLE claims DROP CONSTRAINT claims_fund_fkey, DROP CONSTRAINT claims_programme_fkey;
CREATE TRIGGER claims_fund_known AFTER INSERT ON claims REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unknown_fund();
CREATE TRIGGER claims_programme_known AFTER INSERT ON claims REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unknown_programme();
ALTER TABLE transfers DROP CONSTRAINT transfers_fund_fkey;
CREATE TRIGGER transfers_fund_known AFTER INSERT ON transfers REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unknown_fund();
-- Claim and decision are written by one statement each of one unit of work; the auditor's questions find one without the other.
ALTER TABLE decisions DROP CONSTRAINT decisions_claim_fkey;

-- Served foreign keys only.
DROP INDEX claims_version_idx;
DROP INDEX transfers_fund_idx;
-- A county's queue is the merge of its programmes' queues, which claims_programme_idx has in order.
DROP INDEX claims_status_idx;
-- Who waits is few: in which funds, when a month opens new slices of the caps.
CREATE INDEX claims_waits_idx ON claims (jurisdiction, programme) WHERE waits_for IS NOT NULL;

-- An event is read by its subject, in order, or not at all.
ALTER TABLE outbox DROP CONSTRAINT outbox_event_fkey;
ALTER TABLE events DROP CONSTRAINT events_pkey, ADD CONSTRAINT events_pkey PRIMARY KEY (jurisdiction, subject, id);
DROP INDEX events_subject_idx;

-- Events of one county that were recorded together are told together: a row a batch.
CREATE TABLE outbox_batches (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    subjects      text[] NOT NULL,
    events        uuid[] NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL,
    CONSTRAINT outbox_batches_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT outbox_batches_not_empty CHECK (cardinality(events) > 0 AND cardinality(events) = cardinality(subjects))
);
INSERT INTO outbox_batches
    SELECT o.jurisdiction, o.event, ARRAY[e.subject], ARRAY[o.event], o.attempts, o.due_at
    FROM outbox o JOIN events e ON e.jurisdiction = o.jurisdiction AND e.id = o.event;
DROP TABLE outbox;
ALTER TABLE outbox_batches RENAME TO outbox;
ALTER TABLE outbox RENAME CONSTRAINT outbox_batches_pkey TO outbox_pkey;
ALTER TABLE outbox RENAME CONSTRAINT outbox_batches_not_empty TO outbox_not_empty;
CREATE INDEX outbox_due_idx ON outbox (due_at);

-- Keys are forgotten in the order in which they came: ranges of blocks are enough to find the oldest.
DROP INDEX idempotency_keys_created_idx;
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys USING brin (created_at) WITH (autosummarize = on, pages_per_range = 64);

-- A queue is read by county, programme and status, in order of arrival. While one programme has nearly all claims, the planner
-- would take the primary key for as good an order as the queue's own, and walk a whole county for a programme without claims.
ALTER TABLE claims ALTER COLUMN programme SET (n_distinct = 20), ALTER COLUMN status SET (n_distinct = 13);

-- Hot rows: room on their page for the versions that a busy second leaves, so that none of them touches an index.
ALTER TABLE ledgers SET (fillfactor = 20);
ALTER TABLE funds SET (fillfactor = 20);
ALTER TABLE caps SET (fillfactor = 50);
