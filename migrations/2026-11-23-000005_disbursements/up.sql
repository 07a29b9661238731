-- A disbursement: payable claims of a fund, gathered by one person of treasury, released by another, settled by the bank's results.
CREATE TABLE disbursements (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    programme     text NOT NULL,
    status        text NOT NULL,
    revision      integer NOT NULL DEFAULT 1,
    claims        integer NOT NULL,
    total         bigint NOT NULL,
    maker         text NOT NULL,
    made_at       timestamptz NOT NULL,
    releaser      text,
    released_at   timestamptz,
    closed_at     timestamptz,
    CONSTRAINT disbursements_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT disbursements_status_known CHECK (status IN ('made', 'released', 'settled', 'cancelled')),
    CONSTRAINT disbursements_not_empty CHECK (claims > 0 AND total > 0),
    CONSTRAINT disbursements_released CHECK
        ((status IN ('released', 'settled')) = (releaser IS NOT NULL) AND (releaser IS NULL) = (released_at IS NULL)),
    CONSTRAINT disbursements_four_eyes CHECK (releaser <> maker),
    CONSTRAINT disbursements_fund_fkey FOREIGN KEY (jurisdiction, programme)
        REFERENCES funds (jurisdiction, programme)
);
CREATE INDEX disbursements_fund_idx ON disbursements (jurisdiction, programme, id);

CREATE TABLE disbursement_lines (
    jurisdiction  text NOT NULL,
    disbursement  uuid NOT NULL,
    claim         uuid NOT NULL,
    payment       uuid NOT NULL,
    amount        bigint NOT NULL,
    outcome       text NOT NULL DEFAULT 'open',
    reason        text,
    settled_at    timestamptz,
    CONSTRAINT disbursement_lines_pkey PRIMARY KEY (jurisdiction, disbursement, claim),
    CONSTRAINT disbursement_lines_payment_key UNIQUE (jurisdiction, payment),
    CONSTRAINT disbursement_lines_amount_positive CHECK (amount > 0),
    CONSTRAINT disbursement_lines_outcome_known CHECK (outcome IN ('open', 'paid', 'failed', 'cancelled')),
    CONSTRAINT disbursement_lines_failure_has_reason CHECK (outcome <> 'failed' OR reason <> ''),
    CONSTRAINT disbursement_lines_settled_is_dated CHECK ((outcome = 'open') = (settled_at IS NULL)),
    CONSTRAINT disbursement_lines_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement)
        REFERENCES disbursements (jurisdiction, id),
    CONSTRAINT disbursement_lines_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES claims (jurisdiction, id)
);
-- A claim is in one open disbursement at most, and is paid once at most, whoever races.
CREATE UNIQUE INDEX disbursement_lines_one_open_or_paid ON disbursement_lines (jurisdiction, claim)
    WHERE outcome IN ('open', 'paid');
CREATE INDEX disbursement_lines_claim_idx ON disbursement_lines (jurisdiction, claim);

ALTER TABLE claims ADD CONSTRAINT claims_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement)
    REFERENCES disbursements (jurisdiction, id);
CREATE INDEX claims_disbursement_idx ON claims (jurisdiction, disbursement) WHERE disbursement IS NOT NULL;
