-- The bank may pay orders that nothing would remember any more: settle them first.
DO $$
BEGIN
    IF EXISTS (SELECT FROM bank_submissions WHERE status = 'queued' AND in_doubt) THEN
        RAISE EXCEPTION 'bank_submissions: the bank may have files whose fate is not known';
    END IF;
END
$$;

DROP TABLE bank_entries;
DROP TABLE bank_reports;
DROP TABLE bank_streams;
DROP TABLE bank_submissions;
DROP TABLE advance_set_offs;
DROP TABLE clawback_nettings;
DROP TABLE disbursement_lines;
DROP TABLE payments;
DROP TABLE advances;
DROP INDEX claims_disbursement_idx;
ALTER TABLE claims DROP CONSTRAINT claims_disbursement_fkey;
DROP TABLE disbursements;
DROP TABLE payee_corrections;
DROP TABLE bank_accounts;
