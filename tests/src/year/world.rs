//! The world of the year: fourteen counties, their funds and shops, one bank, and the callers'
//! record.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use claims::registers::Register;
use cluster::PrivateCluster;
use ledger::Fen;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use service::ports::Clock;
use service::{Actor, Role, Settings};
use testkit::{Setup, World, numbers, prepare, private_cluster};
use timing::shanghai;

use super::bank::{Bank, Entry};
use super::insist::Trouble;
use super::intake::Waiting;
use super::mirror::Mirror;

/// All counties and zones of Yuncheng, and how many of a hundred claims each has.
pub(super) const COUNTIES: [(&str, u32); 14] = [
    ("140802", 22),
    ("140821", 10),
    ("140822", 7),
    ("140823", 7),
    ("140824", 6),
    ("140825", 6),
    ("140826", 5),
    ("140827", 5),
    ("140828", 6),
    ("140829", 4),
    ("140830", 6),
    ("140881", 6),
    ("140882", 7),
    ("140802404", 3),
];
/// Counties where cars are claimed.
pub(super) const OF_CARS: [&str; 4] = ["140802", "140821", "140881", "140882"];

pub(super) const APPLIANCE: &str = "appliance-2026";
pub(super) const DIGITAL: &str = "digital-2026";
pub(super) const SCRAP: &str = "vehicle-scrap-2026";
pub(super) const REPLACEMENT: &str = "vehicle-replacement-2026";

const DATABASE: &str = "year";
/// From this sum on three persons release a disbursement, so that some need them.
const THREE_PERSONS: i64 = 800_000;
/// Payments of one bank file, so that some instructions have several.
const PER_FILE: usize = 12;
pub(super) const POOL: usize = 3;

/// A programme's fund in a county.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fund {
    pub(super) county: &'static str,
    pub(super) programme: &'static str,
}

impl fmt::Display for Fund {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.county, self.programme)
    }
}

impl Fund {
    /// All open funds.
    pub(super) fn all() -> Vec<Fund> {
        let mut funds = Vec::new();
        for (county, _) in COUNTIES {
            for programme in [APPLIANCE, DIGITAL] {
                funds.push(Fund { county, programme });
            }
            if OF_CARS.contains(&county) {
                for programme in [SCRAP, REPLACEMENT] {
                    funds.push(Fund { county, programme });
                }
            }
        }
        funds
    }

    /// By the answers to the callers.
    pub(super) fn named(county: &str, programme: &str) -> Fund {
        let all = Fund::all();
        let known = all
            .iter()
            .find(|fund| fund.county == county && fund.programme == programme);
        *known.expect("a fund that was opened")
    }
}

/// A merchant's till.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    pub(super) actor: Actor,
    pub(super) code: String,
    /// The county where it sells; `None` for a platform or a dealer, which sells everywhere.
    pub(super) county: Option<&'static str>,
}

/// A year in play.
pub(super) struct Year {
    pub(super) world: World,
    pub(super) cluster: PrivateCluster,
    url: String,
    /// The lot that decides the events.
    pub(super) random: StdRng,
    /// Claims that the year will have.
    pub(super) size: usize,
    pub(super) shops: Vec<Shop>,
    /// The third person of treasury.
    pub(super) third: Actor,
    pub(super) mirror: Mirror,
    pub(super) bank: Bank,
    /// Scopes of ceilings, and their programmes.
    pub(super) capped: BTreeSet<(&'static str, &'static str)>,
    /// Reports of the bank that were not brought in yet.
    pub(super) unreported: Vec<Entry>,
    pub(super) trouble: Trouble,
    pub(super) waiting: Waiting,
    /// Steps by kind, and how often each was taken.
    pub(super) deeds: BTreeMap<&'static str, usize>,
    /// And how long it took.
    pub(super) took: BTreeMap<&'static str, std::time::Duration>,
    /// When the worker's last round began.
    pub(super) last_round: Option<DateTime<Utc>>,
}

impl Year {
    pub(super) async fn open(seed: u64, size: usize, kills: bool) -> Self {
        let cluster = private_cluster().await;
        let url = cluster.create_database(DATABASE, None).await.unwrap();
        prepare(&url).await;
        let world = World::open(&url, &setup("2025-12-31T17:00:00Z".parse().unwrap())).await;
        let third = Actor {
            client: "treasury-3".into(),
            person: "冯三".into(),
            ..world.cast.checker.clone()
        };
        let mut year = Self {
            shops: shops(),
            third,
            mirror: Mirror::default(),
            bank: Bank::new(seed ^ 0xba2c),
            capped: BTreeSet::new(),
            unreported: Vec::new(),
            trouble: Trouble::new(seed ^ 0x7c0b, kills),
            waiting: Waiting::default(),
            deeds: BTreeMap::new(),
            took: BTreeMap::new(),
            last_round: None,
            random: StdRng::seed_from_u64(seed),
            world,
            cluster,
            url,
            size,
        };
        year.file_the_shops().await;
        year
    }

    async fn file_the_shops(&mut self) {
        let rows = self.shops.iter().map(|shop| {
            let kind = shop.actor.role.as_str();
            let at = shop.county.unwrap_or("140802");
            let row = json!({"credit_code": shop.code, "name": shop.actor.client, "kind": kind, "jurisdiction": at, "status": "admitted"});
            (Register::Merchants, row)
        });
        self.world.file(rows.collect()).await;
    }

    /// Another process over the same database, at the same time.
    pub(super) async fn start_anew(&mut self) {
        self.world = World::open(&self.url, &setup(self.now())).await;
    }

    pub(super) async fn cut_connections(&mut self) {
        self.cluster.disconnect(DATABASE).await.unwrap();
    }

    pub(super) async fn kill_postgres(&mut self) {
        self.cluster.kill();
        self.cluster.restart().await.unwrap();
    }

    /// Checks that the books follow from their entries, read without the service.
    pub(super) async fn audit(&self) {
        testkit::audit(&self.cluster, DATABASE).await;
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.world.clock.now()
    }

    pub(super) fn today(&self) -> NaiveDate {
        shanghai::date(self.now())
    }

    /// Opening time of a day. Time never goes back: a day of much work may end in the next.
    pub(super) fn open_on(&mut self, day: NaiveDate) {
        let nine = shanghai::midnight(day) + Duration::hours(9);
        self.world.clock.set(nine.max(self.now()));
    }

    /// Every step takes its time, and no two happen at once.
    pub(super) fn tick(&mut self) {
        let pause = self.random.random_range(100..8_000);
        self.world.clock.advance(Duration::milliseconds(pause));
    }

    /// This many in a hundred.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.random.random_range(0..bound)
    }

    pub(super) fn fen(&mut self, from: i64, to: i64) -> i64 {
        self.random.random_range(from..=to)
    }

    /// This many of them, in no order.
    pub(super) fn some<T: Clone>(&mut self, all: &[T], most: usize) -> Vec<T> {
        all.sample(&mut self.random, most).cloned().collect()
    }

    /// A share of a day's number: this many in a hundred, rounded by lot.
    pub(super) fn share(&mut self, percent: u32) -> usize {
        let hundredths = self.size * usize::try_from(percent).unwrap() / 365;
        hundredths / 100 + usize::from(self.below(100) < hundredths % 100)
    }

    pub(super) fn shop(&self, code: &str) -> &Shop {
        let known = self.shops.iter().find(|shop| shop.code == code);
        known.expect("a shop of the year")
    }
}

pub(super) fn money(fen: i64) -> Fen {
    Fen::new(fen).expect("a sum of money")
}

fn setup(now: DateTime<Utc>) -> Setup {
    Setup {
        pool_size: POOL,
        now,
        settings: Settings {
            third_person_from: Some(money(THREE_PERSONS)),
            bank_file_payments: PER_FILE,
            ..Settings::default()
        },
        ..Setup::default()
    }
}

/// A retailer in each county, two platforms and two dealers everywhere.
fn shops() -> Vec<Shop> {
    let mut shops = Vec::new();
    let mut open = |client: String, role, county| {
        let code = numbers::credit_code();
        shops.push(Shop {
            actor: Actor {
                person: client.clone(),
                client,
                role,
                jurisdictions: Vec::new(),
                merchant: Some(code.clone()),
                request: None,
            },
            code,
            county,
        });
    };
    for (county, _) in COUNTIES {
        open(format!("shop-{county}"), Role::Retailer, Some(county));
    }
    for number in 1..=2 {
        open(format!("web-{number}"), Role::Platform, None);
        open(format!("cars-{number}"), Role::Dealer, None);
    }
    shops
}
