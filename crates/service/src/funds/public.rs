//! What citizens and press may see without a login: sums, and nobody's claim.

use ledger::Fen;

use super::Funds;
use super::appropriations::balances;
use crate::operation::ServiceError;
use crate::operation::convert::fen;

/// What anybody may know of a fund.
#[derive(Debug, Clone)]
pub struct PublicFund {
    pub jurisdiction: String,
    pub name_zh: String,
    pub name_en: String,
    pub programme: String,
    pub title_zh: String,
    pub title_en: String,
    pub appropriated: Fen,
    pub committed: Fen,
    pub left: Fen,
    pub waiting: i64,
}

impl Funds {
    /// What each fund has left, for citizens and press.
    pub async fn public_funds(&self) -> Result<Vec<PublicFund>, ServiceError> {
        let catalogue = self.catalogue.current();
        let rows = self.op.read().await?.funds(&[], None, 10_000).await?;
        let shown = rows.iter().filter_map(|row| {
            let place = catalogue.jurisdiction(&row.jurisdiction)?;
            let programme = catalogue.versions(&row.programme).last()?;
            Some(balances(row).and_then(|balances| {
                Ok(PublicFund {
                    jurisdiction: row.jurisdiction.clone(),
                    name_zh: place.name_zh.clone(),
                    name_en: place.name_en.clone(),
                    programme: row.programme.clone(),
                    title_zh: programme.title(policy::Lang::Zh).to_owned(),
                    title_en: programme.title(policy::Lang::En).to_owned(),
                    appropriated: fen(row.appropriated)?,
                    committed: balances.committed(),
                    left: fen(row.available)?,
                    waiting: row.waiting,
                })
            }))
        });
        shown.collect()
    }
}
