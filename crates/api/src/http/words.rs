//! Closed lists of words in answers, as the OpenAPI document spells them out. A conversion that
//! lacks a word does not compile.

use serde::Serialize;
use utoipa::ToSchema;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $schema:ident of $domain:path { $($variant:ident),+ $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
            #[serde(rename_all = "snake_case")]
            #[schema(as = $schema)]
            pub enum $name { $($variant),+ }

            impl From<$domain> for $name {
                fn from(word: $domain) -> $name {
                    use $domain as Domain;
                    match word { $(Domain::$variant => $name::$variant),+ }
                }
            }
        )*
    };
}

words! {
    /// Where a claim stands.
    StatusWord ClaimStatus of claims::life_cycle::Status {
        NeedsCorrection, Waitlisted, UnderReview, Recommended, Approved, InPayment, PaymentFailed, Paid, ClawbackDue,
        ClawedBack, Rejected, Withdrawn, Returned,
    }
    /// How a decision ends.
    OutcomeWord Outcome of policy::Outcome { Eligible, NeedsCorrection, Ineligible, Waitlisted }
    /// What a rule says; `unknown` where a fact is missing.
    RuleResultWord RuleResult of policy::RuleResult { Pass, Fail, Unknown }
    /// Why a subsidy is due back.
    ClawbackReasonWord ClawbackReason of claims::clawback::ClawbackReason {
        GoodsReturned, InvoiceReversed, Fraud, ScrapNotClosed,
    }
    /// An account of a fund.
    AccountWord Account of ledger::Account {
        Appropriated, Available, Reserved, Payable, InPayment, Disbursed, Recoverable, Advanced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_domain() {
        let text = |word: serde_json::Value| word.as_str().unwrap_or_default().to_owned();
        for status in claims::life_cycle::Status::ALL {
            assert_eq!(
                text(serde_json::to_value(StatusWord::from(status)).unwrap()),
                status.as_str()
            );
        }
        for reason in claims::clawback::ClawbackReason::ALL {
            assert_eq!(
                text(serde_json::to_value(ClawbackReasonWord::from(reason)).unwrap()),
                reason.as_str()
            );
        }
        for account in ledger::Account::ALL {
            assert_eq!(
                text(serde_json::to_value(AccountWord::from(account)).unwrap()),
                account.as_str()
            );
        }
    }
}
