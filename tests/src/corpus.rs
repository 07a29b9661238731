//! The corpus under `tests/data/`: data that an earlier program wrote, read and written again byte
//! for byte.
//!
//! * What was hashed, signed or sealed is frozen: [`frozen`] adds files and never changes one.
//! * What a caller sees (answers and files) is compared as text. [`names`] puts stable names in
//!   place of ids, hashes and secrets. It changes only with the contract.
//!
//! `CORPUS=write cargo test -p tests -- corpus::` adds missing frozen files and writes the answers
//! anew; `tests/data/README.md` describes the folder. The tests use HTTP and the pure crates; only
//! [`inside`] imports from `service` and `api`.

mod answers;
mod bundles;
mod documents;
mod files;
mod frozen;
mod inside;
mod leaves;
mod names;
mod pretty;
mod receipts;
mod scene;
