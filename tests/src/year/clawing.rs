//! Paid subsidies that are due back: demanded for four reasons, in whole or in part, repaid, waived
//! by two persons.

use claims::clawback::ClawbackReason;
use claims::ids::ClaimId;
use claims::life_cycle::Status;
use service::Refusal;
use service::claims::{Demand, NewWaiver};
use service::operation::Check;
use service::operation::access::{DemandClawback, ManageFunds};
use testkit::{new_key, permit};

use super::world::{Year, money};

impl Year {
    pub(super) async fn claw_back_some(&mut self) {
        let paid = self.mirror.all_standing(Status::Paid);
        let count = self.share(10);
        for id in self.some(&paid, count) {
            self.demand(id).await;
        }
        for id in self.mirror.all_standing(Status::ClawbackDue) {
            match self.below(100) {
                0..3 => self.repay(id).await,
                3..4 => self.waive(id).await,
                _ => {}
            }
        }
    }

    async fn demand(&mut self, id: ClaimId) {
        let reason = ClawbackReason::ALL[self.below(ClawbackReason::ALL.len())];
        let paid = self.mirror.claim(id).amount;
        let part = self.chance(35).then(|| self.fen(1, paid));
        let (key, treasury) = (new_key(), self.chance(50));
        let demanded = self.insist("demand_clawback", async |world| {
            let who = if treasury {
                &world.cast.maker
            } else {
                &world.cast.approver
            };
            let permit = permit::<DemandClawback>(who);
            let demand = Demand {
                reason,
                amount: part.map(money),
                document: Some("运商追〔2026〕3号".into()),
            };
            let key = Some(key.clone());
            world
                .service
                .claims()
                .demand_clawback(&permit, id, None, demand, key)
                .await
        });
        let state = demanded.await.done("a demand").value;
        *self.deeds.entry(reason.as_str()).or_default() += 1;
        self.mirror.demanded(&state, reason, part.unwrap_or(paid));
    }

    async fn repay(&mut self, id: ClaimId) {
        let open = self.mirror.dues[&id].open();
        if open == 0 {
            return;
        }
        let part = self.chance(45).then(|| self.fen(1, open));
        // A part may be repaid twice, so a repeated call states the revision it saw.
        let seen = self.look(id).await.revision;
        let repaid = self.insist("claw_back", async |world| {
            let maker = permit::<ManageFunds>(&world.cast.maker);
            let (part, paper) = (part.map(money), Some("银行回单".to_owned()));
            world
                .service
                .claims()
                .claw_back_part(&maker, id, Some(seen), part, paper)
                .await
        });
        repaid.await.done_or_again("a repayment");
        let at = self.now();
        self.mirror.repaid(id, part.unwrap_or(open), at);
    }

    async fn waive(&mut self, id: ClaimId) {
        let open = self.mirror.dues[&id].open();
        if open == 0 {
            return;
        }
        let part = self.chance(50).then(|| self.fen(1, open));
        let key = new_key();
        let made = self.insist("waive_clawback", async |world| {
            let maker = permit::<ManageFunds>(&world.cast.maker);
            let new = NewWaiver {
                amount: part.map(money),
                document: "运财〔2026〕18号".into(),
                reason: "企业已注销".into(),
            };
            world
                .service
                .claims()
                .waive_clawback(&maker, id, new, key.clone())
                .await
        });
        let waiver = made.await.done("a waiver").value.id;
        if self.chance(20) {
            let alone = self.insist("waive alone", async |world| {
                let maker = permit::<ManageFunds>(&world.cast.maker);
                world
                    .service
                    .claims()
                    .check_waiver(&maker, waiver, Check::Approve, None)
                    .await
            });
            assert_eq!(alone.await.result.unwrap_err(), Refusal::FourEyes);
        }
        let check = self.verdict(20);
        let checked = self.insist("check_waiver", async |world| {
            let checker = permit::<ManageFunds>(&world.cast.checker);
            let why = (check == Check::Refuse).then(|| "依据不足".to_owned());
            world
                .service
                .claims()
                .check_waiver(&checker, waiver, check, why)
                .await
        });
        checked.await.done_or_again("the check of a waiver");
        if check == Check::Approve {
            let at = self.now();
            self.mirror.waived(id, part.unwrap_or(open), at);
        }
    }
}
