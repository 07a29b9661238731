-- Payments: disbursements with their payments, whose money they are, what they are netted against,
-- the accounts they go to, and the exchange of files with the bank.

-- Where a merchant is paid and what a county pays from: `holder` is the credit code of the one or
-- the code of the other. Account and name are sealed. Entered by one person, confirmed by another;
-- the last approved revision counts.
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
    -- One person could otherwise send a merchant's money elsewhere.
    CONSTRAINT bank_accounts_four_eyes CHECK (checker <> maker),
    CONSTRAINT bank_accounts_refusal_has_reason CHECK (status <> 'refused' OR reason <> '')
);

-- An applicant's account, put right after the bank could not pay. It counts instead of the one in
-- the claim.
CREATE TABLE payee_corrections (
    jurisdiction  text NOT NULL,
    claim         uuid NOT NULL,
    revision      integer NOT NULL,
    key_id        text NOT NULL,
    sealed        bytea NOT NULL,
    maker         text NOT NULL,
    made_at       timestamptz NOT NULL,
    CONSTRAINT payee_corrections_pkey PRIMARY KEY (jurisdiction, claim, revision),
    CONSTRAINT payee_corrections_claim_fkey FOREIGN KEY (jurisdiction, claim)
        REFERENCES claims (jurisdiction, id)
);

-- Payable claims of a fund, gathered by one person of treasury, released by another, settled by the
-- bank's results. Above an amount (`needs_three`) a second person countersigns and a third
-- releases. What was released is frozen: `account` is the revision of the county's account that it
-- is paid from, `per_file` the number of payments in a file, `digest` the SHA-256 of the whole.
CREATE TABLE disbursements (
    jurisdiction      text NOT NULL,
    id                uuid NOT NULL,
    programme         text NOT NULL,
    status            text NOT NULL,
    revision          integer NOT NULL DEFAULT 1,
    claims            integer NOT NULL,
    total             bigint NOT NULL,
    maker             text NOT NULL,
    made_at           timestamptz NOT NULL,
    releaser          text,
    released_at       timestamptz,
    closed_at         timestamptz,
    payments          integer NOT NULL,
    needs_three       boolean NOT NULL DEFAULT false,
    countersigner     text,
    countersigned_at  timestamptz,
    account           integer,
    per_file          integer,
    digest            bytea,
    CONSTRAINT disbursements_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT disbursements_status_known CHECK
        (status IN ('made', 'countersigned', 'released', 'settled', 'cancelled')),
    -- A disbursement without claims pays one advance and nothing else.
    CONSTRAINT disbursements_not_empty CHECK
        (payments > 0 AND total > 0 AND claims >= 0 AND (claims > 0 OR payments = 1)),
    CONSTRAINT disbursements_countersigned CHECK
        ((countersigner IS NULL) = (countersigned_at IS NULL)
            AND (status <> 'countersigned' OR countersigner IS NOT NULL)),
    CONSTRAINT disbursements_released CHECK
        ((status IN ('released', 'settled')) = (releaser IS NOT NULL)
            AND (releaser IS NULL) = (released_at IS NULL)),
    CONSTRAINT disbursements_four_eyes CHECK (releaser <> maker),
    CONSTRAINT disbursements_six_eyes CHECK
        (countersigner <> maker AND countersigner <> releaser
            AND (NOT needs_three OR releaser IS NULL OR countersigner IS NOT NULL)),
    CONSTRAINT disbursements_fund_fkey FOREIGN KEY (jurisdiction, programme)
        REFERENCES funds (jurisdiction, programme)
);
-- A fund's disbursements, newest first.
CREATE INDEX disbursements_fund_idx ON disbursements (jurisdiction, programme, id);

-- `claims` stands before this table, so its reference is added here.
ALTER TABLE claims ADD CONSTRAINT claims_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement)
    REFERENCES disbursements (jurisdiction, id);
CREATE INDEX claims_disbursement_idx ON claims (jurisdiction, disbursement) WHERE disbursement IS NOT NULL;

-- Money paid to a merchant ahead of its claims, by a disbursement of its own. Its claims are set
-- off against it first; `pending` is set off against payments that are open.
CREATE TABLE advances (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    programme     text NOT NULL,
    merchant      text NOT NULL,
    disbursement  uuid NOT NULL,
    payment       uuid NOT NULL,
    amount        bigint NOT NULL,
    document      text NOT NULL,
    set_off       bigint NOT NULL DEFAULT 0,
    repaid        bigint NOT NULL DEFAULT 0,
    pending       bigint NOT NULL DEFAULT 0,
    status        text NOT NULL,
    maker         text NOT NULL,
    made_at       timestamptz NOT NULL,
    paid_at       timestamptz,
    closed_at     timestamptz,
    CONSTRAINT advances_pkey PRIMARY KEY (jurisdiction, id),
    -- A payment pays one advance at most. Payments refer to advances, so there is no foreign key
    -- back.
    CONSTRAINT advances_payment_key UNIQUE (jurisdiction, payment),
    CONSTRAINT advances_amount_positive CHECK (amount > 0),
    CONSTRAINT advances_have_a_document CHECK (document <> ''),
    CONSTRAINT advances_not_negative CHECK (set_off >= 0 AND repaid >= 0 AND pending >= 0),
    CONSTRAINT advances_never_more_than_paid CHECK (set_off + repaid + pending <= amount),
    CONSTRAINT advances_status_known CHECK
        (status IN ('made', 'paid', 'used', 'failed', 'returned', 'cancelled')),
    CONSTRAINT advances_used_is_settled CHECK
        (status NOT IN ('paid', 'used') OR (status = 'used') = (set_off + repaid = amount)),
    -- Nothing is set off against money that the merchant does not have.
    CONSTRAINT advances_only_paid_are_used CHECK
        (status IN ('paid', 'used') OR set_off + repaid + pending = 0),
    CONSTRAINT advances_paid_is_dated CHECK
        (status NOT IN ('paid', 'used', 'returned') OR paid_at IS NOT NULL),
    CONSTRAINT advances_closed_is_dated CHECK ((status IN ('made', 'paid')) = (closed_at IS NULL)),
    CONSTRAINT advances_fund_fkey FOREIGN KEY (jurisdiction, programme)
        REFERENCES funds (jurisdiction, programme)
);
-- What merchants have of a fund, oldest first; and a merchant's list and statement.
CREATE INDEX advances_open_idx ON advances (jurisdiction, programme, merchant, id) WHERE status = 'paid';
CREATE INDEX advances_merchant_idx ON advances (merchant, jurisdiction, id);

-- One transfer of the bank to one payee, for all of the payee's claims in a disbursement, and its
-- outcome. `account` is the revision of the merchant's account, or of the applicant's correction;
-- null: the account in the claim. `central` to `county` are the parts of the four sources,
-- `recovered_*` what of each came back since; `netted` is not sent, because the merchant owes it.
CREATE TABLE payments (
    jurisdiction        text NOT NULL,
    id                  uuid NOT NULL,
    disbursement        uuid NOT NULL,
    payee               text NOT NULL,
    merchant            text,
    person              bytea,
    account             integer,
    claims              integer NOT NULL,
    amount              bigint NOT NULL,
    outcome             text NOT NULL DEFAULT 'open',
    reason              text,
    settled_at          timestamptz,
    central             bigint NOT NULL,
    province            bigint NOT NULL,
    city                bigint NOT NULL,
    county              bigint NOT NULL,
    recovered_central   bigint NOT NULL DEFAULT 0,
    recovered_province  bigint NOT NULL DEFAULT 0,
    recovered_city      bigint NOT NULL DEFAULT 0,
    recovered_county    bigint NOT NULL DEFAULT 0,
    netted              bigint NOT NULL DEFAULT 0,
    advance             uuid,
    CONSTRAINT payments_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT payments_payee_known CHECK (payee IN ('merchant', 'applicant')),
    CONSTRAINT payments_payee_is_named CHECK
        ((payee = 'merchant') = (merchant IS NOT NULL) AND (payee = 'applicant') = (person IS NOT NULL)),
    -- A payment is for claims or for one advance, which is never netted.
    CONSTRAINT payments_not_empty CHECK
        (amount > 0 AND claims >= 0 AND (claims = 0) = (advance IS NOT NULL)
            AND (advance IS NULL OR payee = 'merchant' AND netted = 0)),
    CONSTRAINT payments_outcome_known CHECK (outcome IN ('open', 'paid', 'failed', 'returned', 'cancelled')),
    CONSTRAINT payments_failure_has_reason CHECK (outcome NOT IN ('failed', 'returned') OR reason <> ''),
    CONSTRAINT payments_settled_is_dated CHECK ((outcome = 'open') = (settled_at IS NULL)),
    -- Every fen has a source, and no source gets back more than it gave.
    CONSTRAINT payments_parts_are_the_amount CHECK (central + province + city + county = amount),
    CONSTRAINT payments_parts_not_negative CHECK (least(central, province, city, county) >= 0),
    CONSTRAINT payments_recovered_not_negative CHECK
        (least(recovered_central, recovered_province, recovered_city, recovered_county) >= 0),
    CONSTRAINT payments_recovered_was_paid CHECK
        (recovered_central <= central AND recovered_province <= province AND recovered_city <= city
            AND recovered_county <= county),
    CONSTRAINT payments_netted_within CHECK (netted BETWEEN 0 AND amount),
    -- An applicant's subsidy is paid whole.
    CONSTRAINT payments_netted_of_merchants CHECK (netted = 0 OR payee = 'merchant'),
    CONSTRAINT payments_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement)
        REFERENCES disbursements (jurisdiction, id),
    CONSTRAINT payments_advance_fkey FOREIGN KEY (jurisdiction, advance)
        REFERENCES advances (jurisdiction, id)
);
-- A disbursement's payments, in order.
CREATE INDEX payments_disbursement_idx ON payments (jurisdiction, disbursement, id);
CREATE INDEX payments_advance_idx ON payments (jurisdiction, advance) WHERE advance IS NOT NULL;

-- A claim in a payment, with the payment's outcome. `recovered` is what of it came back since, from
-- the bank or from the payee; `netted` its share of what the payment does not send.
CREATE TABLE disbursement_lines (
    jurisdiction  text NOT NULL,
    disbursement  uuid NOT NULL,
    claim         uuid NOT NULL,
    payment       uuid NOT NULL,
    amount        bigint NOT NULL,
    outcome       text NOT NULL DEFAULT 'open',
    recovered     bigint NOT NULL DEFAULT 0,
    netted        bigint NOT NULL DEFAULT 0,
    CONSTRAINT disbursement_lines_pkey PRIMARY KEY (jurisdiction, disbursement, claim),
    CONSTRAINT disbursement_lines_amount_positive CHECK (amount > 0),
    CONSTRAINT disbursement_lines_outcome_known CHECK
        (outcome IN ('open', 'paid', 'failed', 'returned', 'cancelled')),
    CONSTRAINT disbursement_lines_recovered_was_paid CHECK
        (recovered BETWEEN 0 AND amount AND (recovered = 0 OR outcome IN ('paid', 'returned'))),
    CONSTRAINT disbursement_lines_netted_within CHECK (netted BETWEEN 0 AND amount),
    CONSTRAINT disbursement_lines_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement)
        REFERENCES disbursements (jurisdiction, id),
    CONSTRAINT disbursement_lines_payment_fkey FOREIGN KEY (jurisdiction, payment)
        REFERENCES payments (jurisdiction, id),
    CONSTRAINT disbursement_lines_claim_fkey FOREIGN KEY (jurisdiction, claim)
        REFERENCES claims (jurisdiction, id)
);
-- A claim is in one open disbursement at most and is paid once at most, whatever races. The outcome
-- stands in the line, and not only in the payment, for this.
CREATE UNIQUE INDEX disbursement_lines_one_open_or_paid ON disbursement_lines (jurisdiction, claim)
    WHERE outcome IN ('open', 'paid');
CREATE INDEX disbursement_lines_claim_idx ON disbursement_lines (jurisdiction, claim);
CREATE INDEX disbursement_lines_payment_idx ON disbursement_lines (jurisdiction, payment);

-- The clawbacks that a payment is netted against: pending while the payment is open, netted once it
-- was paid, given back if it failed or was cancelled.
CREATE TABLE clawback_nettings (
    jurisdiction  text NOT NULL,
    payment       uuid NOT NULL,
    claim         uuid NOT NULL,
    amount        bigint NOT NULL,
    CONSTRAINT clawback_nettings_pkey PRIMARY KEY (jurisdiction, payment, claim),
    CONSTRAINT clawback_nettings_amount_positive CHECK (amount > 0),
    CONSTRAINT clawback_nettings_payment_fkey FOREIGN KEY (jurisdiction, payment)
        REFERENCES payments (jurisdiction, id),
    CONSTRAINT clawback_nettings_claim_fkey FOREIGN KEY (jurisdiction, claim)
        REFERENCES clawbacks (jurisdiction, claim)
);
CREATE INDEX clawback_nettings_claim_idx ON clawback_nettings (jurisdiction, claim);

-- The advances that a merchant's payment is set off against: as above, and part of
-- `payments.netted` too.
CREATE TABLE advance_set_offs (
    jurisdiction  text NOT NULL,
    payment       uuid NOT NULL,
    advance       uuid NOT NULL,
    amount        bigint NOT NULL,
    CONSTRAINT advance_set_offs_pkey PRIMARY KEY (jurisdiction, payment, advance),
    CONSTRAINT advance_set_offs_amount_positive CHECK (amount > 0),
    CONSTRAINT advance_set_offs_payment_fkey FOREIGN KEY (jurisdiction, payment)
        REFERENCES payments (jurisdiction, id),
    CONSTRAINT advance_set_offs_advance_fkey FOREIGN KEY (jurisdiction, advance)
        REFERENCES advances (jurisdiction, id)
);
CREATE INDEX advance_set_offs_advance_idx ON advance_set_offs (jurisdiction, advance);

-- A file of a released disbursement on its way to the bank. `version` goes up when the same orders
-- are submitted again under a new name, after the bank refused the one before. `sealed` holds the
-- bytes from the first attempt until their fate is known: the same name stands for the same bytes
-- whatever changes meanwhile. `in_doubt`: the bank may have the file.
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
    -- A name stands for one file: the bank may drop a second one of the same name as a repeat.
    CONSTRAINT bank_submissions_name_key UNIQUE (jurisdiction, name),
    CONSTRAINT bank_submissions_numbered CHECK (part BETWEEN 1 AND 999 AND version >= 1),
    CONSTRAINT bank_submissions_status_known CHECK
        (status IN ('queued', 'taken', 'refused', 'settled', 'by_hand', 'replaced')),
    CONSTRAINT bank_submissions_problem_known CHECK
        (problem IN ('account_missing', 'unavailable', 'unknown', 'refused')),
    CONSTRAINT bank_submissions_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT bank_submissions_sha256_length CHECK (octet_length(sha256) = 32),
    CONSTRAINT bank_submissions_sealed_under_a_key CHECK ((sealed IS NULL) = (key_id IS NULL)),
    -- The bytes are kept from the first attempt on, and no longer than they may be needed.
    CONSTRAINT bank_submissions_sealed_while_queued CHECK
        (sealed IS NULL OR (status = 'queued' AND sha256 IS NOT NULL)),
    CONSTRAINT bank_submissions_attempted_is_sealed CHECK
        (status <> 'queued' OR attempts = 0 OR sealed IS NOT NULL),
    CONSTRAINT bank_submissions_closed_is_dated CHECK ((status = 'queued') = (closed_at IS NULL)),
    CONSTRAINT bank_submissions_doubt_needs_an_attempt CHECK (NOT in_doubt OR attempts > 0),
    CONSTRAINT bank_submissions_taken_was_submitted CHECK
        (status <> 'taken' OR (submitted_at IS NOT NULL AND sha256 IS NOT NULL)),
    CONSTRAINT bank_submissions_resolved CHECK ((status IN ('by_hand', 'replaced')) = (resolver IS NOT NULL)),
    CONSTRAINT bank_submissions_resolved_with_reason CHECK ((resolver IS NULL) = (resolution IS NULL)),
    -- Orders that the bank may have and that a person carries there as well are paid twice.
    CONSTRAINT bank_submissions_by_hand_is_not_in_doubt CHECK (status <> 'by_hand' OR NOT in_doubt),
    CONSTRAINT bank_submissions_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement)
        REFERENCES disbursements (jurisdiction, id)
);
-- What is due, and what waits for a person.
CREATE INDEX bank_submissions_due_idx ON bank_submissions (due_at) WHERE status = 'queued';
CREATE INDEX bank_submissions_refused_idx ON bank_submissions (jurisdiction, disbursement)
    WHERE status = 'refused';

-- How far a bank's reports are read. One row for each bank, made when it is first asked; `due_at`
-- is the next time to ask, and the lease of the worker that asks.
CREATE TABLE bank_streams (
    bank        text NOT NULL,
    cursor      text,
    due_at      timestamptz NOT NULL,
    heard_at    timestamptz,
    failures    integer NOT NULL DEFAULT 0,
    CONSTRAINT bank_streams_pkey PRIMARY KEY (bank),
    -- The cursor is the bank's: a bank that errs must not fill the table.
    CONSTRAINT bank_streams_cursor_length CHECK (octet_length(cursor) <= 512),
    CONSTRAINT bank_streams_failures_not_negative CHECK (failures >= 0)
);

-- A report that a bank handed out: recorded, or set aside because it cannot be read. A repeat of
-- the same bytes under the same name is the same row.
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
-- The list, newest first.
CREATE INDEX bank_reports_id_idx ON bank_reports (id);

-- What a bank stated about a payment. What fits no payment, or contradicts what is recorded, is an
-- exception until a person resolves it.
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
    -- The same statement counts once, however often and in whatever file it comes.
    CONSTRAINT bank_entries_fingerprint_key UNIQUE (jurisdiction, fingerprint),
    CONSTRAINT bank_entries_verdict_known CHECK (verdict IN ('paid', 'failed', 'returned', 'unclear')),
    CONSTRAINT bank_entries_format_known CHECK (format IN ('json', 'csv', 'pain.002', 'camt.054')),
    CONSTRAINT bank_entries_standing_known CHECK
        (standing IN ('matched', 'exception', 'applied', 'dismissed')),
    CONSTRAINT bank_entries_exception_known CHECK
        (exception IN ('unknown_payment', 'not_released', 'amount_differs', 'contradicts', 'unclear')),
    CONSTRAINT bank_entries_exception_is_named CHECK ((standing = 'matched') = (exception IS NULL)),
    CONSTRAINT bank_entries_resolved CHECK
        ((standing IN ('applied', 'dismissed')) = (resolver IS NOT NULL)
            AND num_nonnulls(resolver, resolved_at, resolution) IN (0, 3)),
    CONSTRAINT bank_entries_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES ledgers (jurisdiction)
);
-- Exceptions, oldest first; and all that was stated about a payment.
CREATE INDEX bank_entries_exceptions_idx ON bank_entries (jurisdiction, id) WHERE standing = 'exception';
CREATE INDEX bank_entries_payment_idx ON bank_entries (jurisdiction, payment) WHERE payment IS NOT NULL;
