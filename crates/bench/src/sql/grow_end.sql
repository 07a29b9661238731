-- Heights and balances follow from the copies' transfers.
SET session_replication_role = replica;
UPDATE ledgers l SET height = l.height + n.moves
    FROM (SELECT jurisdiction, count(*) AS moves FROM bench_copies GROUP BY jurisdiction) AS n
    WHERE n.jurisdiction = l.jurisdiction;
UPDATE funds f SET available = f.available - n.fen, reserved = f.reserved + n.fen
    FROM (SELECT jurisdiction, programme, sum(amount)::bigint AS fen FROM bench_copies GROUP BY jurisdiction, programme) AS n
    WHERE n.jurisdiction = f.jurisdiction AND n.programme = f.programme;
DROP TABLE bench_copies;
SELECT count(*) FROM claims;
