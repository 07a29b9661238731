//! A private PostgreSQL for `huanxin demo`, the tests and the benchmarks: no service to set up, no
//! port, no password.
//!
//! Guarantees, and how they are kept:
//!
//! - *No other account gets in.* No TCP; one Unix socket in a directory of mode 0700, and `peer`
//!   authentication that maps exactly the account which started the cluster to its only role. The
//!   server refuses other accounts, the system's own `postgres` included, even where they can reach
//!   the socket.
//! - *It runs as root's child too.* PostgreSQL refuses to run as root, so that its programs are
//!   started as the account `postgres`, or `nobody`; a data directory that this account cannot
//!   reach (below a home of mode 0700) is placed under `/var/lib/huanxin`, with a symbolic link at
//!   the requested path.
//! - *It does not outlive its parent.* A watcher holds the read end of a pipe whose write end this
//!   process holds; when this process dies, even by `kill -9`, the pipe closes and the watcher
//!   shuts the server down. If the watcher is killed as well, the next start finds the orphan by
//!   its `postmaster.pid` and stops it before starting its own.
//! - *One owner.* A lock on the directory is held as long as the cluster lives.
//! - *It recovers from a crash.* After `kill -9` the shared memory of surviving backends makes
//!   PostgreSQL refuse to start for a moment: the start is retried within
//!   [`Options::start_within`].
//!
//! Bounds: the length of Unix socket paths (104 bytes on macOS, 108 on Linux), so that a long path
//! gets a short directory beside it for its socket; and PostgreSQL's rule that a data directory
//! belongs to one major version, so that a kept directory picks, among the installed versions, the
//! one that made it.

mod account;
mod error;
mod installations;
mod place;
mod postmaster;
mod private_cluster;

pub use error::ClusterError;
pub use installations::{Installation, Installations, Search};
pub use private_cluster::{Keep, Options, PrivateCluster};

/// The oldest major version that the schema is tested on.
pub const OLDEST_MAJOR: u32 = 15;

/// The only role. It owns the cluster, as the service may own its database in production.
const ROLE: &str = "huanxin";
