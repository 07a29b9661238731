//! Random verbs on claims in random order: nothing is paid twice or overspent, and no reservation
//! is left behind.
//!
//! The cast plays a random list of verbs on a database of its own. Each succeeds or is refused; a
//! fault or a broken invariant fails the test, and so does a book that does not follow from its
//! entries.

use chrono::Duration;
use claims::claim::Claim;
use claims::clawback::ClawbackReason;
use claims::ids::{ClaimId, DisbursementId};
use claims::life_cycle::Status;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use service::claims::{ApprovalVerdict, Demand, NewWaiver, ReviewVerdict};
use service::operation::Check;
use service::{Refusal, ServiceError};
use testkit::{Person, Sale, Setup, TestApp, YANHU, YUNCHENG, new_key, permit, yuan};

const PROGRAMME: &str = "appliance-2026";

/// One step; its numbers choose among the existing claims and disbursements.
#[derive(Debug, Clone)]
enum Deed {
    /// A claim of one of a few persons, perhaps incomplete, perhaps one sent before.
    Submit {
        person: usize,
        incomplete: bool,
        again: Option<usize>,
    },
    Review(usize, ReviewVerdict),
    Approve(usize, ApprovalVerdict),
    Correct(usize),
    Withdraw(usize),
    Return(usize),
    /// A clawback of a paid claim, of all or this many yuan.
    Demand(usize, ClawbackReason, Option<i64>),
    /// All of the open sum, or this many yuan.
    ClawBack(usize, Option<i64>),
    /// All of the open sum, or this many yuan; the second person's verdict.
    Waive(usize, Option<i64>, Check),
    Appropriate(i64),
    /// Whole yuan: the county's ceiling, the city's.
    Caps(Option<i64>, Option<i64>),
    Disburse,
    Release(usize),
    Cancel(usize),
    /// Which payments of a disbursement failed, as bits; the others were paid.
    Results(usize, u8),
    Days(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let review = prop_oneof![
        8 => Just(ReviewVerdict::Recommend), 1 => Just(ReviewVerdict::Return), 1 => Just(ReviewVerdict::Reject)
    ];
    let approval = prop_oneof![
        8 => Just(ApprovalVerdict::Approve), 1 => Just(ApprovalVerdict::Return), 1 => Just(ApprovalVerdict::Reject)
    ];
    let which = || 0..64_usize;
    let reason = prop::sample::select(vec![
        ClawbackReason::GoodsReturned,
        ClawbackReason::InvoiceReversed,
        ClawbackReason::Fraud,
    ]);
    let part = || prop::option::of(prop::sample::select(vec![1, 100, 250, 600]));
    let check = prop_oneof![2 => Just(Check::Approve), 1 => Just(Check::Refuse)];
    let ceiling = || prop::option::of(prop::sample::select(vec![0, 600, 2_400, 6_000]));
    prop_oneof![
        8 => (0..8_usize, prop::bool::weighted(0.2), prop::option::weighted(0.2, which()))
            .prop_map(|(person, incomplete, again)| Deed::Submit { person, incomplete, again }),
        8 => (which(), review).prop_map(|(claim, verdict)| Deed::Review(claim, verdict)),
        8 => (which(), approval).prop_map(|(claim, verdict)| Deed::Approve(claim, verdict)),
        3 => which().prop_map(Deed::Correct),
        2 => which().prop_map(Deed::Withdraw),
        3 => which().prop_map(Deed::Return),
        3 => (which(), reason, part()).prop_map(|(claim, reason, part)| Deed::Demand(claim, reason, part)),
        3 => (which(), part()).prop_map(|(claim, part)| Deed::ClawBack(claim, part)),
        2 => (which(), part(), check).prop_map(|(claim, part, check)| Deed::Waive(claim, part, check)),
        2 => prop::sample::select(vec![600, 1_000, 3_000]).prop_map(Deed::Appropriate),
        1 => (ceiling(), ceiling()).prop_map(|(county, city)| Deed::Caps(county, city)),
        3 => Just(Deed::Disburse),
        3 => which().prop_map(Deed::Release),
        1 => which().prop_map(Deed::Cancel),
        4 => (which(), any::<u8>()).prop_map(|(which, failed)| Deed::Results(which, failed & 0b0010_0100)),
        1 => (1..20_i64).prop_map(Deed::Days),
        // Months to close, and perhaps a year to close after its lapse.
        1 => (20..200_i64).prop_map(Deed::Days),
    ]
}

struct Play {
    app: TestApp,
    persons: Vec<Person>,
    /// Each with the complete form of the claim.
    claims: Vec<(ClaimId, Claim)>,
    disbursements: Vec<DisbursementId>,
}

fn whole(yuan: i64) -> ledger::Fen {
    ledger::Fen::new(yuan * 100).unwrap()
}

/// A refusal is a valid answer; a fault is not.
fn answered<T>(result: Result<T, ServiceError>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(ServiceError::Refused(_)) => None,
        Err(fault) => panic!("{fault:?}"),
    }
}

impl Play {
    async fn open() -> Self {
        let app = TestApp::with(Setup {
            pool_size: 4,
            ..Setup::default()
        })
        .await;
        app.appropriate(YANHU, PROGRAMME, yuan("3000.00")).await;
        let persons = (0..8).map(|_| Person::new()).collect();
        Self {
            app,
            persons,
            claims: Vec::new(),
            disbursements: Vec::new(),
        }
    }

    fn claim(&self, which: usize) -> Option<ClaimId> {
        (!self.claims.is_empty()).then(|| self.claims[which % self.claims.len()].0)
    }

    /// One of the claims in this status.
    async fn standing(&self, status: &str, which: usize) -> Option<ClaimId> {
        let claims = format!(
            "SELECT 'clm_' || jurisdiction || '_' || replace(id::text, '-', '') FROM claims \
             WHERE status = '{status}' ORDER BY id"
        );
        let claims = self.app.db.rows(&claims).await;
        let claim = (!claims.is_empty()).then(|| &claims[which % claims.len()]);
        claim.map(|claim| ClaimId::parse(claim).unwrap())
    }

    fn disbursement(&self, which: usize) -> Option<DisbursementId> {
        (!self.disbursements.is_empty()).then(|| self.disbursements[which % self.disbursements.len()])
    }

    /// Takes the step; `None` if there is no object for it, or it was refused.
    async fn play(&mut self, deed: Deed) -> Option<()> {
        match deed {
            Deed::Submit {
                person,
                incomplete,
                again,
            } => self.submit(person, incomplete, again).await,
            Deed::Review(which, verdict) => {
                drop(answered(self.app.review(self.claim(which)?, verdict).await)?)
            }
            Deed::Approve(which, verdict) => {
                drop(answered(self.app.decide(self.claim(which)?, verdict).await)?)
            }
            Deed::Correct(which) => {
                self.claim(which)?;
                let (id, complete) = self.claims[which % self.claims.len()].clone();
                answered(self.app.correct(id, complete).await)?;
            }
            Deed::Withdraw(which) => drop(answered(self.app.withdraw(self.claim(which)?).await)?),
            Deed::Return(which) => drop(answered(self.app.return_goods(self.claim(which)?).await)?),
            Deed::Demand(which, reason, part) => {
                let claim = self.standing("paid", which).await?;
                let (approver, amount) = (permit(&self.app.cast.approver), part.map(whole));
                let demand = Demand {
                    reason,
                    amount,
                    document: Some("运商追〔2026〕3号".into()),
                };
                let service = &self.app.service;
                answered(
                    service
                        .claims()
                        .demand_clawback(&approver, claim, None, demand, None)
                        .await,
                )?;
            }
            Deed::ClawBack(which, part) => {
                let claim = self.standing("clawback_due", which).await?;
                let (treasury, service) = (permit(&self.app.cast.maker), &self.app.service);
                let paper = Some("回单".into());
                answered(
                    service
                        .claims()
                        .claw_back_part(&treasury, claim, None, part.map(whole), paper)
                        .await,
                )?;
            }
            Deed::Waive(which, part, check) => {
                let claim = self.standing("clawback_due", which).await?;
                let (maker, checker) = (permit(&self.app.cast.maker), permit(&self.app.cast.checker));
                let new = NewWaiver {
                    amount: part.map(whole),
                    document: "运财〔2026〕18号".into(),
                    reason: "企业已注销".into(),
                };
                let service = &self.app.service;
                let made = answered(
                    service
                        .claims()
                        .waive_clawback(&maker, claim, new, new_key())
                        .await,
                )?;
                let id = made.value.id;
                answered(
                    service
                        .claims()
                        .check_waiver(&checker, id, check, Some("why".into()))
                        .await,
                )?;
            }
            Deed::Appropriate(money) => {
                self.app.appropriate(YANHU, PROGRAMME, whole(money)).await;
            }
            Deed::Caps(county, city) => {
                for (place, ceiling) in [(YANHU, county), (YUNCHENG, city)] {
                    let caps = ceiling.map(|ceiling| ("whole", whole(ceiling)));
                    answered(self.app.try_caps(place, PROGRAMME, caps.as_slice()).await);
                }
            }
            Deed::Disburse => {
                let made = answered(self.app.make_disbursement(YANHU, PROGRAMME).await)?;
                self.disbursements.push(made);
            }
            Deed::Release(which) => drop(answered(self.app.release(self.disbursement(which)?).await)?),
            Deed::Cancel(which) => {
                let (id, treasury) = (self.disbursement(which)?, permit(&self.app.cast.checker));
                answered(
                    self.app
                        .service
                        .payments()
                        .cancel_disbursement(&treasury, id, Some("why".into()))
                        .await,
                )?;
            }
            Deed::Results(which, failed) => {
                let id = self.disbursement(which)?;
                let payments = self.app.payments(id).await;
                let results = payments.iter().enumerate().map(|(index, payment)| {
                    let failed = index < 8 && failed & (1 << index) != 0;
                    (payment, failed.then_some("退票"))
                });
                answered(self.app.results(id, &results.collect::<Vec<_>>()).await)?;
            }
            Deed::Days(days) => {
                self.app.clock.advance(Duration::days(days));
                answered(self.app.service.worker().work(None, None).await)?;
            }
        }
        Some(())
    }

    async fn submit(&mut self, person: usize, incomplete: bool, again: Option<usize>) {
        let before = again
            .filter(|_| !self.claims.is_empty())
            .map(|which| self.claims[which % self.claims.len()].1.clone());
        let complete = match before {
            Some(claim) => claim,
            None => {
                self.app
                    .sale(&Sale::air_conditioner().by(&self.persons[person]))
                    .await
            }
        };
        let mut sent = complete.clone();
        if incomplete {
            sent.purchase.paid = None;
        }
        if let Some(state) = answered(self.app.try_submit(sent).await) {
            self.claims.push((state.id, complete));
        }
    }

    /// Ends every claim that can be ended before payment: then nothing is reserved or payable.
    async fn wind_up(&self) {
        for (claim, _) in &self.claims {
            if let Err(error) = self.app.withdraw(*claim).await {
                assert!(
                    matches!(error.refusal(), Some(Refusal::OutOfTurn { .. })),
                    "{error:?}"
                );
            }
        }
        let balances = self.app.balances(YANHU, PROGRAMME).await;
        assert_eq!(
            (balances.reserved, balances.payable),
            (ledger::Fen::ZERO, ledger::Fen::ZERO)
        );
        for (claim, _) in &self.claims {
            let status = self.app.state(*claim).await.status;
            let money_is_out = matches!(status, Status::InPayment | Status::Paid | Status::ClawbackDue);
            assert!(money_is_out || status.is_terminal(), "{status:?}");
        }
        self.app.audit().await;
    }
}

#[test]
fn nothing_is_paid_twice_overspent_or_left_behind() {
    let config = Config {
        cases: 12,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let outcome = TestRunner::new(config).run(&prop::collection::vec(deed(), 30..90), |deeds| {
        runtime.block_on(async {
            let mut play = Play::open().await;
            for deed in deeds {
                play.play(deed).await;
            }
            play.app.audit().await;
            play.wind_up().await;
        });
        Ok(())
    });
    outcome.unwrap();
}
