//! Query parameters of the exports.

use chrono::NaiveDate;
use claims::ClaimId;
use claims::identifiers::{JurisdictionCode, ProgrammeId};
use policy::Lang;
use service::audit::export::{Encoding, Format, Syntax};
use wire_derive::WireQuery;

use crate::http::field_limits::REASON;
use crate::http::fields::Fields;
use crate::http::queries::YesNo;
use crate::http::wire::{Day, Pattern, Words, request_words};

request_words! {
    /// Format of an export of a ledger.
    pub enum LedgerFormat { Csv = "csv", Jsonl = "jsonl", Xlsx = "xlsx", Parquet = "parquet", Gbt24589 = "gbt24589" }
    /// Format of a table.
    Format as "TableFormat" { Csv = "csv", JsonLines = "jsonl", Xlsx = "xlsx", Parquet = "parquet" }
    /// How accounting data is written down.
    Syntax as "AccountingSyntax" { Xml = "xml", Json = "json" }
    /// Encoding of accounting data.
    Encoding as "AccountingEncoding" { Utf8 = "utf-8", Gb18030 = "gb18030" }
}

impl LedgerFormat {
    /// The table's format; none if it is accounting data.
    fn table(self) -> Option<Format> {
        match self {
            Self::Csv => Some(Format::Csv),
            Self::Jsonl => Some(Format::JsonLines),
            Self::Xlsx => Some(Format::Xlsx),
            Self::Parquet => Some(Format::Parquet),
            Self::Gbt24589 => None,
        }
    }
}

/// A file of lines that one which broke off can go on behind.
fn is_lines(format: Format) -> bool {
    matches!(format, Format::Csv | Format::JsonLines)
}

/// Which part of a ledger is exported, and how.
#[derive(Debug, Clone)]
pub enum LedgerExportOf {
    Table {
        format: Format,
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
        programme: Option<ProgrammeId>,
        headings: Option<Lang>,
        after: Option<(JurisdictionCode, i64)>,
    },
    Accounting {
        from: NaiveDate,
        to: NaiveDate,
        syntax: Syntax,
        encoding: Encoding,
    },
}

/// Which part of a ledger is exported, and how, as it is asked for.
#[derive(Debug, Clone, WireQuery)]
#[wire(refine = LedgerExportOf)]
pub struct LedgerExportQuery {
    pub format: LedgerFormat,
    /// First day, Asia/Shanghai. `gbt24589` asks for it.
    #[wire(Day)]
    pub from: Option<NaiveDate>,
    /// Last day, Asia/Shanghai. `gbt24589` asks for it, at most 366 days in all.
    #[wire(Day)]
    pub to: Option<NaiveDate>,
    /// Not with `gbt24589`: books are whole.
    pub programme: Option<ProgrammeId>,
    /// Language of headings and words in `csv` (`en` if it is left out) and `xlsx` (that of `Accept-Language`).
    #[wire(name = "lang")]
    pub headings: Option<Lang>,
    /// `csv` and `jsonl` only: jurisdiction and height of the last whole line of a file that broke off. This one begins behind it, without
    /// heading.
    #[wire(LAST_LINE, example = "140802:170880")]
    pub after: Option<(JurisdictionCode, i64)>,
    /// `gbt24589` only; `xml` if it is left out.
    pub syntax: Option<Syntax>,
    /// `gbt24589` only; `utf-8` if it is left out.
    pub encoding: Option<Encoding>,
}

impl LedgerExportQuery {
    fn refine(self, f: &Fields<'_>) -> Option<LedgerExportOf> {
        let Some(format) = self.format.table() else {
            refuse(
                f,
                &[
                    ("programme", self.programme.is_some()),
                    ("lang", self.headings.is_some()),
                    ("after", self.after.is_some()),
                ],
            );
            let (from, to) = (asked(f, "from", self.from), asked(f, "to", self.to));
            return Some(LedgerExportOf::Accounting {
                from: from?,
                to: to?,
                syntax: self.syntax.unwrap_or(Syntax::Xml),
                encoding: self.encoding.unwrap_or(Encoding::Utf8),
            });
        };
        refuse(
            f,
            &[
                ("after", self.after.is_some() && !is_lines(format)),
                ("syntax", self.syntax.is_some()),
                ("encoding", self.encoding.is_some()),
            ],
        );
        Some(LedgerExportOf::Table {
            format,
            from: self.from,
            to: self.to,
            programme: self.programme,
            headings: self.headings,
            after: self.after,
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
const LAST_LINE: Pattern<(JurisdictionCode, i64)> = Pattern {
    longest: 28,
    pattern: "^[1-9][0-9]{5}([0-9]{3})?:[0-9]{1,18}$",
    parse: |text| {
        let (county, height) = text.split_once(':')?;
        let digits = (1..=18).contains(&height.len()) && height.bytes().all(|b| b.is_ascii_digit());
        let height = height.parse().ok().filter(|_| digits)?;
        Some((JurisdictionCode::parse(county).ok()?, height))
    },
    zh: "须为“辖区代码:序号”，取自最后一个完整行",
    en: "it is <jurisdiction>:<height> of the last whole line",
};

/// Which claims are exported, and how.
#[derive(Debug, Clone, WireQuery)]
#[wire(check(format, after))]
pub struct ClaimsExportQuery {
    pub format: Format,
    /// First day of arrival, Asia/Shanghai.
    #[wire(Day)]
    pub from: Option<NaiveDate>,
    /// Last day of arrival, Asia/Shanghai.
    #[wire(Day)]
    pub to: Option<NaiveDate>,
    pub programme: Option<ProgrammeId>,
    /// Language of headings and words in `csv` (`en` if it is left out) and `xlsx` (that of `Accept-Language`).
    #[wire(name = "lang")]
    pub headings: Option<Lang>,
    /// `csv` and `jsonl` only: the last claim of a file that broke off. This one begins behind it, without heading.
    pub after: Option<ClaimId>,
    /// `true`: personal data in clear. It takes the right `reveal-claims` and a reason, and leaves an audit event.
    #[wire(default = YesNo::False)]
    pub reveal: YesNo,
    /// Why personal data is looked at.
    #[wire(Words(REASON))]
    pub reason: Option<String>,
}

impl ClaimsExportQuery {
    fn check(format: &Format, after: &Option<ClaimId>, f: &Fields<'_>) -> Option<()> {
        refuse(f, &[("after", after.is_some() && !is_lines(*format))]);
        Some(())
    }
}
