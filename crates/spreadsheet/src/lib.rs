//! CSV and XLSX: one rule against formulas, one way to quote, one writer of workbooks.
//!
//! [`csv`] appends to bytes. [`xlsx::Book`] writes a workbook as its rows come, so that memory does
//! not grow with them. The meaning of a row, and when a sheet is full, are the caller's.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod csv;
pub mod xlsx;
pub mod xml;
