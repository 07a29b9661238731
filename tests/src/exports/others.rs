//! Other programs open the files of this one and compute the same sums: openpyxl and pyarrow from
//! PyPI, and LibreOffice where it is installed. Where PyPI cannot be reached the test prints that
//! and passes.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{busy, export};

/// The exit code of `.ci/check-exports` without PyPI.
const SKIPPED: i32 = 77;

#[tokio::test(flavor = "multi_thread")]
async fn openpyxl_pyarrow_and_libreoffice_agree_with_the_csv() {
    let app = busy().await;
    let directory = tempfile::tempdir().unwrap();
    for (name, path) in [("ledger", "140800/export"), ("claims", "140800/claims/export")] {
        for format in ["csv", "xlsx", "parquet"] {
            let reply = export(&app, &format!("{path}?format={format}&lang=en")).await;
            std::fs::write(directory.path().join(format!("{name}.{format}")), reply.body).unwrap();
        }
    }
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let check = Command::new(root.join(".ci/check-exports"))
        .arg(directory.path())
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&check.stdout);
    let failed = String::from_utf8_lossy(&check.stderr);
    if check.status.code() == Some(SKIPPED) {
        println!("skipped: {failed}");
        return;
    }
    assert!(check.status.success(), "{said}{failed}");
    println!("{said}");
}
