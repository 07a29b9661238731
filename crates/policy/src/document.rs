//! The shape of a programme document, as TOML gives it. Checks beyond the shape are in
//! [`crate::load`].

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;
use words::words;

use crate::lang::Text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) id: Spanned<String>,
    pub(crate) version: Spanned<u32>,
    pub(crate) kind: Kind,
    pub(crate) title: Spanned<Text>,
    pub(crate) effective_from: Spanned<Datetime>,
    pub(crate) filing_closes_on: Spanned<Datetime>,
    pub(crate) correction_days: Spanned<u32>,
    pub(crate) window: WindowTable,
    pub(crate) governing: GoverningTable,
    #[serde(rename = "instrument")]
    pub(crate) instruments: Vec<Instrument>,
    #[serde(rename = "note", default)]
    pub(crate) notes: Vec<Note>,
    #[serde(rename = "category")]
    pub(crate) categories: Vec<CategoryTable>,
    pub(crate) quota: Option<QuotaTable>,
    pub(crate) price_gate: Option<PriceGateTable>,
    pub(crate) subsidy: SubsidyTable,
    pub(crate) funding: FundingTable,
    pub(crate) caps: Caps,
    pub(crate) review: Review,
    #[serde(default)]
    pub(crate) evidence: Vec<EvidenceTable>,
    #[serde(rename = "rule")]
    pub(crate) rules: Vec<RuleTable>,
    pub(crate) system: Vec<SystemTable>,
    #[serde(default)]
    pub(crate) example_facts: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    #[serde(rename = "example", default)]
    pub(crate) examples: Vec<ExampleTable>,
}

words! {
    /// What a programme subsidises; a claim's item must be of the same kind.
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Kind {
        Appliance = "appliance",
        Digital = "digital",
        Vehicle = "vehicle",
    }
}

/// How reliable the source of a figure is: official text, a secondary quotation, or weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Confidence {
    #[serde(rename = "H")]
    High,
    #[serde(rename = "M")]
    Medium,
    #[serde(rename = "L")]
    Low,
}

impl Confidence {
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::High => "H",
            Confidence::Medium => "M",
            Confidence::Low => "L",
        }
    }
}

/// A public notice that the programme rests on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    pub number: String,
    pub title: String,
    pub confidence: Confidence,
}

/// A check that a bureau makes before it activates the programme: some part of the document has a
/// source that is not official text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The rule id or field that the note is about.
    pub on: String,
    pub confidence: Confidence,
    pub text: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WindowTable {
    pub(crate) from: Spanned<Datetime>,
    pub(crate) until: Spanned<Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoverningTable {
    pub(crate) date: Pick,
    pub(crate) of: Spanned<Vec<Spanned<String>>>,
}

/// Which of the dates on a claim's documents governs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pick {
    Earliest,
    Latest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CategoryTable {
    pub(crate) code: Spanned<String>,
    pub(crate) title: Text,
    pub(crate) names: Spanned<Vec<String>>,
    #[serde(default)]
    pub(crate) not_names: Vec<String>,
    #[serde(default)]
    pub(crate) aliases: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuotaTable {
    pub(crate) group: Spanned<String>,
    pub(crate) per_category: bool,
    pub(crate) limit: Spanned<u32>,
    #[serde(default)]
    pub(crate) limits: BTreeMap<Spanned<String>, u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceGateTable {
    pub(crate) field: Spanned<String>,
    pub(crate) at_most: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubsidyTable {
    pub(crate) rounding: Rounding,
    pub(crate) clause: Spanned<String>,
    pub(crate) message: Spanned<Text>,
    #[serde(rename = "tier")]
    pub(crate) tiers: Vec<TierTable>,
}

/// How a share of a price is rounded to whole fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    HalfUp,
    HalfEven,
    Down,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TierTable {
    pub(crate) when: Option<Spanned<String>>,
    pub(crate) base: Spanned<String>,
    pub(crate) rate: Option<Spanned<String>>,
    pub(crate) amount: Option<Spanned<String>>,
    pub(crate) cap: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FundingTable {
    pub(crate) central: Spanned<String>,
    pub(crate) local: Spanned<String>,
    pub(crate) province: Option<Spanned<String>>,
    pub(crate) city: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) counties: BTreeMap<String, LocalTable>,
}

/// The shares of province and city in a county that has its own split.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocalTable {
    pub(crate) province: Option<Spanned<String>>,
    pub(crate) city: Option<Spanned<String>>,
}

/// Which limits a treasury is expected to set on the programme's money, besides the fund itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    pub scopes: Vec<CapScope>,
}

words! {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum CapScope {
        City = "city",
        County = "county",
        Category = "category",
        Month = "month",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    pub mode: ReviewMode,
}

words! {
    /// Who reviews an eligible claim before it is paid.
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ReviewMode {
        /// A reviewer and another person who approves, every claim.
        FourEyes = "four_eyes",
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceTable {
    pub(crate) id: Spanned<String>,
    pub(crate) clause: Spanned<String>,
    pub(crate) facts: Spanned<Vec<Spanned<String>>>,
    pub(crate) when: Option<Spanned<String>>,
    pub(crate) message: Spanned<Text>,
    pub(crate) fix: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTable {
    pub(crate) id: Spanned<String>,
    pub(crate) clause: Spanned<String>,
    pub(crate) when: Option<Spanned<String>>,
    pub(crate) require: Spanned<String>,
    #[serde(rename = "final", default)]
    pub(crate) is_final: bool,
    #[serde(default)]
    pub(crate) correctable: bool,
    #[serde(default)]
    pub(crate) review: bool,
    pub(crate) message: Spanned<Text>,
    pub(crate) fix: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SystemTable {
    pub(crate) id: Spanned<String>,
    pub(crate) clause: Spanned<String>,
    #[serde(rename = "final", default)]
    pub(crate) is_final: bool,
    #[serde(default)]
    pub(crate) correctable: bool,
    pub(crate) message: Spanned<Text>,
    pub(crate) fix: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleTable {
    pub(crate) name: Spanned<String>,
    #[serde(default)]
    pub(crate) facts: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    #[serde(default)]
    pub(crate) without: Vec<Spanned<String>>,
    pub(crate) verdict: Verdict,
    #[serde(default)]
    pub(crate) fails: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) unknown: Vec<Spanned<String>>,
    pub(crate) amount: Option<Spanned<String>>,
}

words! {
    /// The rules' result for a claim.
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Verdict {
        Eligible = "eligible",
        /// Something is missing or can be corrected; nothing forbids the claim.
        NeedsCorrection = "needs_correction",
        Ineligible = "ineligible",
    }
}
