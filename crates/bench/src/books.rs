//! After every run: whether the books are right, asked of the database behind the service's back.
//!
//! The auditor of the tests recomputes balances, caps, heights, keys, quotas and statuses. Beside it, the ids that were
//! acknowledged are looked for: each is there exactly once, under review, with one reserve transfer of its amount; and no
//! claim is there that was not asked for, but for those whose answer was still under way when the run ended.

use std::path::Path;

use anyhow::{Context, bail};

use crate::database::Database;

/// What was found right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Books {
    pub(crate) claims: u64,
    pub(crate) acknowledged: u64,
}

/// Checks everything, with the ids in `acknowledged`.
pub(crate) async fn check(database: &Database<'_>, acknowledged: &Path) -> anyhow::Result<Books> {
    let mut ids = std::fs::read(acknowledged)?;
    ids.extend_from_slice(b"\\.\n");
    ids.extend_from_slice(include_bytes!("sql/acknowledged.sql"));
    let script = include_str!("sql/acknowledged_copy.sql");
    let answer = database.feed(script, &[], &ids).await?;
    let numbers = answer.trim().split('|').map(str::parse).collect::<Result<Vec<u64>, _>>();
    let numbers = numbers.with_context(|| answer.clone())?;
    let [claims, acknowledged, twice, lost, unreserved, doubly] = numbers[..] else {
        bail!("the check of ids has no answer: {answer}");
    };
    if twice + lost + unreserved + doubly > 0 {
        bail!(
            "of {acknowledged} acknowledged claims {twice} were acknowledged twice and {lost} are not there; of {claims} \
             claims {unreserved} have no reserve transfer of their amount and {doubly} have several"
        );
    }
    audit(database).await?;
    Ok(Books { claims, acknowledged })
}

/// The auditor's questions alone.
pub(crate) async fn audit(database: &Database<'_>) -> anyhow::Result<()> {
    use futures_lite_catch::caught;
    caught(testkit::audit(database.cluster().private(), database.name())).await
}

/// The auditor is made for tests and panics with its findings.
mod futures_lite_catch {
    use std::panic::AssertUnwindSafe;
    use std::pin::pin;
    use std::task::Poll;

    use anyhow::anyhow;

    pub(super) async fn caught(auditing: impl Future<Output = ()>) -> anyhow::Result<()> {
        let mut auditing = pin!(auditing);
        let outcome = std::future::poll_fn(|context| {
            let polled = std::panic::catch_unwind(AssertUnwindSafe(|| auditing.as_mut().poll(context)));
            match polled {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
                Err(_) => Poll::Ready(Err(())),
            }
        });
        outcome.await.map_err(|()| anyhow!("the books are wrong: the findings stand above"))
    }
}
