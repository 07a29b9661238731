//! Counties pay advances to merchants from time to time, and get the rest back.

use claims::ids::AdvanceId;
use service::Refusal;
use service::operation::access::ManageFunds;
use service::payments::{NewAdvance, Repayment};
use testkit::{new_key, permit};

use super::mirror::{Advance, Payment};
use super::world::{APPLIANCE, COUNTIES, DIGITAL, Fund, Year, money};

impl Year {
    /// A merchant whose claims wait gets an advance; one that has money left repays some of it.
    pub(super) async fn advance_some(&mut self) {
        if self.chance(20) {
            let (county, _) = COUNTIES[self.below(COUNTIES.len())];
            let programme = if self.chance(70) { APPLIANCE } else { DIGITAL };
            self.advance(Fund { county, programme }).await;
        }
        let open = self.mirror.advances.iter().filter(|(_, it)| it.open() > 0);
        for id in open.map(|(id, _)| *id).collect::<Vec<_>>() {
            if self.chance(2) {
                self.repay_advance(id).await;
            }
        }
    }

    async fn advance(&mut self, fund: Fund) {
        let sellers = self
            .shops
            .iter()
            .filter(|shop| shop.county.is_none_or(|it| it == fund.county));
        let sellers = sellers.map(|shop| shop.code.clone()).collect::<Vec<_>>();
        let merchant = sellers[self.below(sellers.len())].clone();
        let available = self.shown(fund).await.balances.available.get();
        let amount = self.fen(10_000, 300_000);
        let key = new_key();
        let made = self.insist("make_advance", async |world| {
            let maker = permit::<ManageFunds>(&world.cast.maker);
            let new = NewAdvance {
                jurisdiction: fund.county.into(),
                programme: fund.programme.into(),
                merchant: merchant.clone(),
                amount: money(amount),
                document: "运商预〔2026〕5号".into(),
            };
            world
                .service
                .payments()
                .make_advance(&maker, new, key.clone())
                .await
        });
        let made = made.await;
        if amount > available || self.mirror.holds_back(fund, &merchant) {
            let refused = made.result.map(|made| made.value.id).unwrap_err();
            assert!(matches!(refused, Refusal::Invalid(_)), "{fund}: {refused:?}");
            *self.deeds.entry("advances refused").or_default() += 1;
            return;
        }
        let made = made.done("an advance").value;
        let id = made.id;
        let disbursement = made.disbursement;
        let payments = self.payments(disbursement).await;
        assert_eq!(
            (payments.len(), payments[0].claims, payments[0].advance),
            (1, 0, Some(id))
        );
        let payment = Payment {
            disbursement,
            merchant: Some(merchant.clone()),
            lines: Vec::new(),
            amount,
            netted: 0,
            nettings: Vec::new(),
            set_offs: Vec::new(),
            advance: Some(id),
            outcome: "open",
        };
        let advance = Advance {
            fund,
            merchant,
            disbursement,
            amount,
            set_off: 0,
            repaid: 0,
            pending: 0,
            paid: false,
        };
        self.mirror.advances.insert(id, advance);
        let at = self.now();
        self.mirror
            .made(disbursement, fund, vec![(payments[0].id, payment)], at);
    }

    async fn repay_advance(&mut self, id: AdvanceId) {
        let open = self.mirror.advances[&id].open();
        let part = self.chance(50).then(|| self.fen(1, open));
        let key = new_key();
        let repaid = self.insist("repay_advance", async |world| {
            let maker = permit::<ManageFunds>(&world.cast.maker);
            let repayment = Repayment {
                amount: part.map(money),
                document: "回单20261220-0011".into(),
            };
            world
                .service
                .payments()
                .repay_advance(&maker, id, repayment, key.clone())
                .await
        });
        repaid.await.done("a repayment of an advance");
        self.mirror.advances.get_mut(&id).unwrap().repaid += part.unwrap_or(open);
    }
}
