-- The copies' rows in the tables that are named, in the order of the copies. Two sessions share the tables.
SET session_replication_role = replica;
SET synchronous_commit = off;
SET work_mem = '256MB';
SELECT set_config('bench.tables', :'tables', false) \g /dev/null

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
    ) AS listed (name, joined)
        WHERE to_regclass(listed.name) IS NOT NULL AND name = ANY (string_to_array(current_setting('bench.tables'), ','))
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
                WHEN 'decisions.leaf' THEN 'l.leaves + 3 * k.place - 3'
                WHEN 'events.leaf' THEN 'l.leaves + 3 * k.place - 2'
                WHEN 'transfers.leaf' THEN 'l.leaves + 3 * k.place - 1'
                WHEN 'decisions.keys' THEN '(SELECT string_agg(substring(c.keys FROM n FOR 1) || decode(
                    md5(substring(c.keys FROM n + 1 FOR 16) || int4send(k.copy) || int4send(k.wave)), ''hex''), '''' ORDER BY n)
                    FROM generate_series(1, octet_length(c.keys), 17) AS n)'
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
    JOIN quotas q ON q.person = c.person AND q.slot = c.quota_slot
    WHERE 'quotas' = ANY (string_to_array(:'tables', ','));
