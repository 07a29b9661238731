-- Refused once money lapsed: the schema before has no word for it.
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

ALTER TABLE payments
    DROP CONSTRAINT payments_recovered_was_paid,
    DROP CONSTRAINT payments_recovered_not_negative,
    DROP CONSTRAINT payments_parts_not_negative,
    DROP CONSTRAINT payments_parts_are_the_amount,
    DROP COLUMN recovered_county,
    DROP COLUMN recovered_city,
    DROP COLUMN recovered_province,
    DROP COLUMN recovered_central,
    DROP COLUMN county,
    DROP COLUMN city,
    DROP COLUMN province,
    DROP COLUMN central;

ALTER TABLE disbursement_lines
    DROP CONSTRAINT disbursement_lines_recovered_was_paid,
    DROP COLUMN recovered;

DROP TABLE fund_sources;
