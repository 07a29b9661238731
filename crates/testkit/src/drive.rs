//! Shorthands for what clients do, each of which succeeds or panics.

use std::collections::BTreeMap;

use claims::claim::{Claim, Item};
use claims::ids::{AppropriationId, ClaimId, DisbursementId, PaymentId};
use ledger::{Balances, Fen};
use service::claims::{ApprovalVerdict, ClaimState, Command, Mode, ReviewVerdict, Submitted};
use service::funds::{CapChange, Fund, NewAppropriation, Source, SourceBalance};
use service::operation::access::{EnterAccounts, ManageFunds, ReadClaims, ReadFunds};
use service::operation::{Check, Key};
use service::payments::{Disbursement, EnteredAccount, Gather, Payment, PaymentResult};
use service::{Actor, Refusal, ServiceError};
use sha2::{Digest, Sha256};

use crate::numbers;
use crate::world::{World, permit};

/// How many claims have each status.
pub fn tally(claims: &[ClaimState]) -> BTreeMap<&'static str, usize> {
    let mut tally = BTreeMap::new();
    for claim in claims {
        *tally.entry(claim.status.as_str()).or_default() += 1;
    }
    tally
}

/// An idempotency key; the hash of the request is the claim's.
pub fn keyed(key: &str, claim: Claim) -> Command {
    let request = Sha256::digest(service::at_rest::document::write(&claim)).into();
    Command {
        key: key.into(),
        request,
        claim,
    }
}

/// A new idempotency key, for a request whose hash is derived from it.
pub fn new_key() -> Key {
    let key = numbers::tag("key-");
    Key {
        request: Sha256::digest(&key).into(),
        key,
    }
}

impl World {
    /// The merchant that sells such goods.
    pub fn seller(&self, claim: &Claim) -> Actor {
        match claim.item {
            Item::Vehicle(_) => self.cast.dealer.clone(),
            _ => self.cast.retailer.clone(),
        }
    }

    pub async fn submit_as(
        &self,
        actor: &Actor,
        commands: Vec<Command>,
    ) -> Result<Vec<Result<Submitted, Refusal>>, ServiceError> {
        let results = self
            .service
            .claims()
            .submit(&permit(actor), commands, Mode::Continue)
            .await?;
        let results =
            results.into_iter().map(
                |result| match result.expect("every line of a batch has a result") {
                    Ok(submitted) => Ok(Ok(submitted)),
                    Err(ServiceError::Refused(refusal)) => Ok(Err(refusal)),
                    Err(other) => Err(other),
                },
            );
        results.collect()
    }

    /// Submits under a key.
    pub async fn submit_keyed(&self, key: &str, claim: Claim) -> Result<Submitted, ServiceError> {
        let actor = self.seller(&claim);
        let mut results = self.submit_as(&actor, vec![keyed(key, claim)]).await?;
        Ok(results.pop().expect("one claim, one result")?)
    }

    pub async fn try_submit(&self, claim: Claim) -> Result<ClaimState, ServiceError> {
        Ok(self.submit_keyed(&numbers::tag("key-"), claim).await?.claim)
    }

    pub async fn submit(&self, claim: Claim) -> ClaimState {
        self.try_submit(claim).await.expect("the claim is recorded")
    }

    /// One batch.
    pub async fn submit_batch(&self, claims: Vec<Claim>) -> Vec<ClaimState> {
        let Some(first) = claims.first() else {
            return Vec::new();
        };
        let actor = self.seller(first);
        let commands = claims
            .into_iter()
            .map(|claim| keyed(&numbers::tag("key-"), claim))
            .collect();
        let results = self
            .submit_as(&actor, commands)
            .await
            .expect("the batch is recorded");
        results
            .into_iter()
            .map(|result| result.expect("the claim is recorded").claim)
            .collect()
    }

    /// Every claim in a task of its own, all at once.
    pub async fn race(&self, claims: Vec<Claim>) -> Vec<ClaimState> {
        let tasks = claims.into_iter().map(|claim| {
            let world = self.clone();
            tokio::spawn(async move { world.submit(claim).await })
        });
        let tasks = tasks.collect::<Vec<_>>();
        futures::future::try_join_all(tasks)
            .await
            .expect("no task panics")
    }

    pub async fn state(&self, id: ClaimId) -> ClaimState {
        let permit = permit::<ReadClaims>(&self.cast.auditor);
        self.service
            .claims()
            .claim(&permit, id)
            .await
            .expect("the claim is there")
            .state
    }

    pub async fn correct(&self, id: ClaimId, claim: Claim) -> Result<ClaimState, ServiceError> {
        let actor = self.seller(&claim);
        Ok(self
            .service
            .claims()
            .correct(&permit(&actor), id, None, claim, None)
            .await?
            .value)
    }

    fn owner(&self, state: &ClaimState) -> Actor {
        let sellers = [
            &self.cast.retailer,
            &self.cast.other_retailer,
            &self.cast.platform,
            &self.cast.dealer,
        ];
        let owner = sellers
            .into_iter()
            .find(|it| it.merchant.as_ref() == Some(&state.merchant));
        owner.expect("a merchant of the cast").clone()
    }

    pub async fn withdraw(&self, id: ClaimId) -> Result<ClaimState, ServiceError> {
        let owner = self.owner(&self.state(id).await);
        let why = Some("顾客改变主意".to_owned());
        Ok(self
            .service
            .claims()
            .withdraw(&permit(&owner), id, None, why, None)
            .await?
            .value)
    }

    pub async fn return_goods(&self, id: ClaimId) -> Result<ClaimState, ServiceError> {
        let owner = self.owner(&self.state(id).await);
        let why = Some("七天无理由退货".to_owned());
        Ok(self
            .service
            .claims()
            .return_goods(&permit(&owner), id, None, why, None)
            .await?
            .value)
    }

    /// The reviewer's verdict on the claim at its current revision.
    pub async fn review(&self, id: ClaimId, verdict: ReviewVerdict) -> Result<ClaimState, ServiceError> {
        let revision = self.state(id).await.revision;
        let why = Some("材料".to_owned());
        Ok(self
            .service
            .claims()
            .review(&permit(&self.cast.reviewer), id, revision, verdict, why, None)
            .await?
            .value)
    }

    /// The approver's verdict on the claim at its current revision.
    pub async fn decide(&self, id: ClaimId, verdict: ApprovalVerdict) -> Result<ClaimState, ServiceError> {
        let revision = self.state(id).await.revision;
        let why = Some("材料".to_owned());
        Ok(self
            .service
            .claims()
            .approve(&permit(&self.cast.approver), id, revision, verdict, why, None)
            .await?
            .value)
    }

    pub async fn recommend(&self, id: ClaimId) -> ClaimState {
        self.review(id, ReviewVerdict::Recommend)
            .await
            .expect("the claim is recommended")
    }

    /// Reviews and approves.
    pub async fn approve(&self, id: ClaimId) -> ClaimState {
        self.recommend(id).await;
        self.decide(id, ApprovalVerdict::Approve)
            .await
            .expect("the claim is approved")
    }

    /// Proposes money for a fund, to be approved by a second person.
    pub async fn propose_money(&self, county: &str, programme: &str, amount: Fen) -> AppropriationId {
        self.propose_money_of(Source::Central, county, programme, amount)
            .await
    }

    async fn propose_money_of(
        &self,
        source: Source,
        county: &str,
        programme: &str,
        amount: Fen,
    ) -> AppropriationId {
        let new = NewAppropriation {
            programme: programme.into(),
            jurisdiction: county.into(),
            source,
            amount,
            document: numbers::tag("晋财建-"),
        };
        let made = self
            .service
            .funds()
            .appropriate(&permit(&self.cast.maker), new, new_key())
            .await
            .expect("money is entered");
        made.value.id
    }

    /// Money for a fund, proposed and approved.
    pub async fn appropriate(&self, county: &str, programme: &str, amount: Fen) {
        self.appropriate_of(Source::Central, county, programme, amount)
            .await;
    }

    /// Money of a source for a fund, proposed and approved.
    pub async fn appropriate_of(&self, source: Source, county: &str, programme: &str, amount: Fen) {
        let id = self.propose_money_of(source, county, programme, amount).await;
        let permit = permit::<ManageFunds>(&self.cast.checker);
        self.service
            .funds()
            .check_appropriation(&permit, id, Check::Approve, None)
            .await
            .expect("money is approved");
    }

    /// Replaces the caps under a jurisdiction's code, proposed by one and approved by another.
    pub async fn try_caps(
        &self,
        place: &str,
        programme: &str,
        caps: &[(&str, Fen)],
    ) -> Result<CapChange, ServiceError> {
        let caps = caps
            .iter()
            .map(|(scope, ceiling)| ((*scope).to_owned(), *ceiling))
            .collect();
        let maker = permit::<ManageFunds>(&self.cast.maker);
        let made = self
            .service
            .funds()
            .propose_caps(&maker, programme, place, caps, "运财〔2026〕1号")
            .await?;
        let id = made.id;
        self.service
            .funds()
            .check_caps(&permit(&self.cast.checker), id, Check::Approve, None)
            .await
    }

    pub async fn caps(&self, place: &str, programme: &str, caps: &[(&str, Fen)]) {
        self.try_caps(place, programme, caps)
            .await
            .expect("the caps are set");
    }

    /// The fund with its caps.
    pub async fn fund(&self, county: &str, programme: &str) -> Fund {
        let permit = permit::<ReadFunds>(&self.cast.auditor);
        let page = self
            .service
            .funds()
            .funds(&permit, Some(county.into()), None, 200)
            .await
            .expect("funds are read");
        page.items
            .into_iter()
            .find(|fund| fund.programme == programme)
            .expect("the fund is open")
    }

    pub async fn balances(&self, county: &str, programme: &str) -> Balances {
        self.fund(county, programme).await.balances
    }

    /// What each source of a fund gave, and where that money is.
    pub async fn sources(&self, county: &str, programme: &str) -> Vec<SourceBalance> {
        let permit = permit::<ReadFunds>(&self.cast.auditor);
        let sources = self
            .service
            .funds()
            .fund_sources(&permit, programme, county)
            .await;
        sources.expect("the fund is open")
    }

    /// Puts the account of a merchant or county on file: proposed by one person of treasury,
    /// approved by another.
    pub async fn account_on_file(&self, holder: &str, number: &str) {
        let entered = EnteredAccount {
            name: "演示户名".into(),
            bank_account: number.into(),
            bank_name: "中国农业银行运城分行".into(),
            bank_code: Some("103181000019".into()),
        };
        let maker = permit::<EnterAccounts>(&self.cast.maker);
        let entered = self
            .service
            .payments()
            .enter_account(&maker, holder, entered)
            .await;
        let revision = entered.expect("the account is entered").revision;
        let checker = permit::<ManageFunds>(&self.cast.checker);
        self.service
            .payments()
            .check_account(&checker, holder, revision, Check::Approve, None)
            .await
            .expect("the account is approved");
    }

    pub async fn make_disbursement(
        &self,
        county: &str,
        programme: &str,
    ) -> Result<DisbursementId, ServiceError> {
        let maker = permit::<ManageFunds>(&self.cast.maker);
        let made = self
            .service
            .payments()
            .make_disbursement(&maker, county, programme, Gather::default(), new_key())
            .await?;
        Ok(made.value.id)
    }

    pub async fn release(&self, id: DisbursementId) -> Result<Disbursement, ServiceError> {
        Ok(self
            .service
            .payments()
            .release_disbursement(&permit(&self.cast.checker), id, None, None)
            .await?
            .value)
    }

    pub async fn payments(&self, id: DisbursementId) -> Vec<Payment> {
        let permit = permit::<ReadFunds>(&self.cast.auditor);
        let mut payments = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self
                .service
                .payments()
                .payments(&permit, id, cursor.as_deref(), 200)
                .await
                .expect("payments are read");
            payments.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return payments;
            }
        }
    }

    /// The claims of a payment.
    pub async fn paid_claims(&self, id: PaymentId) -> Vec<ClaimId> {
        let permit = permit::<ReadFunds>(&self.cast.auditor);
        let page = self
            .service
            .payments()
            .payment_claims(&permit, id, None, 200)
            .await;
        let claims = page.expect("a payment's claims are read").items;
        claims.into_iter().map(|paid| paid.claim).collect()
    }

    /// Records the bank's results of payments: paid, or failed for a reason.
    pub async fn results(
        &self,
        id: DisbursementId,
        results: &[(&Payment, Option<&str>)],
    ) -> Result<Vec<Result<Payment, Refusal>>, ServiceError> {
        let results = results
            .iter()
            .map(|(payment, failure)| PaymentResult::of(payment.id, failure.map(str::to_owned)));
        self.service
            .payments()
            .record_results(&permit(&self.cast.maker), id, results.collect())
            .await
    }

    /// Makes a disbursement of everything payable and releases it.
    pub async fn instruct(&self, county: &str, programme: &str) -> (DisbursementId, Vec<Payment>) {
        let id = self
            .make_disbursement(county, programme)
            .await
            .expect("something is payable");
        self.release(id).await.expect("a second person releases");
        (id, self.payments(id).await)
    }

    /// Pays everything payable of a fund.
    pub async fn pay_out(&self, county: &str, programme: &str) {
        let (id, payments) = self.instruct(county, programme).await;
        let paid = payments.iter().map(|payment| (payment, None)).collect::<Vec<_>>();
        for result in self.results(id, &paid).await.expect("results are recorded") {
            assert_eq!(result.expect("the payment is paid").outcome.as_str(), "paid");
        }
    }
}
