-- Prepayment: a county advances money to a merchant; what its claims come to is set against it first, and the rest is paid.

-- What merchants have ahead of their claims.
ALTER TABLE funds ADD COLUMN advanced bigint NOT NULL DEFAULT 0;
ALTER TABLE funds ADD CONSTRAINT funds_advanced_not_negative CHECK (advanced >= 0);
ALTER TABLE funds DROP CONSTRAINT funds_balanced;
ALTER TABLE funds ADD CONSTRAINT funds_balanced CHECK
    (appropriated = available + reserved + payable + in_payment + disbursed + recoverable + advanced);

-- An advance is paid by a disbursement of its own: one payment and no claims. `pending` is set against payments that are open.
-- Whether the merchant has it says the outcome of its payment.
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
    CONSTRAINT advances_payment_key UNIQUE (jurisdiction, payment),
    CONSTRAINT advances_amount_positive CHECK (amount > 0),
    CONSTRAINT advances_have_a_document CHECK (document <> ''),
    CONSTRAINT advances_not_negative CHECK (set_off >= 0 AND repaid >= 0 AND pending >= 0),
    CONSTRAINT advances_never_more_than_paid CHECK (set_off + repaid + pending <= amount),
    CONSTRAINT advances_status_known CHECK (status IN ('made', 'paid', 'used', 'failed', 'returned', 'cancelled')),
    CONSTRAINT advances_used_is_settled CHECK (status NOT IN ('paid', 'used') OR (status = 'used') = (set_off + repaid = amount)),
    CONSTRAINT advances_only_paid_are_used CHECK (status IN ('paid', 'used') OR set_off + repaid + pending = 0),
    CONSTRAINT advances_paid_is_dated CHECK (status NOT IN ('paid', 'used', 'returned') OR paid_at IS NOT NULL),
    CONSTRAINT advances_closed_is_dated CHECK ((status IN ('made', 'paid')) = (closed_at IS NULL)),
    CONSTRAINT advances_fund_fkey FOREIGN KEY (jurisdiction, programme) REFERENCES funds (jurisdiction, programme)
);
CREATE INDEX advances_open_idx ON advances (jurisdiction, programme, merchant, id) WHERE status = 'paid';
CREATE INDEX advances_merchant_idx ON advances (merchant, jurisdiction, id);

-- Its payment has no claims; every other has.
ALTER TABLE payments ADD COLUMN advance uuid;
ALTER TABLE payments DROP CONSTRAINT payments_not_empty;
ALTER TABLE payments ADD CONSTRAINT payments_not_empty CHECK
    (amount > 0 AND claims >= 0 AND (claims = 0) = (advance IS NOT NULL) AND (advance IS NULL OR payee = 'merchant' AND netted = 0));
ALTER TABLE payments ADD CONSTRAINT payments_advance_fkey FOREIGN KEY (jurisdiction, advance) REFERENCES advances (jurisdiction, id);
CREATE INDEX payments_advance_idx ON payments (jurisdiction, advance) WHERE advance IS NOT NULL;
ALTER TABLE disbursements DROP CONSTRAINT disbursements_not_empty;
ALTER TABLE disbursements ADD CONSTRAINT disbursements_not_empty CHECK
    (payments > 0 AND total > 0 AND claims >= 0 AND (claims > 0 OR payments = 1));

-- How much of a merchant's payment is set against its advances: as `clawback_nettings`, and counted in the payment's `netted`.
CREATE TABLE advance_set_offs (
    jurisdiction  text NOT NULL,
    payment       uuid NOT NULL,
    advance       uuid NOT NULL,
    amount        bigint NOT NULL,
    CONSTRAINT advance_set_offs_pkey PRIMARY KEY (jurisdiction, payment, advance),
    CONSTRAINT advance_set_offs_amount_positive CHECK (amount > 0),
    CONSTRAINT advance_set_offs_payment_fkey FOREIGN KEY (jurisdiction, payment) REFERENCES payments (jurisdiction, id),
    CONSTRAINT advance_set_offs_advance_fkey FOREIGN KEY (jurisdiction, advance) REFERENCES advances (jurisdiction, id)
);
CREATE INDEX advance_set_offs_advance_idx ON advance_set_offs (jurisdiction, advance);

-- Whether a claim's merchant is paid, which stands sealed in what was sent: a merchant's statement counts these alone. Until
-- now only car programmes paid the applicant.
ALTER TABLE claims ADD COLUMN to_merchant boolean NOT NULL DEFAULT true;
UPDATE claims SET to_merchant = false WHERE programme LIKE 'vehicle-%';
ALTER TABLE claims ALTER COLUMN to_merchant DROP DEFAULT;

-- The transfers of an advance. Those of claims have their own index, so that none of them is in this one.
CREATE INDEX transfers_document_idx ON transfers (jurisdiction, document) WHERE claim IS NULL;

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
    ('waive', 'disbursed', 'recoverable'),
    ('instruct_advance', 'in_payment', 'available'),
    ('cancel_advance', 'available', 'in_payment'),
    ('fail_advance', 'available', 'in_payment'),
    ('pay_advance', 'advanced', 'in_payment'),
    ('return_advance', 'available', 'advanced'),
    ('set_off', 'available', 'advanced'),
    ('repay_advance', 'available', 'advanced')));
