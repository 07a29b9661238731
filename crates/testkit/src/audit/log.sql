-- The leaves held against the hashes as they were appended.
WITH appended AS (
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
