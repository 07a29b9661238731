-- The hashes of all leaves that were not appended by the service, a row for 256 of them. The view is testkit's.
SET session_replication_role = replica;
SET synchronous_commit = off;
SET work_mem = '1GB';
INSERT INTO log_leaves (jurisdiction, first, hashes)
    SELECT l.jurisdiction, min(l.leaf), string_agg(sha256(l.bytes), '' ORDER BY l.leaf)
    FROM leaves l JOIN (SELECT jurisdiction, max(first + octet_length(hashes) / 32) AS appended FROM log_leaves
        GROUP BY jurisdiction) AS a ON a.jurisdiction = l.jurisdiction AND l.leaf >= a.appended
    GROUP BY l.jurisdiction, l.leaf / 256;
