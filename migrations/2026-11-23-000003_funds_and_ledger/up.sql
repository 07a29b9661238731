-- Money is integer fen. A fund is a programme in a county; its seven accounts stand in one row, so that one guarded update moves money.

CREATE TABLE ledgers (
    jurisdiction    text NOT NULL,
    height          bigint NOT NULL DEFAULT 0,
    last_posted_at  timestamptz,
    CONSTRAINT ledgers_pkey PRIMARY KEY (jurisdiction),
    CONSTRAINT ledgers_height_not_negative CHECK (height >= 0),
    CONSTRAINT ledgers_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
);

CREATE TABLE funds (
    jurisdiction  text NOT NULL,
    programme     text NOT NULL,
    appropriated  bigint NOT NULL DEFAULT 0,
    available     bigint NOT NULL DEFAULT 0,
    reserved      bigint NOT NULL DEFAULT 0,
    payable       bigint NOT NULL DEFAULT 0,
    in_payment    bigint NOT NULL DEFAULT 0,
    disbursed     bigint NOT NULL DEFAULT 0,
    recoverable   bigint NOT NULL DEFAULT 0,
    waiting       bigint NOT NULL DEFAULT 0,
    CONSTRAINT funds_pkey PRIMARY KEY (jurisdiction, programme),
    CONSTRAINT funds_available_not_negative CHECK (available >= 0),
    CONSTRAINT funds_reserved_not_negative CHECK (reserved >= 0),
    CONSTRAINT funds_payable_not_negative CHECK (payable >= 0),
    CONSTRAINT funds_in_payment_not_negative CHECK (in_payment >= 0),
    CONSTRAINT funds_disbursed_not_negative CHECK (disbursed >= 0),
    CONSTRAINT funds_recoverable_not_negative CHECK (recoverable >= 0),
    CONSTRAINT funds_waiting_not_negative CHECK (waiting >= 0),
    CONSTRAINT funds_balanced CHECK
        (appropriated = available + reserved + payable + in_payment + disbursed + recoverable),
    CONSTRAINT funds_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);

-- The only record of money moving. Rows are added, never changed.
CREATE TABLE transfers (
    jurisdiction  text NOT NULL,
    height        bigint NOT NULL,
    programme     text NOT NULL,
    reason        text NOT NULL,
    debit         text NOT NULL,
    credit        text NOT NULL,
    amount        bigint NOT NULL,
    claim         uuid,
    document      uuid,
    posted_at     timestamptz NOT NULL,
    actor         text NOT NULL,
    CONSTRAINT transfers_pkey PRIMARY KEY (jurisdiction, height),
    CONSTRAINT transfers_amount_positive CHECK (amount > 0),
    CONSTRAINT transfers_accounts_by_reason CHECK ((reason, debit, credit) IN (
        ('appropriate', 'available', 'appropriated'),
        ('reserve', 'reserved', 'available'),
        ('release', 'available', 'reserved'),
        ('approve', 'payable', 'reserved'),
        ('release_payable', 'available', 'payable'),
        ('instruct', 'in_payment', 'payable'),
        ('cancel_instruction', 'payable', 'in_payment'),
        ('pay', 'disbursed', 'in_payment'),
        ('fail_payment', 'payable', 'in_payment'),
        ('claw_back_due', 'recoverable', 'disbursed'),
        ('claw_back', 'available', 'recoverable'))),
    CONSTRAINT transfers_fund_fkey FOREIGN KEY (jurisdiction, programme) REFERENCES funds (jurisdiction, programme)
);
CREATE INDEX transfers_fund_idx ON transfers (jurisdiction, programme, height);
CREATE INDEX transfers_claim_idx ON transfers (jurisdiction, claim) WHERE claim IS NOT NULL;

CREATE FUNCTION transfers_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'transfers are added, never changed'
        USING ERRCODE = '23514', CONSTRAINT = 'transfers_append_only', TABLE = 'transfers';
END $$;
CREATE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE ON transfers
    FOR EACH ROW EXECUTE FUNCTION transfers_refuse_change();

CREATE TABLE appropriations (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    programme     text NOT NULL,
    source        text NOT NULL,
    amount        bigint NOT NULL,
    document      text NOT NULL,
    status        text NOT NULL,
    maker         text NOT NULL,
    made_at       timestamptz NOT NULL,
    checker       text,
    checked_at    timestamptz,
    reason        text,
    CONSTRAINT appropriations_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT appropriations_document_key UNIQUE (jurisdiction, programme, source, document),
    CONSTRAINT appropriations_source_known CHECK (source IN ('central', 'province', 'city', 'county')),
    CONSTRAINT appropriations_amount_positive CHECK (amount > 0),
    CONSTRAINT appropriations_status_known CHECK (status IN ('pending', 'approved', 'refused')),
    CONSTRAINT appropriations_checked CHECK ((status = 'pending') = (checker IS NULL)),
    CONSTRAINT appropriations_checked_is_dated CHECK ((checker IS NULL) = (checked_at IS NULL)),
    CONSTRAINT appropriations_four_eyes CHECK (checker <> maker),
    CONSTRAINT appropriations_refusal_has_reason CHECK (status <> 'refused' OR reason <> ''),
    CONSTRAINT appropriations_fund_fkey FOREIGN KEY (jurisdiction, programme)
        REFERENCES funds (jurisdiction, programme)
);

-- A cap is a ceiling on what a fund, or a slice of it, may commit. `scope` is 'whole', 'category:<category>' or 'month:<yyyy-mm>';
-- the city's caps stand under the city's own code and count all its counties.
CREATE TABLE caps (
    jurisdiction  text NOT NULL,
    programme     text NOT NULL,
    scope         text NOT NULL,
    ceiling       bigint NOT NULL,
    committed     bigint NOT NULL DEFAULT 0,
    waiting       bigint NOT NULL DEFAULT 0,
    CONSTRAINT caps_pkey PRIMARY KEY (jurisdiction, programme, scope),
    CONSTRAINT caps_scope_form CHECK (scope ~ '^(whole|category:[a-z_]{1,40}|month:[0-9]{4}-[0-9]{2})$'),
    CONSTRAINT caps_committed_not_negative CHECK (committed >= 0),
    CONSTRAINT caps_within_ceiling CHECK (committed <= ceiling),
    CONSTRAINT caps_waiting_not_negative CHECK (waiting >= 0),
    CONSTRAINT caps_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);

CREATE TABLE cap_changes (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    programme     text NOT NULL,
    caps          text NOT NULL,
    document      text NOT NULL,
    status        text NOT NULL,
    maker         text NOT NULL,
    made_at       timestamptz NOT NULL,
    checker       text,
    checked_at    timestamptz,
    reason        text,
    CONSTRAINT cap_changes_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT cap_changes_status_known CHECK (status IN ('pending', 'approved', 'refused')),
    CONSTRAINT cap_changes_checked CHECK ((status = 'pending') = (checker IS NULL)),
    CONSTRAINT cap_changes_checked_is_dated CHECK ((checker IS NULL) = (checked_at IS NULL)),
    CONSTRAINT cap_changes_four_eyes CHECK (checker <> maker),
    CONSTRAINT cap_changes_refusal_has_reason CHECK (status <> 'refused' OR reason <> ''),
    CONSTRAINT cap_changes_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);
CREATE INDEX cap_changes_programme_idx ON cap_changes (jurisdiction, programme, id);
