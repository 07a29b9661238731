//! Money of a county for a programme: granted, capped, counted and closed, before any claim is
//! paid.
//!
//! | module | holds |
//! |---|---|
//! | `appropriations` | money into a fund, granted by one person of treasury and checked by another |
//! | `caps` | ceilings over what a county, a category or a month may take, in pairs too |
//! | `limits` | funds and caps as the allocation sees them; the lock of the books |
//! | `sources` | which source pays each payment, and what each has left |
//! | `lapse` | central money that was not used by 31 December |
//! | `closing` | months and years of a county's ledger, closed in order and once |
//! | `balances`, `public` | what each fund has left, now or at an instant; the same without a token |
//! | `holds` | what is kept out of payment until it is lifted |
//!
//! Every change of money happens under the lock of its county's books, taken in one order
//! (`limits::lock`): ledgers, funds, caps. What is committed never exceeds a ceiling, and no
//! account falls below zero: both are constraints of the database. A closed period takes no more
//! transfers.

mod appropriations;
mod balances;
mod caps;
pub mod closing;
mod holds;
mod lapse;
pub(crate) mod limits;
mod public;
pub(crate) mod sources;

use std::sync::Arc;

use crate::Settings;
use crate::catalogue::Catalogues;
use crate::operation::Runner;

pub use appropriations::{Appropriation, Cap, Fund, NewAppropriation, Source};
pub use balances::{LedgerLine, LedgerQuery};
pub(crate) use balances::{document_prefix, filter};
pub use caps::{CapChange, CapSpec};
pub use holds::{Held, Hold};
pub use public::PublicFund;
pub use sources::SourceBalance;

/// Money of counties for programmes.
#[derive(Debug, Clone)]
pub struct Funds {
    pub(crate) op: Arc<Runner>,
    pub(crate) catalogue: Arc<Catalogues>,
    settings: Arc<Settings>,
}

impl Funds {
    pub(crate) fn new(op: &Arc<Runner>, catalogue: &Arc<Catalogues>, settings: &Arc<Settings>) -> Self {
        Self {
            op: Arc::clone(op),
            catalogue: Arc::clone(catalogue),
            settings: Arc::clone(settings),
        }
    }
}
