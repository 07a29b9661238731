//! Query parameters of the lists.

use chrono::{DateTime, NaiveDate, Utc};
use claims::identifiers::{JurisdictionCode, ProgrammeId};
use policy::Lang;
use utoipa::IntoParams;

use crate::http::bodies::request_words;
use crate::http::extract::Params;
use crate::http::field_limits;
use crate::http::fields::{Fields, Slot};

request_words! {
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

impl Params for AsOfQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        f.optional("as_of", instant).map(|as_of| AsOfQuery { as_of })
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
