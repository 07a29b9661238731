//! One private PostgreSQL for all tests of a process, and a database in it for each test.

use std::sync::atomic::{AtomicU32, Ordering};

use cluster::{Installations, Options, PrivateCluster, Search};
use tokio::sync::OnceCell;

/// A new cluster of its own that is removed when it is dropped: for tests that kill it.
pub async fn private_cluster() -> PrivateCluster {
    let installed = Installations::find(&Search::of_process())
        .await
        .expect("PostgreSQL 15 or later is installed");
    PrivateCluster::start(&installed, Options::temporary())
        .await
        .expect("PostgreSQL starts")
}

/// The cluster of this process. A static is never dropped: the cluster's own watcher removes its
/// files when the process ends.
pub(crate) async fn shared_cluster() -> &'static PrivateCluster {
    static CLUSTER: OnceCell<PrivateCluster> = OnceCell::const_new();
    CLUSTER.get_or_init(private_cluster).await
}

/// A database of one test.
#[derive(Debug)]
pub struct TestDb {
    cluster: &'static PrivateCluster,
    name: String,
    url: String,
}

impl TestDb {
    /// A copy of a template in the cluster of this process.
    pub async fn copy_of(template: &str) -> Self {
        Self::create(Some(template)).await
    }

    /// Without any schema.
    pub async fn empty() -> Self {
        Self::create(None).await
    }

    async fn create(template: Option<&str>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let cluster = shared_cluster().await;
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

    /// Rows of a statement, run without going through the service; columns are separated by `|`.
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
        // Newer minor versions enclose the dump in `\restrict` lines with a random token.
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
    /// Dropped while the next tests run: no test waits for it, and the cluster's end removes the
    /// rest.
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
