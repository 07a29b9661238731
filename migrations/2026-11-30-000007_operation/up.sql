-- What surrounds every operation: the key that makes it repeatable, and the events that it leaves
-- for others to be sent. Rows of both come and go.

-- The first answer to a client's key, so that a retry gets it again. A submitted claim's answer is
-- rebuilt from its decision, any other is kept as JSON. `request` is the SHA-256 of the request.
CREATE TABLE idempotency_keys (
    client              text NOT NULL,
    key                 text NOT NULL,
    request             bytea NOT NULL,
    operation           text NOT NULL,
    claim_jurisdiction  text,
    claim               uuid,
    answer              text,
    created_at          timestamptz NOT NULL,
    -- Decides the race of two requests with one key.
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (client, key),
    CONSTRAINT idempotency_keys_request_is_sha256 CHECK (octet_length(request) = 32),
    CONSTRAINT idempotency_keys_answered CHECK ((claim IS NULL) <> (answer IS NULL)),
    -- A claim is found by county and id.
    CONSTRAINT idempotency_keys_claim_is_routed CHECK ((claim IS NULL) = (claim_jurisdiction IS NULL))
);
-- Keys are forgotten in the order in which they came: ranges of blocks are enough to find the
-- oldest.
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys USING brin (created_at)
    WITH (autosummarize = on, pages_per_range = 64);

-- Events that one unit of work recorded in a county and that are still to be sent: at most 200 a
-- row, `subjects` beside `events`. `attempts` is 0 until messages to merchants were made of the
-- row, and 1 until it is first sent to the receiver of events; the row goes when the receiver has
-- taken it.
CREATE TABLE outbox (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    subjects      text[] NOT NULL,
    events        uuid[] NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT outbox_not_empty CHECK
        (cardinality(events) > 0 AND cardinality(events) = cardinality(subjects))
);
CREATE INDEX outbox_due_idx ON outbox (due_at);
