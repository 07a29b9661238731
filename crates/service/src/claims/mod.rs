//! Claims, from their arrival to their end.
//!
//! | module | holds |
//! |---|---|
//! | `submit` | submit and check; [`Mode::Atomic`] and [`Mode::Continue`] |
//! | `lookups`, `evaluate` | from a claim to a candidate: registers, facts, programme version, decision |
//! | `lane`, `group_commit` | claims that queued while a lane was busy are taken together; the unit of work of a batch, and its split when one claim is at fault |
//! | `record` | a candidate against its county's books: keys, quota, money, receipt, and everything that is written |
//! | `transition` | one step of the life cycle for one claim or any number; the part of its money that moves |
//! | `review`, `withdraw`, `correct` | verdicts; withdrawal and return; correction |
//! | `clawbacks` | subsidies due back: demanded, repaid in parts, waived in pairs |
//! | `waitlist` | what returning money and time bring |
//! | `queries`, `as_of` | claims as they are looked at: masked, revealed with an audit event, or as they stood at an instant |
//! | `view` | what a caller is shown of a claim, read back from its rows |
//! | `first_answer` | a claim as a move left it, or as it was first answered: what a repeated key gives again |
//!
//! A claim is submitted, paid and released once, however often its caller repeats the call. Facts
//! are gathered and rules decided before a transaction opens; everything that a claim changes is
//! written in one, under the lock of its county's books. A batch is the general case: a single
//! claim is a batch of one, and at most [`MAX_BATCH`](crate::operation::MAX_BATCH) are taken.

mod as_of;
pub(crate) mod clawbacks;
mod correct;
mod evaluate;
mod first_answer;
mod group_commit;
mod lane;
mod lookups;
mod queries;
mod record;
mod review;
mod submit;
pub(crate) mod transition;
pub(crate) mod view;
mod waitlist;
mod withdraw;

use std::sync::Arc;

use crate::Settings;
use crate::at_rest::Vault;
use crate::catalogue::Catalogues;
use crate::funds::Funds;
use crate::operation::Runner;

pub use clawbacks::{ClawbackState, Demand, NewWaiver, Waiver};
pub(crate) use group_commit::Lanes;
pub use group_commit::{Mode, Submitted};
pub(crate) use queries::visible;
pub use queries::{ClaimDetail, ClaimQuery, Event, Seen};
pub use review::{Approval, ApprovalVerdict, ReviewVerdict};
pub use submit::Command;
pub use view::{ClaimDecision, ClaimState};
pub(crate) use withdraw::own;

/// Claims, from their arrival to their end.
#[derive(Debug)]
pub struct Claims {
    pub(crate) op: Arc<Runner>,
    pub(crate) catalogue: Arc<Catalogues>,
    pub(crate) vault: Arc<Vault>,
    funds: Funds,
    lanes: Lanes,
}

impl Claims {
    /// Opens the lanes on the runtime this is called from. They end with what is returned.
    pub(crate) fn open(
        op: &Arc<Runner>,
        catalogue: &Arc<Catalogues>,
        vault: &Arc<Vault>,
        funds: &Funds,
        settings: &Settings,
    ) -> Arc<Self> {
        Arc::new_cyclic(|claims| Self {
            op: Arc::clone(op),
            catalogue: Arc::clone(catalogue),
            vault: Arc::clone(vault),
            funds: funds.clone(),
            lanes: Lanes::open(claims, settings),
        })
    }
}
