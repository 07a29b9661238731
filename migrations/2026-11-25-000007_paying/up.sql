-- Paying: one payment a payee with its claims as lines, a third pair of eyes above an amount, holds, payees' accounts, and what
-- banks say, matched or set aside.

-- A merchant's hundred claims are one payment; a car buyer's claim is one. `account` is the revision of the merchant's account
-- that the payment goes to; of an applicant's correction, or null: then it goes to the account in the claim.
CREATE TABLE payments (
    jurisdiction    text NOT NULL,
    id              uuid NOT NULL,
    disbursement    uuid NOT NULL,
    payee           text NOT NULL,
    merchant        text,
    person          bytea,
    account         integer,
    claims          integer NOT NULL,
    amount          bigint NOT NULL,
    outcome         text NOT NULL DEFAULT 'open',
    reason          text,
    settled_at      timestamptz,
    CONSTRAINT payments_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT payments_payee_known CHECK (payee IN ('merchant', 'applicant')),
    CONSTRAINT payments_payee_is_named CHECK
        ((payee = 'merchant') = (merchant IS NOT NULL) AND (payee = 'applicant') = (person IS NOT NULL)),
    CONSTRAINT payments_not_empty CHECK (claims > 0 AND amount > 0),
    CONSTRAINT payments_outcome_known CHECK (outcome IN ('open', 'paid', 'failed', 'returned', 'cancelled')),
    CONSTRAINT payments_failure_has_reason CHECK (outcome NOT IN ('failed', 'returned') OR reason <> ''),
    CONSTRAINT payments_settled_is_dated CHECK ((outcome = 'open') = (settled_at IS NULL)),
    CONSTRAINT payments_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement)
        REFERENCES disbursements (jurisdiction, id)
);
CREATE INDEX payments_disbursement_idx ON payments (jurisdiction, disbursement, id);

-- Until now a payment was of one claim. Who is paid is sealed in the claim; only car programmes pay the applicant.
INSERT INTO payments (jurisdiction, id, disbursement, payee, merchant, person, claims, amount, outcome, reason, settled_at)
    SELECT l.jurisdiction, l.payment, l.disbursement,
        CASE WHEN c.programme LIKE 'vehicle-%' THEN 'applicant' ELSE 'merchant' END,
        CASE WHEN c.programme LIKE 'vehicle-%' THEN NULL ELSE c.merchant END,
        CASE WHEN c.programme LIKE 'vehicle-%' THEN c.person END,
        1, l.amount, l.outcome, l.reason, l.settled_at
    FROM disbursement_lines l JOIN claims c ON c.jurisdiction = l.jurisdiction AND c.id = l.claim;

-- What a line's payment came to stands with the payment; the line keeps what makes a claim be in one open payment at most.
ALTER TABLE disbursement_lines DROP CONSTRAINT disbursement_lines_payment_key;
ALTER TABLE disbursement_lines DROP CONSTRAINT disbursement_lines_outcome_known;
ALTER TABLE disbursement_lines ADD CONSTRAINT disbursement_lines_outcome_known
    CHECK (outcome IN ('open', 'paid', 'failed', 'returned', 'cancelled'));
ALTER TABLE disbursement_lines DROP CONSTRAINT disbursement_lines_failure_has_reason;
ALTER TABLE disbursement_lines DROP CONSTRAINT disbursement_lines_settled_is_dated;
ALTER TABLE disbursement_lines DROP COLUMN reason;
ALTER TABLE disbursement_lines DROP COLUMN settled_at;
CREATE INDEX disbursement_lines_payment_idx ON disbursement_lines (jurisdiction, payment);
ALTER TABLE disbursement_lines ADD CONSTRAINT disbursement_lines_payment_fkey FOREIGN KEY (jurisdiction, payment)
    REFERENCES payments (jurisdiction, id);

-- Above an amount a second person countersigns and a third lets the money go. What was let go is frozen: its digest, and the
-- revision of the county's account that it is paid from, and how many payments stand in a file.
ALTER TABLE disbursements ADD COLUMN payments integer NOT NULL DEFAULT 1;
UPDATE disbursements SET payments = claims;
ALTER TABLE disbursements ALTER COLUMN payments DROP DEFAULT;
ALTER TABLE disbursements ADD COLUMN needs_three boolean NOT NULL DEFAULT false;
ALTER TABLE disbursements ADD COLUMN countersigner text;
ALTER TABLE disbursements ADD COLUMN countersigned_at timestamptz;
ALTER TABLE disbursements ADD COLUMN account integer;
ALTER TABLE disbursements ADD COLUMN per_file integer;
ALTER TABLE disbursements ADD COLUMN digest bytea;
ALTER TABLE disbursements DROP CONSTRAINT disbursements_status_known;
ALTER TABLE disbursements ADD CONSTRAINT disbursements_status_known
    CHECK (status IN ('made', 'countersigned', 'released', 'settled', 'cancelled'));
ALTER TABLE disbursements DROP CONSTRAINT disbursements_not_empty;
ALTER TABLE disbursements ADD CONSTRAINT disbursements_not_empty CHECK (claims > 0 AND payments > 0 AND total > 0);
ALTER TABLE disbursements ADD CONSTRAINT disbursements_countersigned CHECK
    ((countersigner IS NULL) = (countersigned_at IS NULL) AND (status <> 'countersigned' OR countersigner IS NOT NULL));
ALTER TABLE disbursements ADD CONSTRAINT disbursements_six_eyes CHECK
    (countersigner <> maker AND countersigner <> releaser
        AND (NOT needs_three OR releaser IS NULL OR countersigner IS NOT NULL));

-- What keeps claims out of payment. Every part that is given has to match.
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
    CONSTRAINT holds_hold_something CHECK (num_nonnulls(programme, merchant, claim) > 0),
    CONSTRAINT holds_have_a_reason CHECK (reason <> ''),
    CONSTRAINT holds_lifted CHECK (num_nonnulls(lifter, lifted_at, lift_reason) IN (0, 3)),
    CONSTRAINT holds_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);
CREATE INDEX holds_standing_idx ON holds (jurisdiction, id) WHERE lifter IS NULL;

-- Where a merchant is paid, and what a county pays from: `holder` is a credit code or a county's. Entered by one, confirmed by
-- another; the last confirmed revision counts.
CREATE TABLE bank_accounts (
    holder      text NOT NULL,
    revision    integer NOT NULL,
    key_id      text NOT NULL,
    sealed      bytea NOT NULL,
    status      text NOT NULL,
    maker       text NOT NULL,
    made_at     timestamptz NOT NULL,
    checker     text,
    checked_at  timestamptz,
    reason      text,
    CONSTRAINT bank_accounts_pkey PRIMARY KEY (holder, revision),
    CONSTRAINT bank_accounts_status_known CHECK (status IN ('pending', 'approved', 'refused')),
    CONSTRAINT bank_accounts_checked CHECK ((status = 'pending') = (checker IS NULL)),
    CONSTRAINT bank_accounts_checked_is_dated CHECK ((checker IS NULL) = (checked_at IS NULL)),
    CONSTRAINT bank_accounts_four_eyes CHECK (checker <> maker),
    CONSTRAINT bank_accounts_refusal_has_reason CHECK (status <> 'refused' OR reason <> '')
);

-- An applicant's account put right after the bank could not pay: it counts instead of the one in the claim.
CREATE TABLE payee_corrections (
    jurisdiction  text NOT NULL,
    claim         uuid NOT NULL,
    revision      integer NOT NULL,
    key_id        text NOT NULL,
    sealed        bytea NOT NULL,
    maker         text NOT NULL,
    made_at       timestamptz NOT NULL,
    CONSTRAINT payee_corrections_pkey PRIMARY KEY (jurisdiction, claim, revision),
    CONSTRAINT payee_corrections_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES claims (jurisdiction, id)
);

-- What banks said of payments, once each: a repeat is known by its fingerprint. What fits no payment, or contradicts what is
-- known, waits for a person.
CREATE TABLE bank_entries (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    fingerprint   bytea NOT NULL,
    disbursement  uuid,
    payment       uuid,
    reference     text NOT NULL,
    verdict       text NOT NULL,
    amount        bigint,
    code          text,
    reason        text,
    booked_on     date,
    format        text NOT NULL,
    received_at   timestamptz NOT NULL,
    receiver      text NOT NULL,
    standing      text NOT NULL,
    exception     text,
    resolver      text,
    resolved_at   timestamptz,
    resolution    text,
    CONSTRAINT bank_entries_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT bank_entries_fingerprint_key UNIQUE (jurisdiction, fingerprint),
    CONSTRAINT bank_entries_verdict_known CHECK (verdict IN ('paid', 'failed', 'returned', 'unclear')),
    CONSTRAINT bank_entries_format_known CHECK (format IN ('json', 'csv', 'pain.002', 'camt.054')),
    CONSTRAINT bank_entries_standing_known CHECK (standing IN ('matched', 'exception', 'applied', 'dismissed')),
    CONSTRAINT bank_entries_exception_known CHECK
        (exception IN ('unknown_payment', 'not_released', 'amount_differs', 'contradicts', 'unclear')),
    CONSTRAINT bank_entries_exception_is_named CHECK ((standing = 'matched') = (exception IS NULL)),
    CONSTRAINT bank_entries_resolved CHECK
        ((standing IN ('applied', 'dismissed')) = (resolver IS NOT NULL)
            AND num_nonnulls(resolver, resolved_at, resolution) IN (0, 3)),
    CONSTRAINT bank_entries_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);
CREATE INDEX bank_entries_exceptions_idx ON bank_entries (jurisdiction, id) WHERE standing = 'exception';
CREATE INDEX bank_entries_payment_idx ON bank_entries (jurisdiction, payment) WHERE payment IS NOT NULL;

-- A bank returns what it had paid: the claims are payable again.
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
    ('claw_back', 'available', 'recoverable')));
