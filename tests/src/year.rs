//! A year of fourteen counties, played from a seed, and an auditor who checks every balance at its
//! end.
//!
//! From 1 January 2026 to the spring of 2027, day by day: claims come in and are corrected,
//! reviewed, approved and withdrawn; money is granted and capped; disbursements are made, held,
//! released and cancelled; a bank with books of its own pays, fails, returns payments and reports
//! them late, twice, out of order and wrongly; subsidies are clawed back, netted and waived;
//! merchants get advances. Every call may break off between any two of its steps, and its caller
//! repeats it ([`insist`]). The callers record their answers ([`mirror`]) and predict the next
//! ones. At each month's end and in the end an [`auditor`] compares.
//!
//! | module | part |
//! |---|---|
//! | `world` | counties, funds, shops and the bank |
//! | `insist` | callers that retry, and their faults |
//! | `mirror` | the callers' record |
//! | `intake` | merchants, reviewers and approvers |
//! | `money` | grants and ceilings |
//! | `paying` | treasury: disbursements, holds, accounts |
//! | `bank` | the bank |
//! | `results` | treasury: results of the bank |
//! | `clawing` | clawbacks |
//! | `advancing` | advances to merchants |
//! | `auditor` | the auditor |
//!
//! `HX_SEED` plays a year again, `YEAR_CLAIMS` sets its number of claims, and from [`LONG`] on
//! PostgreSQL is killed more often. The seed decides what happens. Where in a call it breaks off
//! depends on the machine as well; that must change nothing.
//!
//! A new way to move money gets a module of steps and a line in [`Year::day`], a line in the
//! auditor's table of reasons, and its record in the mirror.

mod advancing;
mod auditor;
mod bank;
mod clawing;
mod insist;
mod intake;
mod mirror;
mod money;
mod paying;
mod results;
mod world;

use chrono::{Datelike, Days, NaiveDate};
use claims::life_cycle::Status;
use rand::RngExt;
use testkit::day;

use self::world::Year;

/// Claims of a year in short form.
const SHORT: usize = 400;
/// From this many claims on a year is a long one.
const LONG: usize = 10_000;

/// The last day of the programmes' windows.
fn last_day() -> NaiveDate {
    day("2026-12-31")
}

impl Year {
    /// Everything that happens in a day.
    async fn day(&mut self, today: NaiveDate) {
        self.open_on(today);
        self.work().await;
        self.hear_the_bank(40).await;
        self.grant_some().await;
        self.cap_some().await;
        if today < day("2027-01-08") {
            self.submit_some(today).await;
        }
        self.correct_some().await;
        self.review_some(35).await;
        self.approve_some(45).await;
        self.end_some().await;
        self.hold_some().await;
        self.resolve_some(55).await;
        self.correct_accounts().await;
        self.claw_back_some().await;
        self.advance_some().await;
        self.gather_some(7).await;
        self.release_some(70).await;
    }

    /// The worker's round, and changes by time alone.
    async fn work(&mut self) {
        let last = self.last_round;
        let round = self
            .insist("work", async |world| {
                world.service.worker().work(None, last).await
            })
            .await;
        let now = self.now();
        let overdue = self.mirror.expire(now);
        self.last_round = Some(now);
        let again = round.again;
        let round = round.done("a round");
        assert!(
            again || round.expired == overdue,
            "{} expired, {overdue} were overdue",
            round.expired
        );
        *self.deeds.entry("expired").or_default() += overdue;
        *self.deeds.entry("funds whose money lapsed").or_default() += round.lapsed;
        *self.deeds.entry("months and years closed").or_default() += round.closed;
    }

    /// January to spring: no new purchases, and everything begun comes to its end, except payments
    /// that the bank has not begun.
    async fn wind_up(&mut self, mut today: NaiveDate) {
        self.lift_caps().await;
        self.lift_all().await;
        for round in 0..60 {
            today = today + Days::new(1);
            self.open_on(today);
            self.work().await;
            self.hear_the_bank(100).await;
            self.resolve_some(100).await;
            if round < 20 {
                self.correct_some().await;
                self.review_some(100).await;
                self.approve_some(100).await;
                self.gather_some(60).await;
                self.release_some(90).await;
            }
            if round == 20 {
                // A payment instructed now stays open.
                self.gather_some(40).await;
                self.release_some(50).await;
                self.bank.close();
            }
        }
        assert!(self.bank.is_silent(), "the bank has said all that it had to say");
        // Claims promoted from the waitlist in the last days.
        for fund in world::Fund::all() {
            self.queue(fund, Status::UnderReview).await;
        }
        assert_eq!(
            self.mirror.all_standing(Status::NeedsCorrection),
            [],
            "corrections are over"
        );
    }

    async fn play(&mut self) {
        self.open_on(day("2026-01-01"));
        self.open_accounts().await;
        self.open_funds().await;
        let mut today = day("2026-01-01");
        let end = day("2027-02-10");
        while today <= end {
            self.day(today).await;
            let tomorrow = today + Days::new(1);
            if tomorrow.month() != today.month() {
                let begun = std::time::Instant::now();
                self.audit_month().await;
                *self.took.entry("audit").or_default() += begun.elapsed();
            }
            today = tomorrow;
        }
        self.wind_up(today).await;
        self.audit_year().await;
        // And once more without the service: from a bundle and a public key.
        let (_, bundle) = crate::bundles::bundle(&self.world, None).await;
        let report = crate::bundles::verified(&bundle).unwrap();
        let claims: usize = report.counties.iter().map(|county| county.claims).sum();
        assert_eq!(claims, self.mirror.claims.len());
    }
}

/// Prints what happened, and when that ended, also after a failure.
impl Drop for Year {
    #[allow(clippy::print_stdout, reason = "the figures of a year are its result")]
    fn drop(&mut self) {
        let crashes = self.trouble.met.values().sum::<usize>();
        let claims = self.mirror.claims.len();
        println!(
            "until {}: {claims} claims, {crashes} crashes: {:?}",
            self.today(),
            self.trouble.met
        );
        self.deeds.insert("promoted", self.mirror.promoted);
        println!("deeds: {:?}", self.deeds);
        println!("took: {:?}", self.took);
        println!("the bank: {:?}", self.bank.did);
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var_os(name)?.to_str()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_agrees_with_a_year() {
    let seed = setting("HX_SEED").unwrap_or_else(|| rand::rng().random::<u32>().into());
    let size = setting("YEAR_CLAIMS").map_or(SHORT, |claims| usize::try_from(claims).unwrap());
    println!("HX_SEED={seed} YEAR_CLAIMS={size}");
    let mut year = Year::open(seed, size, size >= LONG).await;
    year.play().await;
}
