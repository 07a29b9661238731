-- Small tables that every county reads: on a distributed PostgreSQL they are reference tables, copied to every node.

CREATE TABLE jurisdictions (
    code     text NOT NULL,
    name_zh  text NOT NULL,
    name_en  text NOT NULL,
    kind     text NOT NULL,
    parent   text,
    CONSTRAINT jurisdictions_pkey PRIMARY KEY (code),
    CONSTRAINT jurisdictions_code_form CHECK (code ~ '^[0-9]{6}([0-9]{3})?$'),
    CONSTRAINT jurisdictions_kind_known CHECK (kind IN ('city', 'county', 'development_zone')),
    CONSTRAINT jurisdictions_city_has_no_parent CHECK ((kind = 'city') = (parent IS NULL)),
    CONSTRAINT jurisdictions_parent_fkey FOREIGN KEY (parent) REFERENCES jurisdictions (code)
);
CREATE INDEX jurisdictions_parent_idx ON jurisdictions (parent);

-- A credential. `person` is who stands behind it: two credentials of one officer are one pair of eyes.
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
    CONSTRAINT clients_secret_hash_is_argon2 CHECK (secret_hash LIKE '$argon2id$%'),
    CONSTRAINT clients_role_known CHECK
        (role IN ('retailer', 'platform', 'dealer', 'reviewer', 'approver', 'treasury', 'auditor', 'admin')),
    CONSTRAINT clients_merchant_claims CHECK ((role IN ('retailer', 'platform', 'dealer')) = (merchant IS NOT NULL)),
    CONSTRAINT clients_status_known CHECK (status IN ('active', 'disabled'))
);

CREATE TABLE programmes (
    id              text NOT NULL,
    version         integer NOT NULL,
    hash            text NOT NULL,
    source          text NOT NULL,
    effective_from  date NOT NULL,
    status          text NOT NULL,
    created_at      timestamptz NOT NULL,
    activated_at    timestamptz,
    CONSTRAINT programmes_pkey PRIMARY KEY (id, version),
    CONSTRAINT programmes_hash_key UNIQUE (id, hash),
    CONSTRAINT programmes_version_positive CHECK (version >= 1),
    CONSTRAINT programmes_hash_form CHECK (hash ~ '^[0-9a-f]{64}$'),
    CONSTRAINT programmes_status_known CHECK (status IN ('draft', 'active')),
    CONSTRAINT programmes_active_is_dated CHECK ((status = 'active') = (activated_at IS NOT NULL))
);

-- A claim keeps the version that decided it, so an active version never changes and never goes.
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
