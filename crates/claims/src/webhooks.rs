//! Webhooks: merchants' endpoints and the messages sent to them.

use words::words;

words! {
    /// The status of an endpoint.
    pub enum EndpointStatus {
        Enabled = "enabled",
        /// Disabled by its merchant: messages wait.
        Paused = "paused",
        /// Disabled by the service, see [`DisabledReason`].
        Disabled = "disabled",
        Deleted = "deleted",
    }
}

words! {
    /// Why the service disabled an endpoint.
    pub enum DisabledReason {
        /// The endpoint answered 410.
        Gone = "gone",
        /// The endpoint failed for too long.
        Failing = "failing",
    }
}

words! {
    /// The kind of a message.
    pub enum MessageKind {
        /// A claim changed.
        Claim = "claim",
        /// A test message that the merchant asked for.
        Test = "test",
    }
}

words! {
    /// The status of a message.
    pub enum DeliveryStatus {
        /// Due, for the first time or again.
        Due = "due",
        Delivered = "delivered",
        /// Given up.
        Failed = "failed",
    }
}
