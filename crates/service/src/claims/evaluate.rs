//! From a claim to a candidate: its facts, what its programme says of them, and what it would hold.
//! Everything here happens before a transaction opens, so that none waits for it.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use claims::claim::Claim;
use claims::digest::Digest;
use claims::keys::UniqueKind;
use claims::registers::Known;
use policy::receipt::Draft;
use policy::{Decision, Facts, Kind, Programme, Quota, Verdict};

use super::Claims;
use crate::at_rest::Vault;
use crate::catalogue::Catalogue;
use crate::operation::{Refusal, ServiceError};
use timing::shanghai;

/// A claim with everything that is known of it before the counties' books are opened.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) claim: Claim,
    pub(super) merchant: String,
    pub(super) programme: Arc<Programme>,
    pub(super) decision: Arc<Decision>,
    /// Its receipt, but for what the service itself decides.
    pub(super) draft: Draft,
    pub(super) person: Digest,
    pub(super) keys: Vec<(UniqueKind, Digest)>,
    pub(super) quota: Option<Quota>,
    pub(super) category: String,
    pub(super) governing_date: Option<NaiveDate>,
}

impl Candidate {
    /// The subsidy, if it can be priced and is more than nothing.
    pub(super) fn money(&self) -> Result<Option<ledger::Fen>, ServiceError> {
        let amount = self
            .decision
            .price
            .as_ref()
            .map(|price| ledger::Fen::from_decimal(price.amount));
        let amount = amount.transpose().map_err(ServiceError::bug)?;
        Ok(amount.filter(|fen| !fen.is_zero()))
    }

    pub(super) fn is_ineligible(&self) -> bool {
        self.decision.verdict == Verdict::Ineligible
    }
}

/// The most claims that are decided on the thread that asks; more are decided on a blocking thread.
const FEW: usize = 8;

impl Claims {
    /// Decides one claim of a merchant. A claim that names no programme or county is refused, not
    /// decided.
    pub(super) async fn decide_one(
        &self,
        claim: Claim,
        merchant: String,
        now: DateTime<Utc>,
    ) -> Result<Result<Candidate, Refusal>, ServiceError> {
        let known = self.known(&claim, &merchant).await?;
        let evaluation = self.evaluation([&claim]).await?;
        Ok(evaluation.decide(claim, merchant, &known, now))
    }

    /// Decides claims of merchants, in order, with what the registers say of each.
    pub(super) async fn decide_known(
        &self,
        claims: Vec<((Claim, String), Known)>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Result<Candidate, Refusal>>, ServiceError> {
        let evaluation = self
            .evaluation(claims.iter().map(|((claim, _), _)| claim))
            .await?;
        let few = claims.len() <= FEW;
        let decide = move || -> Vec<_> {
            let claims = claims.into_iter();
            claims
                .map(|((claim, merchant), known)| evaluation.decide(claim, merchant, &known, now))
                .collect()
        };
        if few {
            Ok(decide())
        } else {
            tokio::task::spawn_blocking(decide)
                .await
                .map_err(ServiceError::bug)
        }
    }

    /// What these claims are decided with. A programme that is not known may have been put in force
    /// since the catalogue was read.
    async fn evaluation(&self, claims: impl IntoIterator<Item = &Claim>) -> Result<Evaluation, ServiceError> {
        let catalogue = self.catalogue.current();
        let unknown = |claim: &Claim| catalogue.versions(claim.programme.as_str()).is_empty();
        if claims.into_iter().any(unknown) {
            self.catalogue.refresh().await?;
        }
        Ok(Evaluation {
            catalogue: self.catalogue.current(),
            vault: Arc::clone(&self.vault),
        })
    }
}

/// What a claim is decided with, on any thread.
struct Evaluation {
    catalogue: Arc<Catalogue>,
    vault: Arc<Vault>,
}

impl Evaluation {
    fn decide(
        &self,
        claim: Claim,
        merchant: String,
        known: &Known,
        now: DateTime<Utc>,
    ) -> Result<Candidate, Refusal> {
        self.check_place(&claim)?;
        let digest = |domain, text: &str| self.vault.digest(domain, text);
        let digests = claims::keys::digests(&claim, digest);
        let facts = claims::facts::facts(&claim, &digests, known, shanghai::date(now));
        let (programme, governing_date) = self.version_for(&claim, &facts)?;
        let decision = programme.decide(&facts);
        let category = programme
            .canonical_category(claim.item.category())
            .unwrap_or(claim.item.category());
        Ok(Candidate {
            person: digests.applicant,
            keys: claims::keys::unique_keys(&claim, digest),
            quota: programme.quota(&facts),
            category: category.to_owned(),
            governing_date,
            merchant,
            draft: Draft::new(&facts, &decision),
            decision: Arc::new(decision),
            programme,
            claim,
        })
    }

    fn check_place(&self, claim: &Claim) -> Result<(), Refusal> {
        let catalogue = &self.catalogue;
        if catalogue.county(claim.jurisdiction.as_str()).is_none() {
            return Err(Refusal::field(
                "/jurisdiction",
                "jurisdiction.unknown",
                "没有这个县（市、区）；申请应提交到县级辖区，见 GET /v1/public/funds",
                "no such county; a claim goes to a county, not to the city: see GET /v1/public/funds",
            ));
        }
        let Some(programme) = catalogue.versions(claim.programme.as_str()).last() else {
            return Err(Refusal::field(
                "/programme",
                "programme.unknown",
                "没有这个补贴项目，见 GET /v1/programmes",
                "no such programme: see GET /v1/programmes",
            ));
        };
        if programme.kind().as_str() != claim.item.kind() {
            let (zh, en) = match programme.kind() {
                Kind::Appliance => ("家电", "appliances"),
                Kind::Digital => ("数码产品", "digital goods"),
                Kind::Vehicle => ("汽车", "vehicles"),
            };
            return Err(Refusal::field(
                "/item/kind",
                "item.kind-mismatch",
                format!("该项目只补贴{zh}"),
                format!("this programme subsidises {en} only"),
            ));
        }
        Ok(())
    }

    /// The version in force on the governing date. For a claim that shows no date yet the newest
    /// version says what is missing.
    fn version_for(
        &self,
        claim: &Claim,
        facts: &Facts,
    ) -> Result<(Arc<Programme>, Option<NaiveDate>), Refusal> {
        let catalogue = &self.catalogue;
        let id = claim.programme.as_str();
        let newest = catalogue
            .versions(id)
            .last()
            .ok_or(Refusal::NotFound("programme"))?;
        let date = newest.governing_date(facts);
        let programme = date
            .and_then(|date| catalogue.in_force(id, date))
            .unwrap_or(newest);
        Ok((Arc::clone(programme), programme.governing_date(facts)))
    }
}
