//! Query parameters of the exports.

use chrono::NaiveDate;
use claims::ClaimId;
use claims::identifiers::{JurisdictionCode, ProgrammeId};
use utoipa::IntoParams;

use crate::http::bodies::request_words;
use crate::http::extract::Params;
use crate::http::field_limits;
use crate::http::fields::{Fields, Slot};
use crate::http::queries::{Headings, YesNo, day};

request_words! {
    /// Format of an export of a ledger.
    LedgerFormat { Csv = "csv", Jsonl = "jsonl", Xlsx = "xlsx", Parquet = "parquet", Gbt24589 = "gbt24589" }
    /// Format of a table.
    TableFormat { Csv = "csv", Jsonl = "jsonl", Xlsx = "xlsx", Parquet = "parquet" }
    /// How accounting data is written down.
    AccountingSyntax { Xml = "xml", Json = "json" }
    /// Encoding of accounting data.
    AccountingEncoding { Utf8 = "utf-8", Gb18030 = "gb18030" }
}

impl LedgerFormat {
    /// The table's format; none if it is accounting data.
    pub fn table(self) -> Option<TableFormat> {
        match self {
            Self::Csv => Some(TableFormat::Csv),
            Self::Jsonl => Some(TableFormat::Jsonl),
            Self::Xlsx => Some(TableFormat::Xlsx),
            Self::Parquet => Some(TableFormat::Parquet),
            Self::Gbt24589 => None,
        }
    }
}

impl TableFormat {
    /// A file of lines that one which broke off can go on behind.
    fn is_lines(self) -> bool {
        matches!(self, Self::Csv | Self::Jsonl)
    }
}

/// Which part of a ledger is exported, and how.
#[derive(Debug, Clone)]
pub enum LedgerExportQuery {
    Table {
        format: TableFormat,
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
        programme: Option<ProgrammeId>,
        headings: Option<Headings>,
        after: Option<(JurisdictionCode, i64)>,
    },
    Accounting {
        from: NaiveDate,
        to: NaiveDate,
        syntax: AccountingSyntax,
        encoding: AccountingEncoding,
    },
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LedgerExportParams {
    #[param(inline)]
    pub format: LedgerFormat,
    /// First day, Asia/Shanghai. `gbt24589` asks for it.
    pub from: Option<NaiveDate>,
    /// Last day, Asia/Shanghai. `gbt24589` asks for it, at most 366 days in all.
    pub to: Option<NaiveDate>,
    /// Not with `gbt24589`: books are whole.
    #[param(pattern = "^[a-z0-9-]{1,64}$", max_length = 64)]
    pub programme: Option<String>,
    /// Language of headings and words in `csv` (`en` if it is left out) and `xlsx` (that of `Accept-Language`).
    #[param(inline)]
    pub lang: Option<Headings>,
    /// `csv` and `jsonl` only: jurisdiction and height of the last whole line of a file that broke off. This one begins behind it, without
    /// heading.
    #[param(
        pattern = "^[1-9][0-9]{5}([0-9]{3})?:[0-9]{1,18}$",
        max_length = 28,
        example = "140802:170880"
    )]
    pub after: Option<String>,
    /// `gbt24589` only; `xml` if it is left out.
    #[param(inline)]
    pub syntax: Option<AccountingSyntax>,
    /// `gbt24589` only; `utf-8` if it is left out.
    #[param(inline)]
    pub encoding: Option<AccountingEncoding>,
}

impl Params for LedgerExportQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let format = f.required("format", LedgerFormat::read);
        let (from, to) = (f.optional("from", day), f.optional("to", day));
        let programme = f.optional("programme", |s| s.parse(ProgrammeId::parse));
        let headings = f.optional("lang", Headings::read);
        let after = f.optional("after", place);
        let syntax = f.optional("syntax", AccountingSyntax::read);
        let encoding = f.optional("encoding", AccountingEncoding::read);
        let format = format?;
        let (from, to, programme, headings) = (from?, to?, programme?, headings?);
        let (after, syntax, encoding) = (after?, syntax?, encoding?);
        let Some(table) = format.table() else {
            refuse(
                f,
                &[
                    ("programme", programme.is_some()),
                    ("lang", headings.is_some()),
                    ("after", after.is_some()),
                ],
            );
            return Some(Self::Accounting {
                from: asked(f, "from", from)?,
                to: asked(f, "to", to)?,
                syntax: syntax.unwrap_or(AccountingSyntax::Xml),
                encoding: encoding.unwrap_or(AccountingEncoding::Utf8),
            });
        };
        refuse(
            f,
            &[
                ("after", after.is_some() && !table.is_lines()),
                ("syntax", syntax.is_some()),
                ("encoding", encoding.is_some()),
            ],
        );
        Some(Self::Table {
            format: table,
            from,
            to,
            programme,
            headings,
            after,
        })
    }
}

/// Reports what is given and has no meaning with this format.
fn refuse(f: &Fields<'_>, given: &[(&str, bool)]) {
    for (name, _) in given.iter().filter(|(_, wrong)| *wrong) {
        f.error(
            name,
            "not-with-format",
            "所选格式不支持该参数",
            "the format has no such parameter",
        );
    }
}

fn asked<T>(f: &Fields<'_>, name: &str, value: Option<T>) -> Option<T> {
    if value.is_none() {
        f.error(name, "missing", "缺少该字段", "the field is missing");
    }
    value
}

/// `<jurisdiction>:<height>`.
fn place(slot: &Slot<'_>) -> Option<(JurisdictionCode, i64)> {
    let read = |text: &str| {
        let (county, height) = text.split_once(':')?;
        let digits = (1..=18).contains(&height.len()) && height.bytes().all(|b| b.is_ascii_digit());
        let height = height.parse().ok().filter(|_| digits)?;
        Some((JurisdictionCode::parse(county).ok()?, height))
    };
    read(slot.text(field_limits::IDENTIFIER)?).or_else(|| {
        slot.wrong(
            "form",
            "须为“辖区代码:序号”，取自最后一个完整行",
            "it is <jurisdiction>:<height> of the last whole line",
        )
    })
}

/// Which claims are exported, and how.
#[derive(Debug, Clone)]
pub struct ClaimsExportQuery {
    pub format: TableFormat,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub programme: Option<ProgrammeId>,
    pub headings: Option<Headings>,
    pub after: Option<ClaimId>,
    pub reveal: bool,
    pub reason: Option<String>,
}

/// For the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClaimsExportParams {
    #[param(inline)]
    pub format: TableFormat,
    /// First day of arrival, Asia/Shanghai.
    pub from: Option<NaiveDate>,
    /// Last day of arrival, Asia/Shanghai.
    pub to: Option<NaiveDate>,
    #[param(pattern = "^[a-z0-9-]{1,64}$", max_length = 64)]
    pub programme: Option<String>,
    /// Language of headings and words in `csv` (`en` if it is left out) and `xlsx` (that of `Accept-Language`).
    #[param(inline)]
    pub lang: Option<Headings>,
    /// `csv` and `jsonl` only: the last claim of a file that broke off. This one begins behind it, without heading.
    #[param(pattern = "^clm_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub after: Option<String>,
    /// `true`: personal data in clear. It takes the right `reveal-claims` and a reason, and leaves an audit event.
    #[param(inline)]
    pub reveal: Option<YesNo>,
    /// Why personal data is looked at.
    #[param(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

impl Params for ClaimsExportQuery {
    fn read(f: &mut Fields<'_>) -> Option<Self> {
        let format = f.required("format", TableFormat::read);
        let (from, to) = (f.optional("from", day), f.optional("to", day));
        let programme = f.optional("programme", |s| s.parse(ProgrammeId::parse));
        let headings = f.optional("lang", Headings::read);
        let after = f.optional("after", |s| s.id::<ClaimId>());
        let reveal = f.optional("reveal", YesNo::read);
        let reason = f.optional("reason", |s| s.words(field_limits::REASON));
        let (format, after) = (format?, after?);
        refuse(f, &[("after", after.is_some() && !format.is_lines())]);
        Some(ClaimsExportQuery {
            format,
            from: from?,
            to: to?,
            programme: programme?,
            headings: headings?,
            after,
            reveal: reveal? == Some(YesNo::True),
            reason: reason?,
        })
    }
}
