-- Multiplies the claims that are there: `seeds` of them, `copies` times, each copy with ids, keys, person, quota, transfer,
-- event and key of idempotency of its own. Columns are copied as the catalogue lists them, so that a new column needs nothing
-- here. Balances and heights follow at the end, so that the books are right afterwards.
SET session_replication_role = replica;
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

DO $$
DECLARE
    target record;
    names text;
    sources text;
BEGIN
    FOR target IN SELECT * FROM (VALUES
        ('claims', 'c.jurisdiction = k.jurisdiction AND c.id = k.old'),
        ('decisions', 'c.jurisdiction = k.jurisdiction AND c.claim = k.old'),
        ('claim_documents', 'c.jurisdiction = k.jurisdiction AND c.claim = k.old'),
        ('unique_keys', 'c.jurisdiction = k.jurisdiction AND c.claim = k.old'),
        ('idempotency_keys', 'c.claim_jurisdiction = k.jurisdiction AND c.claim = k.old'),
        ('events', 'c.jurisdiction = k.jurisdiction
            AND c.subject = ''clm_'' || k.jurisdiction || ''_'' || replace(k.old::text, ''-'', '''')'),
        ('transfers', 'c.jurisdiction = k.jurisdiction AND c.claim = k.old AND c.reason = ''reserve''')
    ) AS listed (name, joined) WHERE to_regclass(listed.name) IS NOT NULL
    LOOP
        SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position),
            string_agg(CASE target.name || '.' || column_name
                WHEN 'claims.id' THEN 'k.new'
                WHEN 'claims.person' THEN 'decode(md5(c.person || int4send(k.copy) || int4send(k.wave)), ''hex'')'
                WHEN 'decisions.claim' THEN 'k.new'
                WHEN 'claim_documents.claim' THEN 'k.new'
                WHEN 'unique_keys.claim' THEN 'k.new'
                WHEN 'unique_keys.digest' THEN 'decode(md5(c.digest || int4send(k.copy) || int4send(k.wave)), ''hex'')'
                WHEN 'idempotency_keys.claim' THEN 'k.new'
                WHEN 'idempotency_keys.key' THEN 'c.key || ''/'' || k.wave || ''/'' || k.copy'
                WHEN 'events.id' THEN 'k.event'
                WHEN 'events.subject' THEN '''clm_'' || k.jurisdiction || ''_'' || replace(k.new::text, ''-'', '''')'
                WHEN 'transfers.claim' THEN 'k.new'
                WHEN 'transfers.height' THEN 'l.height + k.place'
                WHEN 'transfers.posted_at' THEN 'l.last_posted_at'
                ELSE 'c.' || quote_ident(column_name) END, ', ' ORDER BY ordinal_position)
            INTO names, sources
            FROM information_schema.columns WHERE table_schema = 'public' AND table_name = target.name;
        EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM bench_copies k JOIN ledgers l ON l.jurisdiction = k.jurisdiction
            JOIN %I c ON %s', target.name, names, sources, target.name, target.joined);
    END LOOP;
END $$;

INSERT INTO quotas (person, slot, used, ceiling)
    SELECT decode(md5(c.person || int4send(k.copy) || int4send(k.wave)), 'hex'), q.slot, q.used, q.ceiling
    FROM bench_copies k JOIN claims c ON c.jurisdiction = k.jurisdiction AND c.id = k.old
    JOIN quotas q ON q.person = c.person AND q.slot = c.quota_slot;

UPDATE ledgers l SET height = l.height + n.moves
    FROM (SELECT jurisdiction, count(*) AS moves FROM bench_copies GROUP BY jurisdiction) AS n
    WHERE n.jurisdiction = l.jurisdiction;
UPDATE funds f SET available = f.available - n.fen, reserved = f.reserved + n.fen
    FROM (SELECT jurisdiction, programme, sum(amount)::bigint AS fen FROM bench_copies GROUP BY jurisdiction, programme) AS n
    WHERE n.jurisdiction = f.jurisdiction AND n.programme = f.programme;
DROP TABLE bench_copies;
SELECT count(*) FROM claims;
