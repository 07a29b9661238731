-- Every leaf of every county's log written again by the encoding as it is documented, and held against the hashes as they were
-- appended. The functions are of this session alone.
CREATE FUNCTION pg_temp.txt(it text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT int4send(octet_length(convert_to(it, 'UTF8'))) || convert_to(it, 'UTF8') $$;
CREATE FUNCTION pg_temp.instant(it timestamptz) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT int8send((extract(epoch FROM it) * 1000000)::bigint) $$;
CREATE FUNCTION pg_temp.opt(it bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT coalesce('\x01' || it, '\x00') $$;
WITH leaves AS (
    SELECT jurisdiction, leaf, 'transfer ' || height AS what, '\x000101'::bytea || pg_temp.txt(jurisdiction) || int8send(height)
        || pg_temp.txt(programme) || pg_temp.txt(reason) || int8send(amount) || pg_temp.opt(uuid_send(claim))
        || pg_temp.opt(uuid_send(document)) || pg_temp.instant(posted_at) || pg_temp.txt(actor) AS bytes
    FROM transfers
    UNION ALL
    SELECT jurisdiction, leaf, 'decision ' || claim || ' ' || revision, '\x000102'::bytea || pg_temp.txt(jurisdiction)
        || uuid_send(claim) || int8send(revision) || pg_temp.txt(outcome) || digest || int4send(octet_length(keys)) || keys
        || pg_temp.instant(decided_at)
    FROM decisions
    UNION ALL
    SELECT jurisdiction, leaf, 'event ' || id, '\x000103'::bytea || pg_temp.txt(jurisdiction) || uuid_send(id)
        || pg_temp.txt(subject) || pg_temp.txt(verb) || pg_temp.txt(actor) || pg_temp.txt(person) || pg_temp.instant(at)
        || pg_temp.opt(int8send(revision)) || pg_temp.opt(pg_temp.txt(from_status)) || pg_temp.opt(pg_temp.txt(to_status))
        || pg_temp.opt(pg_temp.txt(reason)) || pg_temp.opt(pg_temp.txt(request)) || pg_temp.opt(pg_temp.txt(detail))
    FROM events WHERE leaf IS NOT NULL
),
appended AS (
    SELECT jurisdiction, first + n AS leaf, substring(hashes FROM n * 32 + 1 FOR 32) AS hash
    FROM log_leaves CROSS JOIN LATERAL generate_series(0, octet_length(hashes) / 32 - 1) AS n
),
numbered AS (
    SELECT jurisdiction, count(*) AS leaves, count(DISTINCT leaf) AS distinct_leaves, max(leaf) AS last FROM appended
    GROUP BY jurisdiction
)
SELECT 'a leaf is not what was appended', l.jurisdiction, l.leaf, l.what
    FROM leaves l LEFT JOIN appended a ON a.jurisdiction = l.jurisdiction AND a.leaf = l.leaf
    WHERE a.hash IS DISTINCT FROM sha256(l.bytes)
UNION ALL
SELECT 'a leaf was appended and is gone', a.jurisdiction, a.leaf, ''
    FROM appended a LEFT JOIN leaves l ON l.jurisdiction = a.jurisdiction AND l.leaf = a.leaf WHERE l.leaf IS NULL
UNION ALL
SELECT 'leaves are not numbered without gaps', g.jurisdiction, g.leaves, n::text
    FROM ledgers g LEFT JOIN numbered n ON n.jurisdiction = g.jurisdiction
    WHERE g.leaves <> coalesce(n.leaves, 0) OR n.distinct_leaves <> n.leaves OR n.last <> n.leaves - 1
UNION ALL
SELECT 'a checkpoint is of a log that is not that long', c.jurisdiction, c.size, ''
    FROM checkpoints c JOIN ledgers g ON g.jurisdiction = c.jurisdiction WHERE c.size > g.leaves;
