//! All packages come from crates.io, each with its checksum.

#[test]
fn every_dependency_is_from_crates_io() {
    for package in include_str!("../Cargo.lock").split("[[package]]").skip(1) {
        let own = package.contains("name = \"cala-bench\"\n");
        let from = package.lines().find_map(|line| line.strip_prefix("source = "));
        let crates_io = "\"registry+https://github.com/rust-lang/crates.io-index\"";
        assert_eq!(from, (!own).then_some(crates_io), "{package}");
        assert_eq!(package.contains("\nchecksum = "), !own, "{package}");
    }
}
