-- Heights, balances and what caps have committed follow from the copies.
SET session_replication_role = replica;
UPDATE ledgers l SET height = l.height + n.moves, leaves = l.leaves + 3 * n.moves
    FROM (SELECT jurisdiction, count(*) AS moves FROM bench_copies GROUP BY jurisdiction) AS n
    WHERE n.jurisdiction = l.jurisdiction;
UPDATE funds f SET available = f.available - n.fen, reserved = f.reserved + n.fen
    FROM (SELECT jurisdiction, programme, sum(amount)::bigint AS fen FROM bench_copies GROUP BY jurisdiction, programme) AS n
    WHERE n.jurisdiction = f.jurisdiction AND n.programme = f.programme;
UPDATE caps k SET committed = k.committed + n.fen
    FROM (SELECT p.place, c.programme, sum(c.amount)::bigint AS fen FROM bench_copies c
            JOIN (SELECT code AS county, code AS place FROM jurisdictions
                UNION ALL SELECT code, parent FROM jurisdictions) AS p ON p.county = c.jurisdiction
            GROUP BY p.place, c.programme) AS n
    WHERE n.place = k.jurisdiction AND n.programme = k.programme;
DROP TABLE bench_copies;
SELECT count(*) FROM claims;
