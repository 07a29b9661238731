-- Merchants' webhooks: endpoints, the messages to them, and each attempt to deliver one.

-- Where a merchant listens, under the county of the merchant. `sealed` holds the address (its path
-- may be a secret) and the secrets, under `key_id`; until `old_until` the secret before the last
-- signs too. `statuses` are those of claims that it is sent (empty: all). `failures` counts in a
-- row since `failing_since`. `next_at` is when a message is due, `busy_until` the lease of the
-- worker that delivers. A deleted endpoint stays, without address and secrets, until its messages
-- are forgotten.
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
    -- Ten for each merchant at most: two requests that race for the last slot meet here.
    CONSTRAINT webhook_endpoints_slot_key UNIQUE (jurisdiction, merchant, slot),
    CONSTRAINT webhook_endpoints_slot_known CHECK (slot BETWEEN 1 AND 10),
    CONSTRAINT webhook_endpoints_deleted_has_no_slot CHECK ((status = 'deleted') = (slot IS NULL)),
    CONSTRAINT webhook_endpoints_status_known CHECK (status IN ('enabled', 'paused', 'disabled', 'deleted')),
    CONSTRAINT webhook_endpoints_disabled_says_why CHECK
        ((status = 'disabled') = (disabled_at IS NOT NULL)
            AND (disabled_at IS NULL) = (disabled_why IS NULL)),
    CONSTRAINT webhook_endpoints_why_known CHECK (disabled_why IN ('gone', 'failing')),
    CONSTRAINT webhook_endpoints_failing_since CHECK
        ((failures = 0) = (failing_since IS NULL) AND failures >= 0)
);
-- The endpoints that an event is for, those that have something due, and those that may be
-- forgotten.
CREATE INDEX webhook_endpoints_merchant_idx ON webhook_endpoints (merchant);
CREATE INDEX webhook_endpoints_due_idx ON webhook_endpoints (next_at)
    WHERE status = 'enabled' AND next_at IS NOT NULL;
CREATE INDEX webhook_endpoints_deleted_idx ON webhook_endpoints (jurisdiction, id) WHERE status = 'deleted';

-- A message to an endpoint: an event of a claim of its merchant, or a test. No personal data.
-- `attempts` counts all attempts, `tries` those since the message was last begun.
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
    -- One for each event and endpoint; also the endpoint's list, newest first.
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (jurisdiction, endpoint, id),
    CONSTRAINT webhook_deliveries_kind_known CHECK (kind IN ('claim', 'test')),
    CONSTRAINT webhook_deliveries_status_known CHECK (status IN ('due', 'delivered', 'failed')),
    CONSTRAINT webhook_deliveries_attempts CHECK (tries >= 0 AND attempts >= tries),
    CONSTRAINT webhook_deliveries_endpoint_fkey FOREIGN KEY (jurisdiction, endpoint)
        REFERENCES webhook_endpoints (jurisdiction, id)
);
-- An endpoint's next message, those that may be replayed, and those that may be forgotten.
CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (jurisdiction, endpoint, due_at, id)
    WHERE status = 'due';
CREATE INDEX webhook_deliveries_failed_idx ON webhook_deliveries (jurisdiction, endpoint, id)
    WHERE status = 'failed';
CREATE INDEX webhook_deliveries_made_idx ON webhook_deliveries USING brin (made_at);

-- The outcome of one attempt; goes with its message. `http_status` is the merchant's answer, if
-- there was one.
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
