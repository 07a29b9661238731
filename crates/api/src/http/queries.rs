//! Query parameters of the lists.

use chrono::{DateTime, NaiveDate, Utc};
use claims::ClaimId;
use claims::identifiers::{CreditCode, JurisdictionCode, ProgrammeId};
use claims::life_cycle::Status;
use policy::Lang;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::bodies::request_words;
use crate::http::extract::Params;
use crate::http::field_limits;
use crate::http::fields::{Fields, Slot};

request_words! {
    /// `newest` first, or `queue`: the order of arrival, in which reviewers work.
    ListOrder { Newest = "newest", Queue = "queue" }
    /// What becomes of a batch when a line is refused: the others are recorded, or nothing is.
    BulkMode { Continue = "continue", Atomic = "atomic" }
    /// Format of a closing.
    ClosingFormat { Json = "json", Csv = "csv" }
    /// Format of an instruction to the bank.
    InstructionFormat { Csv = "csv", Pain001 = "pain.001" }
    /// Yes or no.
    YesNo { True = "true", False = "false" }
    /// Language of an export's headings.
    Headings { Zh = "zh", En = "en" }
}

impl From<Headings> for Lang {
    fn from(headings: Headings) -> Lang {
        match headings {
            Headings::Zh => Lang::Zh,
            Headings::En => Lang::En,
        }
    }
}

/// Which part of a list.
#[derive(Debug, Clone)]
pub struct PageQuery {
    pub cursor: Option<String>,
    pub limit: usize,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// How many items at most; 50 if it is left out.
    #[param(minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(max_length = 400)]
    pub cursor: Option<String>,
}

pub(crate) fn page(f: &mut Fields<'_>) -> Option<PageQuery> {
    let limit = f.optional("limit", |s| s.whole(1, field_limits::PAGE_MAX));
    let cursor = f.optional("cursor", |s| s.text(field_limits::CURSOR).map(str::to_owned));
    let limit = usize::try_from(limit?.unwrap_or(field_limits::PAGE_DEFAULT)).ok()?;
    Some(PageQuery {
        cursor: cursor?,
        limit,
    })
}

impl Params for PageQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        page(f)
    }
}

/// An operation without parameters refuses every one.
#[derive(Debug, Clone, Copy)]
pub struct NoParams;

impl Params for NoParams {
    fn read(_: &mut Fields<'_>) -> Option<Self> {
        Some(NoParams)
    }
}

pub(crate) fn instant(slot: &Slot<'_>) -> Option<DateTime<Utc>> {
    let instant = DateTime::parse_from_rfc3339(slot.text(40)?)
        .ok()
        .map(|it| it.with_timezone(&Utc));
    // PostgreSQL's range is narrower than RFC 3339's at one end only, but nobody's ledger starts before it.
    let possible = instant.filter(|it| (2000..=2999).contains(&chrono::Datelike::year(it)));
    possible.or_else(|| {
        slot.wrong(
            "instant",
            "须为 RFC 3339 时刻（2000 年至 2999 年）",
            "it is an RFC 3339 instant of the years 2000 to 2999",
        )
    })
}

pub(crate) fn day(slot: &Slot<'_>) -> Option<NaiveDate> {
    let date = slot.date()?;
    if (2000..=2999).contains(&chrono::Datelike::year(&date)) {
        Some(date)
    } else {
        slot.wrong(
            "date",
            "须在 2000 年至 2999 年之间",
            "it is of the years 2000 to 2999",
        )
    }
}

/// Which claims.
#[derive(Debug, Clone)]
pub struct ClaimsQuery {
    pub jurisdiction: Option<JurisdictionCode>,
    pub programme: Option<ProgrammeId>,
    pub status: Option<Status>,
    pub merchant: Option<CreditCode>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub order: ListOrder,
    pub as_of: Option<DateTime<Utc>>,
    pub page: PageQuery,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClaimsParams {
    #[param(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: Option<String>,
    #[param(pattern = "^[a-z0-9-]{1,64}$", max_length = 64)]
    pub programme: Option<String>,
    #[param(inline)]
    pub status: Option<crate::http::words::StatusWord>,
    /// Credit code.
    #[param(min_length = 18, max_length = 64)]
    pub merchant: Option<String>,
    /// First day of arrival, Asia/Shanghai.
    pub from: Option<NaiveDate>,
    /// Last day of arrival, Asia/Shanghai.
    pub to: Option<NaiveDate>,
    #[param(inline)]
    pub order: Option<ListOrder>,
    /// The claims as they stood at this instant, those that had arrived by then; as they stand now if it is left out. With a status that few
    /// claims had, a page may be shorter than its limit and have a next one.
    pub as_of: Option<DateTime<Utc>>,
}

impl Params for ClaimsQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let jurisdiction = f.optional("jurisdiction", |s| s.parse(JurisdictionCode::parse));
        let programme = f.optional("programme", |s| s.parse(ProgrammeId::parse));
        let status = f.optional("status", |s| s.word(Status::WORDS, Status::parse));
        let merchant = f.optional("merchant", |s| s.parse(CreditCode::parse));
        let from = f.optional("from", day);
        let to = f.optional("to", day);
        let order = f.optional("order", ListOrder::read);
        let as_of = f.optional("as_of", instant);
        let page = page(f);
        Some(ClaimsQuery {
            jurisdiction: jurisdiction?,
            programme: programme?,
            status: status?,
            merchant: merchant?,
            from: from?,
            to: to?,
            order: order?.unwrap_or(ListOrder::Newest),
            as_of: as_of?,
            page: page?,
        })
    }
}

/// A list of one fund's records, or of all that the caller may see.
#[derive(Debug, Clone)]
pub struct FundQuery {
    pub jurisdiction: Option<JurisdictionCode>,
    pub programme: Option<ProgrammeId>,
    pub page: PageQuery,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FundParams {
    #[param(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: Option<String>,
    #[param(pattern = "^[a-z0-9-]{1,64}$", max_length = 64)]
    pub programme: Option<String>,
}

impl Params for FundQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let jurisdiction = f.optional("jurisdiction", |s| s.parse(JurisdictionCode::parse));
        let programme = f.optional("programme", |s| s.parse(ProgrammeId::parse));
        let page = page(f);
        Some(FundQuery {
            jurisdiction: jurisdiction?,
            programme: programme?,
            page: page?,
        })
    }
}

/// A list of one county's records, or of all that the caller may see.
#[derive(Debug, Clone)]
pub struct JurisdictionQuery {
    pub jurisdiction: Option<JurisdictionCode>,
    pub page: PageQuery,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JurisdictionParams {
    #[param(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: Option<String>,
}

impl Params for JurisdictionQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let jurisdiction = f.optional("jurisdiction", |s| s.parse(JurisdictionCode::parse));
        let page = page(f);
        Some(JurisdictionQuery {
            jurisdiction: jurisdiction?,
            page: page?,
        })
    }
}

/// Balances as of an instant.
#[derive(Debug, Clone, Copy)]
pub struct AsOfQuery {
    pub as_of: Option<DateTime<Utc>>,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AsOfParams {
    /// The balances at this instant; now if it is left out.
    pub as_of: Option<DateTime<Utc>>,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClaimAsOfParams {
    /// The claim as it stood at this instant; as it stands now if it is left out.
    pub as_of: Option<DateTime<Utc>>,
}

impl Params for AsOfQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        f.optional("as_of", instant).map(|as_of| AsOfQuery { as_of })
    }
}

/// Which transfers.
#[derive(Debug, Clone)]
pub struct TransfersQuery {
    pub programme: Option<ProgrammeId>,
    pub claim: Option<ClaimId>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub page: PageQuery,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TransfersParams {
    #[param(pattern = "^[a-z0-9-]{1,64}$", max_length = 64)]
    pub programme: Option<String>,
    /// One claim's transfers.
    #[param(pattern = "^clm_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub claim: Option<String>,
    /// First day, Asia/Shanghai.
    pub from: Option<NaiveDate>,
    /// Last day, Asia/Shanghai.
    pub to: Option<NaiveDate>,
}

impl Params for TransfersQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let programme = f.optional("programme", |s| s.parse(ProgrammeId::parse));
        let claim = f.optional("claim", |s| s.id::<ClaimId>());
        let from = f.optional("from", day);
        let to = f.optional("to", day);
        let page = page(f);
        Some(TransfersQuery {
            programme: programme?,
            claim: claim?,
            from: from?,
            to: to?,
            page: page?,
        })
    }
}

/// How a closing is written.
#[derive(Debug, Clone, Copy)]
pub struct ClosingQuery {
    pub format: ClosingFormat,
    pub headings: Headings,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClosingParams {
    /// `json` if it is left out.
    #[param(inline)]
    pub format: Option<ClosingFormat>,
    /// Language of the table's headings and names; `en` if it is left out.
    #[param(inline)]
    pub lang: Option<Headings>,
}

impl Params for ClosingQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let format = f.optional("format", ClosingFormat::read);
        let headings = f.optional("lang", Headings::read);
        Some(ClosingQuery {
            format: format?.unwrap_or(ClosingFormat::Json),
            headings: headings?.unwrap_or(Headings::En),
        })
    }
}

/// How a batch is taken.
#[derive(Debug, Clone, Copy)]
pub struct BulkQuery {
    pub mode: BulkMode,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BulkParams {
    /// `continue` if it is left out; `atomic` takes at most 1,000 lines.
    #[param(inline)]
    pub mode: Option<BulkMode>,
}

impl Params for BulkQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        f.optional("mode", BulkMode::read).map(|mode| BulkQuery {
            mode: mode.unwrap_or(BulkMode::Continue),
        })
    }
}

/// A version of a programme.
#[derive(Debug, Clone, Copy)]
pub struct VersionQuery {
    pub version: Option<u32>,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VersionParams {
    /// The newest if it is left out.
    #[param(minimum = 1, maximum = 1000000)]
    pub version: Option<u32>,
}

impl Params for VersionQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        f.optional("version", |s| s.whole(1, 1_000_000))
            .map(|version| VersionQuery { version })
    }
}

/// Format of an instruction.
#[derive(Debug, Clone, Copy)]
pub struct InstructionQuery {
    pub format: InstructionFormat,
    pub part: usize,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InstructionParams {
    /// `csv` if it is left out.
    #[param(inline)]
    pub format: Option<InstructionFormat>,
    /// Which file, if the bank's limit of entries makes it more than one; the first if it is left out.
    #[param(minimum = 1, maximum = 999)]
    pub part: Option<u32>,
}

impl Params for InstructionQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let format = f.optional("format", InstructionFormat::read);
        let part = f.optional("part", |s| s.whole(1, 999));
        Some(InstructionQuery {
            format: format?.unwrap_or(InstructionFormat::Csv),
            part: usize::try_from(part?.unwrap_or(1)).ok()?,
        })
    }
}

/// One county.
#[derive(Debug, Clone)]
pub struct CountyQuery {
    pub jurisdiction: JurisdictionCode,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CountyParams {
    #[param(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: String,
}

impl Params for CountyQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let jurisdiction = f.required("jurisdiction", |s| s.parse(JurisdictionCode::parse));
        jurisdiction.map(|jurisdiction| CountyQuery { jurisdiction })
    }
}

/// Days of one county.
#[derive(Debug, Clone)]
pub struct DaysQuery {
    pub jurisdiction: JurisdictionCode,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DaysParams {
    #[param(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: String,
    /// First day, Asia/Shanghai.
    pub from: NaiveDate,
    /// Last day, Asia/Shanghai; at most 366 days in all.
    pub to: NaiveDate,
}

impl Params for DaysQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let jurisdiction = f.required("jurisdiction", |s| s.parse(JurisdictionCode::parse));
        let (from, to) = (f.required("from", day), f.required("to", day));
        Some(DaysQuery {
            jurisdiction: jurisdiction?,
            from: from?,
            to: to?,
        })
    }
}

/// Holds.
#[derive(Debug, Clone)]
pub struct HoldsQuery {
    pub jurisdiction: Option<JurisdictionCode>,
    pub lifted: bool,
    pub page: PageQuery,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HoldsParams {
    #[param(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: Option<String>,
    /// `true`: those that were lifted, too.
    #[param(inline)]
    pub lifted: Option<YesNo>,
}

impl Params for HoldsQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let jurisdiction = f.optional("jurisdiction", |s| s.parse(JurisdictionCode::parse));
        let lifted = f.optional("lifted", YesNo::read);
        let page = page(f);
        Some(HoldsQuery {
            jurisdiction: jurisdiction?,
            lifted: lifted? == Some(YesNo::True),
            page: page?,
        })
    }
}
