//! The private cluster on the PostgreSQL that is installed here: started, shared, crashed and found
//! again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cluster::{ClusterError, Installations, OLDEST_MAJOR, Options, PrivateCluster, Search};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use tokio::sync::OnceCell;

async fn installed() -> Installations {
    Installations::find(&Search::of_process())
        .await
        .expect("PostgreSQL is installed: `make test` sees to it")
}

async fn temporary() -> PrivateCluster {
    PrivateCluster::start(&installed().await, Options::temporary())
        .await
        .expect("a cluster starts")
}

/// One for all tests that do not stop the server. A static is never dropped: the watcher removes
/// its files.
async fn shared() -> &'static PrivateCluster {
    static SHARED: OnceCell<PrivateCluster> = OnceCell::const_new();
    SHARED.get_or_init(temporary).await
}

/// A directory that the account of PostgreSQL can pass through.
fn passable() -> tempfile::TempDir {
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    directory
}

fn is_alive(pid: u32) -> bool {
    // A zombie that is never reaped, as in a container without init, counts as dead.
    let zombie = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'));
    !zombie && kill(Pid::from_raw(pid.try_into().unwrap()), None).is_ok()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < give_up, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn installations_are_found_and_a_wrong_one_is_explained() {
    let found = installed().await;
    assert!(found.iter().all(|one| one.major() >= OLDEST_MAJOR));
    let major = found.preferred().major();
    assert_eq!(found.of_major(major), Some(found.preferred()));

    let named = Search {
        bin: Some(found.preferred().bin().to_owned()),
        path: None,
    };
    assert_eq!(
        Installations::find(&named).await.unwrap().preferred().bin(),
        found.preferred().bin()
    );

    let empty = tempfile::tempdir().unwrap();
    let wrong = Search {
        bin: Some(empty.path().to_owned()),
        path: None,
    };
    let error = Installations::find(&wrong).await.unwrap_err();
    assert!(
        matches!(error, ClusterError::UnusableInstallation { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("has no initdb"), "{error}");
}

#[tokio::test]
async fn a_temporary_cluster_serves_over_its_socket_only_and_leaves_nothing() {
    let cluster = temporary().await;
    let show = async |name: &str| {
        cluster
            .sql("postgres", &format!("SHOW {name}"))
            .await
            .unwrap()
            .trim()
            .to_owned()
    };
    assert_eq!(show("listen_addresses").await, "");
    assert_eq!(show("fsync").await, "off");
    assert_eq!(show("server_encoding").await, "UTF8");
    assert_eq!(show("data_checksums").await, "on");
    assert_eq!(show("timezone").await, "UTC");
    let mode = std::fs::metadata(cluster.root()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    let (root, pid) = (cluster.root().to_owned(), cluster.id().unwrap());
    drop(cluster);
    assert!(!root.exists());
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_database_is_cloned_from_a_template_and_names_are_checked() {
    let cluster = shared().await;
    cluster.create_database("pattern", None).await.unwrap();
    cluster
        .sql(
            "pattern",
            "CREATE TABLE claim (name text); INSERT INTO claim VALUES ('空调')",
        )
        .await
        .unwrap();
    let url = cluster.create_database("copy_1", Some("pattern")).await.unwrap();
    assert_eq!(url, cluster.url("copy_1"));
    assert_eq!(
        cluster.sql("copy_1", "SELECT name FROM claim").await.unwrap(),
        "空调\n"
    );

    let error = cluster
        .create_database("copy_1", Some("pattern"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
    cluster.ensure_database("copy_1").await.unwrap();
    assert_eq!(
        cluster.sql("copy_1", "SELECT count(*) FROM claim").await.unwrap(),
        "1\n"
    );
    cluster.drop_database("copy_1").await.unwrap();
    cluster.drop_database("copy_1").await.unwrap();
    assert!(matches!(
        cluster.create_database("x\"; DROP TABLE claim", None).await,
        Err(ClusterError::DatabaseName(_))
    ));
}

#[tokio::test]
async fn a_template_in_use_is_waited_for() {
    let cluster = shared().await;
    cluster.create_database("busy_pattern", None).await.unwrap();
    let (used, cloned) = tokio::join!(
        cluster.sql("busy_pattern", "SELECT pg_sleep(0.5)"),
        cluster.create_database("patient_copy", Some("busy_pattern")),
    );
    used.unwrap();
    cloned.unwrap();
}

#[tokio::test]
async fn disconnecting_ends_a_running_statement() {
    let cluster = shared().await;
    cluster.create_database("victim", None).await.unwrap();
    let busy = async {
        loop {
            let waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(6%' AND datname = 'victim'";
            if cluster.sql("postgres", waiting).await.unwrap().trim() == "1" {
                return cluster.disconnect("victim").await;
            }
        }
    };
    let (cut, done) = tokio::join!(cluster.sql("victim", "SELECT pg_sleep(60)"), busy);
    done.unwrap();
    assert!(cut.is_err());
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_committed() {
    let mut cluster = temporary().await;
    cluster
        .sql(
            "postgres",
            "CREATE TABLE claim (n int); INSERT INTO claim VALUES (1)",
        )
        .await
        .unwrap();
    for _ in 0..3 {
        let before = cluster.id();
        cluster
            .sql("postgres", "INSERT INTO claim SELECT max(n) + 1 FROM claim")
            .await
            .unwrap();
        cluster.kill();
        assert_eq!(cluster.id(), None);
        assert!(cluster.sql("postgres", "SELECT 1").await.is_err());
        cluster.restart().await.unwrap();
        assert_ne!(cluster.id(), before);
    }
    assert_eq!(
        cluster
            .sql("postgres", "SELECT count(*) FROM claim")
            .await
            .unwrap(),
        "4\n"
    );
    cluster.restart().await.unwrap();
    assert_eq!(
        cluster
            .sql("postgres", "SELECT count(*) FROM claim")
            .await
            .unwrap(),
        "4\n"
    );
}

#[tokio::test]
async fn a_kept_cluster_is_found_again_and_has_one_owner() {
    let directory = passable();
    let found = installed().await;
    let first = PrivateCluster::start(&found, Options::kept(directory.path()))
        .await
        .unwrap();
    assert_eq!(
        first.root(),
        directory.path().canonicalize().unwrap().join("postgres")
    );
    assert_eq!(first.sql("postgres", "SHOW fsync").await.unwrap(), "on\n");
    first.ensure_database("huanxin").await.unwrap();
    first.sql("huanxin", "CREATE TABLE claim (n int)").await.unwrap();

    let second = PrivateCluster::start(&found, Options::kept(directory.path())).await;
    assert!(matches!(second, Err(ClusterError::InUse { .. })), "{second:?}");
    drop(first);

    let again = PrivateCluster::start(&found, Options::kept(directory.path()))
        .await
        .unwrap();
    assert_eq!(
        again.sql("huanxin", "SELECT count(*) FROM claim").await.unwrap(),
        "0\n"
    );
}

#[tokio::test]
async fn a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle() {
    let directory = passable();
    let found = installed().await;
    let mut cluster = PrivateCluster::start(&found, Options::kept(directory.path()))
        .await
        .unwrap();
    let file = cluster.root().join("data/postmaster.pid");
    let contents = std::fs::read_to_string(&file).unwrap();
    cluster.kill();
    drop(cluster);
    let mut stranger = Command::new("sleep").arg("60").spawn().unwrap();
    let rest = contents.split_once('\n').unwrap().1;
    std::fs::write(&file, format!("{}\n{rest}", stranger.id())).unwrap();

    let again = PrivateCluster::start(&found, Options::kept(directory.path())).await;
    assert!(
        stranger.try_wait().unwrap().is_none(),
        "the stranger was left alone"
    );
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    again.unwrap();
}

#[tokio::test]
async fn a_long_path_gets_a_short_socket_directory() {
    let directory = passable();
    let long = directory.path().join("很长的目录".repeat(8));
    let cluster = PrivateCluster::start(&installed().await, Options::kept(&long))
        .await
        .unwrap();
    assert!(cluster.socket_dir().starts_with("/tmp"));
    assert_eq!(cluster.sql("postgres", "SELECT 1").await.unwrap(), "1\n");
    let run = cluster.socket_dir().to_owned();
    drop(cluster);
    assert!(!run.exists());
}

/// Applies to root only: for other accounts the server runs as themselves.
#[tokio::test]
async fn as_root_a_directory_behind_a_closed_one_is_placed_elsewhere() {
    if !Uid::effective().is_root() {
        return;
    }
    let home = tempfile::Builder::new()
        .permissions(PermissionsExt::from_mode(0o700))
        .tempdir_in("/tmp")
        .unwrap();
    let directory = home.path().join("demo");
    std::fs::DirBuilder::new().mode(0o755).create(&directory).unwrap();
    let found = installed().await;

    let cluster = PrivateCluster::start(&found, Options::kept(&directory))
        .await
        .unwrap();
    let root = cluster.root().to_owned();
    assert!(root.starts_with("/var/lib/huanxin"));
    assert_eq!(directory.join("postgres").canonicalize().unwrap(), root);
    cluster.ensure_database("huanxin").await.unwrap();
    drop(cluster);

    let again = PrivateCluster::start(&found, Options::kept(&directory))
        .await
        .unwrap();
    assert_eq!(again.sql("huanxin", "SELECT 1").await.unwrap(), "1\n");
    drop(again);

    // Removing the directory makes the next start begin anew.
    std::fs::remove_dir_all(&directory).unwrap();
    let fresh = PrivateCluster::start(&found, Options::kept(&directory))
        .await
        .unwrap();
    assert_eq!(fresh.root(), root);
    assert!(fresh.sql("huanxin", "SELECT 1").await.is_err());
    drop(fresh);
    std::fs::remove_dir_all(&root).unwrap();
}

#[tokio::test]
async fn a_supervised_server_that_dies_comes_back() {
    let directory = passable();
    let found = installed().await;
    let cluster = PrivateCluster::start(&found, Options::kept(directory.path()))
        .await
        .unwrap();
    let (file, pid) = (cluster.root().join("data/postmaster.pid"), cluster.id().unwrap());
    let named = move || -> Option<u32> { std::fs::read_to_string(&file).ok()?.lines().next()?.parse().ok() };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let supervisor = tokio::spawn(cluster.supervise(async move {
        let _ended = stopped.await;
    }));
    kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
    until("another server runs", || {
        named().is_some_and(|now| now != pid && is_alive(now))
    })
    .await;
    let second = named().unwrap();
    stop.send(()).unwrap();
    supervisor.await.unwrap().unwrap();
    assert!(!is_alive(second));
}

const HELPER: &str = "HUANXIN_TEST_KEEP_IN";

/// Not a test of its own: the process that [`a_server_does_not_outlive_a_parent_that_is_killed`]
/// starts and kills.
#[tokio::test]
async fn a_parent_to_be_killed() {
    let Some(directory) = std::env::var_os(HELPER).map(PathBuf::from) else {
        return;
    };
    let options = if directory == Path::new("nowhere") {
        Options::temporary()
    } else {
        Options::kept(directory)
    };
    let cluster = PrivateCluster::start(&installed().await, options).await.unwrap();
    println!("\nstarted {} {}", cluster.id().unwrap(), cluster.root().display());
    std::future::pending::<()>().await;
}

/// Starts the helper; returns it, the server's process id and the cluster's root.
fn start_parent(directory: &Path) -> (std::process::Child, u32, PathBuf) {
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_parent_to_be_killed", "--nocapture"])
        .env(HELPER, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let line = lines
        .map(Result::unwrap)
        .find(|line| line.starts_with("started "))
        .unwrap();
    let mut parts = line.split(' ').skip(1);
    let pid = parts.next().unwrap().parse().unwrap();
    (parent, pid, PathBuf::from(parts.next().unwrap()))
}

#[tokio::test]
async fn a_server_does_not_outlive_a_parent_that_is_killed() {
    let (mut parent, server, root) = start_parent(Path::new("nowhere"));
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("the server is gone", || !is_alive(server)).await;
    until("its directory is gone", || !root.exists()).await;

    let directory = passable();
    let (mut parent, server, _) = start_parent(directory.path());
    parent.kill().unwrap();
    parent.wait().unwrap();
    // Started again at once, while the watcher still stops the first server.
    let again = PrivateCluster::start(&installed().await, Options::kept(directory.path()))
        .await
        .unwrap();
    assert!(!is_alive(server));
    assert_eq!(again.sql("postgres", "SELECT 1").await.unwrap(), "1\n");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_orphan_whose_watcher_was_killed_too_is_stopped_by_the_next_start() {
    let directory = passable();
    let (mut parent, server, _) = start_parent(directory.path());
    let watcher = std::fs::read_dir("/proc").unwrap().flatten().find(|entry| {
        let line = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        line.contains(&format!("huanxin-watcher\0{server}\0"))
    });
    let watcher: i32 = watcher.unwrap().file_name().to_str().unwrap().parse().unwrap();
    kill(Pid::from_raw(watcher), Signal::SIGKILL).unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();
    assert!(is_alive(server));
    let again = PrivateCluster::start(&installed().await, Options::kept(directory.path()))
        .await
        .unwrap();
    assert!(!is_alive(server));
    assert_eq!(again.sql("postgres", "SELECT 1").await.unwrap(), "1\n");
}
