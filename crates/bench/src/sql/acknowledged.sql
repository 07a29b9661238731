CREATE TEMP TABLE ids AS
    SELECT split_part(name, '_', 2) AS jurisdiction, split_part(name, '_', 3)::uuid AS id FROM acknowledged;
CREATE TEMP TABLE reserved AS
    SELECT jurisdiction, claim, sum(amount) AS fen, count(*) AS moves FROM transfers WHERE reason = 'reserve'
    GROUP BY jurisdiction, claim;
ANALYZE ids, reserved;
SELECT
    (SELECT count(*) FROM claims),
    (SELECT count(*) FROM ids),
    (SELECT count(*) FROM ids) - (SELECT count(*) FROM (SELECT DISTINCT jurisdiction, id FROM ids) AS once),
    (SELECT count(*) FROM ids LEFT JOIN claims USING (jurisdiction, id) WHERE claims.id IS NULL),
    (SELECT count(*) FROM claims c LEFT JOIN reserved r ON r.jurisdiction = c.jurisdiction AND r.claim = c.id
        WHERE r.fen IS DISTINCT FROM c.amount),
    (SELECT count(*) FROM reserved WHERE moves > 1);
