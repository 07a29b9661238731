-- Begun so far; whether one is being written (its record is in the control file only when it has ended, so that the redo point
-- that new pages are measured against runs ahead of it); bytes of log so far.
SELECT s.checkpoints_timed + s.checkpoints_req,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'checkpointer' AND wait_event = 'CheckpointWriteDelay'),
    pg_current_wal_lsn() - '0/0'::pg_lsn
    FROM pg_stat_bgwriter s;
