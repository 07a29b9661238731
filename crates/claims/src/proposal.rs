//! What one person proposes and another decides on (maker and checker, four eyes).

use words::words;

words! {
    /// How a proposal stands: an appropriation, a change of caps, an account, a waiver.
    pub enum ProposalStatus {
        Pending = "pending",
        Approved = "approved",
        /// With a reason.
        Refused = "refused",
    }
}

words! {
    /// How a proposed version of a programme stands.
    pub enum DraftStatus {
        Pending = "pending",
        /// It is in force, or will be.
        Activated = "activated",
        /// With a reason.
        Refused = "refused",
    }
}
