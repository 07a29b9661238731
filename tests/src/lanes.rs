//! Group commit: claims that are recorded together and are otherwise independent.

use claims::claim::Claim;
use claims::life_cycle::Status;
use service::{ServiceError, Settings};
use testkit::{Sale, Setup, TestApp, YANHU, yuan};

const PROGRAMME: &str = "appliance-2026";

/// All at once, each in a task of its own; the outcome of each, in order.
async fn race(app: &TestApp, claims: Vec<Claim>) -> Vec<Result<Status, ServiceError>> {
    let tasks = claims.into_iter().map(|claim| {
        let world = app.world.clone();
        tokio::spawn(async move { Ok(world.try_submit(claim).await?.status) })
    });
    let tasks = tasks.collect::<Vec<_>>();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

/// Sixty valid claims and one that fails in the database in the way that `fault` defines.
async fn one_at_fault(fault: &str) {
    let app = TestApp::new().await;
    app.appropriate(YANHU, PROGRAMME, yuan("60000.00")).await;
    let claims = app.many(61, &Sale::air_conditioner()).await;
    let wrong = claims[30].merchant_reference.as_str();
    app.db
        .rows(&format!(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF NEW.merchant_reference = '{wrong}' THEN {fault}; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER fault BEFORE INSERT ON claims FOR EACH ROW EXECUTE FUNCTION fault()"
        ))
        .await;
    let outcomes = race(&app, claims).await;
    for (place, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Ok(status) => assert!(place != 30 && *status == Status::UnderReview, "claim {place}"),
            Err(error) => assert!(place == 30, "claim {place}: {error}"),
        }
    }
    assert_eq!(app.db.row("SELECT count(*) FROM claims").await, "60");
    assert_eq!(app.balances(YANHU, PROGRAMME).await.reserved, yuan("36000.00"));
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_at_fault_fails_alone() {
    one_at_fault("RAISE EXCEPTION 'a bug'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_breaks_its_connection_fails_alone() {
    one_at_fault("PERFORM pg_terminate_backend(pg_backend_pid())").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_records_nothing() {
    let app = TestApp::with(Setup {
        settings: Settings {
            intake_lanes: 1,
            intake_batch: 1,
            intake_queue: 1,
            ..Settings::default()
        },
        ..Setup::default()
    })
    .await;
    app.appropriate(YANHU, PROGRAMME, yuan("600000.00")).await;
    let claims = app.many(200, &Sale::air_conditioner()).await;
    let outcomes = race(&app, claims).await;
    let busy = |outcome: &&Result<_, _>| matches!(outcome, Err(ServiceError::Busy));
    let refused = outcomes.iter().filter(busy).count();
    let recorded = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(
        refused > 0 && recorded > 0,
        "{refused} refused, {recorded} recorded"
    );
    assert_eq!(refused + recorded, outcomes.len());
    assert_eq!(
        app.db.row("SELECT count(*) FROM claims").await,
        recorded.to_string()
    );
    assert_eq!(
        app.db
            .row("SELECT count(*) FROM idempotency_keys WHERE claim IS NOT NULL")
            .await,
        recorded.to_string()
    );
    app.audit().await;
}
