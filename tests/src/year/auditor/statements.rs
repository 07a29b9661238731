//! What a county and a merchant owe each other in the end, by the statement and by the callers'
//! record.

use claims::life_cycle::Status;
use service::operation::access::ReadStatements;
use service::payments::statements::StatementQuery;
use testkit::{day, permit};

use super::Findings;
use crate::year::world::Year;

impl Year {
    /// Of every merchant that has dealings with the county.
    pub(super) async fn audit_statements(&self, county: &str, found: &mut Findings) {
        for shop in self
            .shops
            .iter()
            .filter(|shop| shop.county.is_none_or(|it| it == county))
        {
            let query = StatementQuery {
                jurisdiction: county.into(),
                merchant: shop.code.clone(),
                programme: None,
                from: day("2026-06-01"),
                to: day("2027-05-31"),
            };
            let (statement, _) = self
                .read(async |world| {
                    let auditor = permit::<ReadStatements>(&world.cast.auditor);
                    world
                        .service
                        .payments()
                        .statement(&auditor, query.clone(), None, 1)
                        .await
                })
                .await;
            let claims = self.mirror.claims.iter().filter(|(_, claim)| {
                claim.fronted && claim.fund.county == county && claim.merchant == shop.code
            });
            let (mut reserved, mut owed, mut due) = (0, 0, 0);
            for (id, claim) in claims {
                match claim.status {
                    Status::UnderReview | Status::Recommended => reserved += claim.amount,
                    Status::Approved | Status::PaymentFailed | Status::InPayment => {
                        owed += claim.amount - claim.set_off;
                    }
                    Status::ClawbackDue => {
                        let it = &self.mirror.dues[id];
                        due += it.open() + it.pending;
                    }
                    _ => {}
                }
            }
            let ahead = self.mirror.advances.values();
            let ahead = ahead.filter(|it| it.fund.county == county && it.merchant == shop.code);
            let own = [reserved, owed, due, ahead.map(|it| it.out()).sum::<i64>()];
            let it = [
                statement.claims.reserved,
                statement.claims.closing,
                statement.clawbacks.closing,
                statement.advances.closing,
            ];
            let what = format!("the statement of {} with {county}", shop.actor.client);
            found.same(&what, it.map(::ledger::Fen::get), own);
            found.same(&what, statement.open.amount.get(), reserved + owed);
        }
    }
}
