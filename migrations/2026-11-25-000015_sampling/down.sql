DROP INDEX events_approvals_idx;
DROP TABLE samples;
DROP FUNCTION samples_refuse_change;
