-- Every leaf of every county's log, written from the rows that it is of by the encoding as it is documented; with the byte that
-- RFC 6962 puts before a leaf. Functions and view are of this session alone.
CREATE FUNCTION pg_temp.txt(it text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT int4send(octet_length(convert_to(it, 'UTF8'))) || convert_to(it, 'UTF8') $$;
CREATE FUNCTION pg_temp.instant(it timestamptz) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT int8send((extract(epoch FROM it) * 1000000)::bigint) $$;
CREATE FUNCTION pg_temp.opt(it bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT coalesce('\x01' || it, '\x00') $$;
CREATE TEMP VIEW leaves AS
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
FROM events WHERE leaf IS NOT NULL;
