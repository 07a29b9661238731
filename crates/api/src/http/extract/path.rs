//! Parts of the path.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use claims::{
    AdvanceId, AppropriationId, BankEntryId, CapChangeId, ClaimId, DisbursementId, DraftId, HoldId,
    JurisdictionCode, PaymentId, SampleId, WaiverId, WebhookId,
};
use serde::Deserialize;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

use crate::http::contract::{Argument, Contract, Parameters};
use crate::http::problem::Problem;

/// The `{id}` of the path. What is no id names no record: 404, as for an id that nobody has.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

/// A kind of record that an id names.
pub trait Named {
    const WHAT: &'static str;
    /// What its ids begin with.
    const PREFIX: &'static str;
}

macro_rules! named {
    ($($id:ident $what:literal;)*) => {
        $(impl Named for $id {
            const WHAT: &'static str = $what;
            const PREFIX: &'static str = $id::PREFIX;
        })*
    };
}

named! {
    ClaimId "claim";
    DisbursementId "disbursement";
    AppropriationId "appropriation";
    CapChangeId "cap change";
    PaymentId "payment";
    HoldId "hold";
    AdvanceId "advance";
    WaiverId "waiver";
    WebhookId "webhook";
    DraftId "draft";
    SampleId "sample";
    BankEntryId "bank exception";
}

impl<T: FromStr + Named> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(|text| text.parse().ok());
        ready(id.map(PathId).ok_or_else(|| Problem::not_found(T::WHAT)))
    }
}

impl<T: Named> Argument for PathId<T> {
    fn describe(contract: &mut Contract<'_>) {
        let pattern = format!("^{}[0-9]{{6,9}}_[0-9a-f]{{32}}$", T::PREFIX);
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(pattern))
            .max_length(Some(ID_MAX));
        let id = ParameterBuilder::new()
            .name("id")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(schema));
        contract.parameters(vec![id.build()]);
        contract.problems(&[404]);
    }
}

/// Prefix, jurisdiction of a development zone, and 32 hex digits.
const ID_MAX: usize = 46;

/// Named parts of the path, percent-decoded; `P` says in the document which these are and what they may hold.
#[derive(Debug, Clone)]
pub struct PathText<P> {
    parts: Parts,
    documented: PhantomData<fn() -> P>,
}

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

impl<P> PathText<P> {
    /// A part that has a grammar; whatever does not parse names nothing: 404. Nor does text that no record can hold.
    pub fn parse<T>(
        &self,
        part: Part,
        what: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Problem> {
        let text = match part {
            Part::Id => &self.parts.id,
            Part::Programme => &self.parts.programme,
            Part::Jurisdiction => &self.parts.jurisdiction,
            Part::Register => &self.parts.register,
            Part::Key => &self.parts.key,
            Part::Code => &self.parts.code,
            Part::Holder => &self.parts.holder,
            Part::Merchant => &self.parts.merchant,
            Part::Period => &self.parts.period,
            Part::Part => &self.parts.part,
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

impl<P> FromRequest for PathText<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parts = web::Path::<Parts>::from_request(request, payload).into_inner();
        ready(
            parts
                .map(|parts| PathText {
                    parts: parts.into_inner(),
                    documented: PhantomData,
                })
                .map_err(|_| Problem::NoSuchPath),
        )
    }
}

impl<P: Parameters> Argument for PathText<P> {
    fn describe(contract: &mut Contract<'_>) {
        P::describe(contract, ParameterIn::Path);
        contract.problems(&[404]);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::http::extract::documented::EntryPath;

    #[actix_web::test]
    async fn parts_are_decoded_and_what_cannot_be_kept_names_nothing() {
        let key = async |text: &'static str| {
            let request = TestRequest::default()
                .param("register", "merchants")
                .param("key", text)
                .to_http_request();
            let path = PathText::<EntryPath>::extract(&request).await.unwrap();
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
