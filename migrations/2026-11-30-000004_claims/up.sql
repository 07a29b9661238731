-- Claims: what each is now, what was sent and decided for each revision, what a claim holds against
-- others, who waits for money, and clawbacks.

-- A claim as it is now: hot and narrow. `decided` is the revision whose decision stands, `holds`
-- whether it holds unique keys and a place of a quota, `committed` whether its amount counts in
-- fund and caps (since `committed_month`, yyyy-mm), `waits_for` the limit that a waitlisted claim
-- lacks, `person` the keyed hash of the applicant's identity number, `to_merchant` whether the
-- merchant is paid (what was sent says so too, sealed; a merchant's statement counts these alone).
CREATE TABLE claims (
    jurisdiction        text NOT NULL,
    id                  uuid NOT NULL,
    programme           text NOT NULL,
    programme_version   integer NOT NULL,
    status              text NOT NULL,
    revision            integer NOT NULL,
    merchant            text NOT NULL,
    merchant_reference  text NOT NULL,
    client              text NOT NULL,
    category            text NOT NULL,
    governing_date      date,
    created_at          timestamptz NOT NULL,
    changed_at          timestamptz NOT NULL,
    decided             integer NOT NULL,
    amount              bigint,
    holds               boolean NOT NULL,
    committed           boolean NOT NULL,
    committed_month     text,
    person              bytea NOT NULL,
    quota_slot          text,
    waits_for           text,
    correct_by          timestamptz,
    reviewed_by         text,
    approved_by         text,
    disbursement        uuid,
    to_merchant         boolean NOT NULL,
    CONSTRAINT claims_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT claims_status_known CHECK (status IN (
        'needs_correction', 'waitlisted', 'under_review', 'recommended', 'approved', 'in_payment',
        'payment_failed', 'paid', 'clawback_due', 'clawed_back', 'rejected', 'withdrawn', 'returned')),
    CONSTRAINT claims_revision_positive CHECK (revision >= 1 AND decided BETWEEN 1 AND revision),
    CONSTRAINT claims_amount_positive CHECK (amount > 0),
    -- The life cycle, as what must be true in each status. First what a claim holds: money is
    -- committed for a claim that has its keys, in a month, from review to payment, and never after
    -- it ended. One that was clawed back may still hold: after fraud, after scrap that was not
    -- closed, or while part of its money is out, which then counts in the caps.
    CONSTRAINT claims_committed_has_amount CHECK (NOT committed OR (amount IS NOT NULL AND holds)),
    CONSTRAINT claims_committed_has_month CHECK (committed = (committed_month IS NOT NULL)),
    CONSTRAINT claims_in_progress_is_committed CHECK (status NOT IN
        ('under_review', 'recommended', 'approved', 'in_payment', 'payment_failed', 'paid', 'clawback_due')
        OR committed),
    CONSTRAINT claims_ended_holds_nothing CHECK (status NOT IN
        ('rejected', 'withdrawn', 'returned') OR (NOT holds AND NOT committed)),
    CONSTRAINT claims_waitlisted_waits CHECK ((status = 'waitlisted') = (waits_for IS NOT NULL)),
    CONSTRAINT claims_correction_has_deadline CHECK
        ((status = 'needs_correction') = (correct_by IS NOT NULL)),
    -- Then who decided: the approver is not the reviewer, and what is paid was approved.
    CONSTRAINT claims_four_eyes CHECK (approved_by <> reviewed_by),
    CONSTRAINT claims_approval_follows_review CHECK (approved_by IS NULL OR reviewed_by IS NOT NULL),
    CONSTRAINT claims_payment_follows_approval CHECK (status NOT IN
        ('approved', 'in_payment', 'payment_failed', 'paid', 'clawback_due') OR approved_by IS NOT NULL),
    CONSTRAINT claims_in_payment_in_a_disbursement CHECK (status <> 'in_payment' OR disbursement IS NOT NULL)
);
-- Ids are version 7, so their order is the order of arrival. A fund's queues: the waitlist in
-- order, and payables to gather. A county's queue is the merge of its programmes'.
CREATE INDEX claims_programme_idx ON claims (jurisdiction, programme, status, id);
-- A merchant's own list.
CREATE INDEX claims_merchant_idx ON claims (merchant, id);
-- Two that few claims are in: deadlines, and the funds in which claims wait (asked when a month
-- opens new slices of the caps).
CREATE INDEX claims_correct_by_idx ON claims (correct_by) WHERE correct_by IS NOT NULL;
CREATE INDEX claims_waits_idx ON claims (jurisdiction, programme) WHERE waits_for IS NOT NULL;
-- While one programme has nearly all claims, the planner would take the primary key for as good an
-- order as the queue's own, and walk a whole county for a programme without claims.
ALTER TABLE claims ALTER COLUMN programme SET (n_distinct = 20), ALTER COLUMN status SET (n_distinct = 13);

CREATE TRIGGER claims_never_deleted BEFORE DELETE ON claims
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_deletion();
CREATE TRIGGER claims_fund_known AFTER INSERT ON claims REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unknown_fund();

-- In place of a foreign key to `programmes`, whose active versions are never deleted: looked up
-- once a statement, not once a row.
CREATE FUNCTION refuse_unknown_programme() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT programme, programme_version FROM added) a WHERE NOT EXISTS
            (SELECT FROM programmes p WHERE p.id = a.programme AND p.version = a.programme_version)) THEN
        RAISE EXCEPTION 'a row of % names no version of a programme', TG_TABLE_NAME
            USING ERRCODE = '23503', CONSTRAINT = TG_TABLE_NAME || '_programme_known', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER claims_programme_known AFTER INSERT ON claims REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unknown_programme();

-- What was sent with a revision and what was decided on it. `sealed` is what was sent (AES-GCM-SIV
-- under `key_id`, with personal data); `receipt` is canonical JSON (RFC 8785) of programme hash,
-- facts, rule outcomes and amount, without personal data, and `digest` its SHA-256. Both texts are
-- packed as `packing` says (0: as they are; above: the number of the dictionary). `leaf` is the
-- decision's place in the county's log; `keys` what the claim holds against others, a byte for the
-- kind and 16 of the keyed digest each. Claim and decision are written by one unit of work, so no
-- foreign key joins them.
CREATE TABLE decisions (
    jurisdiction  text NOT NULL,
    claim         uuid NOT NULL,
    revision      integer NOT NULL,
    outcome       text NOT NULL,
    receipt       bytea NOT NULL,
    digest        bytea NOT NULL,
    decided_at    timestamptz NOT NULL,
    packing       smallint NOT NULL,
    key_id        text NOT NULL,
    sealed        bytea NOT NULL,
    leaf          bigint NOT NULL,
    keys          bytea NOT NULL,
    CONSTRAINT decisions_pkey PRIMARY KEY (jurisdiction, claim, revision),
    CONSTRAINT decisions_outcome_known CHECK
        (outcome IN ('eligible', 'ineligible', 'needs_correction', 'waitlisted')),
    CONSTRAINT decisions_digest_is_sha256 CHECK (octet_length(digest) = 32),
    CONSTRAINT decisions_packing_not_negative CHECK (packing >= 0),
    CONSTRAINT decisions_leaf_not_negative CHECK (leaf >= 0),
    CONSTRAINT decisions_keys_are_whole CHECK (octet_length(keys) % 17 = 0)
);
-- Packed or sealed bytes do not compress: PostgreSQL need not try.
ALTER TABLE decisions ALTER COLUMN receipt SET STORAGE EXTERNAL, ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- The one holder of each invoice, serial number, IMEI, VIN, certificate and entitlement, over all
-- counties and years. Keyed by the value's keyed hash; the plain value stands nowhere in this
-- table.
CREATE TABLE unique_keys (
    digest        bytea NOT NULL,
    kind          text NOT NULL,
    jurisdiction  text NOT NULL,
    claim         uuid NOT NULL,
    -- Decides the race of two claims for one value.
    CONSTRAINT unique_keys_pkey PRIMARY KEY (digest),
    CONSTRAINT unique_keys_digest_is_128_bits CHECK (octet_length(digest) = 16),
    CONSTRAINT unique_keys_kind_known CHECK (kind IN (
        'invoice', 'serial_number', 'imei', 'new_vin', 'old_vin', 'scrap_certificate', 'transfer_invoice',
        'entitlement'))
);

-- How often a person was subsidised in a slot (programme group, category, year). `person` is the
-- keyed hash of the identity number.
CREATE TABLE quotas (
    person   bytea NOT NULL,
    slot     text NOT NULL,
    used     integer NOT NULL,
    ceiling  integer NOT NULL,
    CONSTRAINT quotas_pkey PRIMARY KEY (person, slot),
    CONSTRAINT quotas_used_not_negative CHECK (used >= 0),
    CONSTRAINT quotas_within_ceiling CHECK (used <= ceiling)
);

-- A job: money came back to a fund, so its waitlist may move up. Taken with SKIP LOCKED.
CREATE TABLE waitlist_calls (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    programme     text NOT NULL,
    due_at        timestamptz NOT NULL,
    CONSTRAINT waitlist_calls_pkey PRIMARY KEY (jurisdiction, id)
);
CREATE INDEX waitlist_calls_due_idx ON waitlist_calls (due_at);

-- What of a paid claim is due back, why, under which clause, and what has come back of it. `paid`
-- is the claim's whole subsidy; `merchant` owes it (null: an applicant was paid, against whom
-- nothing is netted); `pending` is what is set against payments that are open.
CREATE TABLE clawbacks (
    jurisdiction  text NOT NULL,
    claim         uuid NOT NULL,
    programme     text NOT NULL,
    merchant      text,
    reason        text NOT NULL,
    clause        text NOT NULL,
    document      text,
    paid          bigint NOT NULL,
    due           bigint NOT NULL,
    repaid        bigint NOT NULL DEFAULT 0,
    netted        bigint NOT NULL DEFAULT 0,
    pending       bigint NOT NULL DEFAULT 0,
    waived        bigint NOT NULL DEFAULT 0,
    made_by       text NOT NULL,
    made_at       timestamptz NOT NULL,
    closed_at     timestamptz,
    -- One for each claim: two officers who race demand the money once.
    CONSTRAINT clawbacks_pkey PRIMARY KEY (jurisdiction, claim),
    CONSTRAINT clawbacks_reason_known CHECK
        (reason IN ('goods_returned', 'invoice_reversed', 'fraud', 'scrap_not_closed')),
    CONSTRAINT clawbacks_have_a_clause CHECK (clause <> ''),
    CONSTRAINT clawbacks_never_more_than_paid CHECK (due > 0 AND due <= paid),
    CONSTRAINT clawbacks_not_negative CHECK (repaid >= 0 AND netted >= 0 AND pending >= 0 AND waived >= 0),
    -- Nothing is taken back twice.
    CONSTRAINT clawbacks_within_due CHECK (repaid + netted + pending + waived <= due),
    CONSTRAINT clawbacks_closed_is_settled CHECK ((closed_at IS NOT NULL) = (repaid + netted + waived = due)),
    CONSTRAINT clawbacks_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES claims (jurisdiction, id)
);
-- What merchants owe a fund, oldest first: the next payment is netted against it.
CREATE INDEX clawbacks_open_idx ON clawbacks (jurisdiction, programme, merchant, made_at, claim)
    WHERE closed_at IS NULL AND merchant IS NOT NULL;

-- A waiver of part of a clawback: proposed by one person with a document, approved by another.
CREATE TABLE clawback_waivers (
    jurisdiction  text NOT NULL,
    id            uuid NOT NULL,
    claim         uuid NOT NULL,
    amount        bigint NOT NULL,
    document      text NOT NULL,
    reason        text NOT NULL,
    status        text NOT NULL,
    maker         text NOT NULL,
    made_at       timestamptz NOT NULL,
    checker       text,
    checked_at    timestamptz,
    refusal       text,
    CONSTRAINT clawback_waivers_pkey PRIMARY KEY (jurisdiction, id),
    CONSTRAINT clawback_waivers_amount_positive CHECK (amount > 0),
    CONSTRAINT clawback_waivers_have_a_document CHECK (document <> '' AND reason <> ''),
    CONSTRAINT clawback_waivers_status_known CHECK (status IN ('pending', 'approved', 'refused')),
    CONSTRAINT clawback_waivers_checked CHECK ((status = 'pending') = (checker IS NULL)),
    CONSTRAINT clawback_waivers_checked_is_dated CHECK ((checker IS NULL) = (checked_at IS NULL)),
    CONSTRAINT clawback_waivers_four_eyes CHECK (checker <> maker),
    CONSTRAINT clawback_waivers_refusal_has_reason CHECK (status <> 'refused' OR refusal <> ''),
    CONSTRAINT clawback_waivers_claim_fkey FOREIGN KEY (jurisdiction, claim)
        REFERENCES clawbacks (jurisdiction, claim)
);
CREATE INDEX clawback_waivers_claim_idx ON clawback_waivers (jurisdiction, claim, id);
