-- Closing (结账): months and years of a county's ledger, with what each fund and source carries on.

-- No transfer of a county stands before this instant but those that were there when it was set.
ALTER TABLE ledgers ADD COLUMN closed_until timestamptz;

-- What each source gained or gave, and when: `fund_sources` is the fold of these rows, so that it can be told as of any instant.
-- `posted_at` is that of the transfers the move belongs to; `spent` falls when money comes back. Rows are added, never changed.
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
CREATE INDEX source_moves_posted_idx ON source_moves (jurisdiction, posted_at);

-- Grants and lapses are known from their transfers. Which source paid was not written down by time: it stands at the last transfer.
INSERT INTO source_moves (jurisdiction, programme, source, appropriated, in_payment, spent, lapsed, posted_at)
    SELECT * FROM (
        SELECT t.jurisdiction, t.programme, a.source, t.amount, 0, 0, 0, t.posted_at
        FROM transfers t JOIN appropriations a ON a.jurisdiction = t.jurisdiction AND a.id = t.document
        WHERE t.reason = 'appropriate'
        UNION ALL
        SELECT jurisdiction, programme, 'central', 0, 0, 0, amount, posted_at FROM transfers WHERE reason = 'lapse'
        UNION ALL
        SELECT s.jurisdiction, s.programme, s.source, 0, s.in_payment, s.spent, 0, l.last_posted_at
        FROM fund_sources s JOIN ledgers l ON l.jurisdiction = s.jurisdiction WHERE s.in_payment <> 0 OR s.spent <> 0
    ) AS m (jurisdiction, programme, source, appropriated, in_payment, spent, lapsed, posted_at)
    ORDER BY jurisdiction, posted_at;

-- Months are closed in order without gaps, each beginning where the one before ended, and so are years: `since` is null for a
-- county's first, and no two follow the same.
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
    CONSTRAINT closings_since_is_a_period_before CHECK (until AT TIME ZONE 'Asia/Shanghai' = since AT TIME ZONE 'Asia/Shanghai'
        + CASE kind WHEN 'month' THEN interval '1 month' ELSE interval '1 year' END),
    CONSTRAINT closings_ended_when_made CHECK (made_at >= until),
    CONSTRAINT closings_not_negative CHECK (height >= 0 AND transfers >= 0),
    CONSTRAINT closings_until_key UNIQUE (jurisdiction, kind, until),
    CONSTRAINT closings_since_key UNIQUE NULLS NOT DISTINCT (jurisdiction, kind, since),
    CONSTRAINT closings_since_fkey FOREIGN KEY (jurisdiction, kind, since) REFERENCES closings (jurisdiction, kind, until),
    CONSTRAINT closings_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);

-- Of funds that ever moved. Debits add to an account and credits take from it; `appropriated` alone is the other way round.
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
    CONSTRAINT closing_balances_closing_fkey FOREIGN KEY (jurisdiction, period) REFERENCES closings (jurisdiction, period)
);

-- What a source had in all, before the period and at its end. `lapsed_after`: what of it lapsed in the year after, before the
-- year was closed; transfers of the open period, which the next year's closing counts.
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
    CONSTRAINT closing_sources_not_negative CHECK (least(opening_appropriated, opening_in_payment, opening_spent, opening_lapsed,
        appropriated, in_payment, spent, lapsed, lapsed_after) >= 0),
    CONSTRAINT closing_sources_left_not_negative CHECK (opening_appropriated >= opening_in_payment + opening_spent + opening_lapsed
        AND appropriated >= in_payment + spent + lapsed),
    CONSTRAINT closing_sources_only_central_lapses CHECK (lapsed + lapsed_after = 0 OR source = 'central'),
    CONSTRAINT closing_sources_closing_fkey FOREIGN KEY (jurisdiction, period) REFERENCES closings (jurisdiction, period)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are added, never changed', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_append_only', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER source_moves_append_only BEFORE UPDATE OR DELETE ON source_moves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER closings_append_only BEFORE UPDATE OR DELETE ON closings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER closing_balances_append_only BEFORE UPDATE OR DELETE ON closing_balances
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER closing_sources_append_only BEFORE UPDATE OR DELETE ON closing_sources
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A closed period takes nothing more: looked up once a statement and county, whatever the number of rows. Whoever posts holds the
-- ledger's lock, and so does whoever closes: what is read here cannot change before the commit.
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
CREATE TRIGGER source_moves_period_open AFTER INSERT ON source_moves REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_period();

-- Nothing reopens.
CREATE FUNCTION refuse_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a closed period is not opened again'
        USING ERRCODE = '23514', CONSTRAINT = 'ledgers_never_reopened', TABLE = 'ledgers';
END $$;
CREATE TRIGGER ledgers_never_reopened BEFORE UPDATE OF closed_until ON ledgers FOR EACH ROW
    WHEN (OLD.closed_until IS NOT NULL AND (NEW.closed_until IS NULL OR NEW.closed_until < OLD.closed_until))
    EXECUTE FUNCTION refuse_reopening();
