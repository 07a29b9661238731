//! Proposals of one person that another decides on (maker and checker, four eyes).

use words::words;

words! {
    /// The status of a proposal: an appropriation, a change of caps, an account, a waiver.
    pub enum ProposalStatus {
        Pending = "pending",
        Approved = "approved",
        /// With a reason.
        Refused = "refused",
    }
}

words! {
    /// The status of a proposed version of a programme.
    pub enum DraftStatus {
        Pending = "pending",
        /// The version is in force, or will be.
        Activated = "activated",
        /// With a reason.
        Refused = "refused",
    }
}
