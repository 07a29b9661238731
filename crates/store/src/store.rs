//! The pool, reads and the one place where a transaction opens.
//!
//! A unit of work is a closure that takes a [`Tx`] and gives it back with its result; it is run again, whole and on a
//! fresh connection, when the database says the fault was one of contention or of the connection. That is safe because a
//! unit either commits or leaves nothing, and because every unit that creates something carries an idempotency key.

use std::future::Future;
use std::time::Duration;

use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
};
use secrecy::{ExposeSecret, SecretString};
use timing::{Backoff, Jitter};
use tokio::sync::oneshot;

use crate::StoreError;

/// How the database is reached and how long anything may take.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    pub url: SecretString,
    pub pool_size: usize,
    /// Longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// Longest time one statement may run; an export is many short ones.
    pub statement_timeout: Duration,
    /// Longest wait for a row that another transaction holds.
    pub lock_timeout: Duration,
}

impl StoreConfig {
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            pool_size: 8,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(10),
        }
    }
}

/// Every statement is a look-up by key in a table that grows. A plan is made once a connection, without looking at values;
/// one that was made while the table was small must hold when it is large, and a hash or a scan of all rows would not.
const PLANS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
    SET enable_mergejoin = off; SET jit = off";

/// How often a unit of work is tried before its fault is the caller's, and the pauses between.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(20), Duration::from_millis(160))
    .attempts(5)
    .jitter(Jitter::Full);

/// The database.
#[derive(Clone)]
pub struct Store {
    pool: Pool<AsyncPgConnection>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("pool", &self.pool.status())
            .finish()
    }
}

/// A connection for reading.
pub struct Conn(Object<AsyncPgConnection>);

impl Conn {
    pub(crate) fn pg(&mut self) -> &mut AsyncPgConnection {
        &mut self.0
    }
}

impl std::fmt::Debug for Conn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Conn")
    }
}

/// An open transaction. Whatever changes the database takes one, and only [`Store::write`] makes one.
///
/// The connection is there until the transaction ends: committed by [`Store::write`], rolled back when this is dropped.
#[derive(Debug)]
pub struct Tx {
    conn: Option<Conn>,
    /// Its COMMIT was sent: nobody may send it anything else before the answer.
    ending: bool,
    /// Gone once a rollback is through, and the locks with it.
    ended: Option<oneshot::Sender<()>>,
}

impl Tx {
    /// Ends the unit of work with its result; [`Store::write`] commits.
    pub fn done<R>(self, result: R) -> Done<R> {
        Done { tx: self, result }
    }
}

impl std::ops::Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        match &self.conn {
            Some(conn) => conn,
            None => unreachable!("a transaction that ended is dropped"),
        }
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        match &mut self.conn {
            Some(conn) => conn,
            None => unreachable!("a transaction that ended is dropped"),
        }
    }
}

impl Drop for Tx {
    /// A unit of work that was refused, failed or was cancelled: put back into the pool as it is, the connection would keep
    /// its locks until somebody happened to take it out again. So it is rolled back first, and closed if that fails, or if it was
    /// cancelled while it was being committed.
    fn drop(&mut self) {
        let Some(mut conn) = self.conn.take() else { return };
        let Some(runtime) = tokio::runtime::Handle::try_current()
            .ok()
            .filter(|_| !self.ending)
        else {
            drop(Object::take(conn.0));
            return;
        };
        let ended = self.ended.take();
        runtime.spawn(async move {
            if AnsiTransactionManager::rollback_transaction(conn.pg())
                .await
                .is_err()
            {
                drop(Object::take(conn.0));
            }
            drop(ended);
        });
    }
}

/// A finished unit of work, not yet committed.
#[derive(Debug)]
pub struct Done<R> {
    tx: Tx,
    result: R,
}

impl<R> Done<R> {
    pub fn map<S>(self, map: impl FnOnce(R) -> S) -> Done<S> {
        Done {
            tx: self.tx,
            result: map(self.result),
        }
    }
}

impl Store {
    /// Opens a pool. Connections are opened on the runtime this is called from, not on the actix worker that first needs
    /// one: a busy worker would stall the queries of all others.
    pub fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Handle::current();
        let setup = format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = 60000; \
             SET timezone = 'UTC'; SET client_min_messages = warning; {PLANS}",
            config.statement_timeout.as_millis(),
            config.lock_timeout.as_millis()
        );
        let mut manager = ManagerConfig::default();
        manager.recycling_method = RecyclingMethod::Fast;
        manager.custom_setup = Box::new(move |url| {
            let (runtime, url, setup) = (runtime.clone(), url.to_owned(), setup.clone());
            Box::pin(async move {
                let opened = runtime.spawn(async move {
                    let mut conn = AsyncPgConnection::establish(&url).await?;
                    conn.batch_execute(&setup)
                        .await
                        .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                    Ok(conn)
                });
                opened.await.unwrap_or_else(|_| {
                    Err(diesel::ConnectionError::BadConnection(
                        "the runtime is shutting down".into(),
                    ))
                })
            })
        });
        let manager =
            AsyncDieselConnectionManager::new_with_config(config.url.expose_secret().to_owned(), manager);
        let pool = Pool::builder(manager)
            .max_size(config.pool_size)
            .wait_timeout(Some(config.acquire_timeout))
            .create_timeout(Some(config.acquire_timeout))
            .runtime(deadpool_runtime())
            .build()
            .map_err(|e| StoreError::Other(e.to_string()))?;
        Ok(Self { pool })
    }

    /// A connection to read with. Every statement sees what was committed when it began.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        let conn = self
            .pool
            .get()
            .await
            .map_err(|e| StoreError::Unreachable(pool_fault(&e)))?;
        Ok(Conn(conn))
    }

    /// Runs one unit of work in a transaction, again on contention or a lost connection, within bounds and with jitter.
    pub async fn write<F, Fut, R, E>(&self, unit: F) -> Result<R, E>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<Done<R>, E>>,
        E: From<StoreError> + Retry,
    {
        let mut failed = 0;
        loop {
            let error = match self.attempt(&unit).await {
                Err(error) if error.is_worth_retrying() => error,
                other => return other,
            };
            failed += 1;
            let Some(pause) = BACKOFF.pause(failed, rand::random()) else {
                return Err(error);
            };
            metrics::counter!("huanxin_store_retries_total").increment(1);
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt<F, Fut, R, E>(&self, unit: &F) -> Result<R, E>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<Done<R>, E>>,
        E: From<StoreError>,
    {
        let mut conn = self.read().await?;
        AnsiTransactionManager::begin_transaction(conn.pg())
            .await
            .map_err(StoreError::from)?;
        let (ended, rolled_back) = oneshot::channel();
        let tx = Tx {
            conn: Some(conn),
            ending: false,
            ended: Some(ended),
        };
        let Done { mut tx, result } = match unit(tx).await {
            Ok(done) => done,
            Err(error) => {
                // The closure has dropped its Tx. Whoever is refused holds no lock any more when he hears of it: the next would pass
                // over what is locked.
                let _ = rolled_back.await;
                return Err(error);
            }
        };
        tx.ending = true;
        AnsiTransactionManager::commit_transaction(tx.pg())
            .await
            .map_err(StoreError::from)?;
        drop(tx.conn.take());
        Ok(result)
    }

    /// Connections in use, idle, and the most there can be.
    pub fn pool_status(&self) -> PoolStatus {
        let status = self.pool.status();
        PoolStatus {
            size: status.size,
            available: status.available,
            max: status.max_size,
            waiting: status.waiting,
        }
    }
}

/// What the pool looks like now.
#[derive(Debug, Clone, Copy)]
pub struct PoolStatus {
    pub size: usize,
    pub available: usize,
    pub max: usize,
    pub waiting: usize,
}

/// An error of a unit of work that knows whether the unit may be run again.
pub trait Retry {
    fn is_worth_retrying(&self) -> bool;
}

impl Retry for StoreError {
    fn is_worth_retrying(&self) -> bool {
        self.is_transient()
    }
}

fn deadpool_runtime() -> deadpool::Runtime {
    deadpool::Runtime::Tokio1
}

/// The pool's own errors quote the connection string's parts; say only what happened.
fn pool_fault(error: &diesel_async::pooled_connection::deadpool::PoolError) -> String {
    use diesel_async::pooled_connection::deadpool::PoolError;
    match error {
        PoolError::Timeout(_) => "no connection became free in time".into(),
        PoolError::Closed => "the pool is closed".into(),
        _ => "no connection could be opened".into(),
    }
}
