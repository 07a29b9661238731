//! Queries and paths that several wings take.

use claims::identifiers::JurisdictionCode;
use policy::Lang;
use wire_derive::{WirePath, WireQuery};

use crate::http::field_limits::{CURSOR, PAGE_DEFAULT, PAGE_MAX};
use crate::http::wire::{Text, Whole, request_words};

request_words! {
    /// Yes or no.
    pub enum YesNo { True = "true", False = "false" }
    /// Language of an export's headings.
    Lang as "Headings" { Zh = "zh", En = "en" }
}

/// Which part of a list.
#[derive(Debug, Clone, WireQuery)]
pub struct PageQuery {
    /// How many items at most; 50 if it is left out.
    #[wire(Whole::new(1..=PAGE_MAX), default = PAGE_DEFAULT, example = 50)]
    pub limit: usize,
    /// `next_cursor` of the page before.
    #[wire(Text(0..=CURSOR))]
    pub cursor: Option<String>,
}

/// An operation without parameters refuses every one.
#[derive(Debug, Clone, Copy, WireQuery)]
pub struct NoParams {}

/// A list of one county's records, or of all that the caller may see.
#[derive(Debug, Clone, WireQuery)]
pub struct JurisdictionQuery {
    pub jurisdiction: Option<JurisdictionCode>,
    #[wire(flatten)]
    pub page: PageQuery,
}

/// The ledger of a county or development zone.
#[derive(Debug, Clone, WirePath)]
#[wire(what = "ledger")]
pub struct LedgerPath {
    pub jurisdiction: JurisdictionCode,
}
