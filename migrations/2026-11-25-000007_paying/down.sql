-- Refused once a bank returned a payment, or a payment has more than one claim: the schema before cannot say either.
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
    ('claw_back_due', 'recoverable', 'disbursed'),
    ('claw_back', 'available', 'recoverable')));

DROP TABLE bank_entries;
DROP TABLE payee_corrections;
DROP TABLE bank_accounts;
DROP TABLE holds;

ALTER TABLE disbursements DROP CONSTRAINT disbursements_six_eyes;
ALTER TABLE disbursements DROP CONSTRAINT disbursements_countersigned;
ALTER TABLE disbursements DROP CONSTRAINT disbursements_not_empty;
ALTER TABLE disbursements ADD CONSTRAINT disbursements_not_empty CHECK (claims > 0 AND total > 0);
-- One that waits for its third person is as good as made.
UPDATE disbursements SET status = 'made' WHERE status = 'countersigned';
ALTER TABLE disbursements DROP CONSTRAINT disbursements_status_known;
ALTER TABLE disbursements ADD CONSTRAINT disbursements_status_known
    CHECK (status IN ('made', 'released', 'settled', 'cancelled'));
ALTER TABLE disbursements
    DROP COLUMN digest,
    DROP COLUMN per_file,
    DROP COLUMN account,
    DROP COLUMN countersigned_at,
    DROP COLUMN countersigner,
    DROP COLUMN needs_three,
    DROP COLUMN payments;

ALTER TABLE disbursement_lines DROP CONSTRAINT disbursement_lines_payment_fkey;
DROP INDEX disbursement_lines_payment_idx;
ALTER TABLE disbursement_lines ADD COLUMN reason text;
ALTER TABLE disbursement_lines ADD COLUMN settled_at timestamptz;
UPDATE disbursement_lines l SET reason = p.reason, settled_at = p.settled_at
    FROM payments p WHERE p.jurisdiction = l.jurisdiction AND p.id = l.payment;
ALTER TABLE disbursement_lines ADD CONSTRAINT disbursement_lines_payment_key UNIQUE (jurisdiction, payment);
ALTER TABLE disbursement_lines DROP CONSTRAINT disbursement_lines_outcome_known;
ALTER TABLE disbursement_lines ADD CONSTRAINT disbursement_lines_outcome_known
    CHECK (outcome IN ('open', 'paid', 'failed', 'cancelled'));
ALTER TABLE disbursement_lines ADD CONSTRAINT disbursement_lines_failure_has_reason CHECK (outcome <> 'failed' OR reason <> '');
ALTER TABLE disbursement_lines ADD CONSTRAINT disbursement_lines_settled_is_dated
    CHECK ((outcome = 'open') = (settled_at IS NULL));

DROP TABLE payments;
