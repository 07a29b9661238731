//! The access log: who looked at personal data, when, at what and why.

use api_macros::operation;

use chrono::{DateTime, NaiveDate, Utc};
use claims::{ClaimId, DisbursementId};
use serde::Serialize;
use service::identity::{PersonalRead, ReadsQuery};
use service::operation::access::ReadTrail;
use utoipa::ToSchema;
use wire_derive::WireQuery;

use crate::http::answer::{Answer, Json, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::extract::{Path, Query};
use crate::http::field_limits::PERSON;
use crate::http::queries::{LedgerPath, PageQuery};
use crate::http::state::ApiState;
use crate::http::views::PageView;
use crate::http::wire::{Day, Pattern, Words};

/// 查看留痕 · List looks at personal data
///
/// Who looked at personal data of the county, when, at what and why; newest first.
#[operation(get "/v1/ledgers/{jurisdiction}/reads", tag = Ledgers, answer = "A page of looks.")]
pub(crate) async fn list_personal_reads(
    api: ApiState,
    caller: Authenticated<ReadTrail>,
    path: Path<LedgerPath>,
    query: Query<ReadsOf>,
) -> Answer<Json<PageView<PersonalReadView>>> {
    let (jurisdiction, Query(query)) = (path.0.jurisdiction, query);
    let page = query.page;
    let reads = ReadsQuery {
        person: query.person,
        subject: query.subject,
        from: query.from,
        to: query.to,
    };
    let cursor = page.cursor.as_deref();
    let list = api
        .service
        .identity()
        .personal_reads(&caller.permit, jurisdiction.as_str(), &reads, cursor, page.limit)
        .await;
    ok(&PageView::of(paged(list)?, PersonalReadView::from))
}

/// Somebody looked at personal data.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PersonalRead)]
pub struct PersonalReadView {
    #[schema(max_length = 36, format = Uuid)]
    pub id: String,
    pub at: DateTime<Utc>,
    #[schema(max_length = 100)]
    pub person: String,
    /// The credential.
    #[schema(max_length = 100)]
    pub actor: String,
    /// `reveal`: a claim; `hand_out_instruction`: a file for the bank, with the accounts of payees; `export_claims`: claims in clear.
    #[schema(max_length = 64, example = "reveal")]
    pub verb: String,
    /// The claim or disbursement; of an export `ledger:<county>`.
    #[schema(max_length = 64)]
    pub subject: String,
    /// Of the subject, as it was seen.
    #[schema(minimum = 1)]
    pub revision: Option<i32>,
    /// Why; of an instruction the name of the file; of an export how many claims of what, and why.
    #[schema(max_length = 700)]
    pub reason: Option<String>,
    /// Id of the request.
    #[schema(max_length = 64)]
    pub request: Option<String>,
}

impl From<PersonalRead> for PersonalReadView {
    fn from(it: PersonalRead) -> PersonalReadView {
        PersonalReadView {
            id: it.id.to_string(),
            at: it.at,
            person: it.person,
            actor: it.actor,
            verb: it.verb,
            subject: it.subject,
            revision: it.revision,
            reason: it.reason,
            request: it.request,
        }
    }
}

/// Which looks at personal data.
#[derive(Debug, Clone, WireQuery)]
pub struct ReadsOf {
    /// Who looked.
    #[wire(Words(PERSON))]
    pub person: Option<String>,
    /// The claim or disbursement that was looked at. Looks by export are of `ledger:<county>` and are not found by a claim's id.
    #[wire(SUBJECT)]
    pub subject: Option<String>,
    /// First day, Asia/Shanghai.
    #[wire(Day)]
    pub from: Option<NaiveDate>,
    /// Last day, Asia/Shanghai.
    #[wire(Day)]
    pub to: Option<NaiveDate>,
    #[wire(flatten)]
    pub page: PageQuery,
}

const SUBJECT: Pattern = Pattern {
    longest: 46,
    pattern: "^(clm|dsb)_[0-9]{6,9}_[0-9a-f]{32}$",
    parse: |text| {
        let known = ClaimId::parse(text).is_ok() || DisbursementId::parse(text).is_ok();
        known.then(|| text.to_owned())
    },
    zh: "须为申领编号或支付批次编号",
    en: "it is the id of a claim or a disbursement",
};
