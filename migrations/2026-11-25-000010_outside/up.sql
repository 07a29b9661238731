-- The world outside: instructions that go to the bank by themselves, reports that are fetched from it, and merchants' webhooks.

-- A file of a released disbursement on its way to the bank. `version` goes up when the same orders are submitted again under a
-- new name, after the bank refused the one before. `sealed` holds the bytes from the first attempt until their fate is known:
-- whatever changes meanwhile, the same name and key stand for the same bytes. `in_doubt`: the bank may have the file.
CREATE TABLE bank_submissions (
    jurisdiction   text NOT NULL,
    disbursement   uuid NOT NULL,
    part           integer NOT NULL,
    version        integer NOT NULL,
    name           text NOT NULL,
    format         text NOT NULL,
    status         text NOT NULL,
    attempts       integer NOT NULL DEFAULT 0,
    in_doubt       boolean NOT NULL DEFAULT false,
    problem        text,
    why            text,
    due_at         timestamptz NOT NULL,
    queued_at      timestamptz NOT NULL,
    submitted_at   timestamptz,
    closed_at      timestamptz,
    sha256         bytea,
    key_id         text,
    sealed         bytea,
    reference      text,
    resolver       text,
    resolution     text,
    CONSTRAINT bank_submissions_pkey PRIMARY KEY (jurisdiction, disbursement, part, version),
    CONSTRAINT bank_submissions_name_key UNIQUE (jurisdiction, name),
    CONSTRAINT bank_submissions_numbered CHECK (part BETWEEN 1 AND 999 AND version >= 1),
    CONSTRAINT bank_submissions_status_known CHECK
        (status IN ('queued', 'taken', 'refused', 'settled', 'by_hand', 'replaced')),
    CONSTRAINT bank_submissions_problem_known CHECK (problem IN ('account_missing', 'unavailable', 'unknown', 'refused')),
    CONSTRAINT bank_submissions_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT bank_submissions_sha256_length CHECK (octet_length(sha256) = 32),
    CONSTRAINT bank_submissions_sealed_under_a_key CHECK ((sealed IS NULL) = (key_id IS NULL)),
    CONSTRAINT bank_submissions_sealed_while_queued CHECK (sealed IS NULL OR (status = 'queued' AND sha256 IS NOT NULL)),
    CONSTRAINT bank_submissions_attempted_is_sealed CHECK (status <> 'queued' OR attempts = 0 OR sealed IS NOT NULL),
    CONSTRAINT bank_submissions_closed_is_dated CHECK ((status = 'queued') = (closed_at IS NULL)),
    CONSTRAINT bank_submissions_doubt_needs_an_attempt CHECK (NOT in_doubt OR attempts > 0),
    CONSTRAINT bank_submissions_taken_was_submitted CHECK (status <> 'taken' OR (submitted_at IS NOT NULL AND sha256 IS NOT NULL)),
    CONSTRAINT bank_submissions_resolved CHECK ((status IN ('by_hand', 'replaced')) = (resolver IS NOT NULL)),
    CONSTRAINT bank_submissions_resolved_with_reason CHECK ((resolver IS NULL) = (resolution IS NULL)),
    -- Two hands on the same orders would pay twice.
    CONSTRAINT bank_submissions_by_hand_is_not_in_doubt CHECK (status <> 'by_hand' OR NOT in_doubt),
    CONSTRAINT bank_submissions_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement)
        REFERENCES disbursements (jurisdiction, id)
);
CREATE INDEX bank_submissions_due_idx ON bank_submissions (due_at) WHERE status = 'queued';
CREATE INDEX bank_submissions_refused_idx ON bank_submissions (jurisdiction, disbursement) WHERE status = 'refused';

-- Where the reading of a bank's reports stands. One row a bank, made when it is first asked.
CREATE TABLE bank_streams (
    bank        text NOT NULL,
    cursor      text,
    due_at      timestamptz NOT NULL,
    heard_at    timestamptz,
    failures    integer NOT NULL DEFAULT 0,
    CONSTRAINT bank_streams_pkey PRIMARY KEY (bank),
    CONSTRAINT bank_streams_cursor_length CHECK (octet_length(cursor) <= 512),
    CONSTRAINT bank_streams_failures_not_negative CHECK (failures >= 0)
);

-- Every report that a bank handed out, once: recorded, or set aside because it cannot be read.
CREATE TABLE bank_reports (
    bank         text NOT NULL,
    name         text NOT NULL,
    sha256       bytea NOT NULL,
    id           uuid NOT NULL,
    bytes        integer NOT NULL,
    status       text NOT NULL,
    results      integer NOT NULL DEFAULT 0,
    exceptions   integer NOT NULL DEFAULT 0,
    fault        text,
    fault_line   bigint,
    fault_column bigint,
    received_at  timestamptz NOT NULL,
    CONSTRAINT bank_reports_pkey PRIMARY KEY (bank, name, sha256),
    CONSTRAINT bank_reports_sha256_length CHECK (octet_length(sha256) = 32),
    CONSTRAINT bank_reports_status_known CHECK (status IN ('recorded', 'unreadable')),
    CONSTRAINT bank_reports_unreadable_has_fault CHECK ((status = 'unreadable') = (fault IS NOT NULL)),
    CONSTRAINT bank_reports_counted CHECK (bytes >= 0 AND exceptions BETWEEN 0 AND results)
);
CREATE INDEX bank_reports_id_idx ON bank_reports (id);

-- Where a merchant listens. `sealed` holds the address (its path may be a secret) and the secrets; the one before the last signs
-- too until `old_until`. `next_at` is when a message is due, `busy_until` the lease of the worker that tells it. One that is deleted
-- stays, without address and secrets, until its messages are forgotten.
CREATE TABLE webhook_endpoints (
    jurisdiction   text NOT NULL,
    id             uuid NOT NULL,
    merchant       text NOT NULL,
    slot           integer,
    status         text NOT NULL,
    statuses       text[] NOT NULL,
    key_id         text NOT NULL,
    sealed         bytea NOT NULL,
    old_until      timestamptz,
    made_at        timestamptz NOT NULL,
    failures       integer NOT NULL DEFAULT 0,
    failing_since  timestamptz,
    disabled_at    timestamptz,
    disabled_why   text,
    next_at        timestamptz,
    busy_until     timestamptz NOT NULL,
    CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (jurisdiction, id),
    -- Ten a merchant at most, whoever races for the last.
    CONSTRAINT webhook_endpoints_slot_key UNIQUE (jurisdiction, merchant, slot),
    CONSTRAINT webhook_endpoints_slot_known CHECK (slot BETWEEN 1 AND 10),
    CONSTRAINT webhook_endpoints_deleted_has_no_slot CHECK ((status = 'deleted') = (slot IS NULL)),
    CONSTRAINT webhook_endpoints_status_known CHECK (status IN ('enabled', 'paused', 'disabled', 'deleted')),
    CONSTRAINT webhook_endpoints_disabled_says_why CHECK
        ((status = 'disabled') = (disabled_at IS NOT NULL) AND (disabled_at IS NULL) = (disabled_why IS NULL)),
    CONSTRAINT webhook_endpoints_why_known CHECK (disabled_why IN ('gone', 'failing')),
    CONSTRAINT webhook_endpoints_failing_since CHECK ((failures = 0) = (failing_since IS NULL) AND failures >= 0)
);
CREATE INDEX webhook_endpoints_merchant_idx ON webhook_endpoints (merchant);
CREATE INDEX webhook_endpoints_deleted_idx ON webhook_endpoints (jurisdiction, id) WHERE status = 'deleted';
CREATE INDEX webhook_endpoints_due_idx ON webhook_endpoints (next_at) WHERE status = 'enabled' AND next_at IS NOT NULL;

-- A message to an endpoint: an event of a claim of its merchant, or a test. No personal data: what the event sink is told.
CREATE TABLE webhook_deliveries (
    jurisdiction  text NOT NULL,
    endpoint      uuid NOT NULL,
    id            uuid NOT NULL,
    kind          text NOT NULL,
    subject       text NOT NULL,
    verb          text NOT NULL,
    from_status   text,
    to_status     text,
    at            timestamptz NOT NULL,
    status        text NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    tries         integer NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL,
    made_at       timestamptz NOT NULL,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (jurisdiction, endpoint, id),
    CONSTRAINT webhook_deliveries_kind_known CHECK (kind IN ('claim', 'test')),
    CONSTRAINT webhook_deliveries_status_known CHECK (status IN ('due', 'delivered', 'failed')),
    CONSTRAINT webhook_deliveries_attempts CHECK (tries >= 0 AND attempts >= tries),
    CONSTRAINT webhook_deliveries_endpoint_fkey FOREIGN KEY (jurisdiction, endpoint)
        REFERENCES webhook_endpoints (jurisdiction, id)
);
CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (jurisdiction, endpoint, due_at, id) WHERE status = 'due';
CREATE INDEX webhook_deliveries_failed_idx ON webhook_deliveries (jurisdiction, endpoint, id) WHERE status = 'failed';
CREATE INDEX webhook_deliveries_made_idx ON webhook_deliveries USING brin (made_at);

-- What became of each attempt. `http_status` is the merchant's answer, if there was one.
CREATE TABLE webhook_attempts (
    jurisdiction  text NOT NULL,
    endpoint      uuid NOT NULL,
    delivery      uuid NOT NULL,
    attempt       integer NOT NULL,
    at            timestamptz NOT NULL,
    http_status   integer,
    error         text,
    took_ms       integer NOT NULL,
    CONSTRAINT webhook_attempts_pkey PRIMARY KEY (jurisdiction, endpoint, delivery, attempt),
    CONSTRAINT webhook_attempts_numbered CHECK (attempt >= 1 AND took_ms >= 0),
    CONSTRAINT webhook_attempts_delivery_fkey FOREIGN KEY (jurisdiction, endpoint, delivery)
        REFERENCES webhook_deliveries (jurisdiction, endpoint, id) ON DELETE CASCADE
);
