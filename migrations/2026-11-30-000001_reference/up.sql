-- What every county reads: who may submit and decide, and under which rules. Small tables that a
-- distributed PostgreSQL copies to every node, so that each county's shard can refer to them.

-- The city, its counties and its development zones. `code` is that of GB/T 2260 (six digits), or
-- the nine-digit code of a zone that has none.
CREATE TABLE jurisdictions (
    code     text NOT NULL,
    name_zh  text NOT NULL,
    name_en  text NOT NULL,
    kind     text NOT NULL,
    parent   text,
    CONSTRAINT jurisdictions_pkey PRIMARY KEY (code),
    CONSTRAINT jurisdictions_code_form CHECK (code ~ '^[0-9]{6}([0-9]{3})?$'),
    CONSTRAINT jurisdictions_kind_known CHECK (kind IN ('city', 'county', 'development_zone')),
    -- One level: a county belongs to the city, and the city to no other row.
    CONSTRAINT jurisdictions_city_has_no_parent CHECK ((kind = 'city') = (parent IS NULL)),
    CONSTRAINT jurisdictions_parent_fkey FOREIGN KEY (parent) REFERENCES jurisdictions (code)
);
CREATE INDEX jurisdictions_parent_idx ON jurisdictions (parent);

-- A credential of the API. `person` is the human behind it: two credentials of one officer count as
-- one pair of eyes.
CREATE TABLE clients (
    id             text NOT NULL,
    secret_hash    text NOT NULL,
    role           text NOT NULL,
    person         text NOT NULL,
    merchant       text,
    jurisdictions  text[] NOT NULL,
    status         text NOT NULL DEFAULT 'active',
    created_at     timestamptz NOT NULL,
    CONSTRAINT clients_pkey PRIMARY KEY (id),
    -- A secret that was stored as it is would be refused here.
    CONSTRAINT clients_secret_hash_is_argon2 CHECK (secret_hash LIKE '$argon2id$%'),
    CONSTRAINT clients_role_known CHECK
        (role IN ('retailer', 'platform', 'dealer', 'reviewer', 'approver', 'treasury', 'auditor', 'admin')),
    -- Merchants, and only they, submit: a merchant sees its own claims, an officer those of
    -- counties.
    CONSTRAINT clients_merchant_claims CHECK
        ((role IN ('retailer', 'platform', 'dealer')) = (merchant IS NOT NULL)),
    CONSTRAINT clients_status_known CHECK (status IN ('active', 'disabled'))
);

-- A version of a programme that one person proposes, with the report of a replay of recorded
-- claims; another person activates or refuses it. Stands under the city's code. `report` is JSON,
-- kept byte for byte as `report_digest` has it.
CREATE TABLE programme_drafts (
    jurisdiction    text NOT NULL,
    id              uuid NOT NULL,
    programme       text NOT NULL,
    version         integer NOT NULL,
    hash            text NOT NULL,
    source          text NOT NULL,
    effective_from  date NOT NULL,
    report          text NOT NULL,
    report_digest   bytea NOT NULL,
    summary         text NOT NULL,
    status          text NOT NULL,
    maker           text NOT NULL,
    made_at         timestamptz NOT NULL,
    checker         text,
    checked_at      timestamptz,
    reason          text,
    CONSTRAINT programme_drafts_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT programme_drafts_version_positive CHECK (version >= 1),
    -- PostgreSQL computes both hashes itself: what the second person reads is what the hash names.
    CONSTRAINT programme_drafts_hash_is_sha256 CHECK
        (hash = encode(sha256(convert_to(source, 'UTF8')), 'hex')),
    CONSTRAINT programme_drafts_digest_is_sha256 CHECK (report_digest = sha256(convert_to(report, 'UTF8'))),
    CONSTRAINT programme_drafts_status_known CHECK (status IN ('pending', 'activated', 'refused')),
    CONSTRAINT programme_drafts_decided CHECK
        ((status = 'pending') = (checker IS NULL) AND (checker IS NULL) = (checked_at IS NULL)),
    CONSTRAINT programme_drafts_refusal_has_reason CHECK (status <> 'refused' OR reason IS NOT NULL),
    CONSTRAINT programme_drafts_four_eyes CHECK (checker <> maker),
    CONSTRAINT programme_drafts_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
);
-- A programme's drafts, newest first.
CREATE INDEX programme_drafts_programme_idx ON programme_drafts (jurisdiction, programme, id);

-- What was proposed is what is activated: a draft takes one decision and no other change.
CREATE FUNCTION programme_drafts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'pending'
        AND (OLD.jurisdiction, OLD.id, OLD.programme, OLD.version, OLD.hash, OLD.source, OLD.effective_from, OLD.report, OLD.report_digest, OLD.summary,
            OLD.maker, OLD.made_at)
        = (NEW.jurisdiction, NEW.id, NEW.programme, NEW.version, NEW.hash, NEW.source, NEW.effective_from, NEW.report, NEW.report_digest, NEW.summary,
            NEW.maker, NEW.made_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a draft of a programme is decided once and never changes'
        USING ERRCODE = '23514', CONSTRAINT = 'programme_drafts_decided_once', TABLE = 'programme_drafts';
END $$;
CREATE TRIGGER programme_drafts_decided_once BEFORE UPDATE OR DELETE ON programme_drafts
    FOR EACH ROW EXECUTE FUNCTION programme_drafts_refuse_change();

-- Every version of every programme document. `source` is the document, `hash` its SHA-256; the
-- draft is the one that became the version. Only a programme's first version, which is seeded, may
-- have none.
CREATE TABLE programmes (
    id                  text NOT NULL,
    version             integer NOT NULL,
    hash                text NOT NULL,
    source              text NOT NULL,
    effective_from      date NOT NULL,
    status              text NOT NULL,
    created_at          timestamptz NOT NULL,
    activated_at        timestamptz,
    draft_jurisdiction  text,
    draft               uuid,
    CONSTRAINT programmes_pkey PRIMARY KEY (id, version),
    -- The same document is one version: seeding again adds nothing.
    CONSTRAINT programmes_hash_key UNIQUE (id, hash),
    CONSTRAINT programmes_version_positive CHECK (version >= 1),
    CONSTRAINT programmes_hash_form CHECK (hash ~ '^[0-9a-f]{64}$'),
    CONSTRAINT programmes_status_known CHECK (status IN ('draft', 'active')),
    CONSTRAINT programmes_active_is_dated CHECK ((status = 'active') = (activated_at IS NOT NULL)),
    -- Half a key would pass the foreign key below unchecked.
    CONSTRAINT programmes_draft_is_routed CHECK ((draft IS NULL) = (draft_jurisdiction IS NULL)),
    CONSTRAINT programmes_draft_fkey FOREIGN KEY (draft_jurisdiction, draft)
        REFERENCES programme_drafts (jurisdiction, id)
);
CREATE INDEX programmes_draft_idx ON programmes (draft_jurisdiction, draft) WHERE draft IS NOT NULL;

-- A claim names the version that decided it, so an active version never changes and never goes.
CREATE FUNCTION programmes_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'active' THEN
        RAISE EXCEPTION 'programme % version % is active and immutable', OLD.id, OLD.version
            USING ERRCODE = '23514', CONSTRAINT = 'programmes_active_immutable', TABLE = 'programmes';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER programmes_active_immutable BEFORE UPDATE OR DELETE ON programmes
    FOR EACH ROW EXECUTE FUNCTION programmes_refuse_change();

-- New rules take effect in pairs: a later version is exactly what an activated draft says.
CREATE FUNCTION programmes_refuse_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.draft IS NULL AND EXISTS (SELECT FROM programmes WHERE id = NEW.id))
        OR (NEW.draft IS NOT NULL AND NOT EXISTS (SELECT FROM programme_drafts WHERE jurisdiction = NEW.draft_jurisdiction
            AND id = NEW.draft AND status = 'activated' AND programme = NEW.id AND version = NEW.version AND hash = NEW.hash
            AND source = NEW.source AND effective_from = NEW.effective_from)) THEN
        RAISE EXCEPTION 'a new version of programme % comes from a draft that a second person activated', NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'programmes_in_pairs', TABLE = 'programmes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER programmes_in_pairs BEFORE INSERT ON programmes
    FOR EACH ROW EXECUTE FUNCTION programmes_refuse_alone();
