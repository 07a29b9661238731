//! Builds the running service from a configuration: the one place where the crates meet.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use ledger::log::LogKey;
use partners::{
    CircuitState, EventSinkConfig, FileDrop, HttpBank, HttpBankConfig, HttpEventSink, HttpWebhooks, Identity,
    Reach, Timeouts, WebhooksConfig,
};
use secrecy::ExposeSecret;
use service::payments::{InstructionFormat, PollRound, Submissions};
use service::ports::{Bank, Clock, EventSink, SystemClock, Webhooks};
use service::webhooks::Told;
use service::{LogSettings, Parts, Service, Settings, SigningKeys, Vault};
use sha2::{Digest, Sha256};
use store::{Store, StoreConfig};
use tokio_util::sync::CancellationToken;

use crate::config::{BankFormat, BankWay, Config, Database};
use crate::telemetry::Metrics;

/// Pause between two refreshes of what changes slowly: programmes another instance activated,
/// gauges.
const REFRESH: Duration = Duration::from_secs(10);
/// Pause between two rounds of the worker. Rounds that find nothing cost three small queries.
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
            bank_format: config.bank.as_ref().map(|bank| match bank.format {
                BankFormat::Pain001 => InstructionFormat::Pain001,
                BankFormat::Csv => InstructionFormat::Csv,
            }),
            webhook_days: config.webhooks.days,
            intake_lanes: config.limits.intake_lanes,
            intake_batch: config.limits.intake_batch,
            intake_queue: config.limits.intake_queue,
        },
        log: LogSettings {
            key: log_key(config)?,
            witnesses: config.transparency.witnesses.clone(),
            every: chrono::Duration::from_std(config.transparency.checkpoint_every)
                .context("checkpoint_minutes")?,
        },
        webhooks: webhooks(config)?,
    };
    Ok(Service::start(parts).await?)
}

/// The key and the name with which the counties' logs are signed.
pub fn log_key(config: &Config) -> anyhow::Result<LogKey> {
    LogKey::new(&config.transparency.name, config.transparency.key.expose_secret())
        .context("transparency.name")
}

/// The receiver of events, if the configuration names one.
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

/// The sender of webhooks, unless webhooks are switched off.
pub fn webhooks(config: &Config) -> anyhow::Result<Option<Arc<dyn Webhooks>>> {
    if !config.webhooks.enabled {
        return Ok(None);
    }
    let reach = match config.webhooks.this_machine {
        true => Reach::AlsoThisMachine,
        false => Reach::Public,
    };
    let webhooks = HttpWebhooks::new(WebhooksConfig {
        reach,
        ..WebhooksConfig::default()
    });
    Ok(Some(Arc::new(webhooks.context("webhooks")?)))
}

/// The bank that accepts files over a gateway or folders, the name that its cursor is kept under,
/// and the pause between two polls.
#[derive(Debug)]
pub struct OwnBank {
    bank: Arc<dyn Bank>,
    gateway: Option<Arc<HttpBank>>,
    name: String,
    poll: chrono::Duration,
}

/// The bank, if the configuration names one.
pub fn bank(config: &Config) -> anyhow::Result<Option<OwnBank>> {
    let Some(bank) = &config.bank else { return Ok(None) };
    let poll = chrono::Duration::from_std(bank.poll).context("bank.poll_seconds")?;
    // Only as much of the address as distinguishes two banks.
    let name = |kind: &str, place: &str| {
        let digest = hex::encode(Sha256::digest(place));
        format!("{kind}-{}", digest.get(..16).unwrap_or_default())
    };
    let own = match &bank.way {
        BankWay::Folders(folder) => OwnBank {
            bank: Arc::new(FileDrop::open(folder).context("bank.folder")?),
            gateway: None,
            name: name("folders", &folder.to_string_lossy()),
            poll,
        },
        BankWay::Gateway(gateway) => {
            let timeouts = Timeouts {
                attempt: Timeouts::BANK.attempt.min(gateway.call),
                call: gateway.call,
                ..Timeouts::BANK
            };
            let config = HttpBankConfig {
                url: gateway.url.clone(),
                identity: gateway.identity.as_ref().map(|(certificate, key)| Identity {
                    certificate: certificate.clone(),
                    key: key.clone(),
                }),
                root_certificates: gateway.root_certificates.clone(),
                timeouts,
            };
            let http = Arc::new(HttpBank::new(&config, Arc::new(SystemClock)).context("bank")?);
            OwnBank {
                bank: http.clone(),
                gateway: Some(http),
                name: name("gateway", gateway.url.trim_end_matches('/')),
                poll,
            }
        }
    };
    Ok(Some(own))
}

/// Every partner that a worker calls.
#[derive(Debug, Default)]
pub struct Outside {
    pub sink: Option<Arc<dyn EventSink>>,
    pub bank: Option<OwnBank>,
    pub webhooks: Option<Arc<dyn Webhooks>>,
}

/// The partners that the configuration names.
pub fn outside(config: &Config) -> anyhow::Result<Outside> {
    Ok(Outside {
        sink: event_sink(config)?,
        bank: bank(config)?,
        webhooks: webhooks(config)?,
    })
}

/// Serves HTTP until stopped, then answers the requests it has accepted. `bound` is called with the
/// address once it listens.
pub async fn serve_http(
    service: Service,
    config: &Config,
    metrics: Option<&Metrics>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = listen(config.listen)?;
    serve_on(listener, service, config, metrics, stop).await
}

/// Binds the address, so that a caller may print it before serving.
pub fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))
}

/// As [`serve_http`], on a listener that is bound already.
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
        // The program handles signals itself: `stop` also ends the workers beside the server.
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
            tracing::warn!(%error, "catalogue and gauges could not be refreshed; the last values stay in use");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(REFRESH) => {}
        }
    }
}

async fn observe(service: &Service) -> anyhow::Result<()> {
    service.catalogue().refresh().await?;
    let pool = service.pool_status();
    metrics::gauge!("huanxin_pool_connections", "state" => "open").set(small(pool.size));
    metrics::gauge!("huanxin_pool_connections", "state" => "idle").set(small(pool.available));
    metrics::gauge!("huanxin_intake_waiting").set(small(service.claims().intake_waiting()));
    metrics::gauge!("huanxin_pool_waiting").set(small(pool.waiting));
    for fund in service.funds().public_funds().await? {
        // Whole yuan: a gauge is a float, and this is for a chart, not for the books.
        let yuan = i32::try_from(fund.left.get() / 100).unwrap_or(i32::MAX);
        metrics::gauge!("huanxin_fund_left_yuan", "jurisdiction" => fund.jurisdiction.clone(), "programme" => fund.programme.clone())
            .set(f64::from(yuan));
        let waiting = i32::try_from(fund.waiting).unwrap_or(i32::MAX);
        metrics::gauge!("huanxin_fund_waiting", "jurisdiction" => fund.jurisdiction, "programme" => fund.programme)
            .set(f64::from(waiting));
    }
    for ledger in service.funds().closed_until().await? {
        let until = u32::try_from(ledger.until.timestamp()).unwrap_or(u32::MAX);
        metrics::gauge!("huanxin_ledger_closed_until_seconds", "jurisdiction" => ledger.jurisdiction)
            .set(f64::from(until));
    }
    metrics::gauge!("huanxin_outbox_depth").set(f64::from(
        i32::try_from(service.worker().outbox_depth().await?).unwrap_or(i32::MAX),
    ));
    observe_outside(service).await
}

async fn observe_outside(service: &Service) -> anyhow::Result<()> {
    let many = |count: i64| f64::from(i32::try_from(count).unwrap_or(i32::MAX));
    let now = service.clock().now();
    let files = service.payments().submission_tally().await?;
    metrics::gauge!("huanxin_bank_files", "state" => "queued").set(many(files.queued));
    metrics::gauge!("huanxin_bank_files", "state" => "in_doubt").set(many(files.in_doubt));
    metrics::gauge!("huanxin_bank_files", "state" => "refused").set(many(files.refused));
    let age = |since: Option<chrono::DateTime<chrono::Utc>>| {
        many(since.map_or(0, |since| now.signed_duration_since(since).num_seconds()))
    };
    metrics::gauge!("huanxin_bank_oldest_file_seconds").set(age(files.oldest));
    for stream in service.payments().bank_streams().await? {
        metrics::gauge!("huanxin_bank_heard_seconds_ago", "bank" => stream.bank).set(age(stream.heard_at));
    }
    let messages = service.webhooks().webhook_tally().await?;
    metrics::gauge!("huanxin_webhooks_due").set(many(messages.due));
    metrics::gauge!("huanxin_webhooks_failing").set(many(messages.failing));
    Ok(())
}

fn small(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Runs rounds of the worker until stopped, in any number of instances. The bank and the merchants
/// have loops of their own, so that a slow one delays no other; an instance that works later takes
/// up what breaks off at the stop.
pub async fn work(service: Service, outside: Outside, stop: CancellationToken) {
    let Outside { sink, bank, webhooks } = outside;
    tokio::join!(
        rounds(&service, sink.as_deref(), &stop),
        until(&stop, async {
            let Some(bank) = bank else { return };
            tokio::join!(submit_files(&service, &bank), poll_reports(&service, &bank));
        }),
        until(&stop, async {
            let Some(webhooks) = webhooks else { return };
            deliver_webhooks(&service, &*webhooks).await;
        }),
    );
}

async fn until(stop: &CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn submit_files(service: &Service, bank: &OwnBank) {
    loop {
        match service.payments().submit_to_bank(&*bank.bank).await {
            Ok(done) if done != Submissions::default() => tracing::info!(
                taken = done.taken,
                refused = done.refused,
                delayed = done.delayed,
                "payment files submitted to the bank"
            ),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "payment files could not be submitted; the next round tries again")
            }
        }
        if let Some(gateway) = &bank.gateway {
            let open = gateway.circuit() == CircuitState::Open;
            metrics::gauge!("huanxin_bank_left_alone").set(f64::from(u8::from(open)));
        }
        tokio::time::sleep(ROUND).await;
    }
}

async fn poll_reports(service: &Service, bank: &OwnBank) {
    loop {
        match service
            .payments()
            .poll_bank(&*bank.bank, &bank.name, bank.poll)
            .await
        {
            Ok(done) if done != PollRound::default() => tracing::info!(
                recorded = done.recorded,
                unreadable = done.unreadable,
                exceptions = done.exceptions,
                "bank reports recorded"
            ),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "bank reports could not be recorded; the next round tries again")
            }
        }
        tokio::time::sleep(ROUND).await;
    }
}

async fn deliver_webhooks(service: &Service, webhooks: &dyn Webhooks) {
    loop {
        match service.webhooks().tell_merchants(webhooks).await {
            Ok(done) if done != Told::default() => tracing::info!(
                delivered = done.delivered,
                failed = done.failed,
                forgotten = done.forgotten,
                "webhook messages delivered"
            ),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "webhook messages could not be delivered; the next round tries again")
            }
        }
        tokio::time::sleep(ROUND).await;
    }
}

async fn rounds(service: &Service, sink: Option<&dyn EventSink>, stop: &CancellationToken) {
    let mut last = None;
    loop {
        let began = service.clock().now();
        match service.worker().work(sink, last).await {
            Ok(round) => {
                last = Some(began);
                if round != service::worker::Round::default() {
                    tracing::info!(
                        expired = round.expired,
                        promoted = round.promoted,
                        lapsed = round.lapsed,
                        closed = round.closed,
                        messages = round.messages,
                        events = round.told,
                        forgotten = round.forgotten,
                        checkpoints = round.signed,
                        "worker round finished"
                    );
                }
            }
            Err(error) => tracing::warn!(%error, "worker round failed; the next round tries again"),
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
