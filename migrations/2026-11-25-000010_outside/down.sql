-- Orders that the bank may have and may pay would be forgotten: settle them first.
DO $$
BEGIN
    IF EXISTS (SELECT FROM bank_submissions WHERE status = 'queued' AND in_doubt) THEN
        RAISE EXCEPTION 'bank_submissions: the bank may have files whose fate is not known';
    END IF;
END
$$;

DROP TABLE webhook_attempts;
DROP TABLE webhook_deliveries;
DROP TABLE webhook_endpoints;
DROP TABLE bank_reports;
DROP TABLE bank_streams;
DROP TABLE bank_submissions;
