//! What the use cases need from outside the database: time, ids, the receiver of events, the bank, and merchants' webhooks.

mod bank;
mod clock;
mod events;
mod webhooks;

use std::future::Future;
use std::pin::Pin;

pub use bank::{
    Bank, BankError, BankFile, FileName, LARGEST_BANK_FILE, NotABankFile, RESULTS_PAGE, ResultsPage,
    Submitted,
};
pub use clock::{Clock, Ids, ManualClock, SystemClock};
pub use events::{EventSink, PartnerError, ToldEvent};
pub use webhooks::{
    Delivered, LARGEST_WEBHOOK, UrlRefused, WebhookFailure, WebhookMessage, WebhookTarget, Webhooks,
    webhook_schedule,
};

/// What a port answers with: a trait of async functions cannot be an object, and which adapter is used is configured.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
