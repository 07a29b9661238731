-- The county's books: funds with their accounts, the transfers between them, what they may commit,
-- who gives the money, closed periods, and holds. Money is `bigint` fen. Decisions are made in
-- Rust; the constraints here prove each result.

-- One row for each county: the height of its ledger, the time of its last transfer, the end of its
-- closed periods, and the number of leaves of its log. Its row lock is the queue for everything
-- that moves the county's money. A fifth of each page is filled: a busy second's row versions stay
-- on the page, so no update touches the index.
CREATE TABLE ledgers (
    jurisdiction    text NOT NULL,
    height          bigint NOT NULL DEFAULT 0,
    last_posted_at  timestamptz,
    closed_until    timestamptz,
    leaves          bigint NOT NULL DEFAULT 0,
    CONSTRAINT ledgers_pkey PRIMARY KEY (jurisdiction),
    CONSTRAINT ledgers_height_not_negative CHECK (height >= 0),
    -- Each transfer is a leaf of the log.
    CONSTRAINT ledgers_leaves_not_negative CHECK (leaves >= height),
    CONSTRAINT ledgers_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) WITH (fillfactor = 20);

CREATE FUNCTION refuse_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a closed period is not opened again'
        USING ERRCODE = '23514', CONSTRAINT = 'ledgers_never_reopened', TABLE = 'ledgers';
END $$;
CREATE TRIGGER ledgers_never_reopened BEFORE UPDATE OF closed_until ON ledgers FOR EACH ROW
    WHEN (OLD.closed_until IS NOT NULL AND (NEW.closed_until IS NULL OR NEW.closed_until < OLD.closed_until))
    EXECUTE FUNCTION refuse_reopening();

-- A programme in a county. All its accounts stand in one row, so one guarded update moves money and
-- one CHECK sees the whole. `waiting` counts the claims that wait for the fund's money; `advanced`
-- is what merchants have ahead of their claims.
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
    advanced      bigint NOT NULL DEFAULT 0,
    CONSTRAINT funds_pkey PRIMARY KEY (jurisdiction, programme),
    -- The cap of the fund: of two claims that race for the last fen, one violates this.
    CONSTRAINT funds_available_not_negative CHECK (available >= 0),
    CONSTRAINT funds_reserved_not_negative CHECK (reserved >= 0),
    CONSTRAINT funds_payable_not_negative CHECK (payable >= 0),
    CONSTRAINT funds_in_payment_not_negative CHECK (in_payment >= 0),
    CONSTRAINT funds_disbursed_not_negative CHECK (disbursed >= 0),
    CONSTRAINT funds_recoverable_not_negative CHECK (recoverable >= 0),
    CONSTRAINT funds_advanced_not_negative CHECK (advanced >= 0),
    CONSTRAINT funds_waiting_not_negative CHECK (waiting >= 0),
    -- Double entry in one row: an update that moves one side only is refused.
    CONSTRAINT funds_balanced CHECK
        (appropriated = available + reserved + payable + in_payment + disbursed + recoverable + advanced),
    CONSTRAINT funds_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
) WITH (fillfactor = 20);

-- Rows that name a fund or a claim without a foreign key may do so because neither ever goes. Also
-- guards `claims`.
CREATE FUNCTION refuse_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are never deleted', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_never_deleted', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER funds_never_deleted BEFORE DELETE ON funds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_deletion();

-- The only record of money moving: from the account `credit` to the account `debit` of one fund,
-- for a claim or for another document. `height` is its place in the county's ledger, `leaf` in the
-- county's log. Rows are added, never changed.
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
    leaf          bigint NOT NULL,
    CONSTRAINT transfers_pkey PRIMARY KEY (jurisdiction, height),
    CONSTRAINT transfers_amount_positive CHECK (amount > 0),
    CONSTRAINT transfers_leaf_not_negative CHECK (leaf >= 0),
    -- A reason moves money between the same two accounts every time: `ledger::Reason` in SQL.
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
        ('return_payment', 'payable', 'disbursed'),
        ('claw_back_due', 'recoverable', 'disbursed'),
        ('claw_back', 'available', 'recoverable'),
        ('lapse', 'appropriated', 'available'),
        ('waive', 'disbursed', 'recoverable'),
        ('instruct_advance', 'in_payment', 'available'),
        ('cancel_advance', 'available', 'in_payment'),
        ('fail_advance', 'available', 'in_payment'),
        ('pay_advance', 'advanced', 'in_payment'),
        ('return_advance', 'available', 'advanced'),
        ('set_off', 'available', 'advanced'),
        ('repay_advance', 'available', 'advanced')))
);
-- A claim's transfers; and those without a claim by their document, for statements. No row is in
-- both.
CREATE INDEX transfers_claim_idx ON transfers (jurisdiction, claim) WHERE claim IS NOT NULL;
CREATE INDEX transfers_document_idx ON transfers (jurisdiction, document) WHERE claim IS NULL;

CREATE FUNCTION transfers_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'transfers are added, never changed'
        USING ERRCODE = '23514', CONSTRAINT = 'transfers_append_only', TABLE = 'transfers';
END $$;
CREATE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE ON transfers
    FOR EACH ROW EXECUTE FUNCTION transfers_refuse_change();

-- A foreign key looks its parent up for each row. Funds are never deleted, and the rows of a batch
-- name few of them, so this looks them up once a statement. Also guards `claims`.
CREATE FUNCTION refuse_unknown_fund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT jurisdiction, programme FROM added) a WHERE NOT EXISTS
            (SELECT FROM funds f WHERE f.jurisdiction = a.jurisdiction AND f.programme = a.programme)) THEN
        RAISE EXCEPTION 'a row of % names no fund', TG_TABLE_NAME
            USING ERRCODE = '23503', CONSTRAINT = TG_TABLE_NAME || '_fund_known', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transfers_fund_known AFTER INSERT ON transfers REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unknown_fund();

-- Nothing is posted into a closed period; looked up once a statement and county. Posting and
-- closing both hold the ledger's row lock, so `closed_until` cannot change between this look and
-- the commit. Also guards `source_moves`.
CREATE FUNCTION refuse_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT jurisdiction, min(posted_at) AS first FROM added GROUP BY jurisdiction) a
            JOIN ledgers l ON l.jurisdiction = a.jurisdiction WHERE a.first < l.closed_until) THEN
        RAISE EXCEPTION 'a row of % would stand in a closed period', TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_period_open', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transfers_period_open AFTER INSERT ON transfers REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_period();

-- Money granted to a fund by a source under an official document: entered by one person, approved
-- by another, and only then posted.
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
    -- A document is entered once for a fund and source. Also the index of the foreign key.
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

-- A ceiling on what a fund, or a slice of it, may commit; `committed` is what claims hold of it,
-- `waiting` how many claims wait for it. `scope` is 'whole', 'category:<category>' or
-- 'month:<yyyy-mm>'. The city's caps stand under the city's own code and count all its counties.
-- Half of each page stays free, for the versions of hot rows.
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
    -- Neither a claim nor a lowered ceiling gets past this.
    CONSTRAINT caps_within_ceiling CHECK (committed <= ceiling),
    CONSTRAINT caps_waiting_not_negative CHECK (waiting >= 0),
    CONSTRAINT caps_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
) WITH (fillfactor = 50);

-- A proposed set of caps of a fund, as JSON: entered by one person, approved by another.
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
-- A fund's changes, newest first.
CREATE INDEX cap_changes_programme_idx ON cap_changes (jurisdiction, programme, id);

-- What a source gave to a fund and what became of it. `in_payment` and `spent` are the source's
-- parts of payments less what payees gave back; `carry` is how far the source is behind its exact
-- share of all payments, in ten-thousandths of a fen (below zero: ahead). A fund has all four rows
-- or none.
CREATE TABLE fund_sources (
    jurisdiction  text NOT NULL,
    programme     text NOT NULL,
    source        text NOT NULL,
    appropriated  bigint NOT NULL DEFAULT 0,
    in_payment    bigint NOT NULL DEFAULT 0,
    spent         bigint NOT NULL DEFAULT 0,
    lapsed        bigint NOT NULL DEFAULT 0,
    carry         bigint NOT NULL DEFAULT 0,
    CONSTRAINT fund_sources_pkey PRIMARY KEY (jurisdiction, programme, source),
    CONSTRAINT fund_sources_source_known CHECK (source IN ('central', 'province', 'city', 'county')),
    CONSTRAINT fund_sources_appropriated_not_negative CHECK (appropriated >= 0),
    CONSTRAINT fund_sources_in_payment_not_negative CHECK (in_payment >= 0),
    CONSTRAINT fund_sources_spent_not_negative CHECK (spent >= 0),
    CONSTRAINT fund_sources_lapsed_not_negative CHECK (lapsed >= 0),
    -- A source pays no more than it gave.
    CONSTRAINT fund_sources_left_not_negative CHECK (appropriated >= in_payment + spent + lapsed),
    -- Only central money has to be used by 31 December.
    CONSTRAINT fund_sources_only_central_lapses CHECK (lapsed = 0 OR source = 'central'),
    -- Splitting leaves a source at most 3/4 fen ahead and 9/4 fen behind (`ledger::sources`),
    -- whatever the number of payments: three fen are a bug.
    CONSTRAINT fund_sources_carry_bounded CHECK (carry > -30000 AND carry < 30000),
    CONSTRAINT fund_sources_fund_fkey FOREIGN KEY (jurisdiction, programme)
        REFERENCES funds (jurisdiction, programme)
) WITH (fillfactor = 50);

-- Append-only tables whose rows are written in sets.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are added, never changed', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_append_only', TABLE = TG_TABLE_NAME;
END $$;

-- What a source gained or gave in one unit of work: `fund_sources` is the fold of these rows, so it
-- can be stated as of any instant. `posted_at` is that of the transfers that the move belongs to.
-- `spent` falls when money comes back.
CREATE TABLE source_moves (
    jurisdiction  text NOT NULL,
    number        bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    programme     text NOT NULL,
    source        text NOT NULL,
    appropriated  bigint NOT NULL,
    in_payment    bigint NOT NULL,
    spent         bigint NOT NULL,
    lapsed        bigint NOT NULL,
    posted_at     timestamptz NOT NULL,
    CONSTRAINT source_moves_pkey PRIMARY KEY (jurisdiction, number),
    CONSTRAINT source_moves_source_known CHECK (source IN ('central', 'province', 'city', 'county')),
    CONSTRAINT source_moves_moves CHECK (appropriated <> 0 OR in_payment <> 0 OR spent <> 0 OR lapsed <> 0),
    CONSTRAINT source_moves_granted_and_lapsed_stay CHECK (appropriated >= 0 AND lapsed >= 0)
);
-- What moved since the closing before.
CREATE INDEX source_moves_posted_idx ON source_moves (jurisdiction, posted_at);
CREATE TRIGGER source_moves_append_only BEFORE UPDATE OR DELETE ON source_moves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER source_moves_period_open AFTER INSERT ON source_moves REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_period();

-- A closed month or year (结账) of a county's ledger: `height` is that of the last transfer before
-- `until`, `transfers` the number in the period. Each kind is a chain without gaps: `since` is the
-- end of the period before, null for the county's first.
CREATE TABLE closings (
    jurisdiction  text NOT NULL,
    period        text NOT NULL,
    kind          text NOT NULL,
    since         timestamptz,
    until         timestamptz NOT NULL,
    height        bigint NOT NULL,
    transfers     bigint NOT NULL,
    actor         text NOT NULL,
    made_at       timestamptz NOT NULL,
    CONSTRAINT closings_pkey PRIMARY KEY (jurisdiction, period),
    CONSTRAINT closings_kind_known CHECK (kind IN ('month', 'year')),
    CONSTRAINT closings_until_is_the_end_of_its_period CHECK (until AT TIME ZONE 'Asia/Shanghai' = CASE kind
        WHEN 'month' THEN make_date(left(period, 4)::integer, right(period, 2)::integer, 1) + interval '1 month'
        ELSE make_date(period::integer, 12, 31) + interval '1 day' END),
    CONSTRAINT closings_since_is_a_period_before CHECK
        (until AT TIME ZONE 'Asia/Shanghai' = since AT TIME ZONE 'Asia/Shanghai'
        + CASE kind WHEN 'month' THEN interval '1 month' ELSE interval '1 year' END),
    CONSTRAINT closings_ended_when_made CHECK (made_at >= until),
    CONSTRAINT closings_not_negative CHECK (height >= 0 AND transfers >= 0),
    CONSTRAINT closings_until_key UNIQUE (jurisdiction, kind, until),
    -- One period follows each, and one is the first: nulls count as equal.
    CONSTRAINT closings_since_key UNIQUE NULLS NOT DISTINCT (jurisdiction, kind, since),
    CONSTRAINT closings_since_fkey FOREIGN KEY (jurisdiction, kind, since)
        REFERENCES closings (jurisdiction, kind, until),
    CONSTRAINT closings_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);
CREATE TRIGGER closings_append_only BEFORE UPDATE OR DELETE ON closings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An account over a closed period, for each fund that ever moved. Debits add to an account and
-- credits take from it; for `appropriated` alone it is the other way round.
CREATE TABLE closing_balances (
    jurisdiction  text NOT NULL,
    period        text NOT NULL,
    programme     text NOT NULL,
    account       text NOT NULL,
    opening       bigint NOT NULL,
    debits        bigint NOT NULL,
    credits       bigint NOT NULL,
    closing       bigint NOT NULL,
    CONSTRAINT closing_balances_pkey PRIMARY KEY (jurisdiction, period, programme, account),
    CONSTRAINT closing_balances_not_negative CHECK (least(opening, debits, credits, closing) >= 0),
    CONSTRAINT closing_balances_add_up CHECK
        (closing = opening + CASE account WHEN 'appropriated' THEN credits - debits ELSE debits - credits END),
    CONSTRAINT closing_balances_closing_fkey FOREIGN KEY (jurisdiction, period)
        REFERENCES closings (jurisdiction, period)
);
CREATE TRIGGER closing_balances_append_only BEFORE UPDATE OR DELETE ON closing_balances
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- All that a source had before a closed period and at its end. `lapsed_after` is what of it lapsed
-- in the year after, before the year was closed: transfers of the open period, which the next
-- year's closing counts.
CREATE TABLE closing_sources (
    jurisdiction          text NOT NULL,
    period                text NOT NULL,
    programme             text NOT NULL,
    source                text NOT NULL,
    opening_appropriated  bigint NOT NULL,
    opening_in_payment    bigint NOT NULL,
    opening_spent         bigint NOT NULL,
    opening_lapsed        bigint NOT NULL,
    appropriated          bigint NOT NULL,
    in_payment            bigint NOT NULL,
    spent                 bigint NOT NULL,
    lapsed                bigint NOT NULL,
    lapsed_after          bigint NOT NULL,
    CONSTRAINT closing_sources_pkey PRIMARY KEY (jurisdiction, period, programme, source),
    CONSTRAINT closing_sources_source_known CHECK (source IN ('central', 'province', 'city', 'county')),
    CONSTRAINT closing_sources_not_negative CHECK
        (least(opening_appropriated, opening_in_payment, opening_spent, opening_lapsed,
        appropriated, in_payment, spent, lapsed, lapsed_after) >= 0),
    CONSTRAINT closing_sources_left_not_negative CHECK
        (opening_appropriated >= opening_in_payment + opening_spent + opening_lapsed
        AND appropriated >= in_payment + spent + lapsed),
    CONSTRAINT closing_sources_only_central_lapses CHECK (lapsed + lapsed_after = 0 OR source = 'central'),
    CONSTRAINT closing_sources_closing_fkey FOREIGN KEY (jurisdiction, period)
        REFERENCES closings (jurisdiction, period)
);
CREATE TRIGGER closing_sources_append_only BEFORE UPDATE OR DELETE ON closing_sources
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Money kept back: a hold keeps the claims that match every part given (programme, merchant, claim)
-- out of payment until it is lifted.
CREATE TABLE holds (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    programme     text,
    merchant      text,
    claim         uuid,
    reason        text NOT NULL,
    placer        text NOT NULL,
    placed_at     timestamptz NOT NULL,
    lifter        text,
    lifted_at     timestamptz,
    lift_reason   text,
    CONSTRAINT holds_pkey PRIMARY KEY (jurisdiction, id),
    -- Without a part, a hold would stop the whole county.
    CONSTRAINT holds_hold_something CHECK (num_nonnulls(programme, merchant, claim) > 0),
    CONSTRAINT holds_have_a_reason CHECK (reason <> ''),
    CONSTRAINT holds_lifted CHECK (num_nonnulls(lifter, lifted_at, lift_reason) IN (0, 3)),
    CONSTRAINT holds_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);
-- Those that stand, which gathering a disbursement reads.
CREATE INDEX holds_standing_idx ON holds (jurisdiction, id) WHERE lifter IS NULL;
