//! Who is calling, and what their role allows.
//!
//! A right is a type. A use case takes a [`Permit`] of the right it needs, and a permit can only be had from
//! [`Actor::permit`], which checks the role; [`Permit::within`] checks the county. So a use case cannot be reached without
//! its right, and forgetting the check does not compile.

use std::marker::PhantomData;

use super::Role;
use super::error::Refusal;

/// Who is calling: a credential, the person behind it, and the request it came with.
#[derive(Debug, Clone)]
pub struct Actor {
    pub client: String,
    pub person: String,
    pub role: Role,
    /// The counties it may act in; empty means the whole city.
    pub jurisdictions: Vec<String>,
    /// The credit code it claims for, if it is a merchant's.
    pub merchant: Option<String>,
    /// The request's id, for the audit trail.
    pub request: Option<String>,
}

impl Actor {
    /// The service itself, when it carries out what time demands: expiries, the waitlist.
    pub fn system() -> Self {
        Self {
            client: "system".into(),
            person: "system".into(),
            role: Role::Admin,
            jurisdictions: Vec::new(),
            merchant: None,
            request: None,
        }
    }

    /// Whether the county is one of its own.
    pub(crate) fn may_act_in(&self, county: &str) -> bool {
        self.jurisdictions.is_empty() || self.jurisdictions.iter().any(|own| own == county)
    }

    /// The right, if the role has it.
    pub fn permit<R: Right>(&self) -> Result<Permit<R>, Refusal> {
        if R::ROLES.contains(&self.role) {
            Ok(Permit {
                actor: self.clone(),
                right: PhantomData,
            })
        } else {
            Err(Refusal::Forbidden {
                right: R::NAME,
                roles: R::ROLES,
            })
        }
    }
}

/// Something a role may do.
pub trait Right: 'static {
    const NAME: &'static str;
    const ROLES: &'static [Role];
}

/// Proof that the caller's role has the right `R`.
pub struct Permit<R> {
    actor: Actor,
    right: PhantomData<fn() -> R>,
}

impl<R> Clone for Permit<R> {
    fn clone(&self) -> Self {
        Self {
            actor: self.actor.clone(),
            right: PhantomData,
        }
    }
}

impl<R> std::fmt::Debug for Permit<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Permit").field(&self.actor.client).finish()
    }
}

impl<R> Permit<R> {
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Refuses another county's business.
    pub fn within(&self, jurisdiction: &str) -> Result<(), Refusal> {
        if self.actor.may_act_in(jurisdiction) {
            Ok(())
        } else {
            Err(Refusal::OtherJurisdiction)
        }
    }
}

macro_rules! rights {
    ($($(#[$meta:meta])* $name:ident = $text:literal: [$($role:ident),+];)*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy)]
            pub enum $name {}
            impl Right for $name {
                const NAME: &'static str = $text;
                const ROLES: &'static [Role] = &[$(Role::$role),+];
            }
        )*
    };
}

rights! {
    /// Submit, correct, withdraw and return one's own claims.
    SubmitClaims = "submit-claims": [Retailer, Platform, Dealer];
    /// See claims: one's own, or one's counties'.
    ReadClaims = "read-claims": [Retailer, Platform, Dealer, Reviewer, Approver, Treasury, Auditor, Admin];
    ReviewClaims = "review-claims": [Reviewer];
    ApproveClaims = "approve-claims": [Approver];
    /// See the personal data of a claim; each look is an audit event.
    RevealClaims = "reveal-claims": [Reviewer, Approver, Auditor];
    /// Appropriate, change caps, disburse, record results.
    ManageFunds = "manage-funds": [Treasury];
    /// Demand a paid subsidy back.
    DemandClawback = "demand-clawback": [Approver, Treasury];
    /// Enter where a merchant is paid, or what a county pays from.
    EnterAccounts = "enter-accounts": [Retailer, Platform, Dealer, Treasury];
    /// See an account by its last four digits.
    ReadAccounts = "read-accounts": [Retailer, Platform, Dealer, Treasury, Auditor];
    /// Register where one's own merchant listens, and see what it was told.
    KeepWebhooks = "keep-webhooks": [Retailer, Platform, Dealer];
    ReadFunds = "read-funds": [Reviewer, Approver, Treasury, Auditor, Admin];
    ReadLedger = "read-ledger": [Treasury, Auditor];
    /// Commit to a sample of approved claims, and draw it: the one thing an auditor writes. It moves no money.
    DrawSamples = "draw-samples": [Auditor];
    /// See checkpoints of a county's log, have one made, and vouch for them.
    WitnessLog = "witness-log": [Reviewer, Approver, Treasury, Auditor, Admin];
    /// See what a county and a merchant owe each other: one's own, or one's counties'.
    ReadStatements = "read-statements": [Retailer, Platform, Dealer, Treasury, Auditor];
    ReadProgrammes = "read-programmes": [Retailer, Platform, Dealer, Reviewer, Approver, Treasury, Auditor, Admin];
    /// Replay recorded claims under another document, and see what was proposed.
    ReplayProgrammes = "replay-programmes": [Treasury, Auditor, Admin];
    /// Propose a version of a programme, and decide on what another person proposed.
    ManageProgrammes = "manage-programmes": [Admin];
    /// See who looked at personal data.
    ReadTrail = "read-trail": [Auditor];
    KeepRegisters = "keep-registers": [Admin];
}
