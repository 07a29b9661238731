-- One row for each kind of thing that is not as it must be, and how many there are of it.
CREATE TEMP TABLE acknowledged AS
    SELECT key, reference, split_part(name, '_', 2) AS jurisdiction, split_part(name, '_', 3)::uuid AS id
    FROM sent WHERE name IS NOT NULL;
CREATE TEMP TABLE reserved AS
    SELECT jurisdiction, claim, sum(amount) AS fen, count(*) AS moves FROM transfers WHERE reason = 'reserve'
    GROUP BY jurisdiction, claim;
ANALYZE sent, acknowledged, reserved;
SELECT * FROM (
    SELECT 'acknowledged ids that two keys got' AS finding, count(*) - count(DISTINCT id) AS number FROM acknowledged
    UNION ALL
    SELECT 'acknowledged ids that are not there', count(*)
        FROM acknowledged LEFT JOIN claims c USING (jurisdiction, id) WHERE c.id IS NULL
    UNION ALL
    SELECT 'acknowledged ids under which another claim is', count(*)
        FROM acknowledged a JOIN claims c USING (jurisdiction, id) WHERE c.merchant_reference <> a.reference
    UNION ALL
    SELECT 'ids that are there more than once', count(*)
        FROM (SELECT id FROM claims GROUP BY id HAVING count(*) > 1) AS several
    UNION ALL
    SELECT 'sales that were claimed more than once', count(*)
        FROM (SELECT merchant_reference FROM claims GROUP BY merchant_reference HAVING count(*) > 1) AS several
    UNION ALL
    SELECT 'claims that nobody sent', count(*)
        FROM claims c LEFT JOIN sent s ON s.reference = c.merchant_reference WHERE s.reference IS NULL
    UNION ALL
    SELECT 'claims that are not under review', count(*) FROM claims WHERE status <> 'under_review'
    UNION ALL
    -- Those given up may be there or not, once.
    SELECT 'claims more than acknowledged keys, beside those given up', (SELECT count(*) FROM claims c
            WHERE NOT EXISTS (SELECT 1 FROM sent s WHERE s.reference = c.merchant_reference AND s.name IS NULL))
        - (SELECT count(DISTINCT key) FROM acknowledged)
    UNION ALL
    SELECT 'acknowledged keys that are not remembered with their claim', count(*)
        FROM acknowledged a LEFT JOIN idempotency_keys k USING (key)
        WHERE k.claim IS DISTINCT FROM a.id OR k.claim_jurisdiction IS DISTINCT FROM a.jurisdiction
    UNION ALL
    SELECT 'remembered keys of claims that nobody sent', count(*)
        FROM idempotency_keys k LEFT JOIN sent s USING (key) WHERE k.claim IS NOT NULL AND s.key IS NULL
    UNION ALL
    SELECT 'claims without a reserve transfer of their amount', count(*)
        FROM claims c LEFT JOIN reserved r ON r.jurisdiction = c.jurisdiction AND r.claim = c.id
        WHERE r.fen IS DISTINCT FROM c.amount
    UNION ALL
    SELECT 'claims with several reserve transfers', count(*) FROM reserved WHERE moves > 1
    UNION ALL
    SELECT 'reserve transfers of claims that are not there', count(*)
        FROM reserved r LEFT JOIN claims c ON c.jurisdiction = r.jurisdiction AND c.id = r.claim WHERE c.id IS NULL
) AS findings WHERE number <> 0;
