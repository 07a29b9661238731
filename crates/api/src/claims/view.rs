//! A claim as it is answered.

use chrono::{DateTime, Utc};
use policy::{FactsRead, Lang, Price, RuleOutcome, Value};
use serde::{Serialize, Serializer};
use service::claims::{ClaimDecision, ClaimState};
use utoipa::ToSchema;

use crate::http::money::Money;
use crate::http::words::{OutcomeWord, RuleResultWord, StatusWord};

/// A claim as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Claim)]
pub struct ClaimView {
    #[schema(pattern = "^clm_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    pub status: StatusWord,
    /// What goes into `If-Match`.
    #[schema(max_length = 12, example = "\"1\"")]
    pub etag: String,
    #[schema(max_length = 64, example = "appliance-2026")]
    pub programme: String,
    /// The version that decided.
    #[schema(minimum = 1)]
    pub programme_version: u32,
    #[schema(max_length = 9, example = "140802")]
    pub jurisdiction: String,
    /// Credit code of the merchant.
    #[schema(max_length = 18)]
    pub merchant: String,
    #[schema(max_length = 64)]
    pub merchant_reference: String,
    #[schema(max_length = 40, example = "air_conditioner")]
    pub category: String,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    /// Until when a correction is awaited.
    pub correct_by: Option<DateTime<Utc>>,
    /// The limit whose money a waitlisted claim waits for: `<jurisdiction>/<scope>`.
    #[schema(max_length = 64)]
    pub waits_for: Option<String>,
    #[schema(max_length = 46)]
    pub disbursement: Option<String>,
    /// Null while no subsidy can be computed.
    pub subsidy: Option<Subsidy>,
    /// What was decided last, and why.
    pub decision: Option<DecisionView>,
    /// What was sent, with personal data masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub claim: Option<serde_json::Value>,
}

/// A claim in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClaimSummary {
    #[schema(pattern = "^clm_[0-9]{6,9}_[0-9a-f]{32}$", max_length = 46)]
    pub id: String,
    pub status: StatusWord,
    #[schema(max_length = 12, example = "\"1\"")]
    pub etag: String,
    #[schema(max_length = 64)]
    pub programme: String,
    #[schema(minimum = 1)]
    pub programme_version: u32,
    #[schema(max_length = 9)]
    pub jurisdiction: String,
    #[schema(max_length = 18)]
    pub merchant: String,
    #[schema(max_length = 64)]
    pub merchant_reference: String,
    #[schema(max_length = 40)]
    pub category: String,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    pub amount: Option<Money>,
    pub correct_by: Option<DateTime<Utc>>,
    #[schema(max_length = 64)]
    pub waits_for: Option<String>,
    #[schema(max_length = 46)]
    pub disbursement: Option<String>,
}

/// What a claim would get now; nothing was recorded.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CheckView {
    #[schema(max_length = 64)]
    pub programme: String,
    #[schema(minimum = 1)]
    pub programme_version: u32,
    pub subsidy: Option<Subsidy>,
    pub decision: DecisionView,
}

/// How the subsidy was computed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Subsidy {
    /// The price that it is a share of.
    pub base: Money,
    /// The share; null where the subsidy is a fixed sum.
    #[schema(pattern = r"^\d(\.\d{1,6})?$", max_length = 8, example = "0.15")]
    pub rate: Option<String>,
    /// Before the cap.
    pub uncapped: Money,
    /// What is paid.
    pub amount: Money,
}

/// A decision: every rule with its clause, the facts it read, and how to put a failure right.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Decision)]
pub struct DecisionView {
    pub outcome: OutcomeWord,
    #[schema(max_items = 200)]
    pub rules: Vec<RuleView>,
    /// SHA-256 of the receipt; null for a check, which leaves none.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$", max_length = 71)]
    pub receipt: Option<String>,
    /// Place of the decision in the county's transparency log, from 0: `GET /v1/claims/{id}/proof` proves it once a checkpoint covers
    /// it. Null for a check.
    #[schema(minimum = 0)]
    pub leaf_index: Option<i64>,
}

/// What one rule says.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RuleOutcome)]
pub struct RuleView {
    #[schema(max_length = 64, example = "efficiency-grade")]
    pub id: String,
    /// The instrument and clause that the rule stands in.
    #[schema(max_length = 400)]
    pub clause: String,
    pub outcome: RuleResultWord,
    /// What the rule requires, in the caller's language.
    #[schema(max_length = 1000)]
    pub message: String,
    /// What to do about it; only where it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub fix: Option<String>,
    /// The facts that it read: money as a string, counts as numbers.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    pub facts: FactsView,
    /// Facts that it needs and nobody supplied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub missing: Vec<String>,
}

impl ClaimView {
    pub fn of(state: &ClaimState, lang: Lang) -> ClaimView {
        let decision = state.decision.as_ref();
        ClaimView {
            id: state.id.to_string(),
            status: state.status.into(),
            etag: crate::http::extract::etag_of(state.revision),
            programme: state.programme.clone(),
            programme_version: state.programme_version,
            jurisdiction: state.jurisdiction().to_owned(),
            merchant: state.merchant.clone(),
            merchant_reference: state.merchant_reference.clone(),
            category: state.category.clone(),
            created_at: state.created_at,
            changed_at: state.changed_at,
            correct_by: state.correct_by,
            waits_for: state.waits_for.clone(),
            disbursement: state.disbursement.map(|id| id.to_string()),
            subsidy: decision.and_then(ClaimDecision::price).map(Subsidy::of),
            decision: decision.map(|it| DecisionView::of(it, lang)),
            claim: None,
        }
    }
}

impl From<&ClaimState> for ClaimSummary {
    fn from(state: &ClaimState) -> ClaimSummary {
        ClaimSummary {
            id: state.id.to_string(),
            status: state.status.into(),
            etag: crate::http::extract::etag_of(state.revision),
            programme: state.programme.clone(),
            programme_version: state.programme_version,
            jurisdiction: state.jurisdiction().to_owned(),
            merchant: state.merchant.clone(),
            merchant_reference: state.merchant_reference.clone(),
            category: state.category.clone(),
            created_at: state.created_at,
            changed_at: state.changed_at,
            amount: state.amount.map(Money::from),
            correct_by: state.correct_by,
            waits_for: state.waits_for.clone(),
            disbursement: state.disbursement.map(|id| id.to_string()),
        }
    }
}

impl CheckView {
    pub fn of(decision: &ClaimDecision, lang: Lang) -> CheckView {
        CheckView {
            programme: decision.programme.id().to_owned(),
            programme_version: decision.programme.version(),
            subsidy: decision.price().map(Subsidy::of),
            decision: DecisionView::of(decision, lang),
        }
    }
}

impl Subsidy {
    fn of(price: &Price) -> Subsidy {
        Subsidy {
            base: Money::of_decimal(price.base),
            rate: price.rate.map(|rate| rate.normalize().to_string()),
            uncapped: Money::of_decimal(price.uncapped),
            amount: Money::of_decimal(price.amount),
        }
    }
}

impl DecisionView {
    fn of(decision: &ClaimDecision, lang: Lang) -> DecisionView {
        DecisionView {
            outcome: decision.outcome.into(),
            rules: decision
                .rules()
                .map(|rule| RuleView::of(rule, decision, lang))
                .collect(),
            receipt: decision.receipt.clone(),
            leaf_index: decision.leaf,
        }
    }
}

impl RuleView {
    fn of(rule: &RuleOutcome, decision: &ClaimDecision, lang: Lang) -> RuleView {
        let programme = &decision.programme;
        let text = programme.text(&rule.id);
        RuleView {
            id: (*rule.id).to_owned(),
            clause: text.map_or_else(String::new, |text| text.clause.clone()),
            outcome: rule.outcome.into(),
            message: text.map_or_else(String::new, |text| text.message.get(lang).to_owned()),
            fix: programme.fix(rule, lang),
            facts: FactsView(rule.facts.clone()),
            missing: rule.missing.clone(),
        }
    }
}

/// Facts by path.
#[derive(Debug, Clone)]
pub struct FactsView(FactsRead);

impl Serialize for FactsView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(path, value)| (path, fact(value))))
    }
}

/// Money and rates stay strings, so that no reader passes them through a float; a count or a grade has no decimals.
fn fact(value: &Value) -> serde_json::Value {
    match value {
        Value::Decimal(number) if number.scale() == 0 => match i64::try_from(*number) {
            Ok(number) => number.into(),
            Err(_) => value.to_json(),
        },
        other => other.to_json(),
    }
}

/// What was done to a record, and by whom.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    #[schema(max_length = 36, format = Uuid)]
    pub id: String,
    /// The use case: `submit`, `recommend`, `approve`, …
    #[schema(max_length = 64)]
    pub verb: String,
    pub at: DateTime<Utc>,
    /// The credential that did it; null for a merchant, which need not know which clerk it was.
    #[schema(max_length = 100)]
    pub actor: Option<String>,
    /// The person behind it; null for a merchant.
    #[schema(max_length = 100)]
    pub person: Option<String>,
    /// The revision that it made, or looked at.
    #[schema(minimum = 1)]
    pub revision: Option<i32>,
    #[schema(max_length = 40)]
    pub from_status: Option<String>,
    #[schema(max_length = 40)]
    pub to_status: Option<String>,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// What whoever did it had before them; null where there was nothing yet.
    pub seen: Option<SeenView>,
}

/// A claim as somebody saw it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Seen)]
pub struct SeenView {
    #[schema(minimum = 1)]
    pub revision: i32,
    /// SHA-256 of the receipt of the decision that stood.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$", max_length = 71)]
    pub receipt: String,
}

impl From<service::claims::Event> for EventView {
    fn from(event: service::claims::Event) -> EventView {
        EventView {
            id: event.id.to_string(),
            verb: event.verb,
            at: event.at,
            actor: Some(event.actor).filter(|actor| !actor.is_empty()),
            person: Some(event.person).filter(|person| !person.is_empty()),
            revision: event.revision,
            from_status: event.from_status,
            to_status: event.to_status,
            reason: event.reason,
            seen: event.seen.map(|seen| SeenView {
                revision: seen.revision,
                receipt: seen.receipt,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grade_is_a_number_and_money_a_string() {
        let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
        assert_eq!(fact(&decimal("1")), serde_json::json!(1));
        assert_eq!(fact(&decimal("4599.00")), serde_json::json!("4599.00"));
        assert_eq!(fact(&Value::Bool(true)), serde_json::json!(true));
    }
}
