DROP TABLE cosignatures, checkpoints, log_nodes, log_leaves;
DROP FUNCTION log_refuse_change();
ALTER TABLE events DROP COLUMN detail, DROP COLUMN leaf;
ALTER TABLE decisions DROP COLUMN keys, DROP COLUMN leaf;
ALTER TABLE transfers DROP COLUMN leaf;
ALTER TABLE ledgers DROP COLUMN leaves;
