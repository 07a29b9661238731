-- One claim as one call, with every row that the service writes for it: what a good engineer would do who calls the database
-- once a claim and batches nothing. It stands in the bench only. The order is the service's: keys where a race shows first,
-- the hot rows of the county last, so that their locks are held as short as can be.
CREATE OR REPLACE FUNCTION bench_submit(number bigint, place integer, p_packing smallint, p_receipt bytea, p_digest bytea,
    p_key_id text, p_sealed bytea) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    counties CONSTANT text[] := ARRAY['140821', '140822', '140823', '140824', '140825', '140826', '140827', '140828',
        '140829', '140830', '140881', '140882', '140802404'];
    county CONSTANT text := CASE WHEN place < 13 THEN counties[place + 1] ELSE '140802' END;
    now CONSTANT timestamptz := clock_timestamp();
    moment CONSTANT bytea := substr(int8send((extract(epoch FROM now) * 1000)::bigint), 3, 6);
    claim CONSTANT uuid := encode(overlay(uuid_send(gen_random_uuid()) PLACING moment FROM 1 FOR 6), 'hex')::uuid;
    event CONSTANT uuid := encode(overlay(uuid_send(gen_random_uuid()) PLACING moment FROM 1 FOR 6), 'hex')::uuid;
    subject CONSTANT text := 'clm_' || county || '_' || replace(claim::text, '-', '');
    who CONSTANT bytea := uuid_send(gen_random_uuid());
    fen CONSTANT bigint := 58485;
    at bigint;
    first bigint;
    within integer;
    now_posted timestamptz;
    request CONSTANT text := gen_random_uuid()::text;
    -- Parts of the leaves that are written more than once; each text has its length before it.
    of_county CONSTANT bytea := int4send(length(county)) || county::bytea;
    by_client CONSTANT bytea := '\x00000010'::bytea || 'bench-retailer-1'::bytea;
    instant CONSTANT bytea := int8send((extract(epoch FROM now) * 1000000)::bigint);
BEGIN
    INSERT INTO idempotency_keys (client, key, request, operation, claim_jurisdiction, claim, created_at)
        VALUES ('bench-retailer-1', gen_random_uuid()::text, p_digest, 'submit', county, claim, now);
    INSERT INTO unique_keys (digest, kind, jurisdiction, claim) VALUES
        (uuid_send(gen_random_uuid()), 'invoice', county, claim),
        (uuid_send(gen_random_uuid()), 'serial_number', county, claim),
        (uuid_send(gen_random_uuid()), 'entitlement', county, claim);
    INSERT INTO quotas AS q (person, slot, used, ceiling) VALUES (who, 'appliance:air_conditioner:2026', 1, 1)
        ON CONFLICT ON CONSTRAINT quotas_pkey DO UPDATE SET used = q.used + 1, ceiling = excluded.ceiling;
    INSERT INTO claims (jurisdiction, id, programme, programme_version, status, revision, merchant, merchant_reference,
            client, category, governing_date, created_at, changed_at, decided, amount, holds, committed, committed_month,
            person, quota_slot, to_merchant)
        VALUES (county, claim, 'appliance-2026', 1, 'under_review', 1, '91140802MA2NH6NA3Q',
            'B-' || lpad(number::text, 12, '0'), 'bench-retailer-1', 'air_conditioner', '2026-06-01', now, now, 1, fen, true,
            true, '2026-11', who, 'appliance:air_conditioner:2026', true);
    INSERT INTO outbox (jurisdiction, id, subjects, events, due_at) VALUES (county, event, ARRAY[subject], ARRAY[event], now);
    UPDATE ledgers SET height = height + 1, leaves = leaves + 3, last_posted_at = greatest(last_posted_at, now)
        WHERE jurisdiction = county RETURNING height, leaves - 3, last_posted_at INTO at, first, now_posted;
    INSERT INTO decisions (jurisdiction, claim, revision, outcome, receipt, digest, decided_at, packing, key_id, sealed, leaf, keys)
        VALUES (county, claim, 1, 'eligible', p_receipt, p_digest, now, p_packing, p_key_id, p_sealed, first,
            '\x01' || who || '\x02' || who || '\x08' || who);
    INSERT INTO events (jurisdiction, id, subject, verb, actor, person, at, revision, to_status, request, leaf)
        VALUES (county, event, subject, 'submit', 'bench-retailer-1', 'bench-retailer-1', now, 1, 'under_review',
            request, first + 1);
    INSERT INTO transfers (jurisdiction, height, programme, reason, debit, credit, amount, claim, posted_at, actor, leaf)
        VALUES (county, at, 'appliance-2026', 'reserve', 'reserved', 'available', fen, claim, now_posted, 'bench-retailer-1',
            first + 2);
    INSERT INTO log_leaves (jurisdiction, first, hashes) VALUES (county, first,
        sha256('\x000102'::bytea || of_county || uuid_send(claim) || int8send(1) || '\x00000008'::bytea || 'eligible'::bytea
                || p_digest || int4send(51) || '\x01'::bytea || who || '\x02'::bytea || who || '\x08'::bytea || who || instant)
            || sha256('\x000103'::bytea || of_county || uuid_send(event) || int4send(length(subject)) || subject::bytea
                || '\x00000006'::bytea || 'submit'::bytea || by_client || by_client || instant || '\x01'::bytea || int8send(1)
                || '\x00010000000c'::bytea || 'under_review'::bytea || '\x000100000024'::bytea || request::bytea || '\x00'::bytea)
            || sha256('\x000101'::bytea || of_county || int8send(at) || '\x0000000e'::bytea || 'appliance-2026'::bytea
                || '\x00000007'::bytea || 'reserve'::bytea || int8send(fen) || '\x01'::bytea || uuid_send(claim) || '\x00'::bytea
                || int8send((extract(epoch FROM now_posted) * 1000000)::bigint) || by_client));
    UPDATE caps SET committed = committed + fen
        WHERE jurisdiction = county AND programme = 'appliance-2026' AND waiting = 0 AND committed + fen <= ceiling
            AND scope IN ('whole', 'category:air_conditioner');
    GET DIAGNOSTICS within = ROW_COUNT;
    UPDATE caps SET committed = committed + fen
        WHERE jurisdiction = '140800' AND programme = 'appliance-2026' AND waiting = 0 AND committed + fen <= ceiling
            AND scope = 'whole';
    IF within <> 2 OR NOT FOUND THEN
        RAISE EXCEPTION 'a cap over % is exhausted', county;
    END IF;
    UPDATE funds SET available = available - fen, reserved = reserved + fen
        WHERE jurisdiction = county AND programme = 'appliance-2026' AND available >= fen AND waiting = 0;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the fund of % is exhausted', county;
    END IF;
    RETURN claim;
END $$;
