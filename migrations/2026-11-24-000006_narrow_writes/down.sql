ALTER TABLE claims ALTER COLUMN programme RESET (n_distinct), ALTER COLUMN status RESET (n_distinct);
ALTER TABLE ledgers RESET (fillfactor);
ALTER TABLE funds RESET (fillfactor);
ALTER TABLE caps RESET (fillfactor);

DROP INDEX idempotency_keys_created_idx;
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (created_at);

ALTER TABLE outbox RENAME TO outbox_batches;
ALTER TABLE outbox_batches RENAME CONSTRAINT outbox_pkey TO outbox_batches_pkey;
DROP INDEX outbox_due_idx;
CREATE TABLE outbox (
    jurisdiction  text NOT NULL,
    event         uuid NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (jurisdiction, event)
);
INSERT INTO outbox SELECT b.jurisdiction, e, b.attempts, b.due_at FROM outbox_batches b CROSS JOIN LATERAL unnest(b.events) e;
DROP TABLE outbox_batches;
CREATE INDEX outbox_due_idx ON outbox (due_at);
ALTER TABLE events DROP CONSTRAINT events_pkey, ADD CONSTRAINT events_pkey PRIMARY KEY (jurisdiction, id);
CREATE INDEX events_subject_idx ON events (jurisdiction, subject, id);
ALTER TABLE outbox ADD CONSTRAINT outbox_event_fkey FOREIGN KEY (jurisdiction, event) REFERENCES events (jurisdiction, id);

DROP INDEX claims_waits_idx;
CREATE INDEX claims_status_idx ON claims (jurisdiction, status, id);
CREATE INDEX claims_version_idx ON claims (programme, programme_version);
CREATE INDEX transfers_fund_idx ON transfers (jurisdiction, programme, height);

DROP TRIGGER transfers_fund_known ON transfers;
DROP TRIGGER claims_programme_known ON claims;
DROP TRIGGER claims_fund_known ON claims;
DROP FUNCTION refuse_unknown_programme();
DROP FUNCTION refuse_unknown_fund();
DROP TRIGGER claims_never_deleted ON claims;
DROP TRIGGER funds_never_deleted ON funds;
DROP FUNCTION refuse_deletion();
ALTER TABLE decisions ADD CONSTRAINT decisions_claim_fkey
    FOREIGN KEY (jurisdiction, claim) REFERENCES claims (jurisdiction, id);
ALTER TABLE transfers ADD CONSTRAINT transfers_fund_fkey
    FOREIGN KEY (jurisdiction, programme) REFERENCES funds (jurisdiction, programme);
ALTER TABLE claims
    ADD CONSTRAINT claims_fund_fkey FOREIGN KEY (jurisdiction, programme) REFERENCES funds (jurisdiction, programme),
    ADD CONSTRAINT claims_programme_fkey FOREIGN KEY (programme, programme_version) REFERENCES programmes (id, version);

-- Packed texts can only be read by the program that packed them: with any, this step is refused.
ALTER TABLE decisions ADD CONSTRAINT decisions_unpacked CHECK (packing = 0);
ALTER TABLE decisions DROP CONSTRAINT decisions_unpacked;
CREATE TABLE claim_documents (
    jurisdiction  text NOT NULL,
    claim         uuid NOT NULL,
    revision      integer NOT NULL,
    key_id        text NOT NULL,
    sealed        bytea NOT NULL,
    CONSTRAINT claim_documents_pkey PRIMARY KEY (jurisdiction, claim, revision),
    CONSTRAINT claim_documents_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES claims (jurisdiction, id)
);
CREATE INDEX claim_documents_key_idx ON claim_documents (key_id);
INSERT INTO claim_documents SELECT jurisdiction, claim, revision, key_id, sealed FROM decisions;
ALTER TABLE decisions DROP COLUMN packing, DROP COLUMN key_id, DROP COLUMN sealed;
ALTER TABLE decisions ALTER COLUMN receipt TYPE text USING convert_from(receipt, 'UTF8');
ALTER TABLE decisions ALTER COLUMN receipt SET STORAGE EXTENDED;
