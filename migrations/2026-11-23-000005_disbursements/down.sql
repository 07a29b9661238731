DROP INDEX claims_disbursement_idx;
ALTER TABLE claims DROP CONSTRAINT claims_disbursement_fkey;
DROP TABLE disbursement_lines;
DROP TABLE disbursements;
