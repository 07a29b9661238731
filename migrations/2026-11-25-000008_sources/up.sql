-- Which source a payment's money comes from, and what each source of a fund has left.

-- `in_payment` and `spent` are the parts of payments less what came back from payees; `carry` is how far the source is behind its
-- exact share of all payments, in ten-thousandths of a fen (below zero: ahead). The four of a fund stand or fail together.
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
    CONSTRAINT fund_sources_left_not_negative CHECK (appropriated >= in_payment + spent + lapsed),
    CONSTRAINT fund_sources_only_central_lapses CHECK (lapsed = 0 OR source = 'central'),
    CONSTRAINT fund_sources_carry_bounded CHECK (carry > -30000 AND carry < 30000),
    CONSTRAINT fund_sources_fund_fkey FOREIGN KEY (jurisdiction, programme) REFERENCES funds (jurisdiction, programme)
) WITH (fillfactor = 50);

-- The parts of a payment, and how much of each came back since.
ALTER TABLE payments
    ADD COLUMN central bigint NOT NULL DEFAULT 0,
    ADD COLUMN province bigint NOT NULL DEFAULT 0,
    ADD COLUMN city bigint NOT NULL DEFAULT 0,
    ADD COLUMN county bigint NOT NULL DEFAULT 0,
    ADD COLUMN recovered_central bigint NOT NULL DEFAULT 0,
    ADD COLUMN recovered_province bigint NOT NULL DEFAULT 0,
    ADD COLUMN recovered_city bigint NOT NULL DEFAULT 0,
    ADD COLUMN recovered_county bigint NOT NULL DEFAULT 0;

-- What of a claim came back since this payment paid it: from the bank, or from the payee.
ALTER TABLE disbursement_lines ADD COLUMN recovered bigint NOT NULL DEFAULT 0;
UPDATE disbursement_lines l SET recovered = l.amount FROM claims c
    WHERE c.jurisdiction = l.jurisdiction AND c.id = l.claim
        AND (l.outcome = 'returned' OR l.outcome = 'paid' AND c.status = 'clawed_back');
ALTER TABLE disbursement_lines ADD CONSTRAINT disbursement_lines_recovered_was_paid CHECK
    (recovered BETWEEN 0 AND amount AND (recovered = 0 OR outcome IN ('paid', 'returned')));

INSERT INTO fund_sources (jurisdiction, programme, source, appropriated)
    SELECT f.jurisdiction, f.programme, s.source, coalesce(sum(a.amount), 0)
    FROM funds f CROSS JOIN (VALUES ('central'), ('province'), ('city'), ('county')) AS s (source)
        LEFT JOIN appropriations a ON a.jurisdiction = f.jurisdiction AND a.programme = f.programme
            AND a.source = s.source AND a.status = 'approved'
    GROUP BY f.jurisdiction, f.programme, s.source;

-- Nobody said until now which source paid. What is paid or in payment (less what was clawed back) is taken from the sources in
-- proportion to what they gave, payment by payment: central and local by running totals rounded down, then local alike. Both
-- parts of a whole number that grows never shrink, so no part is negative and no source gives more than it has.
WITH recovered AS (
    SELECT l.jurisdiction, l.payment, sum(l.amount) AS amount
    FROM disbursement_lines l JOIN claims c ON c.jurisdiction = l.jurisdiction AND c.id = l.claim
    WHERE l.outcome = 'paid' AND c.status = 'clawed_back' GROUP BY l.jurisdiction, l.payment
),
gave AS (
    SELECT jurisdiction, programme, sum(appropriated) AS whole,
        sum(appropriated) FILTER (WHERE source = 'central') AS central,
        sum(appropriated) FILTER (WHERE source = 'province') AS province,
        sum(appropriated) FILTER (WHERE source = 'city') AS city,
        sum(appropriated) FILTER (WHERE source = 'county') AS county
    FROM fund_sources GROUP BY jurisdiction, programme
),
held AS (
    SELECT p.jurisdiction, p.id, g.programme, g.whole, g.central AS of_central, g.province AS of_province, g.city AS of_city,
        g.county AS of_county, coalesce(r.amount, 0) AS recovered,
        p.amount - coalesce(r.amount, 0) AS net,
        sum(p.amount - coalesce(r.amount, 0)) OVER before AS until
    FROM payments p JOIN disbursements d ON d.jurisdiction = p.jurisdiction AND d.id = p.disbursement
        JOIN gave g ON g.jurisdiction = d.jurisdiction AND g.programme = d.programme
        LEFT JOIN recovered r ON r.jurisdiction = p.jurisdiction AND r.payment = p.id
    WHERE p.outcome IN ('open', 'paid')
    WINDOW before AS (PARTITION BY p.jurisdiction, g.programme ORDER BY p.id)
),
first AS (
    SELECT *, div(until * of_central, whole) - div((until - net) * of_central, whole) AS central FROM held
),
second AS (
    SELECT *, net - central AS local, sum(net - central) OVER before AS local_until FROM first
    WINDOW before AS (PARTITION BY jurisdiction, programme ORDER BY id)
),
third AS (
    SELECT *, coalesce(div(local_until * of_province, nullif(whole - of_central, 0))
        - div((local_until - local) * of_province, nullif(whole - of_central, 0)), 0) AS province FROM second
),
fourth AS (
    SELECT *, local - province AS rest, sum(local - province) OVER before AS rest_until FROM third
    WINDOW before AS (PARTITION BY jurisdiction, programme ORDER BY id)
),
fifth AS (
    SELECT *, coalesce(div(rest_until * of_city, nullif(of_city + of_county, 0))
        - div((rest_until - rest) * of_city, nullif(of_city + of_county, 0)), 0) AS city FROM fourth
)
-- What came back before anybody asked where it came from is written as central's, there and back.
UPDATE payments p SET central = f.central + f.recovered, province = f.province, city = f.city, county = f.rest - f.city,
    recovered_central = f.recovered
    FROM fifth f WHERE f.jurisdiction = p.jurisdiction AND f.id = p.id;
-- What was not paid, or came back from the bank, has nothing of anybody's.
UPDATE payments SET central = amount, recovered_central = CASE WHEN outcome = 'returned' THEN amount ELSE 0 END
    WHERE outcome NOT IN ('open', 'paid');

UPDATE fund_sources s SET in_payment = u.in_payment, spent = u.spent
    FROM (
        SELECT d.jurisdiction, d.programme, v.source,
            coalesce(sum(v.part) FILTER (WHERE p.outcome = 'open'), 0) AS in_payment,
            coalesce(sum(v.part - v.recovered) FILTER (WHERE p.outcome IN ('paid', 'returned')), 0) AS spent
        FROM payments p JOIN disbursements d ON d.jurisdiction = p.jurisdiction AND d.id = p.disbursement
            CROSS JOIN LATERAL (VALUES ('central', p.central, p.recovered_central), ('province', p.province, p.recovered_province),
                ('city', p.city, p.recovered_city), ('county', p.county, p.recovered_county)) AS v (source, part, recovered)
        GROUP BY d.jurisdiction, d.programme, v.source
    ) u
    WHERE u.jurisdiction = s.jurisdiction AND u.programme = s.programme AND u.source = s.source;

ALTER TABLE payments
    ALTER COLUMN central DROP DEFAULT,
    ALTER COLUMN province DROP DEFAULT,
    ALTER COLUMN city DROP DEFAULT,
    ALTER COLUMN county DROP DEFAULT,
    ADD CONSTRAINT payments_parts_are_the_amount CHECK (central + province + city + county = amount),
    ADD CONSTRAINT payments_parts_not_negative CHECK (least(central, province, city, county) >= 0),
    ADD CONSTRAINT payments_recovered_not_negative CHECK
        (least(recovered_central, recovered_province, recovered_city, recovered_county) >= 0),
    ADD CONSTRAINT payments_recovered_was_paid CHECK
        (recovered_central <= central AND recovered_province <= province AND recovered_city <= city
            AND recovered_county <= county);

-- Central money that nobody used by 31 December goes back.
ALTER TABLE transfers DROP CONSTRAINT transfers_accounts_by_reason;
ALTER TABLE transfers ADD CONSTRAINT transfers_accounts_by_reason CHECK ((reason, debit, credit) IN (
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
    ('lapse', 'appropriated', 'available')));
