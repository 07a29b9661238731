//! Parts of the path.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use claims::{
    AdvanceId, AppropriationId, BankEntryId, CapChangeId, ClaimId, DisbursementId, DraftId, HoldId,
    JurisdictionCode, PaymentId, SampleId, WaiverId, WebhookId,
};
use serde::Deserialize;

use crate::http::problem::Problem;

/// The `{id}` of the path. What is no id names no record: 404, as for an id that nobody has.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

/// A kind of record that an id names.
pub trait Named {
    const WHAT: &'static str;
}

impl Named for ClaimId {
    const WHAT: &'static str = "claim";
}

impl Named for DisbursementId {
    const WHAT: &'static str = "disbursement";
}

impl Named for AppropriationId {
    const WHAT: &'static str = "appropriation";
}

impl Named for CapChangeId {
    const WHAT: &'static str = "cap change";
}

impl Named for PaymentId {
    const WHAT: &'static str = "payment";
}

impl Named for HoldId {
    const WHAT: &'static str = "hold";
}

impl Named for AdvanceId {
    const WHAT: &'static str = "advance";
}

impl Named for WaiverId {
    const WHAT: &'static str = "waiver";
}

impl Named for WebhookId {
    const WHAT: &'static str = "webhook";
}

impl Named for DraftId {
    const WHAT: &'static str = "draft";
}

impl Named for SampleId {
    const WHAT: &'static str = "sample";
}

impl Named for BankEntryId {
    const WHAT: &'static str = "bank exception";
}

impl<T: FromStr + Named> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(|text| text.parse().ok());
        ready(id.map(PathId).ok_or_else(|| Problem::not_found(T::WHAT)))
    }
}

/// Named parts of the path, percent-decoded.
#[derive(Debug, Clone)]
pub struct PathText(Parts);

/// Every part that a route names. actix reads a path into a struct's fields and not into a map.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Parts {
    id: String,
    programme: String,
    jurisdiction: String,
    register: String,
    key: String,
    code: String,
    holder: String,
    merchant: String,
    period: String,
    part: String,
}

/// A part of the path.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    Id,
    Programme,
    Jurisdiction,
    Register,
    Key,
    Code,
    Holder,
    Merchant,
    Period,
    Part,
}

impl PathText {
    /// A part that has a grammar; whatever does not parse names nothing: 404. Nor does text that no
    /// record can hold.
    pub fn parse<T>(
        &self,
        part: Part,
        what: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Problem> {
        let text = match part {
            Part::Id => &self.0.id,
            Part::Programme => &self.0.programme,
            Part::Jurisdiction => &self.0.jurisdiction,
            Part::Register => &self.0.register,
            Part::Key => &self.0.key,
            Part::Code => &self.0.code,
            Part::Holder => &self.0.holder,
            Part::Merchant => &self.0.merchant,
            Part::Period => &self.0.period,
            Part::Part => &self.0.part,
        };
        let possible = Some(text.as_str()).filter(|text| !text.chars().any(char::is_control));
        possible.and_then(parse).ok_or_else(|| Problem::not_found(what))
    }

    /// The county whose ledger the path names.
    pub fn county(&self) -> Result<JurisdictionCode, Problem> {
        self.parse(Part::Jurisdiction, "ledger", |text| {
            JurisdictionCode::parse(text).ok()
        })
    }
}

impl FromRequest for PathText {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parts = web::Path::<Parts>::from_request(request, payload).into_inner();
        ready(
            parts
                .map(|parts| PathText(parts.into_inner()))
                .map_err(|_| Problem::NoSuchPath),
        )
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[actix_web::test]
    async fn parts_are_decoded_and_what_cannot_be_kept_names_nothing() {
        let key = async |text: &'static str| {
            let request = TestRequest::default()
                .param("register", "merchants")
                .param("key", text)
                .to_http_request();
            let path = PathText::extract(&request).await.unwrap();
            path.parse(Part::Key, "register entry", |key| Some(key.to_owned()))
        };
        assert_eq!(key("KFR-35%2FGW").await.unwrap(), "KFR-35/GW");
        assert_eq!(key("%E6%B5%B7%E5%B0%94").await.unwrap(), "海尔");
        assert!(key("a%00b").await.is_err());
    }

    #[actix_web::test]
    async fn what_is_no_id_names_no_record() {
        let request = TestRequest::default().param("id", "clm_1").to_http_request();
        let problem = PathId::<ClaimId>::extract(&request).await.unwrap_err();
        assert_eq!(problem.kind(), crate::http::problem::Kind::NotFound);
    }
}
