//! From a configuration to a running service: the one place where the crates meet.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use partners::{EventSinkConfig, HttpEventSink, Timeouts};
use service::ports::{Clock, EventSink, SystemClock};
use service::{Parts, Service, Settings, SigningKeys, Vault};
use store::{Store, StoreConfig};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Database};
use crate::telemetry::Metrics;

/// Between two looks at what changes slowly: programmes another instance activated, gauges.
const REFRESH: Duration = Duration::from_secs(10);
/// Between two rounds of the worker. Rounds that find nothing cost three small queries.
const ROUND: Duration = Duration::from_secs(1);

/// The database's pool.
pub fn store(database: &Database) -> anyhow::Result<Store> {
    let mut config = StoreConfig::new(database.url.clone());
    config.pool_size = database.pool_size;
    config.acquire_timeout = database.acquire_timeout;
    config.statement_timeout = database.statement_timeout;
    config.lock_timeout = database.lock_timeout;
    Ok(Store::open(&config)?)
}

/// The service over its database, on the machine's clock.
pub async fn service(config: &Config) -> anyhow::Result<Service> {
    let store = store(&config.database)?;
    let missing = store
        .read()
        .await
        .context("database")?
        .missing_migrations()
        .await
        .context("database")?;
    if !missing.is_empty() {
        return Err(anyhow!(
            "{} migrations are missing: run `huanxin migrate` first",
            missing.len()
        ));
    }
    let parts = Parts {
        store,
        clock: Arc::new(SystemClock),
        vault: Vault::new(&config.personal_data_keys, &config.lookup_key).context("personal_data_keys")?,
        signing: SigningKeys::new(&config.token_keys)
            .ok_or_else(|| anyhow!("token_keys: not Ed25519 keys"))?,
        settings: Settings {
            requests_per_second: config.limits.requests_per_second,
            idempotency_days: config.limits.idempotency_days,
            closing_after_days: config.closing_after_days,
            disbursement_limit: config.limits.disbursement_claims,
            third_person_from: Some(
                ledger::Fen::new(config.limits.third_person_from.saturating_mul(100))
                    .context("third_person_from")?,
            ),
            bank_file_payments: config.limits.bank_file_payments,
            intake_lanes: config.limits.intake_lanes,
            intake_batch: config.limits.intake_batch,
            intake_queue: config.limits.intake_queue,
        },
    };
    Ok(Service::start(parts).await?)
}

/// Whoever is told of events, if the configuration names one.
pub fn event_sink(config: &Config) -> anyhow::Result<Option<Arc<dyn EventSink>>> {
    let Some(events) = &config.events else {
        return Ok(None);
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let config = EventSinkConfig {
        endpoint: events.url.clone(),
        secret: events.secret.clone(),
        timeouts: Timeouts::default(),
    };
    let sink = HttpEventSink::new(&config, clock)?;
    Ok(Some(Arc::new(sink)))
}

/// Serves HTTP until stopped, then answers what it took. `bound` is called with the address once it listens.
pub async fn serve_http(
    service: Service,
    config: &Config,
    metrics: Option<&Metrics>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = listen(config.listen)?;
    serve_on(listener, service, config, metrics, stop).await
}

/// Takes the address, so that a caller may say so before serving.
pub fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))
}

/// As [`serve_http`], on a listener that stands.
pub async fn serve_on(
    listener: TcpListener,
    service: Service,
    config: &Config,
    metrics: Option<&Metrics>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let text: api::MetricsText = match metrics {
        Some(metrics) => metrics.renderer(),
        None => Arc::new(String::new),
    };
    let state = api::ApiState::new(service, text, api::Limits::default());
    let app_state = state.clone();
    let mut server = actix_web::HttpServer::new(move || api::app(&app_state))
        .shutdown_timeout(config.shutdown.as_secs())
        // Signals are ours: `stop` also ends the workers beside the server.
        .disable_signals();
    if let Some(workers) = config.workers {
        server = server.workers(workers);
    }
    let server = server.listen(listener)?.run();
    let handle = server.handle();
    let watch = tokio::spawn(async move {
        stop.cancelled().await;
        tracing::info!("stopping: no new requests");
        handle.stop(true).await;
    });
    server.await?;
    watch.abort();
    state.writes_ended().await;
    tracing::info!("stopped");
    Ok(())
}

/// Keeps the catalogue fresh and the gauges up to date until stopped.
pub async fn keep_fresh(service: Service, stop: CancellationToken) {
    loop {
        if let Err(error) = observe(&service).await {
            tracing::warn!(%error, "refresh failed; what was read before stays");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(REFRESH) => {}
        }
    }
}

async fn observe(service: &Service) -> anyhow::Result<()> {
    service.refresh().await?;
    let pool = service.pool_status();
    metrics::gauge!("huanxin_pool_connections", "state" => "open").set(small(pool.size));
    metrics::gauge!("huanxin_pool_connections", "state" => "idle").set(small(pool.available));
    metrics::gauge!("huanxin_intake_waiting").set(small(service.intake_waiting()));
    metrics::gauge!("huanxin_pool_waiting").set(small(pool.waiting));
    for fund in service.public_funds().await? {
        // Whole yuan: a gauge is a float, and this is for a chart, not for the books.
        let yuan = i32::try_from(fund.left.get() / 100).unwrap_or(i32::MAX);
        metrics::gauge!("huanxin_fund_left_yuan", "jurisdiction" => fund.jurisdiction.clone(), "programme" => fund.programme.clone())
            .set(f64::from(yuan));
        let waiting = i32::try_from(fund.waiting).unwrap_or(i32::MAX);
        metrics::gauge!("huanxin_fund_waiting", "jurisdiction" => fund.jurisdiction, "programme" => fund.programme)
            .set(f64::from(waiting));
    }
    for ledger in service.closed_until().await? {
        let until = u32::try_from(ledger.until.timestamp()).unwrap_or(u32::MAX);
        metrics::gauge!("huanxin_ledger_closed_until_seconds", "jurisdiction" => ledger.jurisdiction)
            .set(f64::from(until));
    }
    metrics::gauge!("huanxin_outbox_depth").set(f64::from(
        i32::try_from(service.outbox_depth().await?).unwrap_or(i32::MAX),
    ));
    Ok(())
}

fn small(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Does what time demands, round after round, until stopped. Any number of instances may.
pub async fn work(service: Service, sink: Option<Arc<dyn EventSink>>, stop: CancellationToken) {
    let mut last = None;
    loop {
        let began = service.clock().now();
        match service.work(sink.as_deref(), last).await {
            Ok(round) => {
                last = Some(began);
                if round != service::work::Round::default() {
                    tracing::info!(
                        expired = round.expired,
                        promoted = round.promoted,
                        lapsed = round.lapsed,
                        closed = round.closed,
                        told = round.told,
                        forgotten = round.forgotten,
                        "round"
                    );
                }
            }
            Err(error) => tracing::warn!(%error, "round failed; the next one goes on"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// Cancelled by SIGINT or SIGTERM.
pub fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let token = stop.clone();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        token.cancel();
    });
    Ok(stop)
}
