//! `huanxin demo`: a private PostgreSQL, Yuncheng seeded, the main job done over HTTP and printed,
//! then the service itself.

mod cast;
mod claims;
mod identifiers;
mod stage;
mod story;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ::claims::proposal::ProposalStatus;
use anyhow::{Context, anyhow};
use clap::Args;
use cluster::{Installations, Options as ClusterOptions, PrivateCluster, Search};
use futures::{StreamExt, TryStreamExt};
use ledger::Fen;
use service::funds::{NewAppropriation, Source};
use service::operation::access::ManageFunds;
use service::operation::{Check, Key};
use service::payments::EnteredAccount;
use service::{Actor, JurisdictionKind, Permit, Refusal, Role, Service, ServiceError};

use crate::commands::{Stop, say};
use crate::config::{Config, Environment, keys};
use crate::telemetry::{self, Metrics};
use crate::{seed, wiring};
use cast::Cast;

const DATABASE: &str = "huanxin";
/// The appropriation of each fund, in fen: 18 million yuan and 2 million, the 9 to 1 of the
/// notices.
const CENTRAL_FEN: i64 = 1_800_000_000;
const COUNTY_FEN: i64 = 200_000_000;

/// Options of the demo.
#[derive(Debug, Args)]
pub struct Options {
    /// Where to serve; loopback only.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where the database, the keys and demo.json are kept.
    #[arg(long, default_value = "demo-data")]
    data: PathBuf,
    /// Exit after the run; non-zero if a step failed.
    #[arg(long)]
    once: bool,
}

/// Runs the demo until it is stopped.
pub async fn run(environment: &Environment, options: Options) -> anyhow::Result<()> {
    if !partners::is_loopback(options.listen.ip()) {
        return Err(anyhow!(
            "the demo's secrets stand in a file: it listens on loopback only"
        ));
    }
    std::fs::create_dir_all(&options.data).with_context(|| options.data.display().to_string())?;
    let data = options.data.canonicalize()?;
    let stop = wiring::stop_on_signal()?;
    let installed = Installations::find(&Search {
        bin: environment.os("HUANXIN_PG_BIN").map(PathBuf::from),
        path: environment.os("PATH").cloned(),
    })
    .await?;
    say("启动 PostgreSQL … starting a private PostgreSQL")?;
    let mut cluster = PrivateCluster::start(&installed, ClusterOptions::kept(data.join("postgres"))).await?;
    let outcome = with_database(&cluster, &data, &options, stop).await;
    cluster.stop().await;
    outcome
}

async fn with_database(
    cluster: &PrivateCluster,
    data: &Path,
    options: &Options,
    stop: Stop,
) -> anyhow::Result<()> {
    let url = cluster.ensure_database(DATABASE).await?;
    store::migrate(&url)
        .await
        .with_context(|| format!("the demo's database in {}", data.display()))?;
    let base = format!("http://{}", options.listen);
    let config = config(data, &url, &base, options.listen)?;
    telemetry::init(&config.log)?;
    let metrics = Metrics::install()?;
    let listener = wiring::listen(options.listen)?;
    let service = wiring::service(&config).await?;

    say("播种运城市 … seeding Yuncheng: 14 counties, 11 programmes, registers, funds")?;
    seed::reference(&service).await?;
    seed::registers(&service, &Actor::system().permit()?).await?;
    let cast = Cast::load_or_register(&service, &data.join("demo.json"), &base).await?;
    appropriate(&service).await?;
    accounts(&service).await?;
    drop(listener);

    let listener = wiring::listen(options.listen)?;
    let background = [
        tokio::spawn(wiring::keep_fresh(service.clone(), stop.clone())),
        tokio::spawn(wiring::work(
            service.clone(),
            wiring::outside(&config)?,
            stop.clone(),
        )),
    ];
    let serving = wiring::serve_on(listener, service, &config, Some(&metrics), stop.clone());
    let story = run_story(&cast, data, options, &stop);
    let (served, outcome) = tokio::join!(serving, story);
    stop.cancel();
    for task in background {
        task.await?;
    }
    outcome.and(served)
}

/// Runs the story, then prints the address; with `--once` the service stops when the story ends.
async fn run_story(cast: &Cast, data: &Path, options: &Options, stop: &Stop) -> anyhow::Result<()> {
    let outcome = async {
        story::run(cast, data).await?;
        cast.write_json(data)
    };
    let outcome = outcome.await;
    if options.once || outcome.is_err() {
        stop.cancel();
        return outcome;
    }
    say(&format!(
        "\n服务中 serving {0} · 文档 docs {0}/docs · 密钥 secrets {1} · Ctrl-C 停止 stops",
        cast.url,
        data.join("demo.json").display()
    ))
}

/// The demo's configuration: the same that `serve` reads, from keys made at first start.
fn config(data: &Path, database: &str, base: &str, listen: SocketAddr) -> anyhow::Result<Config> {
    let keys = keys::load_or_generate(&data.join("keys.env")).context("keys.env")?;
    let mut pairs = Vec::new();
    for name in [
        "HUANXIN_TOKEN_KEYS",
        "HUANXIN_PERSONAL_DATA_KEYS",
        "HUANXIN_LOOKUP_KEY",
        "HUANXIN_TRANSPARENCY_KEY",
    ] {
        let value = keys.os(name).ok_or_else(|| anyhow!("keys.env lacks {name}"))?;
        pairs.push((name.to_owned(), value.to_owned()));
    }
    let plain = [
        ("DATABASE_URL", database.to_owned()),
        ("HUANXIN_PUBLIC_BASE_URL", base.to_owned()),
        ("HUANXIN_LISTEN", listen.to_string()),
        ("HUANXIN_REQUESTS_PER_SECOND", "5000".to_owned()),
        // A person who tries webhooks listens on this machine.
        ("HUANXIN_WEBHOOKS_REACH", "this_machine".to_owned()),
        ("HUANXIN_LOG", "warn".to_owned()),
        ("HUANXIN_LOG_FORMAT", "text".to_owned()),
    ];
    pairs.extend(plain.map(|(name, value)| (name.to_owned(), value.into())));
    // `demo.sh` has a function with these settings for other commands of the program, so that they
    // find the same database and keys.
    let lines = pairs.iter().map(|(name, value): &(String, std::ffi::OsString)| {
        format!("{name}='{}'\n", value.to_string_lossy())
    });
    cast::private(&data.join("demo.env"), &lines.collect::<String>())?;
    Ok(Config::load(&Environment::from_pairs(pairs), None)?)
}

/// Appropriates the first money of every fund, proposed by one person of treasury and approved by
/// another. A second start finds it done.
async fn appropriate(service: &Service) -> anyhow::Result<()> {
    let treasury = |person: &str| -> anyhow::Result<Permit<ManageFunds>> {
        let actor = Actor {
            client: person.into(),
            person: person.into(),
            role: Role::Treasury,
            ..Actor::system()
        };
        Ok(actor.permit()?)
    };
    let (maker, checker) = (treasury("treasury-1")?, treasury("treasury-2")?);
    let mut grants = Vec::new();
    for fund in service.funds().public_funds().await? {
        if fund.appropriated.is_zero() {
            grants.push((
                fund.jurisdiction.clone(),
                fund.programme.clone(),
                Source::Central,
                CENTRAL_FEN,
            ));
            grants.push((fund.jurisdiction, fund.programme, Source::County, COUNTY_FEN));
        }
    }
    let work = grants
        .into_iter()
        .map(|grant| give(service, &maker, &checker, grant));
    futures::stream::iter(work)
        .buffer_unordered(4)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

/// The accounts of the demo's merchants and of its counties: entered by one person, approved by
/// another.
async fn accounts(service: &Service) -> anyhow::Result<()> {
    let treasury = |person: &str| Actor {
        client: person.into(),
        person: person.into(),
        role: Role::Treasury,
        ..Actor::system()
    };
    let (maker, checker) = (treasury("treasury-1"), treasury("treasury-2"));
    let catalogue = service.catalogue().current();
    let counties = catalogue
        .jurisdictions()
        .filter(|place| place.kind != JurisdictionKind::City);
    let counties = counties.map(|place| (place.code.clone(), format!("{}财政局", place.name_zh)));
    let merchants = cast::merchants().map(|merchant| (merchant.to_owned(), "商户结算账户".to_owned()));
    for (number, (holder, name)) in counties.chain(merchants).enumerate() {
        if service
            .payments()
            .account(&maker.permit()?, &holder)
            .await
            .is_ok()
        {
            continue;
        }
        let entered = EnteredAccount {
            name,
            bank_account: format!("62220{number:014}"),
            bank_name: "中国工商银行运城分行（演示）".into(),
            bank_code: Some(format!("10218100{number:04}")),
        };
        let account = service
            .payments()
            .enter_account(&maker.permit()?, &holder, entered)
            .await?;
        service
            .payments()
            .check_account(
                &checker.permit()?,
                &holder,
                account.revision,
                Check::Approve,
                None,
            )
            .await?;
    }
    Ok(())
}

async fn give(
    service: &Service,
    maker: &Permit<ManageFunds>,
    checker: &Permit<ManageFunds>,
    (jurisdiction, programme, source, fen): (String, String, Source, i64),
) -> anyhow::Result<()> {
    let name = format!("seed/{jurisdiction}/{programme}/{}", source.as_str());
    let new = NewAppropriation {
        document: format!("运财建〔2026〕演示 {programme} {}", source.as_str()),
        programme,
        jurisdiction,
        source,
        amount: Fen::new(fen)?,
    };
    let made = service
        .funds()
        .appropriate(
            maker,
            new,
            Key {
                key: name,
                request: [0; 32],
            },
        )
        .await?
        .value;
    if made.status == ProposalStatus::Pending {
        // An earlier start that was cut short may have approved it already.
        match service
            .funds()
            .check_appropriation(checker, made.id, Check::Approve, None)
            .await
        {
            Ok(_) | Err(ServiceError::Refused(Refusal::Settled { .. })) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
