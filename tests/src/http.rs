//! The service over HTTP: who may do what, every problem, the contract as committed, what is never
//! logged, and a workload that an independent auditor checks from the answers alone.

mod access;
mod contract;
mod logging;
mod operations;
mod problems;
mod words;
mod workload;
