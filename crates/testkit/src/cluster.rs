//! One private PostgreSQL for all tests of a process, a template with schema and seeds, and a copy of it for each test.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use server::postgres::{Installations, Options, PrivateCluster, Search};
use tokio::sync::OnceCell;

use crate::world::{Setup, World};

const TEMPLATE: &str = "template_huanxin";

/// A new cluster that nobody else uses and that goes when it is dropped: for tests that kill it.
pub async fn private_cluster() -> PrivateCluster {
    let installed = Installations::find(&Search::of_process())
        .await
        .expect("PostgreSQL 15 or later is installed");
    PrivateCluster::start(&installed, Options::temporary())
        .await
        .expect("PostgreSQL starts")
}

/// The cluster of this process. A static is never dropped: the cluster's own watcher cleans up when the process ends.
async fn cluster() -> &'static PrivateCluster {
    static CLUSTER: OnceCell<PrivateCluster> = OnceCell::const_new();
    CLUSTER.get_or_init(private_cluster).await
}

/// Migrates and seeds an empty database: jurisdictions, every programme, the firms of the cast.
pub async fn prepare(url: &str) {
    let url = url.to_owned();
    // The test's own runtime may have a single thread, and the template must have no connection left when this returns.
    on_a_runtime_of_its_own(async move {
        store::migrate(&url).await.expect("migrations run");
        let world = World::open(&url, &Setup::default()).await;
        server::seed::reference(&world.service).await.expect("seeds load");
        world.file_the_cast().await;
    })
    .await;
}

async fn template() -> &'static str {
    static READY: OnceCell<()> = OnceCell::const_new();
    READY
        .get_or_init(async || {
            prepare(
                &cluster()
                    .await
                    .create_database(TEMPLATE, None)
                    .await
                    .expect("a template"),
            )
            .await
        })
        .await;
    TEMPLATE
}

pub(crate) async fn on_a_runtime_of_its_own<F>(work: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let run = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(work);
    };
    tokio::task::spawn_blocking(run).await.expect("the work is done");
}

/// A database of one test.
#[derive(Debug)]
pub struct TestDb {
    cluster: &'static PrivateCluster,
    name: String,
    url: String,
}

impl TestDb {
    /// A copy of the template.
    pub async fn new() -> Self {
        let template = template().await;
        Self::create(Some(template)).await
    }

    /// Without any schema.
    pub async fn empty() -> Self {
        Self::create(None).await
    }

    async fn create(template: Option<&str>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let cluster = cluster().await;
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let url = cluster
            .create_database(&name, template)
            .await
            .expect("a database");
        Self { cluster, name, url }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn cluster(&self) -> &'static PrivateCluster {
        self.cluster
    }

    /// Rows of a statement run behind the service's back; columns are separated by `|`.
    pub async fn rows(&self, statement: &str) -> Vec<String> {
        let rows = self
            .cluster
            .sql(&self.name, statement)
            .await
            .expect("the statement runs");
        rows.lines().map(str::to_owned).collect()
    }

    /// The only row of a statement.
    pub async fn row(&self, statement: &str) -> String {
        let rows = self.rows(statement).await;
        assert_eq!(rows.len(), 1, "{statement}");
        rows.into_iter().next().unwrap_or_default()
    }

    /// The schema as `pg_dump -s` writes it.
    pub fn schema(&self) -> String {
        let dump = self.cluster.installation().bin().join("pg_dump");
        let mut command = std::process::Command::new(dump);
        command
            .args(["-s", "--no-owner", "-U", "huanxin", "-h"])
            .arg(self.cluster.socket_dir())
            .arg(&self.name);
        let output = command.output().expect("pg_dump runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        // Newer minor versions fence the dump with a random word.
        text.lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Ends every connection, as a failing network would.
    pub async fn disconnect(&self) {
        self.cluster
            .disconnect(&self.name)
            .await
            .expect("connections end");
    }
}

impl Drop for TestDb {
    /// Dropped beside the next tests: nobody waits for it, and what is left goes with the cluster.
    fn drop(&mut self) {
        let (cluster, name) = (self.cluster, self.name.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                let _ = runtime.block_on(cluster.drop_database(&name));
            }
        });
    }
}
