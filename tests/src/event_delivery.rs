//! Delivery of events: every event, once if the receiver takes it, again later if it does not.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use chrono::Duration;
use service::ports::{EventSink, PartnerError, ToldEvent};
use testkit::{Sale, TestApp, YANHU, yuan};
use uuid::Uuid;

/// A receiver that records each call, and takes nothing while it is closed.
#[derive(Debug, Default)]
struct Receiver {
    calls: Mutex<Vec<Vec<Uuid>>>,
    closed: Mutex<bool>,
}

impl EventSink for Receiver {
    fn tell<'a>(
        &'a self,
        events: &'a [ToldEvent],
    ) -> Pin<Box<dyn Future<Output = Result<(), PartnerError>> + Send + 'a>> {
        Box::pin(async move {
            if *self.closed.lock().unwrap() {
                return Err(PartnerError("closed".into()));
            }
            self.calls
                .lock()
                .unwrap()
                .push(events.iter().map(|event| event.id).collect());
            Ok(())
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_delivered_once_and_again_only_if_it_was_not_taken() {
    let app = TestApp::new().await;
    app.appropriate(YANHU, "appliance-2026", yuan("600000.00")).await;
    app.submit_batch(app.many(450, &Sale::air_conditioner()).await)
        .await;
    app.race(app.many(20, &Sale::air_conditioner()).await).await;
    let receiver = Receiver::default();
    *receiver.closed.lock().unwrap() = true;
    assert_eq!(
        app.service
            .worker()
            .work(Some(&receiver), None)
            .await
            .unwrap()
            .told,
        0
    );
    *receiver.closed.lock().unwrap() = false;
    app.service.worker().work(Some(&receiver), None).await.unwrap();
    app.clock.advance(Duration::hours(1));
    app.service.worker().work(Some(&receiver), None).await.unwrap();

    let calls = receiver.calls.lock().unwrap().clone();
    assert!(calls.iter().all(|call| (1..=200).contains(&call.len())));
    let delivered = calls.concat();
    assert_eq!(
        delivered.iter().collect::<BTreeSet<_>>().len(),
        delivered.len(),
        "an event was delivered twice"
    );
    let submitted = app
        .db
        .row("SELECT count(*) FROM events WHERE verb = 'submit'")
        .await;
    assert_eq!(submitted, "470");
    assert!(delivered.len() >= 470, "{} delivered", delivered.len());
    assert_eq!(app.service.worker().outbox_depth().await.unwrap(), 0);
    app.audit().await;
}
