-- Hot and narrow: what a claim is now. What was sent (sealed) and what was decided (receipts) stand beside it, one row a revision.
CREATE TABLE claims (
    jurisdiction        text NOT NULL,
    id                  uuid NOT NULL,
    programme           text NOT NULL,
    programme_version   integer NOT NULL,
    status              text NOT NULL,
    revision            integer NOT NULL,
    merchant            text NOT NULL,
    merchant_reference  text NOT NULL,
    client              text NOT NULL,
    category            text NOT NULL,
    governing_date      date,
    created_at          timestamptz NOT NULL,
    changed_at          timestamptz NOT NULL,
    decided             integer NOT NULL,
    amount              bigint,
    holds               boolean NOT NULL,
    committed           boolean NOT NULL,
    committed_month      text,
    person              bytea NOT NULL,
    quota_slot          text,
    waits_for           text,
    correct_by          timestamptz,
    reviewed_by         text,
    approved_by         text,
    disbursement        uuid,
    CONSTRAINT claims_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT claims_status_known CHECK (status IN (
        'needs_correction', 'waitlisted', 'under_review', 'recommended', 'approved', 'in_payment', 'payment_failed',
        'paid', 'clawback_due', 'clawed_back', 'rejected', 'withdrawn', 'returned')),
    CONSTRAINT claims_revision_positive CHECK (revision >= 1 AND decided BETWEEN 1 AND revision),
    CONSTRAINT claims_amount_positive CHECK (amount > 0),
    CONSTRAINT claims_committed_has_amount CHECK (NOT committed OR (amount IS NOT NULL AND holds)),
    CONSTRAINT claims_committed_has_month CHECK (committed = (committed_month IS NOT NULL)),
    CONSTRAINT claims_in_progress_is_committed CHECK (status NOT IN
        ('under_review', 'recommended', 'approved', 'in_payment', 'payment_failed', 'paid', 'clawback_due') OR committed),
    CONSTRAINT claims_ended_holds_nothing CHECK (status NOT IN
        ('rejected', 'withdrawn', 'returned', 'clawed_back') OR (NOT holds AND NOT committed)),
    CONSTRAINT claims_waitlisted_waits CHECK ((status = 'waitlisted') = (waits_for IS NOT NULL)),
    CONSTRAINT claims_correction_has_deadline CHECK ((status = 'needs_correction') = (correct_by IS NOT NULL)),
    CONSTRAINT claims_four_eyes CHECK (approved_by <> reviewed_by),
    CONSTRAINT claims_approval_follows_review CHECK (approved_by IS NULL OR reviewed_by IS NOT NULL),
    CONSTRAINT claims_payment_follows_approval CHECK (status NOT IN
        ('approved', 'in_payment', 'payment_failed', 'paid', 'clawback_due') OR approved_by IS NOT NULL),
    CONSTRAINT claims_in_payment_in_a_disbursement CHECK (status <> 'in_payment' OR disbursement IS NOT NULL),
    CONSTRAINT claims_fund_fkey FOREIGN KEY (jurisdiction, programme) REFERENCES funds (jurisdiction, programme),
    CONSTRAINT claims_programme_fkey FOREIGN KEY (programme, programme_version) REFERENCES programmes (id, version)
);
-- The queue of a county's clerks, and the lists of a county, by arrival (ids are version 7).
CREATE INDEX claims_status_idx ON claims (jurisdiction, status, id);
-- A fund's claims: waitlist in order, payables to gather.
CREATE INDEX claims_programme_idx ON claims (jurisdiction, programme, status, id);
-- A merchant's own list.
CREATE INDEX claims_merchant_idx ON claims (merchant, id);
CREATE INDEX claims_version_idx ON claims (programme, programme_version);
CREATE INDEX claims_correct_by_idx ON claims (correct_by) WHERE correct_by IS NOT NULL;

-- What was sent, as it was sent, sealed with AES-GCM-SIV under the key named; one row for the claim and for each correction.
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

-- The receipt: canonical JSON (RFC 8785) of programme hash, facts, rule outcomes and amount, and its SHA-256. No personal data.
CREATE TABLE decisions (
    jurisdiction  text NOT NULL,
    claim         uuid NOT NULL,
    revision      integer NOT NULL,
    outcome       text NOT NULL,
    receipt       text NOT NULL,
    digest        bytea NOT NULL,
    decided_at    timestamptz NOT NULL,
    CONSTRAINT decisions_pkey PRIMARY KEY (jurisdiction, claim, revision),
    CONSTRAINT decisions_outcome_known CHECK
        (outcome IN ('eligible', 'ineligible', 'needs_correction', 'waitlisted')),
    CONSTRAINT decisions_digest_is_sha256 CHECK (octet_length(digest) = 32),
    CONSTRAINT decisions_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES claims (jurisdiction, id)
);

-- One holder for each invoice, serial number, IMEI, VIN, certificate and entitlement, across all counties and years.
-- Keyed by the value's keyed hash: the plain value is nowhere in this table.
CREATE TABLE unique_keys (
    digest        bytea NOT NULL,
    kind          text NOT NULL,
    jurisdiction  text NOT NULL,
    claim         uuid NOT NULL,
    CONSTRAINT unique_keys_pkey PRIMARY KEY (digest),
    CONSTRAINT unique_keys_digest_is_128_bits CHECK (octet_length(digest) = 16),
    CONSTRAINT unique_keys_kind_known CHECK (kind IN (
        'invoice', 'serial_number', 'imei', 'new_vin', 'old_vin', 'scrap_certificate', 'transfer_invoice', 'entitlement'))
);

-- How often a person was subsidised in a slot (programme group, category, year), keyed by the hash of the identity number.
CREATE TABLE quotas (
    person   bytea NOT NULL,
    slot     text NOT NULL,
    used     integer NOT NULL,
    ceiling  integer NOT NULL,
    CONSTRAINT quotas_pkey PRIMARY KEY (person, slot),
    CONSTRAINT quotas_used_not_negative CHECK (used >= 0),
    CONSTRAINT quotas_within_ceiling CHECK (used <= ceiling)
);

-- Who did what, when and why. Rows are added, never changed.
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
    CONSTRAINT events_pkey PRIMARY KEY (jurisdiction, id)
);
CREATE INDEX events_subject_idx ON events (jurisdiction, subject, id);

CREATE FUNCTION events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are added, never changed'
        USING ERRCODE = '23514', CONSTRAINT = 'events_append_only', TABLE = 'events';
END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION events_refuse_change();

-- Events still to be told to the outside; a row goes when the receiver has answered.
CREATE TABLE outbox (
    jurisdiction  text NOT NULL,
    event         uuid NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (jurisdiction, event),
    CONSTRAINT outbox_event_fkey FOREIGN KEY (jurisdiction, event) REFERENCES events (jurisdiction, id)
);
CREATE INDEX outbox_due_idx ON outbox (due_at);

-- Money came back: somebody may move up. Claimed with SKIP LOCKED by `huanxin work`.
CREATE TABLE waitlist_calls (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    programme     text NOT NULL,
    due_at        timestamptz NOT NULL,
    CONSTRAINT waitlist_calls_pkey PRIMARY KEY (jurisdiction, id)
);
CREATE INDEX waitlist_calls_due_idx ON waitlist_calls (due_at);

-- The first answer to a key, so that a retry gets it again. A submitted claim's answer is rebuilt from its decision.
CREATE TABLE idempotency_keys (
    client              text NOT NULL,
    key                 text NOT NULL,
    request             bytea NOT NULL,
    operation           text NOT NULL,
    claim_jurisdiction  text,
    claim               uuid,
    answer              text,
    created_at          timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (client, key),
    CONSTRAINT idempotency_keys_request_is_sha256 CHECK (octet_length(request) = 32),
    CONSTRAINT idempotency_keys_answered CHECK ((claim IS NULL) <> (answer IS NULL)),
    CONSTRAINT idempotency_keys_claim_is_routed CHECK ((claim IS NULL) = (claim_jurisdiction IS NULL))
);
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (created_at);
