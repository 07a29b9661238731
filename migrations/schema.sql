-- The schema that the migrations make, as pg_dump states it: longer than 600 lines because nothing is left out.
-- Written by a test (schema::dump) and compared by it; do not edit. The reasons stand in the migrations.

CREATE FUNCTION public.events_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'audit events are added, never changed'
        USING ERRCODE = '23514', CONSTRAINT = 'events_append_only', TABLE = 'events';
END $$;

CREATE FUNCTION public.log_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the log is added to, never changed'
        USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_append_only', TABLE = TG_TABLE_NAME;
END $$;

CREATE FUNCTION public.programme_drafts_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.programmes_refuse_alone() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.programmes_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% are added, never changed', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_append_only', TABLE = TG_TABLE_NAME;
END $$;

CREATE FUNCTION public.refuse_closed_period() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT jurisdiction, min(posted_at) AS first FROM added GROUP BY jurisdiction) a
            JOIN ledgers l ON l.jurisdiction = a.jurisdiction WHERE a.first < l.closed_until) THEN
        RAISE EXCEPTION 'a row of % would stand in a closed period', TG_TABLE_NAME
            USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_period_open', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.refuse_deletion() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% are never deleted', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_never_deleted', TABLE = TG_TABLE_NAME;
END $$;

CREATE FUNCTION public.refuse_reopening() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'a closed period is not opened again'
        USING ERRCODE = '23514', CONSTRAINT = 'ledgers_never_reopened', TABLE = 'ledgers';
END $$;

CREATE FUNCTION public.refuse_unknown_fund() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT jurisdiction, programme FROM added) a WHERE NOT EXISTS
            (SELECT FROM funds f WHERE f.jurisdiction = a.jurisdiction AND f.programme = a.programme)) THEN
        RAISE EXCEPTION 'a row of % names no fund', TG_TABLE_NAME
            USING ERRCODE = '23503', CONSTRAINT = TG_TABLE_NAME || '_fund_known', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.refuse_unknown_programme() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT programme, programme_version FROM added) a WHERE NOT EXISTS
            (SELECT FROM programmes p WHERE p.id = a.programme AND p.version = a.programme_version)) THEN
        RAISE EXCEPTION 'a row of % names no version of a programme', TG_TABLE_NAME
            USING ERRCODE = '23503', CONSTRAINT = TG_TABLE_NAME || '_programme_known', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.samples_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.seed IS NULL
        AND (OLD.jurisdiction, OLD.id, OLD.since, OLD.until, OLD.size, OLD.commitment, OLD.leaf, OLD.leaf_hash, OLD.committer, OLD.committed_at)
        = (NEW.jurisdiction, NEW.id, NEW.since, NEW.until, NEW.size, NEW.commitment, NEW.leaf, NEW.leaf_hash, NEW.committer, NEW.committed_at)
        AND OLD.programme IS NOT DISTINCT FROM NEW.programme THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a sample is drawn once and never changes'
        USING ERRCODE = '23514', CONSTRAINT = 'samples_drawn_once', TABLE = 'samples';
END $$;

CREATE FUNCTION public.transfers_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'transfers are added, never changed'
        USING ERRCODE = '23514', CONSTRAINT = 'transfers_append_only', TABLE = 'transfers';
END $$;

CREATE TABLE public.__diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);

CREATE TABLE public.advance_set_offs (
    jurisdiction text NOT NULL,
    payment uuid NOT NULL,
    advance uuid NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT advance_set_offs_amount_positive CHECK ((amount > 0))
);

CREATE TABLE public.advances (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    programme text NOT NULL,
    merchant text NOT NULL,
    disbursement uuid NOT NULL,
    payment uuid NOT NULL,
    amount bigint NOT NULL,
    document text NOT NULL,
    set_off bigint DEFAULT 0 NOT NULL,
    repaid bigint DEFAULT 0 NOT NULL,
    pending bigint DEFAULT 0 NOT NULL,
    status text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    paid_at timestamp with time zone,
    closed_at timestamp with time zone,
    CONSTRAINT advances_amount_positive CHECK ((amount > 0)),
    CONSTRAINT advances_closed_is_dated CHECK (((status = ANY (ARRAY['made'::text, 'paid'::text])) = (closed_at IS NULL))),
    CONSTRAINT advances_have_a_document CHECK ((document <> ''::text)),
    CONSTRAINT advances_never_more_than_paid CHECK ((((set_off + repaid) + pending) <= amount)),
    CONSTRAINT advances_not_negative CHECK (((set_off >= 0) AND (repaid >= 0) AND (pending >= 0))),
    CONSTRAINT advances_only_paid_are_used CHECK (((status = ANY (ARRAY['paid'::text, 'used'::text])) OR (((set_off + repaid) + pending) = 0))),
    CONSTRAINT advances_paid_is_dated CHECK (((status <> ALL (ARRAY['paid'::text, 'used'::text, 'returned'::text])) OR (paid_at IS NOT NULL))),
    CONSTRAINT advances_status_known CHECK ((status = ANY (ARRAY['made'::text, 'paid'::text, 'used'::text, 'failed'::text, 'returned'::text, 'cancelled'::text]))),
    CONSTRAINT advances_used_is_settled CHECK (((status <> ALL (ARRAY['paid'::text, 'used'::text])) OR ((status = 'used'::text) = ((set_off + repaid) = amount))))
);

CREATE TABLE public.appropriations (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    programme text NOT NULL,
    source text NOT NULL,
    amount bigint NOT NULL,
    document text NOT NULL,
    status text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    reason text,
    CONSTRAINT appropriations_amount_positive CHECK ((amount > 0)),
    CONSTRAINT appropriations_checked CHECK (((status = 'pending'::text) = (checker IS NULL))),
    CONSTRAINT appropriations_checked_is_dated CHECK (((checker IS NULL) = (checked_at IS NULL))),
    CONSTRAINT appropriations_four_eyes CHECK ((checker <> maker)),
    CONSTRAINT appropriations_refusal_has_reason CHECK (((status <> 'refused'::text) OR (reason <> ''::text))),
    CONSTRAINT appropriations_source_known CHECK ((source = ANY (ARRAY['central'::text, 'province'::text, 'city'::text, 'county'::text]))),
    CONSTRAINT appropriations_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text, 'refused'::text])))
);

CREATE TABLE public.bank_accounts (
    holder text NOT NULL,
    revision integer NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    status text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    reason text,
    CONSTRAINT bank_accounts_checked CHECK (((status = 'pending'::text) = (checker IS NULL))),
    CONSTRAINT bank_accounts_checked_is_dated CHECK (((checker IS NULL) = (checked_at IS NULL))),
    CONSTRAINT bank_accounts_four_eyes CHECK ((checker <> maker)),
    CONSTRAINT bank_accounts_refusal_has_reason CHECK (((status <> 'refused'::text) OR (reason <> ''::text))),
    CONSTRAINT bank_accounts_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text, 'refused'::text])))
);

CREATE TABLE public.bank_entries (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    disbursement uuid,
    payment uuid,
    reference text NOT NULL,
    verdict text NOT NULL,
    amount bigint,
    code text,
    reason text,
    booked_on date,
    format text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    receiver text NOT NULL,
    standing text NOT NULL,
    exception text,
    resolver text,
    resolved_at timestamp with time zone,
    resolution text,
    CONSTRAINT bank_entries_exception_is_named CHECK (((standing = 'matched'::text) = (exception IS NULL))),
    CONSTRAINT bank_entries_exception_known CHECK ((exception = ANY (ARRAY['unknown_payment'::text, 'not_released'::text, 'amount_differs'::text, 'contradicts'::text, 'unclear'::text]))),
    CONSTRAINT bank_entries_format_known CHECK ((format = ANY (ARRAY['json'::text, 'csv'::text, 'pain.002'::text, 'camt.054'::text]))),
    CONSTRAINT bank_entries_resolved CHECK ((((standing = ANY (ARRAY['applied'::text, 'dismissed'::text])) = (resolver IS NOT NULL)) AND (num_nonnulls(resolver, resolved_at, resolution) = ANY (ARRAY[0, 3])))),
    CONSTRAINT bank_entries_standing_known CHECK ((standing = ANY (ARRAY['matched'::text, 'exception'::text, 'applied'::text, 'dismissed'::text]))),
    CONSTRAINT bank_entries_verdict_known CHECK ((verdict = ANY (ARRAY['paid'::text, 'failed'::text, 'returned'::text, 'unclear'::text])))
);

CREATE TABLE public.bank_reports (
    bank text NOT NULL,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    id uuid NOT NULL,
    bytes integer NOT NULL,
    status text NOT NULL,
    results integer DEFAULT 0 NOT NULL,
    exceptions integer DEFAULT 0 NOT NULL,
    fault text,
    fault_line bigint,
    fault_column bigint,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT bank_reports_counted CHECK (((bytes >= 0) AND ((exceptions >= 0) AND (exceptions <= results)))),
    CONSTRAINT bank_reports_sha256_length CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT bank_reports_status_known CHECK ((status = ANY (ARRAY['recorded'::text, 'unreadable'::text]))),
    CONSTRAINT bank_reports_unreadable_has_fault CHECK (((status = 'unreadable'::text) = (fault IS NOT NULL)))
);

CREATE TABLE public.bank_streams (
    bank text NOT NULL,
    cursor text,
    due_at timestamp with time zone NOT NULL,
    heard_at timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    CONSTRAINT bank_streams_cursor_length CHECK ((octet_length(cursor) <= 512)),
    CONSTRAINT bank_streams_failures_not_negative CHECK ((failures >= 0))
);

CREATE TABLE public.bank_submissions (
    jurisdiction text NOT NULL,
    disbursement uuid NOT NULL,
    part integer NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    format text NOT NULL,
    status text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    in_doubt boolean DEFAULT false NOT NULL,
    problem text,
    why text,
    due_at timestamp with time zone NOT NULL,
    queued_at timestamp with time zone NOT NULL,
    submitted_at timestamp with time zone,
    closed_at timestamp with time zone,
    sha256 bytea,
    key_id text,
    sealed bytea,
    reference text,
    resolver text,
    resolution text,
    CONSTRAINT bank_submissions_attempted_is_sealed CHECK (((status <> 'queued'::text) OR (attempts = 0) OR (sealed IS NOT NULL))),
    CONSTRAINT bank_submissions_attempts_not_negative CHECK ((attempts >= 0)),
    CONSTRAINT bank_submissions_by_hand_is_not_in_doubt CHECK (((status <> 'by_hand'::text) OR (NOT in_doubt))),
    CONSTRAINT bank_submissions_closed_is_dated CHECK (((status = 'queued'::text) = (closed_at IS NULL))),
    CONSTRAINT bank_submissions_doubt_needs_an_attempt CHECK (((NOT in_doubt) OR (attempts > 0))),
    CONSTRAINT bank_submissions_numbered CHECK ((((part >= 1) AND (part <= 999)) AND (version >= 1))),
    CONSTRAINT bank_submissions_problem_known CHECK ((problem = ANY (ARRAY['account_missing'::text, 'unavailable'::text, 'unknown'::text, 'refused'::text]))),
    CONSTRAINT bank_submissions_resolved CHECK (((status = ANY (ARRAY['by_hand'::text, 'replaced'::text])) = (resolver IS NOT NULL))),
    CONSTRAINT bank_submissions_resolved_with_reason CHECK (((resolver IS NULL) = (resolution IS NULL))),
    CONSTRAINT bank_submissions_sealed_under_a_key CHECK (((sealed IS NULL) = (key_id IS NULL))),
    CONSTRAINT bank_submissions_sealed_while_queued CHECK (((sealed IS NULL) OR ((status = 'queued'::text) AND (sha256 IS NOT NULL)))),
    CONSTRAINT bank_submissions_sha256_length CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT bank_submissions_status_known CHECK ((status = ANY (ARRAY['queued'::text, 'taken'::text, 'refused'::text, 'settled'::text, 'by_hand'::text, 'replaced'::text]))),
    CONSTRAINT bank_submissions_taken_was_submitted CHECK (((status <> 'taken'::text) OR ((submitted_at IS NOT NULL) AND (sha256 IS NOT NULL))))
);

CREATE TABLE public.cap_changes (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    programme text NOT NULL,
    caps text NOT NULL,
    document text NOT NULL,
    status text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    reason text,
    CONSTRAINT cap_changes_checked CHECK (((status = 'pending'::text) = (checker IS NULL))),
    CONSTRAINT cap_changes_checked_is_dated CHECK (((checker IS NULL) = (checked_at IS NULL))),
    CONSTRAINT cap_changes_four_eyes CHECK ((checker <> maker)),
    CONSTRAINT cap_changes_refusal_has_reason CHECK (((status <> 'refused'::text) OR (reason <> ''::text))),
    CONSTRAINT cap_changes_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text, 'refused'::text])))
);

CREATE TABLE public.caps (
    jurisdiction text NOT NULL,
    programme text NOT NULL,
    scope text NOT NULL,
    ceiling bigint NOT NULL,
    committed bigint DEFAULT 0 NOT NULL,
    waiting bigint DEFAULT 0 NOT NULL,
    CONSTRAINT caps_committed_not_negative CHECK ((committed >= 0)),
    CONSTRAINT caps_scope_form CHECK ((scope ~ '^(whole|category:[a-z_]{1,40}|month:[0-9]{4}-[0-9]{2})$'::text)),
    CONSTRAINT caps_waiting_not_negative CHECK ((waiting >= 0)),
    CONSTRAINT caps_within_ceiling CHECK ((committed <= ceiling))
)
WITH (fillfactor='50');

CREATE TABLE public.checkpoints (
    jurisdiction text NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT checkpoints_root_is_sha256 CHECK ((octet_length(root) = 32)),
    CONSTRAINT checkpoints_size_not_negative CHECK ((size >= 0))
);

CREATE TABLE public.claims (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    programme text NOT NULL,
    programme_version integer NOT NULL,
    status text NOT NULL,
    revision integer NOT NULL,
    merchant text NOT NULL,
    merchant_reference text NOT NULL,
    client text NOT NULL,
    category text NOT NULL,
    governing_date date,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    decided integer NOT NULL,
    amount bigint,
    holds boolean NOT NULL,
    committed boolean NOT NULL,
    committed_month text,
    person bytea NOT NULL,
    quota_slot text,
    waits_for text,
    correct_by timestamp with time zone,
    reviewed_by text,
    approved_by text,
    disbursement uuid,
    to_merchant boolean NOT NULL,
    CONSTRAINT claims_amount_positive CHECK ((amount > 0)),
    CONSTRAINT claims_approval_follows_review CHECK (((approved_by IS NULL) OR (reviewed_by IS NOT NULL))),
    CONSTRAINT claims_committed_has_amount CHECK (((NOT committed) OR ((amount IS NOT NULL) AND holds))),
    CONSTRAINT claims_committed_has_month CHECK ((committed = (committed_month IS NOT NULL))),
    CONSTRAINT claims_correction_has_deadline CHECK (((status = 'needs_correction'::text) = (correct_by IS NOT NULL))),
    CONSTRAINT claims_ended_holds_nothing CHECK (((status <> ALL (ARRAY['rejected'::text, 'withdrawn'::text, 'returned'::text])) OR ((NOT holds) AND (NOT committed)))),
    CONSTRAINT claims_four_eyes CHECK ((approved_by <> reviewed_by)),
    CONSTRAINT claims_in_payment_in_a_disbursement CHECK (((status <> 'in_payment'::text) OR (disbursement IS NOT NULL))),
    CONSTRAINT claims_in_progress_is_committed CHECK (((status <> ALL (ARRAY['under_review'::text, 'recommended'::text, 'approved'::text, 'in_payment'::text, 'payment_failed'::text, 'paid'::text, 'clawback_due'::text])) OR committed)),
    CONSTRAINT claims_payment_follows_approval CHECK (((status <> ALL (ARRAY['approved'::text, 'in_payment'::text, 'payment_failed'::text, 'paid'::text, 'clawback_due'::text])) OR (approved_by IS NOT NULL))),
    CONSTRAINT claims_revision_positive CHECK (((revision >= 1) AND ((decided >= 1) AND (decided <= revision)))),
    CONSTRAINT claims_status_known CHECK ((status = ANY (ARRAY['needs_correction'::text, 'waitlisted'::text, 'under_review'::text, 'recommended'::text, 'approved'::text, 'in_payment'::text, 'payment_failed'::text, 'paid'::text, 'clawback_due'::text, 'clawed_back'::text, 'rejected'::text, 'withdrawn'::text, 'returned'::text]))),
    CONSTRAINT claims_waitlisted_waits CHECK (((status = 'waitlisted'::text) = (waits_for IS NOT NULL)))
);
ALTER TABLE ONLY public.claims ALTER COLUMN programme SET (n_distinct=20);
ALTER TABLE ONLY public.claims ALTER COLUMN status SET (n_distinct=13);

CREATE TABLE public.clawback_nettings (
    jurisdiction text NOT NULL,
    payment uuid NOT NULL,
    claim uuid NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT clawback_nettings_amount_positive CHECK ((amount > 0))
);

CREATE TABLE public.clawback_waivers (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    claim uuid NOT NULL,
    amount bigint NOT NULL,
    document text NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    refusal text,
    CONSTRAINT clawback_waivers_amount_positive CHECK ((amount > 0)),
    CONSTRAINT clawback_waivers_checked CHECK (((status = 'pending'::text) = (checker IS NULL))),
    CONSTRAINT clawback_waivers_checked_is_dated CHECK (((checker IS NULL) = (checked_at IS NULL))),
    CONSTRAINT clawback_waivers_four_eyes CHECK ((checker <> maker)),
    CONSTRAINT clawback_waivers_have_a_document CHECK (((document <> ''::text) AND (reason <> ''::text))),
    CONSTRAINT clawback_waivers_refusal_has_reason CHECK (((status <> 'refused'::text) OR (refusal <> ''::text))),
    CONSTRAINT clawback_waivers_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text, 'refused'::text])))
);

CREATE TABLE public.clawbacks (
    jurisdiction text NOT NULL,
    claim uuid NOT NULL,
    programme text NOT NULL,
    merchant text,
    reason text NOT NULL,
    clause text NOT NULL,
    document text,
    paid bigint NOT NULL,
    due bigint NOT NULL,
    repaid bigint DEFAULT 0 NOT NULL,
    netted bigint DEFAULT 0 NOT NULL,
    pending bigint DEFAULT 0 NOT NULL,
    waived bigint DEFAULT 0 NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT clawbacks_closed_is_settled CHECK (((closed_at IS NOT NULL) = (((repaid + netted) + waived) = due))),
    CONSTRAINT clawbacks_have_a_clause CHECK ((clause <> ''::text)),
    CONSTRAINT clawbacks_never_more_than_paid CHECK (((due > 0) AND (due <= paid))),
    CONSTRAINT clawbacks_not_negative CHECK (((repaid >= 0) AND (netted >= 0) AND (pending >= 0) AND (waived >= 0))),
    CONSTRAINT clawbacks_reason_known CHECK ((reason = ANY (ARRAY['goods_returned'::text, 'invoice_reversed'::text, 'fraud'::text, 'scrap_not_closed'::text]))),
    CONSTRAINT clawbacks_within_due CHECK (((((repaid + netted) + pending) + waived) <= due))
);

CREATE TABLE public.clients (
    id text NOT NULL,
    secret_hash text NOT NULL,
    role text NOT NULL,
    person text NOT NULL,
    merchant text,
    jurisdictions text[] NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT clients_merchant_claims CHECK (((role = ANY (ARRAY['retailer'::text, 'platform'::text, 'dealer'::text])) = (merchant IS NOT NULL))),
    CONSTRAINT clients_role_known CHECK ((role = ANY (ARRAY['retailer'::text, 'platform'::text, 'dealer'::text, 'reviewer'::text, 'approver'::text, 'treasury'::text, 'auditor'::text, 'admin'::text]))),
    CONSTRAINT clients_secret_hash_is_argon2 CHECK ((secret_hash ~~ '$argon2id$%'::text)),
    CONSTRAINT clients_status_known CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text])))
);

CREATE TABLE public.closing_balances (
    jurisdiction text NOT NULL,
    period text NOT NULL,
    programme text NOT NULL,
    account text NOT NULL,
    opening bigint NOT NULL,
    debits bigint NOT NULL,
    credits bigint NOT NULL,
    closing bigint NOT NULL,
    CONSTRAINT closing_balances_add_up CHECK ((closing = (opening +
CASE account
    WHEN 'appropriated'::text THEN (credits - debits)
    ELSE (debits - credits)
END))),
    CONSTRAINT closing_balances_not_negative CHECK ((LEAST(opening, debits, credits, closing) >= 0))
);

CREATE TABLE public.closing_sources (
    jurisdiction text NOT NULL,
    period text NOT NULL,
    programme text NOT NULL,
    source text NOT NULL,
    opening_appropriated bigint NOT NULL,
    opening_in_payment bigint NOT NULL,
    opening_spent bigint NOT NULL,
    opening_lapsed bigint NOT NULL,
    appropriated bigint NOT NULL,
    in_payment bigint NOT NULL,
    spent bigint NOT NULL,
    lapsed bigint NOT NULL,
    lapsed_after bigint NOT NULL,
    CONSTRAINT closing_sources_left_not_negative CHECK (((opening_appropriated >= ((opening_in_payment + opening_spent) + opening_lapsed)) AND (appropriated >= ((in_payment + spent) + lapsed)))),
    CONSTRAINT closing_sources_not_negative CHECK ((LEAST(opening_appropriated, opening_in_payment, opening_spent, opening_lapsed, appropriated, in_payment, spent, lapsed, lapsed_after) >= 0)),
    CONSTRAINT closing_sources_only_central_lapses CHECK ((((lapsed + lapsed_after) = 0) OR (source = 'central'::text))),
    CONSTRAINT closing_sources_source_known CHECK ((source = ANY (ARRAY['central'::text, 'province'::text, 'city'::text, 'county'::text])))
);

CREATE TABLE public.closings (
    jurisdiction text NOT NULL,
    period text NOT NULL,
    kind text NOT NULL,
    since timestamp with time zone,
    until timestamp with time zone NOT NULL,
    height bigint NOT NULL,
    transfers bigint NOT NULL,
    actor text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT closings_ended_when_made CHECK ((made_at >= until)),
    CONSTRAINT closings_kind_known CHECK ((kind = ANY (ARRAY['month'::text, 'year'::text]))),
    CONSTRAINT closings_not_negative CHECK (((height >= 0) AND (transfers >= 0))),
    CONSTRAINT closings_since_is_a_period_before CHECK (((until AT TIME ZONE 'Asia/Shanghai'::text) = ((since AT TIME ZONE 'Asia/Shanghai'::text) +
CASE kind
    WHEN 'month'::text THEN '1 mon'::interval
    ELSE '1 year'::interval
END))),
    CONSTRAINT closings_until_is_the_end_of_its_period CHECK (((until AT TIME ZONE 'Asia/Shanghai'::text) =
CASE kind
    WHEN 'month'::text THEN (make_date(("left"(period, 4))::integer, ("right"(period, 2))::integer, 1) + '1 mon'::interval)
    ELSE (make_date((period)::integer, 12, 31) + '1 day'::interval)
END))
);

CREATE TABLE public.collectors (
    credit_code text NOT NULL,
    name text NOT NULL,
    jurisdiction text NOT NULL,
    licensed_until date NOT NULL
);

CREATE TABLE public.cosignatures (
    jurisdiction text NOT NULL,
    size bigint NOT NULL,
    witness text NOT NULL,
    line text NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL
);

CREATE TABLE public.decisions (
    jurisdiction text NOT NULL,
    claim uuid NOT NULL,
    revision integer NOT NULL,
    outcome text NOT NULL,
    receipt bytea NOT NULL,
    digest bytea NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    packing smallint NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    leaf bigint NOT NULL,
    keys bytea NOT NULL,
    CONSTRAINT decisions_digest_is_sha256 CHECK ((octet_length(digest) = 32)),
    CONSTRAINT decisions_keys_are_whole CHECK (((octet_length(keys) % 17) = 0)),
    CONSTRAINT decisions_leaf_not_negative CHECK ((leaf >= 0)),
    CONSTRAINT decisions_outcome_known CHECK ((outcome = ANY (ARRAY['eligible'::text, 'ineligible'::text, 'needs_correction'::text, 'waitlisted'::text]))),
    CONSTRAINT decisions_packing_not_negative CHECK ((packing >= 0))
);
ALTER TABLE ONLY public.decisions ALTER COLUMN receipt SET STORAGE EXTERNAL;
ALTER TABLE ONLY public.decisions ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE TABLE public.disbursement_lines (
    jurisdiction text NOT NULL,
    disbursement uuid NOT NULL,
    claim uuid NOT NULL,
    payment uuid NOT NULL,
    amount bigint NOT NULL,
    outcome text DEFAULT 'open'::text NOT NULL,
    recovered bigint DEFAULT 0 NOT NULL,
    netted bigint DEFAULT 0 NOT NULL,
    CONSTRAINT disbursement_lines_amount_positive CHECK ((amount > 0)),
    CONSTRAINT disbursement_lines_netted_within CHECK (((netted >= 0) AND (netted <= amount))),
    CONSTRAINT disbursement_lines_outcome_known CHECK ((outcome = ANY (ARRAY['open'::text, 'paid'::text, 'failed'::text, 'returned'::text, 'cancelled'::text]))),
    CONSTRAINT disbursement_lines_recovered_was_paid CHECK ((((recovered >= 0) AND (recovered <= amount)) AND ((recovered = 0) OR (outcome = ANY (ARRAY['paid'::text, 'returned'::text])))))
);

CREATE TABLE public.disbursements (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    programme text NOT NULL,
    status text NOT NULL,
    revision integer DEFAULT 1 NOT NULL,
    claims integer NOT NULL,
    total bigint NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    releaser text,
    released_at timestamp with time zone,
    closed_at timestamp with time zone,
    payments integer NOT NULL,
    needs_three boolean DEFAULT false NOT NULL,
    countersigner text,
    countersigned_at timestamp with time zone,
    account integer,
    per_file integer,
    digest bytea,
    CONSTRAINT disbursements_countersigned CHECK ((((countersigner IS NULL) = (countersigned_at IS NULL)) AND ((status <> 'countersigned'::text) OR (countersigner IS NOT NULL)))),
    CONSTRAINT disbursements_four_eyes CHECK ((releaser <> maker)),
    CONSTRAINT disbursements_not_empty CHECK (((payments > 0) AND (total > 0) AND (claims >= 0) AND ((claims > 0) OR (payments = 1)))),
    CONSTRAINT disbursements_released CHECK ((((status = ANY (ARRAY['released'::text, 'settled'::text])) = (releaser IS NOT NULL)) AND ((releaser IS NULL) = (released_at IS NULL)))),
    CONSTRAINT disbursements_six_eyes CHECK (((countersigner <> maker) AND (countersigner <> releaser) AND ((NOT needs_three) OR (releaser IS NULL) OR (countersigner IS NOT NULL)))),
    CONSTRAINT disbursements_status_known CHECK ((status = ANY (ARRAY['made'::text, 'countersigned'::text, 'released'::text, 'settled'::text, 'cancelled'::text])))
);

CREATE TABLE public.dismantlers (
    credit_code text NOT NULL,
    name text NOT NULL,
    jurisdiction text NOT NULL,
    licensed_until date NOT NULL
);

CREATE TABLE public.efficiency_labels (
    record text NOT NULL,
    category text NOT NULL,
    brand text NOT NULL,
    model text NOT NULL,
    grade smallint NOT NULL,
    standard text NOT NULL,
    filed_on date NOT NULL,
    CONSTRAINT efficiency_labels_grade_range CHECK (((grade >= 1) AND (grade <= 5)))
);

CREATE TABLE public.entitlements (
    code text NOT NULL,
    programme text NOT NULL,
    applicant bytea NOT NULL,
    category text NOT NULL,
    issued_on date NOT NULL,
    expires_on date NOT NULL,
    CONSTRAINT entitlements_dates_in_order CHECK ((issued_on <= expires_on))
);

CREATE TABLE public.events (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    subject text NOT NULL,
    verb text NOT NULL,
    actor text NOT NULL,
    person text NOT NULL,
    at timestamp with time zone NOT NULL,
    revision integer,
    from_status text,
    to_status text,
    reason text,
    request text,
    leaf bigint,
    detail text,
    CONSTRAINT events_leaf_not_negative CHECK ((leaf >= 0))
);

CREATE TABLE public.filed_prices (
    merchant text NOT NULL,
    model text NOT NULL,
    filed_on date NOT NULL,
    price bigint NOT NULL,
    CONSTRAINT filed_prices_price_positive CHECK ((price > 0))
);

CREATE TABLE public.fund_sources (
    jurisdiction text NOT NULL,
    programme text NOT NULL,
    source text NOT NULL,
    appropriated bigint DEFAULT 0 NOT NULL,
    in_payment bigint DEFAULT 0 NOT NULL,
    spent bigint DEFAULT 0 NOT NULL,
    lapsed bigint DEFAULT 0 NOT NULL,
    carry bigint DEFAULT 0 NOT NULL,
    CONSTRAINT fund_sources_appropriated_not_negative CHECK ((appropriated >= 0)),
    CONSTRAINT fund_sources_carry_bounded CHECK (((carry > '-30000'::integer) AND (carry < 30000))),
    CONSTRAINT fund_sources_in_payment_not_negative CHECK ((in_payment >= 0)),
    CONSTRAINT fund_sources_lapsed_not_negative CHECK ((lapsed >= 0)),
    CONSTRAINT fund_sources_left_not_negative CHECK ((appropriated >= ((in_payment + spent) + lapsed))),
    CONSTRAINT fund_sources_only_central_lapses CHECK (((lapsed = 0) OR (source = 'central'::text))),
    CONSTRAINT fund_sources_source_known CHECK ((source = ANY (ARRAY['central'::text, 'province'::text, 'city'::text, 'county'::text]))),
    CONSTRAINT fund_sources_spent_not_negative CHECK ((spent >= 0))
)
WITH (fillfactor='50');

CREATE TABLE public.funds (
    jurisdiction text NOT NULL,
    programme text NOT NULL,
    appropriated bigint DEFAULT 0 NOT NULL,
    available bigint DEFAULT 0 NOT NULL,
    reserved bigint DEFAULT 0 NOT NULL,
    payable bigint DEFAULT 0 NOT NULL,
    in_payment bigint DEFAULT 0 NOT NULL,
    disbursed bigint DEFAULT 0 NOT NULL,
    recoverable bigint DEFAULT 0 NOT NULL,
    waiting bigint DEFAULT 0 NOT NULL,
    advanced bigint DEFAULT 0 NOT NULL,
    CONSTRAINT funds_advanced_not_negative CHECK ((advanced >= 0)),
    CONSTRAINT funds_available_not_negative CHECK ((available >= 0)),
    CONSTRAINT funds_balanced CHECK ((appropriated = ((((((available + reserved) + payable) + in_payment) + disbursed) + recoverable) + advanced))),
    CONSTRAINT funds_disbursed_not_negative CHECK ((disbursed >= 0)),
    CONSTRAINT funds_in_payment_not_negative CHECK ((in_payment >= 0)),
    CONSTRAINT funds_payable_not_negative CHECK ((payable >= 0)),
    CONSTRAINT funds_recoverable_not_negative CHECK ((recoverable >= 0)),
    CONSTRAINT funds_reserved_not_negative CHECK ((reserved >= 0)),
    CONSTRAINT funds_waiting_not_negative CHECK ((waiting >= 0))
)
WITH (fillfactor='20');

CREATE TABLE public.holds (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    programme text,
    merchant text,
    claim uuid,
    reason text NOT NULL,
    placer text NOT NULL,
    placed_at timestamp with time zone NOT NULL,
    lifter text,
    lifted_at timestamp with time zone,
    lift_reason text,
    CONSTRAINT holds_have_a_reason CHECK ((reason <> ''::text)),
    CONSTRAINT holds_hold_something CHECK ((num_nonnulls(programme, merchant, claim) > 0)),
    CONSTRAINT holds_lifted CHECK ((num_nonnulls(lifter, lifted_at, lift_reason) = ANY (ARRAY[0, 3])))
);

CREATE TABLE public.idempotency_keys (
    client text NOT NULL,
    key text NOT NULL,
    request bytea NOT NULL,
    operation text NOT NULL,
    claim_jurisdiction text,
    claim uuid,
    answer text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_keys_answered CHECK (((claim IS NULL) <> (answer IS NULL))),
    CONSTRAINT idempotency_keys_claim_is_routed CHECK (((claim IS NULL) = (claim_jurisdiction IS NULL))),
    CONSTRAINT idempotency_keys_request_is_sha256 CHECK ((octet_length(request) = 32))
);

CREATE TABLE public.jurisdictions (
    code text NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    kind text NOT NULL,
    parent text,
    CONSTRAINT jurisdictions_city_has_no_parent CHECK (((kind = 'city'::text) = (parent IS NULL))),
    CONSTRAINT jurisdictions_code_form CHECK ((code ~ '^[0-9]{6}([0-9]{3})?$'::text)),
    CONSTRAINT jurisdictions_kind_known CHECK ((kind = ANY (ARRAY['city'::text, 'county'::text, 'development_zone'::text])))
);

CREATE TABLE public.ledgers (
    jurisdiction text NOT NULL,
    height bigint DEFAULT 0 NOT NULL,
    last_posted_at timestamp with time zone,
    closed_until timestamp with time zone,
    leaves bigint DEFAULT 0 NOT NULL,
    CONSTRAINT ledgers_height_not_negative CHECK ((height >= 0)),
    CONSTRAINT ledgers_leaves_not_negative CHECK ((leaves >= height))
)
WITH (fillfactor='20');

CREATE TABLE public.log_leaves (
    jurisdiction text NOT NULL,
    first bigint NOT NULL,
    hashes bytea NOT NULL,
    CONSTRAINT log_leaves_first_not_negative CHECK ((first >= 0)),
    CONSTRAINT log_leaves_hashes_are_whole CHECK (((octet_length(hashes) > 0) AND ((octet_length(hashes) % 32) = 0)))
);
ALTER TABLE ONLY public.log_leaves ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE public.log_nodes (
    jurisdiction text NOT NULL,
    level smallint NOT NULL,
    number bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT log_nodes_hash_is_sha256 CHECK ((octet_length(hash) = 32)),
    CONSTRAINT log_nodes_level_is_kept CHECK (((level > 0) AND (((level)::integer % 8) = 0))),
    CONSTRAINT log_nodes_number_not_negative CHECK ((number >= 0))
);

CREATE TABLE public.merchants (
    credit_code text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    jurisdiction text NOT NULL,
    status text NOT NULL,
    CONSTRAINT merchants_kind_known CHECK ((kind = ANY (ARRAY['retailer'::text, 'platform'::text, 'dealer'::text]))),
    CONSTRAINT merchants_status_known CHECK ((status = ANY (ARRAY['admitted'::text, 'suspended'::text, 'removed'::text])))
);

CREATE TABLE public.outbox (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    subjects text[] NOT NULL,
    events uuid[] NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone NOT NULL,
    CONSTRAINT outbox_not_empty CHECK (((cardinality(events) > 0) AND (cardinality(events) = cardinality(subjects))))
);

CREATE TABLE public.payee_corrections (
    jurisdiction text NOT NULL,
    claim uuid NOT NULL,
    revision integer NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL
);

CREATE TABLE public.payments (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    disbursement uuid NOT NULL,
    payee text NOT NULL,
    merchant text,
    person bytea,
    account integer,
    claims integer NOT NULL,
    amount bigint NOT NULL,
    outcome text DEFAULT 'open'::text NOT NULL,
    reason text,
    settled_at timestamp with time zone,
    central bigint NOT NULL,
    province bigint NOT NULL,
    city bigint NOT NULL,
    county bigint NOT NULL,
    recovered_central bigint DEFAULT 0 NOT NULL,
    recovered_province bigint DEFAULT 0 NOT NULL,
    recovered_city bigint DEFAULT 0 NOT NULL,
    recovered_county bigint DEFAULT 0 NOT NULL,
    netted bigint DEFAULT 0 NOT NULL,
    advance uuid,
    CONSTRAINT payments_failure_has_reason CHECK (((outcome <> ALL (ARRAY['failed'::text, 'returned'::text])) OR (reason <> ''::text))),
    CONSTRAINT payments_netted_of_merchants CHECK (((netted = 0) OR (payee = 'merchant'::text))),
    CONSTRAINT payments_netted_within CHECK (((netted >= 0) AND (netted <= amount))),
    CONSTRAINT payments_not_empty CHECK (((amount > 0) AND (claims >= 0) AND ((claims = 0) = (advance IS NOT NULL)) AND ((advance IS NULL) OR ((payee = 'merchant'::text) AND (netted = 0))))),
    CONSTRAINT payments_outcome_known CHECK ((outcome = ANY (ARRAY['open'::text, 'paid'::text, 'failed'::text, 'returned'::text, 'cancelled'::text]))),
    CONSTRAINT payments_parts_are_the_amount CHECK (((((central + province) + city) + county) = amount)),
    CONSTRAINT payments_parts_not_negative CHECK ((LEAST(central, province, city, county) >= 0)),
    CONSTRAINT payments_payee_is_named CHECK ((((payee = 'merchant'::text) = (merchant IS NOT NULL)) AND ((payee = 'applicant'::text) = (person IS NOT NULL)))),
    CONSTRAINT payments_payee_known CHECK ((payee = ANY (ARRAY['merchant'::text, 'applicant'::text]))),
    CONSTRAINT payments_recovered_not_negative CHECK ((LEAST(recovered_central, recovered_province, recovered_city, recovered_county) >= 0)),
    CONSTRAINT payments_recovered_was_paid CHECK (((recovered_central <= central) AND (recovered_province <= province) AND (recovered_city <= city) AND (recovered_county <= county))),
    CONSTRAINT payments_settled_is_dated CHECK (((outcome = 'open'::text) = (settled_at IS NULL)))
);

CREATE TABLE public.programme_drafts (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    programme text NOT NULL,
    version integer NOT NULL,
    hash text NOT NULL,
    source text NOT NULL,
    effective_from date NOT NULL,
    report text NOT NULL,
    report_digest bytea NOT NULL,
    summary text NOT NULL,
    status text NOT NULL,
    maker text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    checker text,
    checked_at timestamp with time zone,
    reason text,
    CONSTRAINT programme_drafts_decided CHECK ((((status = 'pending'::text) = (checker IS NULL)) AND ((checker IS NULL) = (checked_at IS NULL)))),
    CONSTRAINT programme_drafts_digest_is_sha256 CHECK ((report_digest = sha256(convert_to(report, 'UTF8'::name)))),
    CONSTRAINT programme_drafts_four_eyes CHECK ((checker <> maker)),
    CONSTRAINT programme_drafts_hash_is_sha256 CHECK ((hash = encode(sha256(convert_to(source, 'UTF8'::name)), 'hex'::text))),
    CONSTRAINT programme_drafts_refusal_has_reason CHECK (((status <> 'refused'::text) OR (reason IS NOT NULL))),
    CONSTRAINT programme_drafts_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'activated'::text, 'refused'::text]))),
    CONSTRAINT programme_drafts_version_positive CHECK ((version >= 1))
);

CREATE TABLE public.programmes (
    id text NOT NULL,
    version integer NOT NULL,
    hash text NOT NULL,
    source text NOT NULL,
    effective_from date NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    activated_at timestamp with time zone,
    draft_jurisdiction text,
    draft uuid,
    CONSTRAINT programmes_active_is_dated CHECK (((status = 'active'::text) = (activated_at IS NOT NULL))),
    CONSTRAINT programmes_draft_is_routed CHECK (((draft IS NULL) = (draft_jurisdiction IS NULL))),
    CONSTRAINT programmes_hash_form CHECK ((hash ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT programmes_status_known CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text]))),
    CONSTRAINT programmes_version_positive CHECK ((version >= 1))
);

CREATE TABLE public.quotas (
    person bytea NOT NULL,
    slot text NOT NULL,
    used integer NOT NULL,
    ceiling integer NOT NULL,
    CONSTRAINT quotas_used_not_negative CHECK ((used >= 0)),
    CONSTRAINT quotas_within_ceiling CHECK ((used <= ceiling))
);

CREATE TABLE public.samples (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    programme text,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    size integer NOT NULL,
    commitment bytea NOT NULL,
    leaf bigint NOT NULL,
    leaf_hash bytea NOT NULL,
    committer text NOT NULL,
    committed_at timestamp with time zone NOT NULL,
    seed bytea,
    population bigint,
    claims uuid[],
    drawn_leaf bigint,
    drawer text,
    drawn_at timestamp with time zone,
    CONSTRAINT samples_committed_before_drawn CHECK ((drawn_leaf > leaf)),
    CONSTRAINT samples_drawn_after_period CHECK ((drawn_at >= until)),
    CONSTRAINT samples_drawn_as_many CHECK (((population >= 0) AND (cardinality(claims) = LEAST((size)::bigint, population)))),
    CONSTRAINT samples_drawn_whole CHECK ((num_nulls(seed, population, claims, drawn_leaf, drawer, drawn_at) = ANY (ARRAY[0, 6]))),
    CONSTRAINT samples_hashes_are_sha256 CHECK (((octet_length(commitment) = 32) AND (octet_length(leaf_hash) = 32))),
    CONSTRAINT samples_period_not_empty CHECK ((since < until)),
    CONSTRAINT samples_seed_is_committed CHECK (((octet_length(seed) = 32) AND (sha256(seed) = commitment))),
    CONSTRAINT samples_size_bounded CHECK (((size >= 1) AND (size <= 1000)))
);

CREATE TABLE public.scrap_certificates (
    number text NOT NULL,
    issued_on date NOT NULL,
    owner bytea NOT NULL,
    vin bytea NOT NULL,
    plate bytea NOT NULL,
    energy text NOT NULL,
    vehicle_type text NOT NULL,
    first_registered_on date NOT NULL,
    dismantler text NOT NULL
);

CREATE TABLE public.source_moves (
    jurisdiction text NOT NULL,
    number bigint NOT NULL,
    programme text NOT NULL,
    source text NOT NULL,
    appropriated bigint NOT NULL,
    in_payment bigint NOT NULL,
    spent bigint NOT NULL,
    lapsed bigint NOT NULL,
    posted_at timestamp with time zone NOT NULL,
    CONSTRAINT source_moves_granted_and_lapsed_stay CHECK (((appropriated >= 0) AND (lapsed >= 0))),
    CONSTRAINT source_moves_moves CHECK (((appropriated <> 0) OR (in_payment <> 0) OR (spent <> 0) OR (lapsed <> 0))),
    CONSTRAINT source_moves_source_known CHECK ((source = ANY (ARRAY['central'::text, 'province'::text, 'city'::text, 'county'::text])))
);

ALTER TABLE public.source_moves ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.source_moves_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.transfers (
    jurisdiction text NOT NULL,
    height bigint NOT NULL,
    programme text NOT NULL,
    reason text NOT NULL,
    debit text NOT NULL,
    credit text NOT NULL,
    amount bigint NOT NULL,
    claim uuid,
    document uuid,
    posted_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    leaf bigint NOT NULL,
    CONSTRAINT transfers_accounts_by_reason CHECK (((((((((((((((((((((((reason = 'appropriate'::text) AND (debit = 'available'::text) AND (credit = 'appropriated'::text)) OR ((reason = 'reserve'::text) AND (debit = 'reserved'::text) AND (credit = 'available'::text))) OR ((reason = 'release'::text) AND (debit = 'available'::text) AND (credit = 'reserved'::text))) OR ((reason = 'approve'::text) AND (debit = 'payable'::text) AND (credit = 'reserved'::text))) OR ((reason = 'release_payable'::text) AND (debit = 'available'::text) AND (credit = 'payable'::text))) OR ((reason = 'instruct'::text) AND (debit = 'in_payment'::text) AND (credit = 'payable'::text))) OR ((reason = 'cancel_instruction'::text) AND (debit = 'payable'::text) AND (credit = 'in_payment'::text))) OR ((reason = 'pay'::text) AND (debit = 'disbursed'::text) AND (credit = 'in_payment'::text))) OR ((reason = 'fail_payment'::text) AND (debit = 'payable'::text) AND (credit = 'in_payment'::text))) OR ((reason = 'return_payment'::text) AND (debit = 'payable'::text) AND (credit = 'disbursed'::text))) OR ((reason = 'claw_back_due'::text) AND (debit = 'recoverable'::text) AND (credit = 'disbursed'::text))) OR ((reason = 'claw_back'::text) AND (debit = 'available'::text) AND (credit = 'recoverable'::text))) OR ((reason = 'lapse'::text) AND (debit = 'appropriated'::text) AND (credit = 'available'::text))) OR ((reason = 'waive'::text) AND (debit = 'disbursed'::text) AND (credit = 'recoverable'::text))) OR ((reason = 'instruct_advance'::text) AND (debit = 'in_payment'::text) AND (credit = 'available'::text))) OR ((reason = 'cancel_advance'::text) AND (debit = 'available'::text) AND (credit = 'in_payment'::text))) OR ((reason = 'fail_advance'::text) AND (debit = 'available'::text) AND (credit = 'in_payment'::text))) OR ((reason = 'pay_advance'::text) AND (debit = 'advanced'::text) AND (credit = 'in_payment'::text))) OR ((reason = 'return_advance'::text) AND (debit = 'available'::text) AND (credit = 'advanced'::text))) OR ((reason = 'set_off'::text) AND (debit = 'available'::text) AND (credit = 'advanced'::text))) OR ((reason = 'repay_advance'::text) AND (debit = 'available'::text) AND (credit = 'advanced'::text)))),
    CONSTRAINT transfers_amount_positive CHECK ((amount > 0)),
    CONSTRAINT transfers_leaf_not_negative CHECK ((leaf >= 0))
);

CREATE TABLE public.unique_keys (
    digest bytea NOT NULL,
    kind text NOT NULL,
    jurisdiction text NOT NULL,
    claim uuid NOT NULL,
    CONSTRAINT unique_keys_digest_is_128_bits CHECK ((octet_length(digest) = 16)),
    CONSTRAINT unique_keys_kind_known CHECK ((kind = ANY (ARRAY['invoice'::text, 'serial_number'::text, 'imei'::text, 'new_vin'::text, 'old_vin'::text, 'scrap_certificate'::text, 'transfer_invoice'::text, 'entitlement'::text])))
);

CREATE TABLE public.vehicle_models (
    model text NOT NULL,
    energy text NOT NULL,
    vehicle_type text NOT NULL,
    displacement_ml integer NOT NULL,
    listed_from date NOT NULL,
    listed_until date,
    CONSTRAINT vehicle_models_listed_in_order CHECK (((listed_until IS NULL) OR (listed_from <= listed_until)))
);

CREATE TABLE public.waitlist_calls (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    programme text NOT NULL,
    due_at timestamp with time zone NOT NULL
);

CREATE TABLE public.webhook_attempts (
    jurisdiction text NOT NULL,
    endpoint uuid NOT NULL,
    delivery uuid NOT NULL,
    attempt integer NOT NULL,
    at timestamp with time zone NOT NULL,
    http_status integer,
    error text,
    took_ms integer NOT NULL,
    CONSTRAINT webhook_attempts_numbered CHECK (((attempt >= 1) AND (took_ms >= 0)))
);

CREATE TABLE public.webhook_deliveries (
    jurisdiction text NOT NULL,
    endpoint uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    verb text NOT NULL,
    from_status text,
    to_status text,
    at timestamp with time zone NOT NULL,
    status text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT webhook_deliveries_attempts CHECK (((tries >= 0) AND (attempts >= tries))),
    CONSTRAINT webhook_deliveries_kind_known CHECK ((kind = ANY (ARRAY['claim'::text, 'test'::text]))),
    CONSTRAINT webhook_deliveries_status_known CHECK ((status = ANY (ARRAY['due'::text, 'delivered'::text, 'failed'::text])))
);

CREATE TABLE public.webhook_endpoints (
    jurisdiction text NOT NULL,
    id uuid NOT NULL,
    merchant text NOT NULL,
    slot integer,
    status text NOT NULL,
    statuses text[] NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    old_until timestamp with time zone,
    made_at timestamp with time zone NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    disabled_at timestamp with time zone,
    disabled_why text,
    next_at timestamp with time zone,
    busy_until timestamp with time zone NOT NULL,
    CONSTRAINT webhook_endpoints_deleted_has_no_slot CHECK (((status = 'deleted'::text) = (slot IS NULL))),
    CONSTRAINT webhook_endpoints_disabled_says_why CHECK ((((status = 'disabled'::text) = (disabled_at IS NOT NULL)) AND ((disabled_at IS NULL) = (disabled_why IS NULL)))),
    CONSTRAINT webhook_endpoints_failing_since CHECK ((((failures = 0) = (failing_since IS NULL)) AND (failures >= 0))),
    CONSTRAINT webhook_endpoints_slot_known CHECK (((slot >= 1) AND (slot <= 10))),
    CONSTRAINT webhook_endpoints_status_known CHECK ((status = ANY (ARRAY['enabled'::text, 'paused'::text, 'disabled'::text, 'deleted'::text]))),
    CONSTRAINT webhook_endpoints_why_known CHECK ((disabled_why = ANY (ARRAY['gone'::text, 'failing'::text])))
);

ALTER TABLE ONLY public.__diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.advance_set_offs
    ADD CONSTRAINT advance_set_offs_pkey PRIMARY KEY (jurisdiction, payment, advance);

ALTER TABLE ONLY public.advances
    ADD CONSTRAINT advances_payment_key UNIQUE (jurisdiction, payment);

ALTER TABLE ONLY public.advances
    ADD CONSTRAINT advances_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.appropriations
    ADD CONSTRAINT appropriations_document_key UNIQUE (jurisdiction, programme, source, document);

ALTER TABLE ONLY public.appropriations
    ADD CONSTRAINT appropriations_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.bank_accounts
    ADD CONSTRAINT bank_accounts_pkey PRIMARY KEY (holder, revision);

ALTER TABLE ONLY public.bank_entries
    ADD CONSTRAINT bank_entries_fingerprint_key UNIQUE (jurisdiction, fingerprint);

ALTER TABLE ONLY public.bank_entries
    ADD CONSTRAINT bank_entries_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.bank_reports
    ADD CONSTRAINT bank_reports_pkey PRIMARY KEY (bank, name, sha256);

ALTER TABLE ONLY public.bank_streams
    ADD CONSTRAINT bank_streams_pkey PRIMARY KEY (bank);

ALTER TABLE ONLY public.bank_submissions
    ADD CONSTRAINT bank_submissions_name_key UNIQUE (jurisdiction, name);

ALTER TABLE ONLY public.bank_submissions
    ADD CONSTRAINT bank_submissions_pkey PRIMARY KEY (jurisdiction, disbursement, part, version);

ALTER TABLE ONLY public.cap_changes
    ADD CONSTRAINT cap_changes_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.caps
    ADD CONSTRAINT caps_pkey PRIMARY KEY (jurisdiction, programme, scope);

ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (jurisdiction, size);

ALTER TABLE ONLY public.claims
    ADD CONSTRAINT claims_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.clawback_nettings
    ADD CONSTRAINT clawback_nettings_pkey PRIMARY KEY (jurisdiction, payment, claim);

ALTER TABLE ONLY public.clawback_waivers
    ADD CONSTRAINT clawback_waivers_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.clawbacks
    ADD CONSTRAINT clawbacks_pkey PRIMARY KEY (jurisdiction, claim);

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.closing_balances
    ADD CONSTRAINT closing_balances_pkey PRIMARY KEY (jurisdiction, period, programme, account);

ALTER TABLE ONLY public.closing_sources
    ADD CONSTRAINT closing_sources_pkey PRIMARY KEY (jurisdiction, period, programme, source);

ALTER TABLE ONLY public.closings
    ADD CONSTRAINT closings_pkey PRIMARY KEY (jurisdiction, period);

ALTER TABLE ONLY public.closings
    ADD CONSTRAINT closings_since_key UNIQUE NULLS NOT DISTINCT (jurisdiction, kind, since);

ALTER TABLE ONLY public.closings
    ADD CONSTRAINT closings_until_key UNIQUE (jurisdiction, kind, until);

ALTER TABLE ONLY public.collectors
    ADD CONSTRAINT collectors_pkey PRIMARY KEY (credit_code);

ALTER TABLE ONLY public.cosignatures
    ADD CONSTRAINT cosignatures_pkey PRIMARY KEY (jurisdiction, size, witness);

ALTER TABLE ONLY public.decisions
    ADD CONSTRAINT decisions_pkey PRIMARY KEY (jurisdiction, claim, revision);

ALTER TABLE ONLY public.disbursement_lines
    ADD CONSTRAINT disbursement_lines_pkey PRIMARY KEY (jurisdiction, disbursement, claim);

ALTER TABLE ONLY public.disbursements
    ADD CONSTRAINT disbursements_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.dismantlers
    ADD CONSTRAINT dismantlers_pkey PRIMARY KEY (credit_code);

ALTER TABLE ONLY public.efficiency_labels
    ADD CONSTRAINT efficiency_labels_pkey PRIMARY KEY (record);

ALTER TABLE ONLY public.entitlements
    ADD CONSTRAINT entitlements_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (jurisdiction, subject, id);

ALTER TABLE ONLY public.filed_prices
    ADD CONSTRAINT filed_prices_pkey PRIMARY KEY (merchant, model, filed_on);

ALTER TABLE ONLY public.fund_sources
    ADD CONSTRAINT fund_sources_pkey PRIMARY KEY (jurisdiction, programme, source);

ALTER TABLE ONLY public.funds
    ADD CONSTRAINT funds_pkey PRIMARY KEY (jurisdiction, programme);

ALTER TABLE ONLY public.holds
    ADD CONSTRAINT holds_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (client, key);

ALTER TABLE ONLY public.jurisdictions
    ADD CONSTRAINT jurisdictions_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.ledgers
    ADD CONSTRAINT ledgers_pkey PRIMARY KEY (jurisdiction);

ALTER TABLE ONLY public.log_leaves
    ADD CONSTRAINT log_leaves_pkey PRIMARY KEY (jurisdiction, first);

ALTER TABLE ONLY public.log_nodes
    ADD CONSTRAINT log_nodes_pkey PRIMARY KEY (jurisdiction, level, number);

ALTER TABLE ONLY public.merchants
    ADD CONSTRAINT merchants_pkey PRIMARY KEY (credit_code);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.payee_corrections
    ADD CONSTRAINT payee_corrections_pkey PRIMARY KEY (jurisdiction, claim, revision);

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.programme_drafts
    ADD CONSTRAINT programme_drafts_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.programmes
    ADD CONSTRAINT programmes_hash_key UNIQUE (id, hash);

ALTER TABLE ONLY public.programmes
    ADD CONSTRAINT programmes_pkey PRIMARY KEY (id, version);

ALTER TABLE ONLY public.quotas
    ADD CONSTRAINT quotas_pkey PRIMARY KEY (person, slot);

ALTER TABLE ONLY public.samples
    ADD CONSTRAINT samples_commitment_key UNIQUE (jurisdiction, commitment);

ALTER TABLE ONLY public.samples
    ADD CONSTRAINT samples_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.scrap_certificates
    ADD CONSTRAINT scrap_certificates_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.source_moves
    ADD CONSTRAINT source_moves_pkey PRIMARY KEY (jurisdiction, number);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_pkey PRIMARY KEY (jurisdiction, height);

ALTER TABLE ONLY public.unique_keys
    ADD CONSTRAINT unique_keys_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.vehicle_models
    ADD CONSTRAINT vehicle_models_pkey PRIMARY KEY (model);

ALTER TABLE ONLY public.waitlist_calls
    ADD CONSTRAINT waitlist_calls_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.webhook_attempts
    ADD CONSTRAINT webhook_attempts_pkey PRIMARY KEY (jurisdiction, endpoint, delivery, attempt);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (jurisdiction, endpoint, id);

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (jurisdiction, id);

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_slot_key UNIQUE (jurisdiction, merchant, slot);

CREATE INDEX advance_set_offs_advance_idx ON public.advance_set_offs USING btree (jurisdiction, advance);

CREATE INDEX advances_merchant_idx ON public.advances USING btree (merchant, jurisdiction, id);

CREATE INDEX advances_open_idx ON public.advances USING btree (jurisdiction, programme, merchant, id) WHERE (status = 'paid'::text);

CREATE INDEX bank_entries_exceptions_idx ON public.bank_entries USING btree (jurisdiction, id) WHERE (standing = 'exception'::text);

CREATE INDEX bank_entries_payment_idx ON public.bank_entries USING btree (jurisdiction, payment) WHERE (payment IS NOT NULL);

CREATE INDEX bank_reports_id_idx ON public.bank_reports USING btree (id);

CREATE INDEX bank_submissions_due_idx ON public.bank_submissions USING btree (due_at) WHERE (status = 'queued'::text);

CREATE INDEX bank_submissions_refused_idx ON public.bank_submissions USING btree (jurisdiction, disbursement) WHERE (status = 'refused'::text);

CREATE INDEX cap_changes_programme_idx ON public.cap_changes USING btree (jurisdiction, programme, id);

CREATE INDEX claims_correct_by_idx ON public.claims USING btree (correct_by) WHERE (correct_by IS NOT NULL);

CREATE INDEX claims_disbursement_idx ON public.claims USING btree (jurisdiction, disbursement) WHERE (disbursement IS NOT NULL);

CREATE INDEX claims_merchant_idx ON public.claims USING btree (merchant, id);

CREATE INDEX claims_programme_idx ON public.claims USING btree (jurisdiction, programme, status, id);

CREATE INDEX claims_waits_idx ON public.claims USING btree (jurisdiction, programme) WHERE (waits_for IS NOT NULL);

CREATE INDEX clawback_nettings_claim_idx ON public.clawback_nettings USING btree (jurisdiction, claim);

CREATE INDEX clawback_waivers_claim_idx ON public.clawback_waivers USING btree (jurisdiction, claim, id);

CREATE INDEX clawbacks_open_idx ON public.clawbacks USING btree (jurisdiction, programme, merchant, made_at, claim) WHERE ((closed_at IS NULL) AND (merchant IS NOT NULL));

CREATE INDEX disbursement_lines_claim_idx ON public.disbursement_lines USING btree (jurisdiction, claim);

CREATE UNIQUE INDEX disbursement_lines_one_open_or_paid ON public.disbursement_lines USING btree (jurisdiction, claim) WHERE (outcome = ANY (ARRAY['open'::text, 'paid'::text]));

CREATE INDEX disbursement_lines_payment_idx ON public.disbursement_lines USING btree (jurisdiction, payment);

CREATE INDEX disbursements_fund_idx ON public.disbursements USING btree (jurisdiction, programme, id);

CREATE INDEX events_approvals_idx ON public.events USING btree (jurisdiction, at, id) WHERE (verb = 'approve'::text);

CREATE INDEX events_reads_idx ON public.events USING btree (jurisdiction, id) WHERE (verb = ANY (ARRAY['reveal'::text, 'hand_out_instruction'::text, 'export_claims'::text]));

CREATE INDEX events_reads_person_idx ON public.events USING btree (jurisdiction, person, id) WHERE (verb = ANY (ARRAY['reveal'::text, 'hand_out_instruction'::text, 'export_claims'::text]));

CREATE INDEX holds_standing_idx ON public.holds USING btree (jurisdiction, id) WHERE (lifter IS NULL);

CREATE INDEX idempotency_keys_created_idx ON public.idempotency_keys USING brin (created_at) WITH (autosummarize='on', pages_per_range='64');

CREATE INDEX jurisdictions_parent_idx ON public.jurisdictions USING btree (parent);

CREATE INDEX outbox_due_idx ON public.outbox USING btree (due_at);

CREATE INDEX payments_advance_idx ON public.payments USING btree (jurisdiction, advance) WHERE (advance IS NOT NULL);

CREATE INDEX payments_disbursement_idx ON public.payments USING btree (jurisdiction, disbursement, id);

CREATE INDEX programme_drafts_programme_idx ON public.programme_drafts USING btree (jurisdiction, programme, id);

CREATE INDEX programmes_draft_idx ON public.programmes USING btree (draft_jurisdiction, draft) WHERE (draft IS NOT NULL);

CREATE INDEX source_moves_posted_idx ON public.source_moves USING btree (jurisdiction, posted_at);

CREATE INDEX transfers_claim_idx ON public.transfers USING btree (jurisdiction, claim) WHERE (claim IS NOT NULL);

CREATE INDEX transfers_document_idx ON public.transfers USING btree (jurisdiction, document) WHERE (claim IS NULL);

CREATE INDEX waitlist_calls_due_idx ON public.waitlist_calls USING btree (due_at);

CREATE INDEX webhook_deliveries_due_idx ON public.webhook_deliveries USING btree (jurisdiction, endpoint, due_at, id) WHERE (status = 'due'::text);

CREATE INDEX webhook_deliveries_failed_idx ON public.webhook_deliveries USING btree (jurisdiction, endpoint, id) WHERE (status = 'failed'::text);

CREATE INDEX webhook_deliveries_made_idx ON public.webhook_deliveries USING brin (made_at);

CREATE INDEX webhook_endpoints_deleted_idx ON public.webhook_endpoints USING btree (jurisdiction, id) WHERE (status = 'deleted'::text);

CREATE INDEX webhook_endpoints_due_idx ON public.webhook_endpoints USING btree (next_at) WHERE ((status = 'enabled'::text) AND (next_at IS NOT NULL));

CREATE INDEX webhook_endpoints_merchant_idx ON public.webhook_endpoints USING btree (merchant);

CREATE TRIGGER checkpoints_append_only BEFORE DELETE OR UPDATE ON public.checkpoints FOR EACH STATEMENT EXECUTE FUNCTION public.log_refuse_change();

CREATE TRIGGER claims_fund_known AFTER INSERT ON public.claims REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_unknown_fund();

CREATE TRIGGER claims_never_deleted BEFORE DELETE ON public.claims FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_deletion();

CREATE TRIGGER claims_programme_known AFTER INSERT ON public.claims REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_unknown_programme();

CREATE TRIGGER closing_balances_append_only BEFORE DELETE OR UPDATE ON public.closing_balances FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER closing_sources_append_only BEFORE DELETE OR UPDATE ON public.closing_sources FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER closings_append_only BEFORE DELETE OR UPDATE ON public.closings FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER cosignatures_append_only BEFORE DELETE OR UPDATE ON public.cosignatures FOR EACH STATEMENT EXECUTE FUNCTION public.log_refuse_change();

CREATE TRIGGER events_append_only BEFORE DELETE OR UPDATE ON public.events FOR EACH ROW EXECUTE FUNCTION public.events_refuse_change();

CREATE TRIGGER funds_never_deleted BEFORE DELETE ON public.funds FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_deletion();

CREATE TRIGGER ledgers_never_reopened BEFORE UPDATE OF closed_until ON public.ledgers FOR EACH ROW WHEN (((old.closed_until IS NOT NULL) AND ((new.closed_until IS NULL) OR (new.closed_until < old.closed_until)))) EXECUTE FUNCTION public.refuse_reopening();

CREATE TRIGGER log_leaves_append_only BEFORE DELETE OR UPDATE ON public.log_leaves FOR EACH STATEMENT EXECUTE FUNCTION public.log_refuse_change();

CREATE TRIGGER log_nodes_append_only BEFORE DELETE OR UPDATE ON public.log_nodes FOR EACH STATEMENT EXECUTE FUNCTION public.log_refuse_change();

CREATE TRIGGER programme_drafts_decided_once BEFORE DELETE OR UPDATE ON public.programme_drafts FOR EACH ROW EXECUTE FUNCTION public.programme_drafts_refuse_change();

CREATE TRIGGER programmes_active_immutable BEFORE DELETE OR UPDATE ON public.programmes FOR EACH ROW EXECUTE FUNCTION public.programmes_refuse_change();

CREATE TRIGGER programmes_in_pairs BEFORE INSERT ON public.programmes FOR EACH ROW EXECUTE FUNCTION public.programmes_refuse_alone();

CREATE TRIGGER samples_drawn_once BEFORE DELETE OR UPDATE ON public.samples FOR EACH ROW EXECUTE FUNCTION public.samples_refuse_change();

CREATE TRIGGER source_moves_append_only BEFORE DELETE OR UPDATE ON public.source_moves FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER source_moves_period_open AFTER INSERT ON public.source_moves REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_closed_period();

CREATE TRIGGER transfers_append_only BEFORE DELETE OR UPDATE ON public.transfers FOR EACH ROW EXECUTE FUNCTION public.transfers_refuse_change();

CREATE TRIGGER transfers_fund_known AFTER INSERT ON public.transfers REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_unknown_fund();

CREATE TRIGGER transfers_period_open AFTER INSERT ON public.transfers REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_closed_period();

ALTER TABLE ONLY public.advance_set_offs
    ADD CONSTRAINT advance_set_offs_advance_fkey FOREIGN KEY (jurisdiction, advance) REFERENCES public.advances(jurisdiction, id);

ALTER TABLE ONLY public.advance_set_offs
    ADD CONSTRAINT advance_set_offs_payment_fkey FOREIGN KEY (jurisdiction, payment) REFERENCES public.payments(jurisdiction, id);

ALTER TABLE ONLY public.advances
    ADD CONSTRAINT advances_fund_fkey FOREIGN KEY (jurisdiction, programme) REFERENCES public.funds(jurisdiction, programme);

ALTER TABLE ONLY public.appropriations
    ADD CONSTRAINT appropriations_fund_fkey FOREIGN KEY (jurisdiction, programme) REFERENCES public.funds(jurisdiction, programme);

ALTER TABLE ONLY public.bank_entries
    ADD CONSTRAINT bank_entries_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES public.ledgers(jurisdiction);

ALTER TABLE ONLY public.bank_submissions
    ADD CONSTRAINT bank_submissions_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement) REFERENCES public.disbursements(jurisdiction, id);

ALTER TABLE ONLY public.cap_changes
    ADD CONSTRAINT cap_changes_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES public.ledgers(jurisdiction);

ALTER TABLE ONLY public.caps
    ADD CONSTRAINT caps_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES public.ledgers(jurisdiction);

ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT checkpoints_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES public.ledgers(jurisdiction);

ALTER TABLE ONLY public.claims
    ADD CONSTRAINT claims_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement) REFERENCES public.disbursements(jurisdiction, id);

ALTER TABLE ONLY public.clawback_nettings
    ADD CONSTRAINT clawback_nettings_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES public.clawbacks(jurisdiction, claim);

ALTER TABLE ONLY public.clawback_nettings
    ADD CONSTRAINT clawback_nettings_payment_fkey FOREIGN KEY (jurisdiction, payment) REFERENCES public.payments(jurisdiction, id);

ALTER TABLE ONLY public.clawback_waivers
    ADD CONSTRAINT clawback_waivers_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES public.clawbacks(jurisdiction, claim);

ALTER TABLE ONLY public.clawbacks
    ADD CONSTRAINT clawbacks_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES public.claims(jurisdiction, id);

ALTER TABLE ONLY public.closing_balances
    ADD CONSTRAINT closing_balances_closing_fkey FOREIGN KEY (jurisdiction, period) REFERENCES public.closings(jurisdiction, period);

ALTER TABLE ONLY public.closing_sources
    ADD CONSTRAINT closing_sources_closing_fkey FOREIGN KEY (jurisdiction, period) REFERENCES public.closings(jurisdiction, period);

ALTER TABLE ONLY public.closings
    ADD CONSTRAINT closings_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES public.ledgers(jurisdiction);

ALTER TABLE ONLY public.closings
    ADD CONSTRAINT closings_since_fkey FOREIGN KEY (jurisdiction, kind, since) REFERENCES public.closings(jurisdiction, kind, until);

ALTER TABLE ONLY public.cosignatures
    ADD CONSTRAINT cosignatures_checkpoint_fkey FOREIGN KEY (jurisdiction, size) REFERENCES public.checkpoints(jurisdiction, size);

ALTER TABLE ONLY public.disbursement_lines
    ADD CONSTRAINT disbursement_lines_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES public.claims(jurisdiction, id);

ALTER TABLE ONLY public.disbursement_lines
    ADD CONSTRAINT disbursement_lines_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement) REFERENCES public.disbursements(jurisdiction, id);

ALTER TABLE ONLY public.disbursement_lines
    ADD CONSTRAINT disbursement_lines_payment_fkey FOREIGN KEY (jurisdiction, payment) REFERENCES public.payments(jurisdiction, id);

ALTER TABLE ONLY public.disbursements
    ADD CONSTRAINT disbursements_fund_fkey FOREIGN KEY (jurisdiction, programme) REFERENCES public.funds(jurisdiction, programme);

ALTER TABLE ONLY public.fund_sources
    ADD CONSTRAINT fund_sources_fund_fkey FOREIGN KEY (jurisdiction, programme) REFERENCES public.funds(jurisdiction, programme);

ALTER TABLE ONLY public.funds
    ADD CONSTRAINT funds_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES public.ledgers(jurisdiction);

ALTER TABLE ONLY public.holds
    ADD CONSTRAINT holds_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES public.ledgers(jurisdiction);

ALTER TABLE ONLY public.jurisdictions
    ADD CONSTRAINT jurisdictions_parent_fkey FOREIGN KEY (parent) REFERENCES public.jurisdictions(code);

ALTER TABLE ONLY public.ledgers
    ADD CONSTRAINT ledgers_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES public.jurisdictions(code);

ALTER TABLE ONLY public.payee_corrections
    ADD CONSTRAINT payee_corrections_claim_fkey FOREIGN KEY (jurisdiction, claim) REFERENCES public.claims(jurisdiction, id);

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_advance_fkey FOREIGN KEY (jurisdiction, advance) REFERENCES public.advances(jurisdiction, id);

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_disbursement_fkey FOREIGN KEY (jurisdiction, disbursement) REFERENCES public.disbursements(jurisdiction, id);

ALTER TABLE ONLY public.programme_drafts
    ADD CONSTRAINT programme_drafts_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES public.jurisdictions(code);

ALTER TABLE ONLY public.programmes
    ADD CONSTRAINT programmes_draft_fkey FOREIGN KEY (draft_jurisdiction, draft) REFERENCES public.programme_drafts(jurisdiction, id);

ALTER TABLE ONLY public.samples
    ADD CONSTRAINT samples_jurisdiction_fkey FOREIGN KEY (jurisdiction) REFERENCES public.ledgers(jurisdiction);

ALTER TABLE ONLY public.webhook_attempts
    ADD CONSTRAINT webhook_attempts_delivery_fkey FOREIGN KEY (jurisdiction, endpoint, delivery) REFERENCES public.webhook_deliveries(jurisdiction, endpoint, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_endpoint_fkey FOREIGN KEY (jurisdiction, endpoint) REFERENCES public.webhook_endpoints(jurisdiction, id);
