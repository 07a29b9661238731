//! After broken connections, a killed PostgreSQL and callers that go away: every acknowledged claim
//! is there, nothing is half done, and a retry with the same key gets the same answer.

use std::collections::BTreeMap;
use std::time::Duration;

use claims::claim::Claim;
use claims::ids::ClaimId;
use service::ports::Clock;
use service::{Refusal, ServiceError};
use store::{Store, StoreConfig};
use testkit::{Sale, Setup, TestApp, World, YANHU, audit, prepare, private_cluster, yuan};
use tokio::sync::watch;

const PROGRAMME: &str = "appliance-2026";
const TASKS: usize = 8;
const EACH: usize = 12;

/// A client that retries with the same key until it has an answer.
async fn persistently(world: &World, key: &str, claim: &Claim) -> ClaimId {
    for _ in 0..2_000 {
        match world.submit_keyed(key, claim.clone()).await {
            Ok(submitted) => return submitted.claim.id,
            Err(ServiceError::Store(fault)) if fault.is_transient() => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("no answer in two thousand tries");
}

/// Submits all claims in some tasks, counting acknowledgements; returns the acknowledged claims by
/// key.
async fn submit_all(
    world: &World,
    claims: &BTreeMap<String, Claim>,
    acknowledged: &watch::Sender<usize>,
) -> BTreeMap<String, ClaimId> {
    let claims = claims
        .iter()
        .map(|(key, claim)| (key.clone(), claim.clone()))
        .collect::<Vec<_>>();
    let tasks = claims.chunks(EACH).map(|own| {
        let (world, own, acknowledged) = (world.clone(), own.to_vec(), acknowledged.clone());
        tokio::spawn(async move {
            let mut answers = Vec::new();
            for (key, claim) in own {
                let id = persistently(&world, &key, &claim).await;
                acknowledged.send_modify(|count| *count += 1);
                answers.push((key, id));
            }
            answers
        })
    });
    let answers = futures::future::try_join_all(tasks.collect::<Vec<_>>())
        .await
        .unwrap();
    answers.into_iter().flatten().collect()
}

async fn keyed_claims(world: &World) -> BTreeMap<String, Claim> {
    let claims = world.many(TASKS * EACH, &Sale::air_conditioner()).await;
    claims
        .into_iter()
        .enumerate()
        .map(|(index, claim)| (format!("key-{index:04}"), claim))
        .collect()
}

/// Every acknowledged claim is there once, and is still the answer to its key.
async fn assert_kept(world: &World, claims: &BTreeMap<String, Claim>, answers: &BTreeMap<String, ClaimId>) {
    assert_eq!(answers.len(), claims.len());
    for (key, claim) in claims {
        let again = world.submit_keyed(key, claim.clone()).await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.claim.id, answers[key]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_lose_nothing() {
    let app = TestApp::with(Setup {
        pool_size: TASKS,
        ..Setup::default()
    })
    .await;
    app.appropriate(YANHU, PROGRAMME, yuan("30000.00")).await;
    let claims = keyed_claims(&app).await;
    let (acknowledged, mut progress) = watch::channel(0);
    // Ends all connections at once, at any point of their work, after every few answers.
    let cut = async {
        for goal in (1..TASKS * EACH).step_by(4) {
            progress.wait_for(|count| *count >= goal).await.unwrap();
            app.db.disconnect().await;
        }
    };
    let (answers, ()) = tokio::join!(submit_all(&app, &claims, &acknowledged), cut);
    assert_kept(&app, &claims, &answers).await;
    assert_eq!(
        app.db.row("SELECT count(*) FROM claims").await,
        claims.len().to_string()
    );
    assert_eq!(app.balances(YANHU, PROGRAMME).await.reserved, yuan("30000.00"));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postgresql_loses_nothing() {
    let mut cluster = private_cluster().await;
    let url = cluster.create_database("huanxin", None).await.unwrap();
    prepare(&url).await;
    let world = World::open(
        &url,
        &Setup {
            pool_size: TASKS,
            ..Setup::default()
        },
    )
    .await;
    world.appropriate(YANHU, PROGRAMME, yuan("30000.00")).await;
    let claims = keyed_claims(&world).await;
    let (acknowledged, mut progress) = watch::channel(0);
    let kill = async {
        for goal in [TASKS, TASKS * EACH / 3, TASKS * EACH * 2 / 3] {
            progress.wait_for(|count| *count >= goal).await.unwrap();
            cluster.kill();
            cluster.restart().await.unwrap();
        }
    };
    let (answers, ()) = tokio::join!(submit_all(&world, &claims, &acknowledged), kill);
    assert_kept(&world, &claims, &answers).await;
    assert_eq!(
        cluster
            .sql("huanxin", "SELECT count(*) FROM claims")
            .await
            .unwrap()
            .trim(),
        claims.len().to_string()
    );
    assert_eq!(world.balances(YANHU, PROGRAMME).await.reserved, yuan("30000.00"));
    audit(&cluster, "huanxin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_nothing_half_done() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("30000.00")).await;
    let claims = keyed_claims(&app).await;
    let mut tasks = Vec::new();
    for (index, (key, claim)) in claims.iter().enumerate() {
        let (world, key, claim) = (app.world.clone(), key.clone(), claim.clone());
        let task = tokio::spawn(async move { world.submit_keyed(&key, claim).await.unwrap() });
        // Somewhere between the first statement and the commit.
        let cut = tokio::time::sleep(Duration::from_micros(u64::try_from(index).unwrap() * 700));
        tasks.push(async move {
            cut.await;
            task.abort();
            task.await.is_err_and(|error| error.is_cancelled())
        });
    }
    let cancelled = futures::future::join_all(tasks)
        .await
        .into_iter()
        .filter(|cancelled| *cancelled)
        .count();
    assert!(cancelled > 0, "every caller had its answer in time");
    app.audit().await;
    let (acknowledged, _) = watch::channel(0);
    let answers = submit_all(&app, &claims, &acknowledged).await;
    assert_kept(&app, &claims, &answers).await;
    assert_eq!(app.balances(YANHU, PROGRAMME).await.reserved, yuan("30000.00"));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_caller_holds_no_lock_when_the_refusal_arrives() {
    let app = TestApp::new().await;
    let store = Store::open(&StoreConfig::new(app.db.url().to_owned().into())).unwrap();
    let now = app.clock.now();
    let opened = store.write(async |mut tx| -> Result<_, ServiceError> {
        tx.open_bank_stream("bank", now).await?;
        Ok(tx.done(()))
    });
    opened.await.unwrap();
    for _ in 0..200 {
        let refused = store.write(async |mut tx| -> Result<store::Done<()>, ServiceError> {
            tx.lease_bank_stream("bank", now, now).await?;
            Err(Refusal::FourEyes.into())
        });
        assert!(refused.await.is_err());
        // Skipped if another transaction held it.
        let leased = store.write(async |mut tx| -> Result<_, ServiceError> {
            let leased = tx.lease_bank_stream("bank", now, now).await?;
            Ok(tx.done(leased))
        });
        assert!(leased.await.unwrap().is_some());
    }
}
