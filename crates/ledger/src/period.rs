//! Closed periods.

use words::words;

words! {
    /// The length of a closed period, in Asia/Shanghai.
    pub enum PeriodKind {
        /// A calendar month.
        Month = "month",
        /// The months of a calendar year.
        Year = "year",
    }
}
