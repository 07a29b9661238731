//! Webhooks: merchants' endpoints and the messages sent to them.

use words::words;

words! {
    /// How an endpoint stands.
    pub enum EndpointStatus {
        Enabled = "enabled",
        /// By its merchant: messages wait.
        Paused = "paused",
        /// By the service, see [`DisabledReason`].
        Disabled = "disabled",
        Deleted = "deleted",
    }
}

words! {
    /// Why the service disabled an endpoint.
    pub enum DisabledReason {
        /// It answered 410.
        Gone = "gone",
        /// It failed for too long.
        Failing = "failing",
    }
}

words! {
    /// What a message is about.
    pub enum MessageKind {
        /// A claim changed.
        Claim = "claim",
        /// The merchant asked for it.
        Test = "test",
    }
}

words! {
    /// How a message stands.
    pub enum DeliveryStatus {
        /// To be sent, for the first time or again.
        Due = "due",
        Delivered = "delivered",
        /// Given up.
        Failed = "failed",
    }
}
