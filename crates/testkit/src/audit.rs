//! The auditor: reads the database without going through the service and recomputes every value
//! that follows from others.

use cluster::PrivateCluster;

/// One row for each inconsistency: the fault, its place, and the numbers. A single statement, so
/// that it sees one instant.
const QUESTIONS: &str = r#"
WITH moves AS (
    SELECT jurisdiction, programme, claim, debit AS account, amount, height FROM transfers
    UNION ALL
    SELECT jurisdiction, programme, claim, credit, -amount, height FROM transfers
),
stands AS (
    SELECT f.jurisdiction, f.programme, a.account, a.fen FROM funds f CROSS JOIN LATERAL (VALUES
        ('appropriated', -f.appropriated), ('available', f.available), ('reserved', f.reserved), ('payable', f.payable),
        ('in_payment', f.in_payment), ('disbursed', f.disbursed), ('recoverable', f.recoverable),
        ('advanced', f.advanced)) AS a (account, fen)
),
folded AS (
    SELECT jurisdiction, programme, account, sum(amount) AS fen FROM moves GROUP BY jurisdiction, programme, account
),
placed AS (
    SELECT c.*, 'clm_' || jurisdiction || '_' || replace(id::text, '-', '') AS name,
        CASE
            WHEN status IN ('under_review', 'recommended') OR (status = 'needs_correction' AND committed) THEN 'reserved'
            WHEN status IN ('approved', 'payment_failed') THEN 'payable'
            WHEN status = 'in_payment' THEN 'in_payment'
            WHEN status = 'paid' THEN 'disbursed'
        END AS account,
        -- Paid by netting in a payment whose rest came back: not owed again.
        CASE WHEN status IN ('approved', 'payment_failed', 'in_payment') THEN
            (SELECT coalesce(sum(l.netted), 0) FROM disbursement_lines l WHERE l.jurisdiction = c.jurisdiction
                AND l.claim = c.id AND l.outcome = 'returned') ELSE 0 END AS set_off
    FROM claims c
),
due AS (
    SELECT * FROM (
        SELECT jurisdiction, id AS claim, account, amount - set_off AS fen FROM placed WHERE account IS NOT NULL
        UNION ALL
        SELECT jurisdiction, id, 'disbursed', set_off FROM placed WHERE account IS NOT NULL
        UNION ALL
        SELECT jurisdiction, id, 'available', -amount FROM placed WHERE account IS NOT NULL
        UNION ALL
        SELECT jurisdiction, claim, 'recoverable', due - repaid - netted - waived FROM clawbacks
        UNION ALL
        SELECT jurisdiction, claim, 'disbursed', paid - due + waived FROM clawbacks
        UNION ALL
        SELECT jurisdiction, claim, 'available', repaid + netted - paid FROM clawbacks
    ) AS d WHERE fen <> 0
),
moved AS (
    SELECT jurisdiction, claim, account, sum(amount) AS fen FROM moves WHERE claim IS NOT NULL
    GROUP BY jurisdiction, claim, account HAVING sum(amount) <> 0
),
slices AS (
    SELECT c.jurisdiction, c.programme, category, committed_month,
        sum(c.amount - coalesce(k.repaid + k.netted, 0)) AS fen
    FROM claims c LEFT JOIN clawbacks k ON k.jurisdiction = c.jurisdiction AND k.claim = c.id WHERE committed
    GROUP BY c.jurisdiction, c.programme, category, committed_month
),
places AS (
    SELECT code AS county, code AS place FROM jurisdictions
    UNION ALL SELECT code, parent FROM jurisdictions WHERE parent IS NOT NULL
),
counted AS (
    SELECT k.jurisdiction, k.programme, k.scope, coalesce(sum(s.fen), 0) AS committed
    FROM caps k JOIN places p ON p.place = k.jurisdiction
        LEFT JOIN slices s ON s.jurisdiction = p.county AND s.programme = k.programme AND
            (k.scope = 'whole' OR k.scope = 'category:' || s.category OR k.scope = 'month:' || s.committed_month)
    GROUP BY k.jurisdiction, k.programme, k.scope
),
waits AS (
    SELECT split_part(waits_for, '/', 1) AS jurisdiction, programme, split_part(waits_for, '/', 2) AS scope, count(*) AS waiting
    FROM claims WHERE waits_for IS NOT NULL GROUP BY 1, 2, 3
),
parts AS (
    SELECT d.jurisdiction, d.programme, p.id, p.outcome, v.source, v.part, v.recovered
    FROM payments p JOIN disbursements d ON d.jurisdiction = p.jurisdiction AND d.id = p.disbursement
        CROSS JOIN LATERAL (VALUES ('central', p.central, p.recovered_central), ('province', p.province, p.recovered_province),
            ('city', p.city, p.recovered_city), ('county', p.county, p.recovered_county)) AS v (source, part, recovered)
),
borne AS (
    SELECT jurisdiction, programme, source, sum(CASE WHEN outcome = 'open' THEN part ELSE 0 END) AS in_payment,
        sum(CASE WHEN outcome IN ('paid', 'returned') THEN part - recovered ELSE 0 END) AS spent
    FROM parts GROUP BY jurisdiction, programme, source
),
granted AS (
    SELECT jurisdiction, programme, source, sum(amount) AS fen FROM appropriations WHERE status = 'approved'
    GROUP BY jurisdiction, programme, source
),
lapses AS (
    SELECT jurisdiction, programme, sum(amount) AS fen FROM transfers WHERE reason = 'lapse' GROUP BY jurisdiction, programme
),
out AS (
    SELECT jurisdiction, claim, sum(amount - recovered) FILTER (WHERE outcome IN ('paid', 'returned')) AS fen FROM disbursement_lines
    GROUP BY jurisdiction, claim
),
paid_out AS (
    SELECT jurisdiction, claim, sum(CASE WHEN reason = 'pay' THEN amount ELSE -amount END) AS fen FROM transfers
    WHERE reason IN ('pay', 'return_payment', 'claw_back') GROUP BY jurisdiction, claim
),
-- Each closing with the one before it of its kind.
closed AS (
    SELECT c.*, p.period AS before, coalesce(p.height, 0) AS from_height
    FROM closings c LEFT JOIN closings p ON p.jurisdiction = c.jurisdiction AND p.kind = c.kind AND p.until = c.since
),
closed_folds AS (
    SELECT c.jurisdiction, c.period, m.programme, m.account, sum(m.amount) AS fen,
        sum(m.amount) FILTER (WHERE m.amount > 0 AND m.height > c.from_height) AS debits,
        -sum(m.amount) FILTER (WHERE m.amount < 0 AND m.height > c.from_height) AS credits
    FROM closed c JOIN moves m ON m.jurisdiction = c.jurisdiction AND m.height <= c.height
    GROUP BY c.jurisdiction, c.period, m.programme, m.account
),
closed_moves AS (
    SELECT c.jurisdiction, c.period, m.programme, m.source, sum(m.appropriated) AS appropriated, sum(m.in_payment) AS in_payment,
        sum(m.spent) AS spent, sum(m.lapsed) AS lapsed
    FROM closings c JOIN source_moves m ON m.jurisdiction = c.jurisdiction AND m.posted_at < c.until
    GROUP BY c.jurisdiction, c.period, m.programme, m.source
),
closed_sources AS (
    SELECT jurisdiction, period, programme, sum(appropriated - lapsed) AS appropriated,
        sum(appropriated - in_payment - spent - lapsed) AS unused
    FROM closing_sources GROUP BY jurisdiction, period, programme
),
-- Each sample as its events have to be.
sampled AS (
    SELECT s.jurisdiction, 'smp_' || s.jurisdiction || '_' || replace(s.id::text, '-', '') AS name, v.verb, v.leaf, v.person, v.at,
        v.detail, s.population, s.size
    FROM samples s CROSS JOIN LATERAL (
        SELECT 'commit_sample', s.leaf, s.committer, s.committed_at, jsonb_build_object(
            'commitment', encode(s.commitment, 'hex'), 'programme', s.programme, 'size', s.size,
            'from', to_char(s.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'to', to_char(s.until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        UNION ALL
        SELECT 'draw_sample', s.drawn_leaf, s.drawer, s.drawn_at, jsonb_build_object(
            'seed', encode(s.seed, 'hex'), 'population', s.population, 'claims',
            (SELECT coalesce(jsonb_agg('clm_' || s.jurisdiction || '_' || replace(u.id::text, '-', '') ORDER BY u.n), '[]')
                FROM unnest(s.claims) WITH ORDINALITY AS u (id, n)))
        WHERE s.drawn_leaf IS NOT NULL) AS v (verb, leaf, person, at, detail)
),
limits AS (
    SELECT jurisdiction, programme, '' AS scope, waiting FROM funds
    UNION ALL SELECT jurisdiction, programme, scope, waiting FROM caps
)
SELECT 'a balance is not the fold of its transfers', s.jurisdiction, s.programme || ' ' || s.account, s.fen, coalesce(f.fen, 0)
    FROM stands s LEFT JOIN folded f USING (jurisdiction, programme, account) WHERE s.fen <> coalesce(f.fen, 0)
UNION ALL
SELECT 'appropriated is not the sum of approved appropriations less what lapsed', f.jurisdiction, f.programme, f.appropriated,
        coalesce(g.fen, 0) - coalesce(p.fen, 0)
    FROM funds f LEFT JOIN (SELECT jurisdiction, programme, sum(fen) AS fen FROM granted GROUP BY jurisdiction, programme) g
        USING (jurisdiction, programme) LEFT JOIN lapses p USING (jurisdiction, programme)
    WHERE f.appropriated <> coalesce(g.fen, 0) - coalesce(p.fen, 0)
UNION ALL
SELECT 'a source has not appropriated what it was granted', jurisdiction, programme || ' ' || source, s.appropriated, g.fen
    FROM fund_sources s FULL JOIN granted g USING (jurisdiction, programme, source)
    WHERE coalesce(s.appropriated, -1) <> coalesce(g.fen, 0)
UNION ALL
SELECT 'what lapsed is not what was posted', jurisdiction, programme, s.lapsed, p.fen
    FROM (SELECT jurisdiction, programme, sum(lapsed) AS lapsed FROM fund_sources GROUP BY jurisdiction, programme) s
        FULL JOIN lapses p USING (jurisdiction, programme) WHERE coalesce(s.lapsed, -1) <> coalesce(p.fen, 0)
UNION ALL
SELECT 'the sources are not the fund', f.jurisdiction, f.programme, f.appropriated, coalesce(sum(s.appropriated - s.lapsed), 0)
    FROM funds f LEFT JOIN fund_sources s USING (jurisdiction, programme)
    GROUP BY f.jurisdiction, f.programme, f.appropriated HAVING f.appropriated <> coalesce(sum(s.appropriated - s.lapsed), 0)
UNION ALL
SELECT 'what is carried does not cancel out', jurisdiction, programme, sum(carry), 0
    FROM fund_sources GROUP BY jurisdiction, programme HAVING sum(carry) <> 0
UNION ALL
SELECT 'the parts of a payment are not its amount', p.jurisdiction, p.id::text, p.amount, sum(v.part)
    FROM payments p LEFT JOIN parts v USING (jurisdiction, id) GROUP BY p.jurisdiction, p.id, p.amount
    HAVING p.amount <> coalesce(sum(v.part), 0)
UNION ALL
SELECT 'a source has not in payment or spent what its parts say', jurisdiction, programme || ' ' || source,
        coalesce(s.in_payment, 0) - coalesce(b.in_payment, 0), coalesce(s.spent, 0) - coalesce(b.spent, 0)
    FROM fund_sources s FULL JOIN borne b USING (jurisdiction, programme, source)
    WHERE coalesce(s.in_payment, 0) <> coalesce(b.in_payment, 0) OR coalesce(s.spent, 0) <> coalesce(b.spent, 0)
UNION ALL
SELECT 'a payment has not given back what its claims, or its advance, did', p.jurisdiction, p.id::text, p.recovered, l.recovered
    FROM (SELECT jurisdiction, id, sum(recovered) AS recovered FROM parts GROUP BY jurisdiction, id) p
        LEFT JOIN (SELECT jurisdiction, payment AS id, sum(recovered) AS recovered FROM disbursement_lines
            GROUP BY jurisdiction, payment
            UNION ALL
            SELECT jurisdiction, payment, CASE WHEN status = 'returned' THEN amount ELSE set_off + repaid END FROM advances
        ) l USING (jurisdiction, id)
    WHERE p.recovered <> coalesce(l.recovered, 0)
UNION ALL
SELECT 'what is out of a claim is not what its payments say', jurisdiction, claim::text, t.fen, o.fen
    FROM out o FULL JOIN paid_out t USING (jurisdiction, claim) WHERE coalesce(t.fen, 0) <> coalesce(o.fen, 0)
UNION ALL
SELECT 'the money of a claim is not where its status says', jurisdiction, claim || ' ' || account, d.fen, m.fen
    FROM due d FULL JOIN moved m USING (jurisdiction, claim, account) WHERE d.fen IS DISTINCT FROM m.fen
UNION ALL
SELECT 'a claim was paid twice', jurisdiction, claim::text, count(*) FILTER (WHERE reason = 'pay'),
        count(*) FILTER (WHERE reason = 'return_payment') FROM transfers WHERE reason IN ('pay', 'return_payment')
    GROUP BY jurisdiction, claim
    HAVING count(*) FILTER (WHERE reason = 'pay') - count(*) FILTER (WHERE reason = 'return_payment') NOT IN (0, 1)
UNION ALL
SELECT 'a log has gaps', l.jurisdiction, 'height', l.height, count(t.height)
    FROM ledgers l LEFT JOIN transfers t USING (jurisdiction) GROUP BY l.jurisdiction, l.height
    HAVING l.height <> count(t.height) OR l.height <> coalesce(max(t.height), 0)
UNION ALL
SELECT 'time goes backwards in a log', b.jurisdiction, b.posted_at::text, a.height, b.height
    FROM transfers a JOIN transfers b ON a.jurisdiction = b.jurisdiction AND b.height = a.height + 1
    WHERE b.posted_at < a.posted_at
UNION ALL
SELECT 'a transfer stands in a closed period, or in none', t.jurisdiction, c.period, t.height, c.height
    FROM transfers t JOIN closings c ON c.jurisdiction = t.jurisdiction WHERE (t.posted_at < c.until) <> (t.height <= c.height)
UNION ALL
SELECT 'a ledger is not closed as far as its months', l.jurisdiction, coalesce(l.closed_until::text, 'open'), 0, count(c.period)
    FROM ledgers l LEFT JOIN closings c ON c.jurisdiction = l.jurisdiction AND c.kind = 'month'
    GROUP BY l.jurisdiction, l.closed_until HAVING l.closed_until IS DISTINCT FROM max(c.until)
UNION ALL
SELECT 'a closing has not as many transfers as it says', jurisdiction, period, transfers, height - from_height
    FROM closed WHERE transfers <> height - from_height
UNION ALL
SELECT 'a closing is not the fold of the transfers up to its height', jurisdiction, period || ' ' || programme || ' ' || account,
        CASE account WHEN 'appropriated' THEN -b.closing ELSE b.closing END, f.fen
    FROM closing_balances b FULL JOIN closed_folds f USING (jurisdiction, period, programme, account)
    WHERE coalesce(CASE account WHEN 'appropriated' THEN -b.closing ELSE b.closing END, 0) <> coalesce(f.fen, 0)
        OR coalesce(b.debits, 0) <> coalesce(f.debits, 0) OR coalesce(b.credits, 0) <> coalesce(f.credits, 0)
UNION ALL
SELECT 'an opening is not the closing before', b.jurisdiction, b.period || ' ' || b.programme || ' ' || b.account, b.opening, p.closing
    FROM closing_balances b JOIN closed c USING (jurisdiction, period) LEFT JOIN closing_balances p
        ON p.jurisdiction = b.jurisdiction AND p.period = c.before AND p.programme = b.programme AND p.account = b.account
    WHERE b.opening <> coalesce(p.closing, 0)
UNION ALL
SELECT 'a source is not the fold of its moves', jurisdiction, programme || ' ' || source, s.appropriated, m.appropriated
    FROM fund_sources s FULL JOIN (SELECT jurisdiction, programme, source, sum(appropriated) AS appropriated,
            sum(in_payment) AS in_payment, sum(spent) AS spent, sum(lapsed) AS lapsed FROM source_moves
            GROUP BY jurisdiction, programme, source) m USING (jurisdiction, programme, source)
    WHERE (coalesce(s.appropriated, 0), coalesce(s.in_payment, 0), coalesce(s.spent, 0), coalesce(s.lapsed, 0))
        <> (coalesce(m.appropriated, 0), coalesce(m.in_payment, 0), coalesce(m.spent, 0), coalesce(m.lapsed, 0))
UNION ALL
SELECT 'a closed source is not the fold of its moves', jurisdiction, period || ' ' || programme || ' ' || source, s.appropriated,
        m.appropriated
    FROM closing_sources s FULL JOIN closed_moves m USING (jurisdiction, period, programme, source)
    WHERE (coalesce(s.appropriated, 0), coalesce(s.in_payment, 0), coalesce(s.spent, 0), coalesce(s.lapsed, 0))
        <> (coalesce(m.appropriated, 0), coalesce(m.in_payment, 0), coalesce(m.spent, 0), coalesce(m.lapsed, 0))
UNION ALL
SELECT 'a source does not begin where it ended', s.jurisdiction, s.period || ' ' || s.programme || ' ' || s.source,
        s.opening_appropriated, p.appropriated
    FROM closing_sources s JOIN closed c USING (jurisdiction, period) LEFT JOIN closing_sources p
        ON p.jurisdiction = s.jurisdiction AND p.period = c.before AND p.programme = s.programme AND p.source = s.source
    WHERE (s.opening_appropriated, s.opening_in_payment, s.opening_spent, s.opening_lapsed)
        <> (coalesce(p.appropriated, 0), coalesce(p.in_payment, 0), coalesce(p.spent, 0), coalesce(p.lapsed, 0))
UNION ALL
SELECT 'closed sources are not their fund', jurisdiction, period || ' ' || programme, b.unused, s.unused
    FROM (SELECT jurisdiction, period, programme, sum(closing) FILTER (WHERE account = 'appropriated') AS appropriated,
            sum(closing) FILTER (WHERE account IN ('available', 'reserved', 'payable')) AS unused
        FROM closing_balances GROUP BY jurisdiction, period, programme) b
        LEFT JOIN closed_sources s USING (jurisdiction, period, programme)
    WHERE b.appropriated <> coalesce(s.appropriated, 0) OR b.unused <> coalesce(s.unused, 0)
UNION ALL
SELECT 'a cap has not committed what its claims have', k.jurisdiction, k.programme || ' ' || k.scope, k.committed, n.committed
    FROM caps k JOIN counted n USING (jurisdiction, programme, scope) WHERE k.committed <> n.committed
UNION ALL
SELECT 'as many do not wait as are counted', jurisdiction, programme || ' ' || scope, coalesce(l.waiting, -1), w.waiting
    FROM limits l FULL JOIN waits w USING (jurisdiction, programme, scope)
    WHERE coalesce(l.waiting, -1) <> coalesce(w.waiting, 0)
UNION ALL
SELECT 'a key is held by a claim that holds nothing', k.jurisdiction, k.kind || ' ' || k.claim, 1, 0
    FROM unique_keys k LEFT JOIN claims c ON c.jurisdiction = k.jurisdiction AND c.id = k.claim
    WHERE c.id IS NULL OR NOT c.holds
UNION ALL
SELECT 'a claim holds no invoice', c.jurisdiction, c.name, 1, 0 FROM placed c WHERE c.holds AND NOT EXISTS
    (SELECT 1 FROM unique_keys k WHERE k.jurisdiction = c.jurisdiction AND k.claim = c.id AND k.kind = 'invoice')
UNION ALL
SELECT 'a quota is not used as often as claims hold it', '', coalesce(q.slot, c.slot), coalesce(q.used, 0), coalesce(c.used, 0)
    FROM quotas q FULL JOIN (SELECT person, quota_slot AS slot, count(*) AS used FROM claims
        WHERE holds AND quota_slot IS NOT NULL GROUP BY person, quota_slot) c USING (person, slot)
    WHERE coalesce(q.used, 0) <> coalesce(c.used, 0)
UNION ALL
SELECT 'a disbursement is not the sum of its claims, or of its advance', d.jurisdiction, d.id::text, d.total, coalesce(sum(l.amount), 0)
    FROM disbursements d LEFT JOIN (SELECT jurisdiction, disbursement, claim, amount FROM disbursement_lines
        UNION ALL SELECT jurisdiction, disbursement, NULL, amount FROM advances) l
        ON l.jurisdiction = d.jurisdiction AND l.disbursement = d.id
    GROUP BY d.jurisdiction, d.id, d.total, d.claims HAVING d.total <> coalesce(sum(l.amount), 0) OR d.claims <> count(l.claim)
UNION ALL
SELECT 'a payment is not the sum of its claims', p.jurisdiction, p.id::text, p.amount, coalesce(sum(l.amount), 0)
    FROM payments p LEFT JOIN disbursement_lines l ON l.jurisdiction = p.jurisdiction AND l.payment = p.id
        AND l.disbursement = p.disbursement AND l.outcome = p.outcome WHERE p.advance IS NULL
    GROUP BY p.jurisdiction, p.id, p.amount, p.claims HAVING p.amount <> coalesce(sum(l.amount), 0) OR p.claims <> count(l.claim)
UNION ALL
SELECT 'a claim is due back and no clawback is open, or the reverse', c.jurisdiction, c.name || ' ' || c.status, k.due, 0
    FROM placed c LEFT JOIN clawbacks k ON k.jurisdiction = c.jurisdiction AND k.claim = c.id
    WHERE (c.status = 'clawback_due') <> (k.claim IS NOT NULL AND k.closed_at IS NULL)
        OR (c.status = 'clawed_back') <> (k.claim IS NOT NULL AND k.closed_at IS NOT NULL) OR k.paid <> c.amount
UNION ALL
SELECT 'what was clawed back holds what its reason sets free, or the reverse', c.jurisdiction, c.name, c.holds::int, k.due
    FROM placed c JOIN clawbacks k ON k.jurisdiction = c.jurisdiction AND k.claim = c.id WHERE k.closed_at IS NOT NULL
        AND (c.holds = (k.reason IN ('goods_returned', 'invoice_reversed') AND k.repaid + k.netted = k.paid)
            OR c.committed <> (k.repaid + k.netted < k.paid))
UNION ALL
SELECT 'a clawback is not netted by what payments say', k.jurisdiction, k.claim::text, k.pending + k.netted, coalesce(sum(n.amount), 0)
    FROM clawbacks k LEFT JOIN (SELECT n.*, p.outcome FROM clawback_nettings n
        JOIN payments p ON p.jurisdiction = n.jurisdiction AND p.id = n.payment) n
        ON n.jurisdiction = k.jurisdiction AND n.claim = k.claim
    GROUP BY k.jurisdiction, k.claim, k.pending, k.netted
    HAVING k.pending <> coalesce(sum(n.amount) FILTER (WHERE n.outcome = 'open'), 0)
        OR k.netted <> coalesce(sum(n.amount) FILTER (WHERE n.outcome IN ('paid', 'returned')), 0)
UNION ALL
SELECT 'a payment is not netted by what it says', p.jurisdiction, p.id::text, p.netted, n.amount
    FROM payments p CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS amount FROM clawback_nettings n
            WHERE n.jurisdiction = p.jurisdiction AND n.payment = p.id) n
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS amount FROM advance_set_offs s
            WHERE s.jurisdiction = p.jurisdiction AND s.payment = p.id) s
        CROSS JOIN LATERAL (SELECT coalesce(sum(netted), 0) AS amount FROM disbursement_lines l
            WHERE l.jurisdiction = p.jurisdiction AND l.payment = p.id) l
    WHERE p.netted <> n.amount + s.amount OR p.netted <> l.amount
UNION ALL
SELECT 'an advance is not what its payment says', a.jurisdiction, a.id::text || ' ' || a.status, a.amount, p.amount
    FROM advances a FULL JOIN (SELECT * FROM payments WHERE advance IS NOT NULL) p
        ON p.jurisdiction = a.jurisdiction AND p.id = a.payment AND p.advance = a.id
    WHERE (a.amount, a.merchant, a.disbursement) IS DISTINCT FROM (p.amount, p.merchant, p.disbursement)
        OR CASE a.status WHEN 'made' THEN 'open' WHEN 'used' THEN 'paid' ELSE a.status END <> p.outcome
UNION ALL
SELECT 'an advance is not set off by what payments say', a.jurisdiction, a.id::text, a.pending + a.set_off, coalesce(sum(s.amount), 0)
    FROM advances a LEFT JOIN (SELECT s.*, p.outcome FROM advance_set_offs s
        JOIN payments p ON p.jurisdiction = s.jurisdiction AND p.id = s.payment) s
        ON s.jurisdiction = a.jurisdiction AND s.advance = a.id
    GROUP BY a.jurisdiction, a.id, a.pending, a.set_off
    HAVING a.pending <> coalesce(sum(s.amount) FILTER (WHERE s.outcome = 'open'), 0)
        OR a.set_off <> coalesce(sum(s.amount) FILTER (WHERE s.outcome IN ('paid', 'returned')), 0)
UNION ALL
SELECT 'advances are not what their fund says', f.jurisdiction, f.programme, f.advanced, coalesce(sum(a.amount - a.set_off - a.repaid), 0)
    FROM funds f LEFT JOIN advances a ON a.jurisdiction = f.jurisdiction AND a.programme = f.programme AND a.status IN ('paid', 'used')
    GROUP BY f.jurisdiction, f.programme, f.advanced HAVING f.advanced <> coalesce(sum(a.amount - a.set_off - a.repaid), 0)
UNION ALL
SELECT 'a disbursement has not as many payments as it says', d.jurisdiction, d.id::text, d.payments, count(p.id)
    FROM disbursements d LEFT JOIN payments p ON p.jurisdiction = d.jurisdiction AND p.disbursement = d.id
    GROUP BY d.jurisdiction, d.id, d.payments HAVING d.payments <> count(p.id)
UNION ALL
SELECT 'a claim is in payment and in no open payment, or the reverse', c.jurisdiction, c.name,
        (c.status = 'in_payment')::int, count(l.claim)
    FROM placed c LEFT JOIN disbursement_lines l ON l.jurisdiction = c.jurisdiction AND l.claim = c.id AND l.outcome = 'open'
    GROUP BY c.jurisdiction, c.name, c.status HAVING (c.status = 'in_payment')::int <> count(l.claim)
UNION ALL
SELECT 'the last event of a claim is not its status', c.jurisdiction, c.name || ' ' || c.status || ' ' || coalesce(e.to_status, 'none'), 0, 0
    FROM placed c LEFT JOIN LATERAL (SELECT to_status FROM events e WHERE e.jurisdiction = c.jurisdiction
        AND e.subject = c.name AND e.to_status IS NOT NULL ORDER BY e.id DESC LIMIT 1) e ON true
    WHERE c.status IS DISTINCT FROM e.to_status
UNION ALL
SELECT 'a claim lacks its decision or what was sent', c.jurisdiction, c.name, c.decided, count(d.claim)
    FROM placed c LEFT JOIN decisions d ON d.jurisdiction = c.jurisdiction AND d.claim = c.id AND d.revision = c.decided
    GROUP BY c.jurisdiction, c.name, c.decided HAVING count(d.claim) <> 1
UNION ALL
SELECT 'a decision is of no claim', d.jurisdiction, d.claim::text, d.revision, 0
    FROM decisions d LEFT JOIN claims c ON c.jurisdiction = d.jurisdiction AND c.id = d.claim
    WHERE c.id IS NULL OR d.revision > c.revision
UNION ALL
SELECT 'an event in the outbox does not exist', o.jurisdiction, o.id::text, 1, 0
    FROM outbox o CROSS JOIN LATERAL unnest(o.subjects, o.events) AS u (subject, event)
    LEFT JOIN events e ON e.jurisdiction = o.jurisdiction AND e.subject = u.subject AND e.id = u.event
    WHERE e.id IS NULL
UNION ALL
SELECT 'a sample is not what its events say', jurisdiction, coalesce(s.name, e.subject), coalesce(s.population, -1), coalesce(s.size, -1)
    FROM sampled s FULL JOIN (SELECT * FROM events WHERE verb IN ('commit_sample', 'draw_sample')) e
        USING (jurisdiction, leaf) WHERE s.name IS DISTINCT FROM e.subject OR s.verb IS DISTINCT FROM e.verb
        OR s.detail IS DISTINCT FROM e.detail::jsonb OR s.person IS DISTINCT FROM e.person OR s.at IS DISTINCT FROM e.at
UNION ALL
SELECT 'a sample is not of the leaf that was appended', s.jurisdiction, s.id::text, s.leaf, 0
    FROM samples s WHERE NOT EXISTS (SELECT FROM log_leaves l WHERE l.jurisdiction = s.jurisdiction AND l.first <= s.leaf
        AND substring(l.hashes FROM ((s.leaf - l.first) * 32 + 1)::int FOR 32) = s.leaf_hash)
UNION ALL
-- The scores written a second time.
SELECT 'a sample is not what its seed draws', s.jurisdiction, s.id::text, s.population, d.population
    FROM samples s CROSS JOIN LATERAL (SELECT count(*) AS population,
            coalesce((array_agg(c.id ORDER BY sha256(s.seed || s.leaf_hash || uuid_send(c.id))))[1:s.size], '{}') AS claims
        FROM placed c JOIN events e ON e.jurisdiction = c.jurisdiction AND e.subject = c.name AND e.verb = 'approve'
        WHERE c.jurisdiction = s.jurisdiction AND c.programme = coalesce(s.programme, c.programme)
            AND e.at >= s.since AND e.at < s.until AND e.leaf < s.drawn_leaf) d
    WHERE s.seed IS NOT NULL AND (s.population, s.claims) IS DISTINCT FROM (d.population, d.claims)
UNION ALL
SELECT 'a remembered claim does not exist', i.claim_jurisdiction, i.key, 1, 0
    FROM idempotency_keys i LEFT JOIN claims c ON c.jurisdiction = i.claim_jurisdiction AND c.id = i.claim
    WHERE i.claim IS NOT NULL AND c.id IS NULL
"#;

/// The encoding of the log's leaves, written a second time: a view of every leaf, for the session.
pub const LEAVES: &str = include_str!("audit/leaves.sql");

/// The same questions of the transparency log.
const LOG: &str = concat!(include_str!("audit/leaves.sql"), include_str!("audit/log.sql"));

/// Panics with every inconsistency: balances from transfers, caps from claims, queues from waiting
/// claims, keys and quotas from their holders, samples from their seeds and approvals, payments
/// from disbursements, sources from payments, closings from transfers, statuses from events, leaves
/// of the log from their rows.
pub async fn audit(cluster: &PrivateCluster, database: &str) {
    let findings = cluster
        .sql(database, QUESTIONS)
        .await
        .expect("the auditor's questions are answered");
    assert!(findings.trim().is_empty(), "the books are wrong:\n{findings}");
    let findings = cluster
        .sql(database, LOG)
        .await
        .expect("the auditor reads the log");
    assert!(findings.trim().is_empty(), "the log is wrong:\n{findings}");
}
