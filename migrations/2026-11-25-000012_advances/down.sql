-- Refused once money was advanced: the schema before has no word for it.
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

DROP INDEX transfers_document_idx;
ALTER TABLE claims DROP COLUMN to_merchant;
DROP TABLE advance_set_offs;
ALTER TABLE disbursements DROP CONSTRAINT disbursements_not_empty;
ALTER TABLE disbursements ADD CONSTRAINT disbursements_not_empty CHECK (claims > 0 AND payments > 0 AND total > 0);
ALTER TABLE payments DROP CONSTRAINT payments_not_empty;
ALTER TABLE payments DROP COLUMN advance;
ALTER TABLE payments ADD CONSTRAINT payments_not_empty CHECK (claims > 0 AND amount > 0);
DROP TABLE advances;

ALTER TABLE funds DROP CONSTRAINT funds_balanced;
ALTER TABLE funds DROP COLUMN advanced;
ALTER TABLE funds ADD CONSTRAINT funds_balanced CHECK
    (appropriated = available + reserved + payable + in_payment + disbursed + recoverable);
