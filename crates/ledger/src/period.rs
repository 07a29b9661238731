//! Periods that are closed.

use words::words;

words! {
    /// What a closing covers, in Asia/Shanghai.
    pub enum PeriodKind {
        /// A calendar month.
        Month = "month",
        /// The months of a calendar year.
        Year = "year",
    }
}
