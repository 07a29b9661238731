//! Bodies of requests that several wings take.

use service::operation;
use wire_derive::WireBody;

use crate::http::field_limits::REASON;
use crate::http::wire::{Words, request_words};

request_words! {
    /// What the second person of treasury says.
    operation::Check as "CheckVerdict" { Approve = "approve", Refuse = "refuse" }
}

/// Why; it is kept with the event.
#[derive(Debug, WireBody)]
pub struct ReasonGiven {
    #[wire(Words(REASON), example = "消费者退货")]
    pub reason: String,
}

/// Why, if there is anything to say; an empty body does as well. What is said is kept with the event.
#[derive(Debug, WireBody)]
#[wire(may_be_empty)]
pub struct ReasonIfAny {
    #[wire(Words(REASON), example = "消费者退货")]
    pub reason: Option<String>,
}

/// Nothing is asked; an empty body does as well.
#[derive(Debug, WireBody)]
#[wire(may_be_empty)]
pub struct Nothing {}

/// What the second person says of what the first entered. A reason is required to refuse.
#[derive(Debug, WireBody)]
pub struct Check {
    pub verdict: operation::Check,
    #[wire(Words(REASON))]
    pub reason: Option<String>,
}
