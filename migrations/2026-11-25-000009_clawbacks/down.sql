-- Refused once a clawback is partial, netted or waived, or one that ended holds something: the schema before cannot say so.
ALTER TABLE clawbacks ADD CONSTRAINT clawbacks_whole CHECK
    (due = paid AND netted = 0 AND pending = 0 AND waived = 0 AND repaid IN (0, due));

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

ALTER TABLE claims DROP CONSTRAINT claims_ended_holds_nothing;
ALTER TABLE claims ADD CONSTRAINT claims_ended_holds_nothing CHECK
    (status NOT IN ('rejected', 'withdrawn', 'returned', 'clawed_back') OR (NOT holds AND NOT committed));

DROP TABLE clawback_waivers;
DROP TABLE clawback_nettings;
ALTER TABLE disbursement_lines DROP CONSTRAINT disbursement_lines_netted_within;
ALTER TABLE disbursement_lines DROP COLUMN netted;
ALTER TABLE payments DROP CONSTRAINT payments_netted_of_merchants;
ALTER TABLE payments DROP CONSTRAINT payments_netted_within;
ALTER TABLE payments DROP COLUMN netted;
DROP TABLE clawbacks;
