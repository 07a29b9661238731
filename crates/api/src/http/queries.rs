//! Query parameters of the lists.

use chrono::{DateTime, NaiveDate, Utc};
use claims::identifiers::JurisdictionCode;
use policy::Lang;
use utoipa::IntoParams;

use crate::http::bodies::request_words;
use crate::http::extract::Params;
use crate::http::field_limits;
use crate::http::fields::{Fields, Slot};

request_words! {
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
