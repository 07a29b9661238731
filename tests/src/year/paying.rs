//! Claims are gathered and paid: disbursements made, released, cancelled; instructions handed to
//! the bank; holds and accounts.

use chrono::Duration;
use claims::ids::{ClaimId, DisbursementId, HoldId};
use claims::jurisdictions::JurisdictionCode;
use claims::life_cycle::Status;
use service::Refusal;
use service::funds::Held;
use service::operation::Check;
use service::operation::access::{EnterAccounts, ManageFunds, ReadFunds, SubmitClaims};
use service::payments::{Disbursement, EnteredAccount, Gather, InstructionFormat};
use testkit::{new_key, numbers, permit};

use super::mirror::{Hold, Payment};
use super::world::{COUNTIES, Fund, Year, money};

impl Year {
    /// Accounts of shops, and those that counties pay from.
    pub(super) async fn open_accounts(&mut self) {
        let shops = self.shops.iter().map(|shop| shop.code.clone());
        let counties = COUNTIES.iter().map(|(county, _)| (*county).to_owned());
        for holder in shops.chain(counties).collect::<Vec<_>>() {
            self.enter_account(&holder).await;
        }
    }

    async fn enter_account(&mut self, holder: &str) {
        let number = format!("1405{:015}", numbers::next());
        let entered = self.insist("enter_account", async |world| {
            let maker = permit::<EnterAccounts>(&world.cast.maker);
            world
                .service
                .payments()
                .enter_account(&maker, holder, account(&number))
                .await
        });
        let revision = entered.await.done("an account").revision;
        let checked = self.insist("check_account", async |world| {
            let checker = permit::<ManageFunds>(&world.cast.checker);
            world
                .service
                .payments()
                .check_account(&checker, holder, revision, Check::Approve, None)
                .await
        });
        checked.await.done_or_again("the check of an account");
        self.mirror.accounts.insert(number, holder.to_owned());
    }

    /// Payees whose payment failed give another account, most of them.
    pub(super) async fn correct_accounts(&mut self) {
        for id in self.mirror.all_standing(Status::PaymentFailed) {
            let claim = self.mirror.claim(id).clone();
            if !self.chance(if claim.fronted { 1 } else { 8 }) {
                continue;
            }
            if claim.fronted {
                self.enter_account(&claim.merchant).await;
                continue;
            }
            let actor = self.shop(&claim.merchant).actor.clone();
            let number = format!("6217{:015}", numbers::next());
            let corrected = self.insist("correct_payee", async |world| {
                let permit = permit::<SubmitClaims>(&actor);
                world
                    .service
                    .payments()
                    .correct_payee(&permit, id, account(&number))
                    .await
            });
            corrected.await.done("a correction of a payee");
        }
    }

    /// Gathers payable claims in some funds, within one limit or another.
    pub(super) async fn gather_some(&mut self, percent: u32) {
        for fund in Fund::all() {
            if !self.mirror.payable(fund).is_empty() && self.chance(percent) {
                let gather = self.limits(fund);
                self.gather(fund, gather).await;
            }
        }
    }

    /// By age, by payee, up to a number of claims or an amount; often all of it.
    fn limits(&mut self, fund: Fund) -> Gather {
        let mut gather = Gather::default();
        match self.below(10) {
            0 => {
                let first = self.mirror.payable(fund)[0].0;
                gather.merchant = Some(self.mirror.claim(first).merchant.clone());
            }
            1 => gather.since_before = Some(self.now() - Duration::days(3)),
            2 => gather.most_claims = Some(1 + self.below(6)),
            3 => gather.most_amount = Some(money(self.fen(20_000, 900_000))),
            _ => {}
        }
        gather
    }

    async fn gather(&mut self, fund: Fund, gather: Gather) {
        let key = new_key();
        let expected = self.gathered(fund, &gather);
        let made = self.insist("make_disbursement", async |world| {
            let maker = permit::<ManageFunds>(&world.cast.maker);
            let (gather, key) = (gather.clone(), key.clone());
            world
                .service
                .payments()
                .make_disbursement(&maker, fund.county, fund.programme, gather, key)
                .await
        });
        let made = made.await;
        if expected.is_empty() {
            assert_eq!(
                made.result.unwrap_err(),
                Refusal::NothingPayable,
                "{fund}: {gather:?}"
            );
            return;
        }
        let made = made.done("a disbursement").value;
        let id = made.id;
        let predicted = self.mirror.predict(id, fund, &expected);
        let payments = self.payments(id).await;
        assert_eq!(payments.len(), predicted.len(), "payments of {id}");
        let payments = payments.into_iter().zip(predicted).map(|(answered, payment)| {
            let shape = (
                answered.claims,
                answered.amount.get(),
                answered.netted.get(),
                answered.merchant,
            );
            let claims = i32::try_from(payment.lines.len()).unwrap();
            let expected = (claims, payment.amount, payment.netted, payment.merchant.clone());
            assert_eq!(shape, expected, "{}", answered.id);
            (answered.id, payment)
        });
        let payments = payments.collect::<Vec<_>>();
        assert_eq!(made.total, money(payments.iter().map(|(_, it)| it.amount).sum()));
        let at = self.now();
        self.mirror.made(id, fund, payments, at);
    }

    /// The claims to gather: the oldest first, up to the limits, none overtaken.
    fn gathered(&self, fund: Fund, gather: &Gather) -> Vec<(ClaimId, i64)> {
        let mut all = self.mirror.payable(fund);
        all.retain(|(id, _)| {
            let claim = self.mirror.claim(*id);
            gather.merchant.as_ref().is_none_or(|it| *it == claim.merchant)
                && gather.since_before.is_none_or(|it| claim.changed_at < it)
        });
        all.truncate(gather.most_claims.unwrap_or(usize::MAX));
        if let Some(most) = gather.most_amount {
            let mut sum = 0;
            let fits = all.iter().take_while(|(id, _)| {
                sum += self.mirror.claim(*id).amount;
                sum <= most.get()
            });
            let fits = fits.count();
            all.truncate(fits);
        }
        all
    }

    /// All payments of a disbursement, in order.
    pub(super) async fn payments(&self, id: DisbursementId) -> Vec<service::payments::Payment> {
        let (mut payments, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = self
                .read(async |world| {
                    let reader = permit::<ReadFunds>(&world.cast.auditor);
                    world
                        .service
                        .payments()
                        .payments(&reader, id, cursor.as_deref(), 200)
                        .await
                })
                .await;
            payments.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return payments;
            }
        }
    }

    /// Releases disbursements, by another person than their maker; cancels a few; leaves some for
    /// another day.
    pub(super) async fn release_some(&mut self, percent: u32) {
        let made = self.mirror.disbursements.iter();
        let made = made.filter(|(_, it)| ["made", "countersigned"].contains(&it.status));
        for id in made.map(|(id, _)| *id).collect::<Vec<_>>() {
            if !self.chance(percent) {
                continue;
            }
            if self.chance(5) {
                self.cancel(id).await;
                continue;
            }
            if self.chance(6) {
                self.release_alone(id).await;
            }
            self.release(id).await;
        }
    }

    async fn release_alone(&mut self, id: DisbursementId) {
        let alone = self.insist("release alone", async |world| {
            let maker = permit::<ManageFunds>(&world.cast.maker);
            world
                .service
                .payments()
                .release_disbursement(&maker, id, None, None)
                .await
        });
        assert_eq!(alone.await.result.unwrap_err(), Refusal::FourEyes, "{id}");
    }

    async fn cancel(&mut self, id: DisbursementId) {
        let cancelled = self.insist("cancel_disbursement", async |world| {
            let checker = permit::<ManageFunds>(&world.cast.checker);
            let why = Some("名单有误".to_owned());
            world
                .service
                .payments()
                .cancel_disbursement(&checker, id, why)
                .await
        });
        cancelled.await.done_or_again("a cancellation");
        let at = self.now();
        let row = self.mirror.disbursements.get_mut(&id).unwrap();
        row.status = "cancelled";
        for payment in row.payments.clone() {
            self.mirror.settle(payment, "cancelled", at);
        }
    }

    async fn release(&mut self, id: DisbursementId) {
        let (held, held_back) = (self.mirror.held_in(id), self.mirror.holds_back_advance(id));
        let second = self.mirror.disbursements[&id].status == "made";
        let released = self.sign(id, second).await;
        if held > 0 || held_back {
            assert!(
                matches!(released, Err(Refusal::Held { .. } | Refusal::AdvanceHeld)),
                "{id}: {released:?}"
            );
            // A merchant cancels it; its claims that are not held are gathered again.
            if self.chance(30) {
                self.cancel(id).await;
            }
            return;
        }
        let mut released = released.unwrap_or_else(|refusal| panic!("{id}: {refusal:?}"));
        if released.status.as_str() == "countersigned" {
            self.mirror.disbursements.get_mut(&id).unwrap().status = "countersigned";
            *self.deeds.entry("countersigned").or_default() += 1;
            if self.chance(20) {
                return;
            }
            released = self.sign(id, false).await.expect("a third person releases");
        }
        assert!(
            ["released", "settled"].contains(&released.status.as_str()),
            "{id} is {}",
            released.status
        );
        let at = self.now();
        let row = self.mirror.disbursements.get_mut(&id).unwrap();
        row.status = "released";
        // The bank gets no order for a payment that is netted in full: the release pays it.
        for payment in row.payments.clone() {
            if self.mirror.payments[&payment].sent() == 0 {
                *self.deeds.entry("paid by netting alone").or_default() += 1;
                self.mirror.settle(payment, "paid", at);
            }
        }
        self.hand_out(id).await;
    }

    async fn sign(&mut self, id: DisbursementId, second: bool) -> Result<Disbursement, Refusal> {
        let (third, key) = (self.third.clone(), new_key());
        let signed = self.insist("release_disbursement", async |world| {
            let who = if second { &world.cast.checker } else { &third };
            let (permit, key) = (permit::<ManageFunds>(who), Some(key.clone()));
            world
                .service
                .payments()
                .release_disbursement(&permit, id, None, key)
                .await
        });
        signed.await.result.map(|signed| signed.value)
    }

    /// The bank gets every file of the instruction, some of them twice.
    async fn hand_out(&mut self, id: DisbursementId) {
        let county = self.mirror.disbursements[&id].fund.county;
        let today = self.today();
        let sent = self.mirror.disbursements[&id].payments.iter();
        let sent = sent
            .map(|id| self.mirror.payments[id].sent())
            .filter(|sent| *sent > 0);
        let (count, sum) = sent.fold((0, 0), |(count, sum), sent| (count + 1, sum + sent));
        if count == 0 {
            return;
        }
        let (mut ordered, mut instructed, mut part, mut parts) = (0, 0, 1, 1);
        while part <= parts {
            let file = self.insist("instruction", async |world| {
                let checker = permit::<ManageFunds>(&world.cast.checker);
                let format = InstructionFormat::Csv;
                world
                    .service
                    .payments()
                    .instruction(&checker, id, format, part)
                    .await
            });
            let file = file.await.done("a file of the instruction");
            self.bank.take(county, &file, today);
            parts = file.parts;
            // Sometimes it is handed in twice; the bank recognises it by its name.
            if !self.chance(10) {
                ordered += file.count;
                instructed += file.sum.get();
                part += 1;
            }
        }
        assert_eq!((ordered, instructed), (count, sum), "the orders of {id}");
    }

    /// Holds come and go: on a claim, a merchant, a programme.
    pub(super) async fn hold_some(&mut self) {
        for id in self.mirror.holds.keys().copied().collect::<Vec<_>>() {
            if self.chance(12) {
                self.lift(id).await;
            }
        }
        if !self.chance(12) {
            return;
        }
        let funds = Fund::all();
        let fund = funds[self.below(funds.len())];
        let payable = self.mirror.payable(fund);
        let Some((claim, _)) = payable.first().copied() else {
            return;
        };
        let merchant = self.mirror.claim(claim).merchant.clone();
        let mut held = Held::default();
        match self.below(6) {
            0 => held.programme = Some(fund.programme.into()),
            1 | 2 => held.merchant = Some(merchant),
            _ => held.claim = Some(claim),
        }
        let county = JurisdictionCode::parse(fund.county).unwrap();
        let key = new_key();
        let placed = self.insist("place_hold", async |world| {
            let maker = permit::<ManageFunds>(&world.cast.maker);
            let (why, key) = (Some("核查中".to_owned()), key.clone());
            world
                .service
                .funds()
                .place_hold(&maker, county, held.clone(), why, key)
                .await
        });
        let id = placed.await.done("a hold").value.id;
        let hold = Hold {
            county: fund.county,
            programme: held.programme.map(|_| fund.programme),
            merchant: held.merchant,
            claim: held.claim,
        };
        self.mirror.holds.insert(id, hold);
    }

    async fn lift(&mut self, id: HoldId) {
        let lifted = self.insist("lift_hold", async |world| {
            let checker = permit::<ManageFunds>(&world.cast.checker);
            world
                .service
                .funds()
                .lift_hold(&checker, id, Some("核查完毕".to_owned()))
                .await
        });
        lifted.await.done_or_again("the end of a hold");
        self.mirror.holds.remove(&id);
    }

    pub(super) async fn lift_all(&mut self) {
        for id in self.mirror.holds.keys().copied().collect::<Vec<_>>() {
            self.lift(id).await;
        }
    }
}

fn account(number: &str) -> EnteredAccount {
    EnteredAccount {
        name: "演示户名".into(),
        bank_account: number.into(),
        bank_name: "中国农业银行运城分行".into(),
        bank_code: Some("103181000019".into()),
    }
}

/// Whether a payment is as the bank's books show.
pub(super) fn agrees(payment: &Payment, has_paid: bool) -> bool {
    match payment.outcome {
        "paid" => has_paid,
        "failed" | "returned" => !has_paid,
        _ => true,
    }
}
