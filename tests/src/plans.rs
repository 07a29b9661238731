//! Query plans: with a million claims stored, no statement of a use case reads more rows than its
//! own.
//!
//! PostgreSQL's log shows it: every plan that runs is logged with the rows it read
//! (`auto_explain`), and a plan that scans a growing table, or discards thousands of rows, is a
//! finding. So is one of a statement that is added later.

use chrono::Duration;
use claims::life_cycle::Status;
use cluster::PrivateCluster;
use service::claims::{Approval, ApprovalVerdict, ClaimQuery, ReviewVerdict};
use service::funds::LedgerQuery;
use service::funds::closing::Period;
use service::identity::ReadsQuery;
use service::operation::access::{ApproveClaims, KeepWebhooks, ReadClaims, ReadLedger, ReadTrail};
use testkit::{LINYI, Sale, Setup, World, YANHU, permit, prepare, private_cluster, yuan};

const PROGRAMME: &str = "appliance-2026";

/// Tables with rows for every claim.
const GROWING: [&str; 9] = [
    "claims",
    "decisions",
    "unique_keys",
    "quotas",
    "events",
    "transfers",
    "source_moves",
    "idempotency_keys",
    "entitlements",
];

/// The most rows that a statement of these use cases may read and discard.
const WASTE: u64 = 2_000;

/// A million copies of one claim, each with its rows, in the county's log after it. Constraints
/// hold, triggers excepted.
const MILLION: &str = "
SET session_replication_role = replica; SET synchronous_commit = off;
CREATE TABLE copies AS SELECT c.jurisdiction, c.id AS old, n,
        ('01900000-' || lpad(to_hex(n / 65536), 4, '0') || '-7' || lpad(to_hex(n % 4096), 3, '0') || '-8000-'
            || lpad(to_hex(n), 12, '0'))::uuid AS id
    FROM claims c CROSS JOIN generate_series(1, 1000000) n;
INSERT INTO claims SELECT k.jurisdiction, k.id, programme, programme_version, (ARRAY['paid', 'paid', 'paid', 'under_review'])[1 + n % 4],
        revision, merchant, merchant_reference, client, category, governing_date, created_at - interval '700 days',
        changed_at, decided, amount, holds, committed, committed_month, decode(md5(n::text), 'hex'), quota_slot, NULL, NULL,
        'reviewer', 'approver', NULL, true
    FROM copies k JOIN claims c ON c.id = k.old ORDER BY n;
INSERT INTO decisions SELECT k.jurisdiction, k.id, 1, outcome, receipt, digest, decided_at, packing, key_id, sealed, leaf, keys
    FROM copies k JOIN decisions d ON d.claim = k.old ORDER BY n;
INSERT INTO unique_keys SELECT decode(md5('key' || n), 'hex'), 'invoice', jurisdiction, id FROM copies;
INSERT INTO quotas SELECT decode(md5(n::text), 'hex'), 'appliance:air_conditioner:2026', 1, 1 FROM copies;
INSERT INTO events SELECT k.jurisdiction, k.id, 'clm_' || k.jurisdiction || '_' || replace(k.id::text, '-', ''), verb, actor, person,
        at, revision, from_status, to_status, reason, request, leaf, detail
    FROM copies k JOIN events e ON e.verb = 'submit' ORDER BY n;
INSERT INTO transfers SELECT k.jurisdiction, l.height + n, t.programme, reason, debit, credit, amount, k.id, document,
        posted_at, actor, l.leaves + n
    FROM copies k JOIN transfers t ON t.claim = k.old JOIN ledgers l ON l.jurisdiction = k.jurisdiction ORDER BY n;
INSERT INTO idempotency_keys SELECT client, 'copy-' || n, request, operation, claim_jurisdiction, k.id, NULL, created_at
    FROM copies k JOIN idempotency_keys i ON i.claim = k.old ORDER BY n;
INSERT INTO entitlements SELECT 'COPY-' || n, programme, applicant, category, issued_on, expires_on
    FROM copies CROSS JOIN (SELECT * FROM entitlements LIMIT 1) e;
INSERT INTO log_leaves SELECT jurisdiction, leaves + n - 1, sha256('leaf') FROM ledgers CROSS JOIN generate_series(1, 1000000) n
    WHERE jurisdiction = (SELECT jurisdiction FROM copies LIMIT 1);
UPDATE ledgers SET height = height + 1000000, leaves = leaves + 1000000 WHERE height > 0;
UPDATE funds SET available = available - 60000 * 1000000::bigint, reserved = reserved + 60000 * 1000000::bigint WHERE available > 0;
DROP TABLE copies;
ANALYZE;";

const WATCH: &str = "
ALTER DATABASE huanxin SET session_preload_libraries = 'auto_explain';
ALTER DATABASE huanxin SET auto_explain.log_min_duration = 0;
ALTER DATABASE huanxin SET auto_explain.log_analyze = on;
ALTER DATABASE huanxin SET auto_explain.log_timing = off;
ALTER DATABASE huanxin SET auto_explain.log_nested_statements = on;";

async fn with_a_million_claims() -> (PrivateCluster, String) {
    let cluster = private_cluster().await;
    let url = cluster.create_database("huanxin", None).await.unwrap();
    prepare(&url).await;
    {
        let world = World::open(&url, &Setup::default()).await;
        world.appropriate(YANHU, PROGRAMME, yuan("900000000.00")).await;
        world.submit(world.sale(&Sale::air_conditioner()).await).await;
    }
    cluster.sql("huanxin", MILLION).await.unwrap();
    cluster.sql("huanxin", WATCH).await.unwrap();
    (cluster, url)
}

/// Every daily use case that writes.
async fn a_day(world: &World) {
    let keeper = permit::<KeepWebhooks>(&world.cast.retailer);
    let unreachable = "http://127.0.0.1:65535/";
    let registered =
        world
            .service
            .webhooks()
            .register_webhook(&keeper, unreachable, Vec::new(), testkit::new_key());
    registered.await.unwrap();
    let sold = world.many(12, &Sale::air_conditioner()).await;
    let mut claims = Vec::new();
    for claim in &sold {
        claims.push(
            world
                .submit_keyed(&format!("till-{}", claim.merchant_reference), claim.clone())
                .await
                .unwrap()
                .claim,
        );
    }
    let key = format!("till-{}", sold[0].merchant_reference);
    let again = world.submit_keyed(&key, sold[0].clone()).await.unwrap();
    assert!(again.replayed);
    claims.extend(
        world
            .submit_batch(world.many(40, &Sale::air_conditioner()).await)
            .await,
    );
    world.withdraw(claims[0].id).await.unwrap();
    world.review(claims[1].id, ReviewVerdict::Return).await.unwrap();
    world.correct(claims[1].id, sold[1].clone()).await.unwrap();
    world.approve(claims[2].id).await;
    for claim in &claims[3..40] {
        world.recommend(claim.id).await;
    }
    let approvals = claims[3..40].iter().map(|claim| Approval {
        claim: claim.id,
        if_match: 2,
        verdict: ApprovalVerdict::Approve,
        reason: None,
    });
    let approver = permit::<ApproveClaims>(&world.cast.approver);
    world
        .service
        .claims()
        .approve_many(&approver, approvals.collect())
        .await
        .unwrap();
    world.return_goods(claims[4].id).await.unwrap();
    world.appropriate(LINYI, PROGRAMME, yuan("600.00")).await;
    world.service.worker().work(None, None).await.unwrap();
    let done = world
        .service
        .webhooks()
        .tell_merchants(&*testkit::webhooks())
        .await
        .unwrap();
    assert_eq!(done.failed, 1);
}

/// Every use case that reads.
async fn looks(world: &World) {
    let clerk = permit::<ReadClaims>(&world.cast.reviewer);
    let merchant = permit::<ReadClaims>(&world.cast.retailer);
    let day = Some("2026-06-15".parse().unwrap());
    let county = || Some(YANHU.to_owned());
    let queries = [
        ClaimQuery::default(),
        ClaimQuery {
            jurisdiction: county(),
            ..ClaimQuery::default()
        },
        ClaimQuery {
            jurisdiction: county(),
            from: day,
            to: day,
            ..ClaimQuery::default()
        },
        ClaimQuery {
            programme: Some(PROGRAMME.into()),
            ..ClaimQuery::default()
        },
        ClaimQuery {
            programme: Some("digital-2026".into()),
            jurisdiction: county(),
            ..ClaimQuery::default()
        },
        ClaimQuery {
            status: Some(claims::life_cycle::Status::UnderReview),
            jurisdiction: county(),
            oldest_first: true,
            ..ClaimQuery::default()
        },
        ClaimQuery {
            status: Some(claims::life_cycle::Status::Waitlisted),
            ..ClaimQuery::default()
        },
    ];
    for query in queries {
        let first = world
            .service
            .claims()
            .claims(&clerk, &query, None, 50)
            .await
            .unwrap();
        world
            .service
            .claims()
            .claims(&clerk, &query, first.next_cursor.as_deref(), 50)
            .await
            .unwrap();
        world
            .service
            .claims()
            .claims(
                &merchant,
                &ClaimQuery {
                    status: None,
                    from: None,
                    to: None,
                    programme: None,
                    ..query
                },
                None,
                50,
            )
            .await
            .unwrap();
    }
    let page = world
        .service
        .claims()
        .claims(&clerk, &ClaimQuery::default(), None, 1)
        .await
        .unwrap();
    let id = page.items[0].id;
    world.service.claims().claim(&clerk, id).await.unwrap();
    world.service.claims().receipt(&clerk, id).await.unwrap();
    world
        .service
        .claims()
        .claim_events(&clerk, id, None, 50)
        .await
        .unwrap();
    world
        .service
        .claims()
        .claim_as_of(&clerk, id, world.service.clock().now())
        .await
        .unwrap();
    for status in [None, Some(Status::UnderReview)] {
        let query = ClaimQuery {
            status,
            ..ClaimQuery::default()
        };
        let now = world.service.clock().now();
        // One claim, since the sealed document of a copy does not open.
        let page = world
            .service
            .claims()
            .claims_as_of(&clerk, &query, now, None, 1)
            .await;
        assert!(!page.unwrap().items.is_empty());
    }
    let trail = permit::<ReadTrail>(&world.cast.auditor);
    for query in [
        ReadsQuery::default(),
        ReadsQuery {
            person: Some("李审".into()),
            from: day,
            ..ReadsQuery::default()
        },
        ReadsQuery {
            subject: Some(id.to_string()),
            ..ReadsQuery::default()
        },
    ] {
        let reads = world
            .service
            .identity()
            .personal_reads(&trail, YANHU, &query, None, 50)
            .await;
        assert!(reads.unwrap().items.is_empty());
    }
    let auditor = permit::<ReadLedger>(&world.cast.auditor);
    let of_claim = LedgerQuery {
        claim: Some(id),
        ..LedgerQuery::default()
    };
    world
        .service
        .funds()
        .transfers(&auditor, YANHU, &of_claim, None, 50)
        .await
        .unwrap();
    world
        .service
        .funds()
        .transfers(&auditor, YANHU, &LedgerQuery::default(), None, 50)
        .await
        .unwrap();
    world.service.funds().public_funds().await.unwrap();
    world.service.worker().outbox_depth().await.unwrap();
}

/// Faults of the plans in a log: the scan or the discarded rows, and the statement.
fn faults(log: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for entry in log.split("LOG:  duration:").skip(1) {
        let statement = entry.split("Query Text:").nth(1).unwrap_or_default();
        let statement = statement.split('\n').next().unwrap_or_default();
        for line in entry.lines() {
            let scanned = GROWING.iter().any(|table| {
                line.contains(&format!("Seq Scan on {table} ")) && !line.contains("never executed")
            });
            let removed = line
                .split_once("Rows Removed by Filter: ")
                .map(|(_, rows)| rows.trim().parse::<u64>().unwrap());
            if scanned || removed.is_some_and(|rows| rows > WASTE) {
                faults.push(format!(
                    "{}: {}",
                    line.trim(),
                    &statement.trim()[..statement.trim().len().min(160)]
                ));
            }
        }
    }
    faults
}

#[tokio::test(flavor = "multi_thread")]
async fn no_use_case_reads_more_than_it_is_about_among_a_million_claims() {
    let (cluster, url) = with_a_million_claims().await;
    let world = World::open(&url, &Setup::default()).await;
    a_day(&world).await;
    looks(&world).await;
    world.clock.advance(Duration::days(40));
    // A county's million transfers are folded; the other county's month has one.
    assert_eq!(world.service.worker().work(None, None).await.unwrap().closed, 2);
    let month = Period::parse("2026-06").unwrap();
    let auditor = permit::<ReadLedger>(&world.cast.auditor);
    for (county, more) in [(YANHU, 1_000_000), (LINYI, 0)] {
        let books = world
            .service
            .funds()
            .closing(&auditor, county, month)
            .await
            .unwrap();
        assert!((more + 1..more + 1_000).contains(&books.closing.transfers));
        world
            .service
            .funds()
            .closings(&auditor, county, None, 50)
            .await
            .unwrap();
    }

    let log = std::fs::read_to_string(cluster.log()).unwrap();
    let plans = log.matches("Query Text:").count();
    assert!(plans > 300, "only {plans} plans were logged");
    let faults = faults(&log);
    assert!(
        faults.is_empty(),
        "{} of {plans} plans do not hold:\n{}",
        faults.len(),
        faults.join("\n")
    );
    // The search for faults finds one.
    cluster
        .sql(
            "huanxin",
            "SELECT count(*) FROM claims WHERE merchant_reference = 'nobody''s'",
        )
        .await
        .unwrap();
    let log = std::fs::read_to_string(cluster.log()).unwrap();
    assert!(!self::faults(&log).is_empty());
}
