//! Double entry for subsidy funds: money, accounts, transfers and balances.
//!
//! A fund's money stands in eight accounts. It moves only as a [`Transfer`], which debits one
//! account and credits another by the same amount, and the transfer's [`Reason`] alone fixes which
//! two: a transfer that does not balance cannot be expressed. [`Balances`] are the fold of a fund's
//! transfers and of nothing else; no balance is ever assigned.
//!
//! Bounds: an amount is at most [`Fen::MAX`], the largest that has a wire form; a debit-normal
//! account never falls below zero, so that `available >= 0` is the fund's cap; all arithmetic is
//! checked and no operation panics.
//!
//! [`log`] proves the ledger to others: every transfer and decision is a leaf of a Merkle tree with
//! signed checkpoints.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod account;
mod advance;
mod balances;
pub mod log;
mod money;
mod period;
mod sources;
mod transfer;

pub use account::Account;
pub use advance::{Advance, NotLeft};
pub use balances::{Balances, Shortfall};
pub use money::{Fen, MoneyError};
pub use period::PeriodKind;
pub use sources::{BySource, Carry, Exhausted, Ratio, Source, Split, give_back, split};
pub use transfer::{Reason, Transfer};
