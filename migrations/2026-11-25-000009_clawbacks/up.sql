-- Clawbacks: what of a paid claim is due back, why, and what has come back of it; netted against the merchant's next payments,
-- repaid directly, or waived in pairs.

-- One a claim, so that whoever races demands its money back once. `paid` is the claim's whole subsidy, `merchant` who owes it
-- (null: an applicant was paid, against whom nothing is netted), `pending` what is set against payments that are open.
CREATE TABLE clawbacks (
    jurisdiction  text NOT NULL,
    claim         uuid NOT NULL,
    programme     text NOT NULL,
    merchant      text,
    reason        text NOT NULL,
    clause        text NOT NULL,
    document      text,
    paid          bigint NOT NULL,
    due           bigint NOT NULL,
    repaid        bigint NOT NULL DEFAULT 0,
    netted        bigint NOT NULL DEFAULT 0,
    pending       bigint NOT NULL DEFAULT 0,
    waived        bigint NOT NULL DEFAULT 0,
    made_by       text NOT NULL,
    made_at       timestamptz NOT NULL,
    closed_at     timestamptz,
    CONSTRAINT clawbacks_pkey PRIMARY KEY (jurisdiction, claim),
    CONSTRAINT clawbacks_reason_known CHECK (reason IN ('goods_returned', 'invoice_reversed', 'fraud', 'scrap_not_closed')),
    CONSTRAINT clawbacks_have_a_clause CHECK (clause <> ''),
    CONSTRAINT clawbacks_never_more_than_paid CHECK (due > 0 AND due <= paid),
    CONSTRAINT clawbacks_not_negative CHECK (repaid >= 0 AND netted >= 0 AND pending >= 0 AND waived >= 0),
    CONSTRAINT clawbacks_within_due CHECK (repaid + netted + pending + waived <= due),
    CONSTRAINT clawbacks_closed_is_settled CHECK ((closed_at IS NOT NULL) = (repaid + netted + waived = due)),
    CONSTRAINT clawbacks_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES claims (jurisdiction, id)
);
CREATE INDEX clawbacks_open_idx ON clawbacks (jurisdiction, programme, merchant, made_at, claim)
    WHERE closed_at IS NULL AND merchant IS NOT NULL;

-- Until now whatever was due back was the whole subsidy of returned goods.
INSERT INTO clawbacks (jurisdiction, claim, programme, merchant, reason, clause, paid, due, repaid, made_by, made_at, closed_at)
    SELECT c.jurisdiction, c.id, c.programme, p.merchant, 'goods_returned',
        '发改环资〔2025〕1745号：发生退货的，资格恢复并解绑，补贴须退回；退货不退补属违规，予以追缴',
        c.amount, c.amount, CASE WHEN c.status = 'clawed_back' THEN c.amount ELSE 0 END, 'system', c.changed_at,
        CASE WHEN c.status = 'clawed_back' THEN c.changed_at END
    FROM claims c LEFT JOIN LATERAL (
        SELECT p.merchant FROM disbursement_lines l
            JOIN payments p ON p.jurisdiction = l.jurisdiction AND p.id = l.payment
        WHERE l.jurisdiction = c.jurisdiction AND l.claim = c.id AND l.outcome IN ('paid', 'returned')
        ORDER BY p.id DESC LIMIT 1) AS p ON true
    WHERE c.status IN ('clawback_due', 'clawed_back');

-- What of a payment is not sent because its payee owes it, and to which of the payment's claims that falls.
ALTER TABLE payments ADD COLUMN netted bigint NOT NULL DEFAULT 0;
ALTER TABLE payments ADD CONSTRAINT payments_netted_within CHECK (netted BETWEEN 0 AND amount);
ALTER TABLE payments ADD CONSTRAINT payments_netted_of_merchants CHECK (netted = 0 OR payee = 'merchant');
ALTER TABLE disbursement_lines ADD COLUMN netted bigint NOT NULL DEFAULT 0;
ALTER TABLE disbursement_lines ADD CONSTRAINT disbursement_lines_netted_within CHECK (netted BETWEEN 0 AND amount);

-- Which clawbacks a payment is netted against: pending while the payment is open, netted once it was paid, given back if it
-- failed or was cancelled.
CREATE TABLE clawback_nettings (
    jurisdiction  text NOT NULL,
    payment       uuid NOT NULL,
    claim         uuid NOT NULL,
    amount        bigint NOT NULL,
    CONSTRAINT clawback_nettings_pkey PRIMARY KEY (jurisdiction, payment, claim),
    CONSTRAINT clawback_nettings_amount_positive CHECK (amount > 0),
    CONSTRAINT clawback_nettings_payment_fkey FOREIGN KEY (jurisdiction, payment) REFERENCES payments (jurisdiction, id),
    CONSTRAINT clawback_nettings_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES clawbacks (jurisdiction, claim)
);
CREATE INDEX clawback_nettings_claim_idx ON clawback_nettings (jurisdiction, claim);

-- A waiver is proposed by one person with a document and approved by another.
CREATE TABLE clawback_waivers (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    claim         uuid NOT NULL,
    amount        bigint NOT NULL,
    document      text NOT NULL,
    reason        text NOT NULL,
    status        text NOT NULL,
    maker         text NOT NULL,
    made_at       timestamptz NOT NULL,
    checker       text,
    checked_at    timestamptz,
    refusal       text,
    CONSTRAINT clawback_waivers_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT clawback_waivers_amount_positive CHECK (amount > 0),
    CONSTRAINT clawback_waivers_have_a_document CHECK (document <> '' AND reason <> ''),
    CONSTRAINT clawback_waivers_status_known CHECK (status IN ('pending', 'approved', 'refused')),
    CONSTRAINT clawback_waivers_checked CHECK ((status = 'pending') = (checker IS NULL)),
    CONSTRAINT clawback_waivers_checked_is_dated CHECK ((checker IS NULL) = (checked_at IS NULL)),
    CONSTRAINT clawback_waivers_four_eyes CHECK (checker <> maker),
    CONSTRAINT clawback_waivers_refusal_has_reason CHECK (status <> 'refused' OR refusal <> ''),
    CONSTRAINT clawback_waivers_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES clawbacks (jurisdiction, claim)
);
CREATE INDEX clawback_waivers_claim_idx ON clawback_waivers (jurisdiction, claim, id);

-- What was clawed back may still hold its keys and quota: after fraud, after scrap that was not closed, or while part of its
-- money is out, which then counts in the caps.
ALTER TABLE claims DROP CONSTRAINT claims_ended_holds_nothing;
ALTER TABLE claims ADD CONSTRAINT claims_ended_holds_nothing CHECK
    (status NOT IN ('rejected', 'withdrawn', 'returned') OR (NOT holds AND NOT committed));

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
    ('lapse', 'appropriated', 'available'),
    ('waive', 'disbursed', 'recoverable')));
