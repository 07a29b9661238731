//! Files on their way to the bank and reports that were fetched from it: as they are asked for and answered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use service::disburse::{HeardReport, Submission, SubmissionResolution};
use utoipa::{IntoParams, ToSchema};

use crate::http::bodies::{reason, request_words};
use crate::http::extract::{Params, Wire};
use crate::http::fields::Fields;
use crate::http::queries::{PageQuery, YesNo, page};

request_words! {
    /// What is done about a file: the same orders under a new name, or a person takes it to the bank.
    SubmissionResolutionWord { SubmitAgain = "submit_again", ByHand = "by_hand" }
}

impl From<SubmissionResolutionWord> for SubmissionResolution {
    fn from(word: SubmissionResolutionWord) -> SubmissionResolution {
        match word {
            SubmissionResolutionWord::SubmitAgain => SubmissionResolution::SubmitAgain,
            SubmissionResolutionWord::ByHand => SubmissionResolution::ByHand,
        }
    }
}

/// What is done about a file that the bank refused, or cannot have yet.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveSubmission {
    pub resolution: SubmissionResolutionWord,
    #[schema(min_length = 1, max_length = 500, example = "银行已开通代发业务")]
    pub reason: String,
}

impl Wire for ResolveSubmission {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let resolution = f.required("resolution", SubmissionResolutionWord::read);
        let reason = f.required("reason", reason);
        Some(ResolveSubmission {
            resolution: resolution?,
            reason: reason?,
        })
    }
}

/// A file of the instruction on its way to the bank.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Submission)]
pub struct SubmissionView {
    /// Which file of the instruction, from 1.
    #[schema(minimum = 1, maximum = 999)]
    pub part: i32,
    /// Goes up when the same orders are submitted again under a new name.
    #[schema(minimum = 1)]
    pub version: i32,
    #[schema(max_length = 100)]
    pub name: String,
    /// `queued`; `taken` by the bank; `refused` by it, which waits for a person; `settled`: what became of a payment in it was known before;
    /// `by_hand`; `replaced` by the next version.
    #[schema(max_length = 10, example = "taken")]
    pub status: String,
    #[schema(minimum = 0)]
    pub attempts: i32,
    /// The bank may have it: it is submitted with the same key until the bank says, and nobody else may take it there.
    pub in_doubt: bool,
    /// What stood in the way last: `account_missing`, `unavailable`, `unknown` or `refused`.
    #[schema(max_length = 20)]
    pub problem: Option<String>,
    #[schema(max_length = 300)]
    pub why: Option<String>,
    pub queued_at: DateTime<Utc>,
    /// The last attempt.
    pub submitted_at: Option<DateTime<Utc>>,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// Of the bytes, hex.
    #[schema(max_length = 64)]
    pub sha256: Option<String>,
    /// What the bank calls it.
    #[schema(max_length = 100)]
    pub reference: Option<String>,
    /// The reason that a person gave.
    #[schema(max_length = 500)]
    pub resolution: Option<String>,
}

impl From<Submission> for SubmissionView {
    fn from(it: Submission) -> SubmissionView {
        SubmissionView {
            part: it.part,
            version: it.version,
            name: it.name,
            status: it.status,
            attempts: it.attempts,
            in_doubt: it.in_doubt,
            problem: it.problem,
            why: it.why,
            queued_at: it.queued_at,
            submitted_at: it.submitted_at,
            next_attempt_at: it.next_at,
            closed_at: it.closed_at,
            sha256: it.sha256,
            reference: it.reference,
            resolution: it.resolution,
        }
    }
}

/// A report that was fetched from the bank.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BankReport)]
pub struct HeardReportView {
    #[schema(max_length = 100)]
    pub name: String,
    /// Of the bytes, hex.
    #[schema(max_length = 64)]
    pub sha256: String,
    #[schema(minimum = 0)]
    pub bytes: i32,
    /// `recorded`, or `unreadable`: set aside, nothing of it was recorded.
    #[schema(max_length = 10)]
    pub status: String,
    /// How much it said of payments.
    #[schema(minimum = 0)]
    pub results: i32,
    /// How much of that was set aside as bank exceptions.
    #[schema(minimum = 0)]
    pub exceptions: i32,
    pub fault: Option<ReportFaultView>,
    pub received_at: DateTime<Utc>,
}

/// Why a report cannot be read, and where.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReportFault)]
pub struct ReportFaultView {
    #[schema(max_length = 100)]
    pub code: String,
    #[schema(minimum = 0)]
    pub line: i64,
    #[schema(minimum = 0)]
    pub column: i64,
}

impl From<HeardReport> for HeardReportView {
    fn from(it: HeardReport) -> HeardReportView {
        HeardReportView {
            name: it.name,
            sha256: it.sha256,
            bytes: it.bytes,
            status: it.status,
            results: it.results,
            exceptions: it.exceptions,
            fault: it
                .fault
                .map(|(code, line, column)| ReportFaultView { code, line, column }),
            received_at: it.received_at,
        }
    }
}

/// Which reports.
#[derive(Debug, Clone)]
pub struct ReportsQuery {
    pub unreadable: bool,
    pub page: PageQuery,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportsParams {
    /// `true`: only those that could not be read.
    #[param(inline)]
    pub unreadable: Option<YesNo>,
}

impl Params for ReportsQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let unreadable = f.optional("unreadable", YesNo::read);
        let page = page(f);
        Some(ReportsQuery {
            unreadable: unreadable? == Some(YesNo::True),
            page: page?,
        })
    }
}
