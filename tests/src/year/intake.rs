//! Claims come in, are corrected, reviewed, approved, withdrawn.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};
use claims::claim::{Claim, Payee};
use claims::clawback::ClawbackReason;
use claims::identifiers::{BankAccount, PersonName};
use claims::ids::ClaimId;
use claims::life_cycle::Status;
use claims::registers::Register;
use serde_json::Value;
use service::claims::{Approval, ApprovalVerdict, ClaimQuery, ClaimState, Command, Mode, ReviewVerdict};
use service::operation::access::{ApproveClaims, ReadClaims, ReviewClaims, SubmitClaims};
use service::{Refusal, ServiceError};
use testkit::{CarSale, Person, Sale, day, keyed, new_key, numbers, permit};

use super::world::{APPLIANCE, COUNTIES, DIGITAL, Fund, OF_CARS, REPLACEMENT, SCRAP, Year, money};

const APPLIANCES: [&str; 6] = [
    "refrigerator",
    "washing_machine",
    "television",
    "air_conditioner",
    "water_heater",
    "computer",
];
const DEVICES: [&str; 4] = ["phone", "tablet", "smart_watch", "smart_glasses"];
/// The weight of each month in the number of claims: 618 and Double Eleven.
const SEASON: [u32; 12] = [70, 60, 80, 90, 110, 170, 90, 80, 90, 110, 180, 70];

/// State that is kept until it is used again.
#[derive(Default)]
pub(super) struct Waiting {
    /// The complete form of a claim that was sent incomplete.
    right: BTreeMap<ClaimId, Claim>,
    /// Earlier buyers, and their purchases.
    buyers: Vec<Person>,
    serials: Vec<String>,
    /// Buyers of today, who come again another day.
    today: Vec<(Person, String)>,
    /// Claims that the shops have not sent yet.
    sold: usize,
    /// Commands that are sent again, days later.
    sent: Vec<(usize, Command, ClaimId)>,
}

/// A claim before submission.
struct Draft {
    shop: usize,
    right: Claim,
    sent: Claim,
    /// The expected result, if the claim has no fault.
    subsidy: Option<i64>,
}

impl Year {
    /// A day's claims, one batch a shop.
    pub(super) async fn submit_some(&mut self, day: NaiveDate) {
        let month = usize::try_from(day.month0()).unwrap();
        let last = super::last_day();
        let percent = if day > last { 15 } else { SEASON[month] };
        self.waiting.sold += self.share(percent);
        // Small shops send what they sold every few days.
        if !self.chance(55) {
            return;
        }
        let count = std::mem::take(&mut self.waiting.sold);
        let counties = (0..count / 4 + 1).map(|_| self.county()).collect::<Vec<_>>();
        let (mut drafts, mut papers) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let county = counties[self.below(counties.len())];
            drafts.push(self.draft(county, day.min(last), &mut papers));
        }
        self.world.file(papers).await;
        for shop in 0..self.shops.len() {
            let (own, others) = drafts
                .into_iter()
                .partition::<Vec<_>, _>(|draft| draft.shop == shop);
            drafts = others;
            if !own.is_empty() {
                self.submit(shop, own).await;
            }
        }
        for (person, serial) in std::mem::take(&mut self.waiting.today) {
            self.waiting.buyers.push(person);
            self.waiting.serials.push(serial);
        }
        if self.chance(20) {
            self.send_again().await;
        }
    }

    async fn submit(&mut self, shop: usize, drafts: Vec<Draft>) {
        let actor = self.shops[shop].actor.clone();
        let commands = drafts
            .iter()
            .map(|draft| keyed(&numbers::tag("year-"), draft.sent.clone()));
        let commands = commands.collect::<Vec<_>>();
        let answers = self.insist("submit", async |world| {
            let permit = permit::<SubmitClaims>(&actor);
            let service = &world.service;
            let lines = service.claims().submit(&permit, commands.clone(), Mode::Continue);
            let lines = lines.await?;
            // A line that met a crash is a batch to be sent again.
            lines
                .into_iter()
                .map(|line| match line {
                    Some(Err(ServiceError::Store(fault))) => Err(fault.into()),
                    line => Ok(line),
                })
                .collect::<Result<Vec<_>, ServiceError>>()
        });
        let answers = answers.await;
        let again = answers.again;
        let answers = answers.done("a batch");
        for ((answer, draft), command) in answers.into_iter().zip(drafts).zip(commands) {
            let answer = answer
                .expect("every line of a batch has a result")
                .expect("it is recorded");
            assert!(again || !answer.replayed, "a new key is new");
            let state = answer.claim;
            *self.deeds.entry("claims").or_default() += 1;
            *self.deeds.entry(state.status.as_str()).or_default() += 1;
            if let Some(subsidy) = draft.subsidy {
                let may = [Status::UnderReview, Status::Waitlisted];
                assert!(may.contains(&state.status), "{} is {:?}", state.id, state.status);
                assert_eq!(state.amount, Some(money(subsidy)), "the subsidy of {}", state.id);
            }
            let fronted = draft.right.payee == Payee::Merchant;
            self.mirror.submitted(&state, fronted);
            self.waiting.right.insert(state.id, draft.right);
            if self.waiting.sent.len() < 12 {
                self.waiting.sent.push((shop, command, state.id));
            }
        }
    }

    /// A till without an answer sends the same again, days later, and gets the first answer.
    async fn send_again(&mut self) {
        if self.waiting.sent.is_empty() {
            return;
        }
        let at = self.below(self.waiting.sent.len());
        let (shop, command, id) = self.waiting.sent.swap_remove(at);
        if self.now() - self.mirror.claim(id).made_at > chrono::Duration::days(25) {
            return;
        }
        let actor = self.shops[shop].actor.clone();
        let answers = self.insist("submit again", async |world| {
            let permit = permit::<SubmitClaims>(&actor);
            world
                .service
                .claims()
                .submit(&permit, vec![command.clone()], Mode::Continue)
                .await
        });
        let mut answers = answers.await.done("a repeat");
        let answer = answers.remove(0).unwrap().unwrap();
        assert!(answer.replayed && answer.claim.id == id, "a repeat is the first");
    }

    fn county(&mut self) -> &'static str {
        let mut place = self.random_below_100();
        for (county, percent) in COUNTIES {
            if place < percent {
                return county;
            }
            place -= percent;
        }
        COUNTIES[0].0
    }

    fn random_below_100(&mut self) -> u32 {
        u32::try_from(self.below(100)).unwrap()
    }

    fn shop_in(&mut self, county: &'static str, kind: &str) -> usize {
        let local = self.chance(70);
        let may = self.shops.iter().enumerate().filter(|(_, shop)| match kind {
            "dealer" => shop.actor.role.as_str() == "dealer",
            _ if local => shop.county == Some(county),
            _ => shop.actor.role.as_str() == "platform",
        });
        let may = may.map(|(at, _)| at).collect::<Vec<_>>();
        may[self.below(may.len())]
    }

    fn draft(
        &mut self,
        county: &'static str,
        today: NaiveDate,
        papers: &mut Vec<(Register, Value)>,
    ) -> Draft {
        let on = today - Days::new(u64::try_from(self.below(5)).unwrap());
        let on = on.max(day("2026-01-01"));
        if OF_CARS.contains(&county) && self.chance(11) {
            return self.draft_car(county, on, papers);
        }
        let shop = self.shop_in(county, "goods");
        let digital = self.chance(38);
        let (programme, category, price, most) = if digital {
            let price = self.fen(60_000, 600_000);
            (DIGITAL, DEVICES[self.below(4)], price, 50_000)
        } else {
            let price = self.fen(90_000, 1_250_000);
            (APPLIANCE, APPLIANCES[self.below(6)], price, 150_000)
        };
        let subsidy = ((price * 15 + 50) / 100).min(most);
        let mut sale = Sale {
            price: money(price),
            subsidy: money(subsidy),
            on,
            county: county.into(),
            ..Sale::appliance(programme, category, "1.00", "0.15", "2026-01-01")
        };
        if digital {
            sale.grade = None;
        }
        let mut right_from_the_start = true;
        match self.below(100) {
            // Not efficient enough.
            0..3 if !digital => {
                sale.grade = Some(2);
                right_from_the_start = false;
            }
            // A device that was claimed before.
            3..5 if !self.waiting.serials.is_empty() => {
                let at = self.below(self.waiting.serials.len());
                sale.serial_number = Some(self.waiting.serials[at].clone());
                right_from_the_start = false;
            }
            // A person who had one of these.
            5..8 if !self.waiting.buyers.is_empty() => {
                let at = self.below(self.waiting.buyers.len());
                sale.person = Some(self.waiting.buyers[at].clone());
                right_from_the_start = false;
            }
            8..16 => {
                let (person, serial) = (Person::new(), numbers::tag("SN"));
                (sale.person, sale.serial_number) = (Some(person.clone()), Some(serial.clone()));
                self.waiting.today.push((person, serial));
            }
            _ => {}
        }
        let (mut claims, rows) = self.world.draft(&[sale]);
        let code = self.shops[shop].code.clone();
        papers.extend(rows.into_iter().map(|(register, mut row)| {
            if register == Register::FiledPrices {
                row["merchant"] = code.clone().into();
            }
            (register, row)
        }));
        let mut right = claims.remove(0);
        if self.chance(14) {
            right.payee = Payee::Applicant {
                bank_account: BankAccount::parse(&format!("6222{:015}", numbers::next())).unwrap(),
                bank_name: "中国工商银行运城盐湖支行".into(),
            };
            right.purchase.paid = Some(right.purchase.invoice.total);
        }
        let mut sent = right.clone();
        let wrong = match self.below(100) {
            0..4 => {
                sent.purchase.paid = None;
                true
            }
            4..7 => {
                sent.purchase.payer_name = PersonName::parse("别人").ok();
                true
            }
            _ => false,
        };
        Draft {
            shop,
            right,
            sent,
            subsidy: (right_from_the_start && !wrong).then_some(subsidy),
        }
    }

    fn draft_car(
        &mut self,
        county: &'static str,
        on: NaiveDate,
        papers: &mut Vec<(Register, Value)>,
    ) -> Draft {
        let shop = self.shop_in(county, "dealer");
        let thousands = self.fen(80, 220);
        let price = thousands * 100_000;
        let scrap = self.chance(50);
        let electric = self.chance(60);
        let (programme, percent, most) = match (scrap, electric) {
            (true, true) => (SCRAP, 12, 2_000_000),
            (true, false) => (SCRAP, 10, 1_500_000),
            (false, true) => (REPLACEMENT, 8, 1_500_000),
            (false, false) => (REPLACEMENT, 6, 1_300_000),
        };
        let (price_text, on_text) = (money(price).to_string(), on.to_string());
        let sale = match electric {
            true => CarSale::electric(programme, &price_text, &on_text),
            false => CarSale::petrol(programme, &price_text, &on_text),
        };
        let (right, rows) = self.world.draft_car(&sale.in_county(county));
        papers.extend(rows);
        Draft {
            shop,
            sent: right.clone(),
            right,
            subsidy: Some((price * percent / 100).min(most)),
        }
    }

    /// Merchants correct returned claims, most of them in time.
    pub(super) async fn correct_some(&mut self) {
        for id in self.mirror.all_standing(Status::NeedsCorrection) {
            if !self.chance(18) {
                continue;
            }
            let claim = self.mirror.claim(id);
            let actor = self.shop(&claim.merchant).actor.clone();
            let (right, key) = (self.waiting.right[&id].clone(), new_key());
            let corrected = self.insist("correct", async |world| {
                let permit = permit::<SubmitClaims>(&actor);
                let key = Some(key.clone());
                world
                    .service
                    .claims()
                    .correct(&permit, id, None, right.clone(), key)
                    .await
            });
            let corrected = corrected.await;
            if self.mirror.claim(id).correct_by.is_some_and(|by| by < self.now()) {
                // Its deadline came while the shops were open; the next round of the worker ends
                // it.
                assert!(matches!(corrected.result, Err(Refusal::Settled { .. })), "{id}");
                continue;
            }
            self.mirror.moved(&corrected.done("a correction").value);
        }
    }

    /// A page of a county's queue, oldest first. A reader sees the claims promoted from the
    /// waitlist.
    pub(super) async fn queue(&mut self, fund: Fund, status: Status) -> Vec<ClaimState> {
        let query = ClaimQuery {
            jurisdiction: Some(fund.county.into()),
            programme: Some(fund.programme.into()),
            status: Some(status),
            oldest_first: true,
            ..ClaimQuery::default()
        };
        let page = self
            .read(async |world| {
                let reader = permit::<ReadClaims>(&world.cast.reviewer);
                world.service.claims().claims(&reader, &query, None, 200).await
            })
            .await;
        for state in &page.items {
            self.mirror.seen(state);
        }
        page.items
    }

    pub(super) async fn review_some(&mut self, percent: u32) {
        for fund in Fund::all() {
            let there = [Status::UnderReview, Status::Waitlisted];
            let any = there
                .iter()
                .any(|status| !self.mirror.standing(*status, fund).is_empty());
            if !any || !self.chance(percent) {
                continue;
            }
            for claim in self.queue(fund, Status::UnderReview).await {
                let verdict = match self.below(100) {
                    0..88 => ReviewVerdict::Recommend,
                    88..92 => ReviewVerdict::Return,
                    92..95 => ReviewVerdict::Reject,
                    _ => continue,
                };
                let key = new_key();
                let reviewed = self.insist("review", async |world| {
                    let permit = permit::<ReviewClaims>(&world.cast.reviewer);
                    let (why, key) = (Some("材料".to_owned()), Some(key.clone()));
                    world
                        .service
                        .claims()
                        .review(&permit, claim.id, claim.revision, verdict, why, key)
                        .await
                });
                let state = reviewed.await.done("a review").value;
                self.mirror.moved(&state);
            }
        }
    }

    pub(super) async fn approve_some(&mut self, percent: u32) {
        let mut approvals = Vec::new();
        if !self.chance(percent) {
            return;
        }
        for id in self.mirror.all_standing(Status::Recommended) {
            let verdict = match self.below(100) {
                0..94 => ApprovalVerdict::Approve,
                94..97 => ApprovalVerdict::Return,
                _ => ApprovalVerdict::Reject,
            };
            approvals.push(Approval {
                claim: id,
                if_match: self.mirror.claim(id).revision,
                verdict,
                reason: Some("材料".to_owned()),
            });
        }
        for some in approvals.chunks(300) {
            let first = self.chance(50);
            let answers = self.insist("approve", async |world| {
                let who = if first {
                    &world.cast.approver
                } else {
                    &world.cast.other_approver
                };
                let permit = permit::<ApproveClaims>(who);
                world.service.claims().approve_many(&permit, some.to_vec()).await
            });
            let answers = answers.await;
            let again = answers.again;
            for (answer, approval) in answers.done("approvals").into_iter().zip(some) {
                match answer {
                    Ok(state) => self.mirror.moved(&state),
                    // Done by the first call.
                    Err(Refusal::Stale { .. } | Refusal::OutOfTurn { .. }) if again => {
                        let state = self.look(approval.claim).await;
                        self.mirror.moved(&state);
                    }
                    Err(refusal) => panic!("an approval was refused: {refusal:?}"),
                }
            }
        }
    }

    pub(super) async fn look(&self, id: ClaimId) -> ClaimState {
        self.read(async |world| {
            let reader = permit::<ReadClaims>(&world.cast.auditor);
            world.service.claims().claim(&reader, id).await
        })
        .await
        .state
    }

    /// Customers withdraw or return the goods, before payment and after.
    pub(super) async fn end_some(&mut self) {
        let before = [
            Status::UnderReview,
            Status::Recommended,
            Status::Approved,
            Status::PaymentFailed,
            Status::Waitlisted,
            Status::NeedsCorrection,
        ];
        let all = before
            .into_iter()
            .flat_map(|status| self.mirror.all_standing(status));
        let all = all.collect::<Vec<_>>();
        let (withdrawn, returned) = (self.share(2), self.share(2));
        for (count, goods) in [(withdrawn, false), (returned, true)] {
            for id in self.some(&all, count) {
                if before.contains(&self.mirror.claim(id).status) {
                    self.end(id, goods).await;
                }
            }
        }
        let paid = self.mirror.all_standing(Status::Paid);
        let returned = self.share(9);
        for id in self.some(&paid, returned) {
            self.end(id, true).await;
        }
    }

    async fn end(&mut self, id: ClaimId, goods: bool) {
        let claim = self.mirror.claim(id).clone();
        let (actor, key) = (self.shop(&claim.merchant).actor.clone(), new_key());
        let deed = if goods { "return_goods" } else { "withdraw" };
        let ended = self.insist(deed, async |world| {
            let permit = permit::<SubmitClaims>(&actor);
            let (why, key) = (Some("七天无理由退货".to_owned()), Some(key.clone()));
            match goods {
                true => {
                    world
                        .service
                        .claims()
                        .return_goods(&permit, id, None, why, key)
                        .await
                }
                false => world.service.claims().withdraw(&permit, id, None, why, key).await,
            }
        });
        let ended = ended.await;
        if claim.set_off > 0 && matches!(claim.status, Status::Approved | Status::PaymentFailed) {
            // Netting paid part of it: the rest is paid first.
            assert!(matches!(ended.result, Err(Refusal::OutOfTurn { .. })), "{id}");
            return;
        }
        let state = ended.done("an end").value;
        match claim.status {
            Status::Paid => self
                .mirror
                .demanded(&state, ClawbackReason::GoodsReturned, claim.amount),
            _ => self.mirror.moved(&state),
        }
    }
}
