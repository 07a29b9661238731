//! How many posts a second `cala-ledger` commits while it enforces a cap, to compare with Huanxin's
//! own figures.
//!
//! # What is compared
//!
//! Reserving money for a claim. A post moves a sum from a fund's available account to its reserved
//! account, as two entries of one cala transaction, and cala refuses it when the fund's debits
//! would exceed its cap: a velocity limit whose amount is the fund's, in a control attached to the
//! fund's account. It is measured with one post to a database transaction, and with fifty posts to
//! one, which is how Huanxin records a batch of claims.
//!
//! # Why it is fair
//!
//! - Same server, same durability: its settings stay as they are, and a post counts after its
//!   COMMIT returned.
//! - Same contention: 14 funds, and half of all posts for the first, as a city has one large
//!   county. Each fund has a reserved account of its own, so that no two funds wait for each other.
//! - cala as its documentation recommends: its own migrations, `post_transaction`, and for batches
//!   `post_transactions`, which takes as many round trips for fifty posts as for one. Each figure
//!   is the best over several numbers of tasks.
//! - Same surroundings: release build, Huanxin's allocator, a pool that does not ping a connection
//!   before each use.
//! - In cases of doubt the choice favours cala. Its post carries no claim, decision, receipt or
//!   idempotency key; effective balances are off, there are no account sets, and its background
//!   jobs, which would have nothing to do, do not run.
//!
//! One difference is not measured: a batch of cala is all or nothing, so one post beyond the cap
//! refuses the other 49 with it. All posts that are measured fit.
//!
//! # What is checked
//!
//! After the clock has stopped: a post of one fen too much is refused on every fund, at exactly the
//! sum that was posted; eight posts race for the room of four, and four are refused; every account,
//! and cala's count of transactions, equal what was posted. Otherwise the program fails and prints
//! no figures.

mod book;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::task::JoinSet;

use book::{Book, FUNDS, SHARES, yuan};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 50;

/// Lives as long as the tasks, which is as long as the program.
type Books = &'static Book;

#[tokio::main]
async fn main() -> Result<()> {
    let (url, time) = arguments()?;
    let book: Books = Box::leak(Box::new(Book::open(&url).await?));
    let mut posted = Tally::default();

    // Opens the connections and fills cala's caches.
    run(book, 4, 1, Duration::from_secs(1), &mut posted).await?;
    let (single, single_tasks) = best(book, &[1, 4, 8], 1, time, &mut posted).await?;
    let (batched, batched_tasks) = best(book, &[1, 2, 4], BATCH, time, &mut posted).await?;
    let refused = prove_the_caps(book, &mut posted).await?;
    for (fund, (posts, fen)) in posted.into_iter().enumerate() {
        book.check(fund, posts, fen).await?;
    }
    let total = total(&posted);
    ensure!(book.transactions().await? == total, "transactions got lost");

    println!(
        "{{\"single_per_second\": {single:.1}, \"batched_per_second\": {batched:.1}, \"batch\": {BATCH}, \
         \"single_tasks\": {single_tasks}, \"batched_tasks\": {batched_tasks}, \"posted\": {total}, \
         \"cap_refused\": {refused}}}"
    );
    Ok(())
}

fn arguments() -> Result<(String, Duration)> {
    const USAGE: &str = "usage: cala-bench --url <of an empty database> --seconds <for each number of tasks>";
    let (mut url, mut seconds, mut args) = (None, 0, std::env::args().skip(1));
    while let Some(name) = args.next() {
        let value = args.next().context(USAGE)?;
        match name.as_str() {
            "--url" => url = Some(value),
            "--seconds" => seconds = value.parse().context(USAGE)?,
            _ => bail!(USAGE),
        }
    }
    ensure!(seconds > 0, USAGE);
    Ok((url.context(USAGE)?, Duration::from_secs(seconds)))
}

/// The posts and the fen of each fund, counted apart from cala to check its balances.
type Tally = [(u64, i64); FUNDS];

fn count(tally: &mut Tally, fund: usize, posts: u64, fen: i64) {
    tally[fund].0 += posts;
    tally[fund].1 += fen;
}

fn total(tally: &Tally) -> u64 {
    tally.iter().map(|(posts, _)| posts).sum()
}

/// The `n`th post: a fund, by [`SHARES`] and well mixed, and a sum from 100 to 999.99 yuan.
fn post(n: usize) -> Option<(usize, i64)> {
    // 37 and 100 have no common divisor, so a hundred posts meet every hundredth once.
    let mut hundredth = n * 37 % 100;
    let fund = SHARES.iter().position(|share| {
        let here = hundredth < *share;
        hundredth = hundredth.saturating_sub(*share);
        here
    })?;
    Some((fund, 10_000 + i64::try_from(n * 7919 % 90_000).ok()?))
}

/// Posts a second, and the number of tasks that gave the most.
async fn best(
    book: Books,
    tasks: &[usize],
    batch: usize,
    time: Duration,
    sum: &mut Tally,
) -> Result<(f64, usize)> {
    let mut best = (0.0, 0);
    for &tasks in tasks {
        let per_second = run(book, tasks, batch, time, sum).await?;
        eprintln!("{batch} to a transaction, {tasks} at a time: {per_second:.1} posts a second");
        if per_second > best.0 {
            best = (per_second, tasks);
        }
    }
    Ok(best)
}

async fn run(book: Books, tasks: usize, batch: usize, time: Duration, sum: &mut Tally) -> Result<f64> {
    let (start, before, mut running) = (Instant::now(), total(sum), JoinSet::new());
    for task in 0..tasks {
        running.spawn(async move {
            let (mut tally, mut posts) = (Tally::default(), (task * 13..).map_while(post));
            while start.elapsed() < time {
                let now: Vec<_> = posts.by_ref().take(batch).collect();
                match *now {
                    [(fund, fen)] => ensure!(book.post(fund, fen).await?.is_none(), "refused within the cap"),
                    _ => book.post_all(&now).await?,
                }
                for (fund, fen) in now {
                    count(&mut tally, fund, 1, fen);
                }
            }
            Ok(tally)
        });
    }
    while let Some(tally) = running.join_next().await {
        let tally = tally??.into_iter().enumerate();
        tally.for_each(|(fund, (posts, fen))| count(sum, fund, posts, fen));
    }
    // The posts in flight at the end count, and so does the time they took.
    let seconds = start.elapsed().as_secs_f64();
    Ok(f64::from(u32::try_from(total(sum) - before)?) / seconds)
}

/// The number of refused posts, each of which exceeds the cap.
async fn prove_the_caps(book: Books, posted: &mut Tally) -> Result<usize> {
    for (fund, (_, fen)) in posted.iter().enumerate() {
        let cap = book.cap(fund)?;
        let refused = book.post(fund, cap - fen + 1).await?;
        ensure!(
            refused == Some(yuan(cap + 1)),
            "one fen beyond the cap of fund {fund}: {refused:?}"
        );
    }

    const RACED: i64 = 10_000;
    let fill = book.cap(0)? - posted[0].1 - 4 * RACED;
    ensure!(book.post(0, fill).await?.is_none(), "refused within the cap");
    count(posted, 0, 1, fill);
    let (mut racing, mut refused) = (JoinSet::new(), 0);
    for _ in 0..8 {
        racing.spawn(async move { book.post(0, RACED).await });
    }
    while let Some(outcome) = racing.join_next().await {
        match outcome?? {
            None => count(posted, 0, 1, RACED),
            Some(_) => refused += 1,
        }
    }
    ensure!(refused == 4, "{refused} of eight refused, room for four");
    Ok(FUNDS + refused)
}

#[test]
fn a_hundred_posts_are_the_shares() {
    let mut posts = [0; FUNDS];
    (3..103).filter_map(post).for_each(|(fund, _)| posts[fund] += 1);
    assert_eq!(posts, SHARES);
}
