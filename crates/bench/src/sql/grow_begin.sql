-- Multiplies the claims that are there: `seeds` of them, `copies` times, each copy with ids, keys, person, quota, transfer,
-- event, leaves and key of idempotency of its own. Columns are copied as the catalogue lists them, so that a new column needs
-- nothing here. Balances and heights follow in grow_end.sql and the log's hashes in grow_log.sql, so that the books are right
-- afterwards.
SET synchronous_commit = off;
SET work_mem = '256MB';
DROP TABLE IF EXISTS bench_copies;
CREATE UNLOGGED TABLE bench_copies AS
    SELECT jurisdiction, programme, amount, old, copy, place, wave,
        (lpad(to_hex(ms), 12, '0') || '7' || left(salt, 3) || '8' || substr(salt, 4, 15))::uuid AS new,
        (lpad(to_hex(ms), 12, '0') || '7' || right(salt, 3) || '9' || substr(salt, 15, 15))::uuid AS event
    FROM (
        SELECT c.jurisdiction, c.programme, c.amount, c.id AS old, g AS copy, w.wave,
            row_number() OVER (PARTITION BY c.jurisdiction ORDER BY g, c.id) AS place,
            -- Thirty a millisecond, a month ago or more.
            ((extract(epoch FROM now()) - 86400 * (31 + w.wave)) * 1000)::bigint
                + (row_number() OVER (ORDER BY g, c.id)) / 30 AS ms,
            md5(c.id::text || '/' || g || '/' || w.wave) AS salt
        FROM (SELECT * FROM claims WHERE status = 'under_review' AND revision = 1 ORDER BY id DESC LIMIT :seeds) AS c
            CROSS JOIN generate_series(1, :copies) AS g
            CROSS JOIN (SELECT :wave AS wave) AS w
    ) AS numbered
    ORDER BY copy, new;
ANALYZE bench_copies;
