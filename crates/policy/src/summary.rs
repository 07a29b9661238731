//! A programme as JSON, for readers who want to see which rules apply.

use serde_json::{Value as Json, json};

use crate::lang::Lang;
use crate::programme::{Programme, RuleText, Share};

impl Programme {
    /// Everything that a claimant or an officer may see of the programme, in one language. Dates
    /// are ISO 8601, money and rates decimal strings. Members are only ever added.
    pub fn summary(&self, lang: Lang) -> Json {
        let window = self.window();
        json!({
            "id": self.id(),
            "version": self.version(),
            "hash": self.hash(),
            "kind": self.kind().as_str(),
            "title": self.title(lang),
            "effective_from": self.effective_from().to_string(),
            "window": { "from": window.from.to_string(), "until": window.until.to_string() },
            "filing_closes_on": self.filing_closes_on().to_string(),
            "correction_days": self.correction_days(),
            "instruments": self.instruments().iter().map(|it| json!({
                "number": it.number, "title": it.title, "confidence": it.confidence.as_str(),
            })).collect::<Vec<_>>(),
            "notes": self.notes().iter().map(|it| json!({
                "on": it.on, "confidence": it.confidence.as_str(), "text": it.text.get(lang),
            })).collect::<Vec<_>>(),
            "categories": self.categories().iter().map(|it| json!({
                "code": it.code, "title": it.title.get(lang), "aliases": it.aliases,
            })).collect::<Vec<_>>(),
            "quota": self.quota.as_ref().map(|it| json!({
                "group": it.group, "per_category": it.per_category, "limit": it.limit, "limits": it.limits,
            })),
            "price_gate": self.price_gate.as_ref().map(|it| json!({
                "field": it.field.path, "at_most": it.at_most.to_string(),
            })),
            "tiers": self.tiers.iter().map(|tier| {
                let (rate, amount) = match &tier.share {
                    Share::Rate(rate) => (Some(rate.to_string()), None),
                    Share::Fixed(amount) => (None, Some(amount.to_string())),
                };
                json!({ "rate": rate, "amount": amount, "cap": tier.cap.map(|cap| cap.to_string()) })
            }).collect::<Vec<_>>(),
            "funding": { "central": self.funding().central.to_string(), "local": self.funding().local.to_string() },
            "caps": self.caps().scopes.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
            "review": self.review().mode.as_str(),
            "rules": self.texts().map(|text| rule(text, lang)).collect::<Vec<_>>(),
        })
    }
}

fn rule(text: &RuleText, lang: Lang) -> Json {
    json!({
        "id": text.id,
        "clause": text.clause,
        "severity": text.severity.as_str(),
        "message": text.message.get(lang),
        "fix": text.fix.as_ref().map(|fix| fix.get(lang)),
    })
}
