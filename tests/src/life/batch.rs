//! A batch comes out as if its claims had come one after another.

use claims::claim::Claim;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use service::claims::ClaimState;
use testkit::{LINYI, Person, Sale, Setup, TestApp, World, YANHU, YUNCHENG};

use super::{PROGRAMME, subsidised_with, whole};

/// One claim of a batch: the things it competes for, drawn from few enough that claims collide.
#[derive(Debug, Clone)]
struct Line {
    /// Whole yuan.
    subsidy: i64,
    county: &'static str,
    category: &'static str,
    person: usize,
    serial_number: Option<u8>,
    /// Without the amount paid.
    incomplete: bool,
    /// Of grade 2: rejected.
    ineligible: bool,
}

#[derive(Debug, Clone)]
struct Scene {
    lines: Vec<Line>,
    /// Whole yuan in each county's fund.
    money: i64,
    category_cap: Option<i64>,
    city_cap: Option<i64>,
}

fn line() -> impl Strategy<Value = Line> {
    (
        prop::sample::select(vec![300, 600, 900]),
        prop::sample::select(vec![YANHU, YANHU, LINYI]),
        prop::sample::select(vec!["air_conditioner", "television"]),
        0..6_usize,
        prop::option::weighted(0.3, 0..3_u8),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(subsidy, county, category, person, serial_number, incomplete, ineligible)| Line {
                subsidy,
                county,
                category,
                person,
                serial_number,
                incomplete,
                ineligible,
            },
        )
}

fn scene() -> impl Strategy<Value = Scene> {
    let cap = || prop::option::of(prop::sample::select(vec![600, 1_500, 3_000]));
    (
        prop::collection::vec(line(), 1..16),
        prop::sample::select(vec![0, 900, 2_000, 20_000]),
        cap(),
        cap(),
    )
        .prop_map(|(lines, money, category_cap, city_cap)| Scene {
            lines,
            money,
            category_cap,
            city_cap,
        })
}

async fn open(scene: &Scene) -> TestApp {
    let app = TestApp::with(Setup {
        pool_size: 4,
        ..Setup::default()
    })
    .await;
    for county in [YANHU, LINYI] {
        if scene.money > 0 {
            app.appropriate(county, PROGRAMME, whole(scene.money)).await;
        }
    }
    if let Some(cap) = scene.category_cap {
        app.caps(YANHU, PROGRAMME, &[("category:air_conditioner", whole(cap))])
            .await;
    }
    if let Some(cap) = scene.city_cap {
        app.caps(YUNCHENG, PROGRAMME, &[("whole", whole(cap))]).await;
    }
    app
}

/// The same claims for both databases, with their papers on file in both.
async fn claims(scene: &Scene, worlds: [&World; 2]) -> Vec<Claim> {
    let persons = (0..6).map(|_| Person::new()).collect::<Vec<_>>();
    let sales = scene.lines.iter().map(|line| Sale {
        county: line.county.into(),
        category: line.category.into(),
        person: Some(persons[line.person].clone()),
        serial_number: line.serial_number.map(|number| format!("SN-{number}")),
        grade: Some(if line.ineligible { 2 } else { 1 }),
        ..subsidised_with(line.subsidy)
    });
    let (mut claims, on_file) = worlds[0].draft(&sales.collect::<Vec<_>>());
    for world in worlds {
        world.file(on_file.clone()).await;
    }
    for (claim, line) in claims.iter_mut().zip(&scene.lines) {
        if line.incomplete {
            claim.purchase.paid = None;
        }
    }
    claims
}

/// The claimant's answer, without ids.
fn answer_of(claim: &ClaimState) -> impl PartialEq + std::fmt::Debug + use<> {
    let decision = claim.decision.as_ref().unwrap();
    (
        claim.status,
        claim.amount,
        claim.waits_for.clone(),
        decision.receipt.clone(),
    )
}

async fn play(scene: Scene) {
    let (together, apart) = tokio::join!(open(&scene), open(&scene));
    let claims = claims(&scene, [&together, &apart]).await;
    let batch = together.submit_batch(claims.clone()).await;
    let mut singles = Vec::new();
    for claim in claims {
        singles.push(apart.submit(claim).await);
    }
    for (index, (one, other)) in batch.iter().zip(&singles).enumerate() {
        assert_eq!(answer_of(one), answer_of(other), "claim {index}");
    }
    for county in [YANHU, LINYI] {
        let (one, other) = (
            together.fund(county, PROGRAMME).await,
            apart.fund(county, PROGRAMME).await,
        );
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }
    together.audit().await;
    apart.audit().await;
}

#[test]
fn a_batch_is_its_claims_one_after_another() {
    let config = Config {
        cases: 8,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let outcome = TestRunner::new(config).run(&scene(), |scene| {
        runtime.block_on(play(scene));
        Ok(())
    });
    outcome.unwrap();
}
