-- New versions of programmes are activated in pairs, and looks at personal data are found by county.

-- A version that one person proposes, with what a replay of recorded claims says of it; another activates or refuses it. Under the
-- city's code. `report` is JSON, byte for byte as `report_digest` has it.
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
    CONSTRAINT programme_drafts_hash_is_sha256 CHECK (hash = encode(sha256(convert_to(source, 'UTF8')), 'hex')),
    CONSTRAINT programme_drafts_digest_is_sha256 CHECK (report_digest = sha256(convert_to(report, 'UTF8'))),
    CONSTRAINT programme_drafts_status_known CHECK (status IN ('pending', 'activated', 'refused')),
    CONSTRAINT programme_drafts_decided CHECK
        ((status = 'pending') = (checker IS NULL) AND (checker IS NULL) = (checked_at IS NULL)),
    CONSTRAINT programme_drafts_refusal_has_reason CHECK (status <> 'refused' OR reason IS NOT NULL),
    CONSTRAINT programme_drafts_four_eyes CHECK (checker <> maker),
    CONSTRAINT programme_drafts_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
);
-- A programme's, newest first.
CREATE INDEX programme_drafts_programme_idx ON programme_drafts (jurisdiction, programme, id);

-- What was proposed is what is activated: only the word on it is added, once.
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

-- The draft that became the version. A programme's first version alone may have none: the one that was seeded.
ALTER TABLE programmes ADD COLUMN draft_jurisdiction text, ADD COLUMN draft uuid,
    ADD CONSTRAINT programmes_draft_is_routed CHECK ((draft IS NULL) = (draft_jurisdiction IS NULL)),
    ADD CONSTRAINT programmes_draft_fkey FOREIGN KEY (draft_jurisdiction, draft) REFERENCES programme_drafts (jurisdiction, id);
CREATE INDEX programmes_draft_idx ON programmes (draft_jurisdiction, draft) WHERE draft IS NOT NULL;

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
CREATE TRIGGER programmes_in_pairs BEFORE INSERT ON programmes FOR EACH ROW EXECUTE FUNCTION programmes_refuse_alone();

-- Looks at personal data, by county and by person. Nothing else is in these, so that intake writes to none of them.
CREATE INDEX events_reads_idx ON events (jurisdiction, id) WHERE verb IN ('reveal', 'hand_out_instruction', 'export_claims');
CREATE INDEX events_reads_person_idx ON events (jurisdiction, person, id) WHERE verb IN ('reveal', 'hand_out_instruction', 'export_claims');
