//! The access log: who looked at personal data, when, at what and why.

use api_macros::operation;

use chrono::{DateTime, NaiveDate, Utc};
use claims::{ClaimId, DisbursementId};
use serde::Serialize;
use service::identity::{PersonalRead, ReadsQuery};
use service::operation::access::ReadTrail;
use utoipa::{IntoParams, ToSchema};

use crate::http::answer::{Answer, Json, ok, paged};
use crate::http::authenticated::Authenticated;
use crate::http::extract::documented::JurisdictionPath;
use crate::http::extract::{Params, PathText, Query};
use crate::http::field_limits;
use crate::http::fields::{Fields, Slot};
use crate::http::queries::{PageQuery, day, page};
use crate::http::state::ApiState;
use crate::http::views::PageView;

/// 查看留痕 · List looks at personal data
///
/// Who looked at personal data of the county, when, at what and why; newest first.
#[operation(get "/v1/ledgers/{jurisdiction}/reads", tag = Ledgers, answer = "A page of looks.")]
pub(crate) async fn list_personal_reads(
    api: ApiState,
    caller: Authenticated<ReadTrail>,
    path: PathText<JurisdictionPath>,
    query: Query<ReadsOf>,
) -> Answer<Json<PageView<PersonalReadView>>> {
    let (jurisdiction, Query(ReadsOf { reads, page })) = (path.county()?, query);
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
#[derive(Debug, Clone)]
pub struct ReadsOf {
    pub reads: ReadsQuery,
    pub page: PageQuery,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReadsParams {
    /// Who looked.
    #[param(min_length = 1, max_length = 100)]
    pub person: Option<String>,
    /// The claim or disbursement that was looked at. Looks by export are of `ledger:<county>` and are not found by a claim's id.
    #[param(pattern = "^(clm|dsb)_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub subject: Option<String>,
    /// First day, Asia/Shanghai.
    pub from: Option<NaiveDate>,
    /// Last day, Asia/Shanghai.
    pub to: Option<NaiveDate>,
}

impl Params for ReadsOf {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let person = f.optional("person", |s| s.words(100));
        let subject = f.optional("subject", subject);
        let (from, to) = (f.optional("from", day), f.optional("to", day));
        let page = page(f);
        Some(ReadsOf {
            reads: ReadsQuery {
                person: person?,
                subject: subject?,
                from: from?,
                to: to?,
            },
            page: page?,
        })
    }
}

fn subject(slot: &Slot<'_>) -> Option<String> {
    let is_id = |text: &str| ClaimId::parse(text).is_ok() || DisbursementId::parse(text).is_ok();
    slot.pattern(
        field_limits::IDENTIFIER,
        is_id,
        "须为申领编号或支付批次编号",
        "it is the id of a claim or a disbursement",
    )
}
