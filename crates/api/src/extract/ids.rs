//! Parts of the path.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use claims::{AppropriationId, CapChangeId, ClaimId, DisbursementId};

use crate::problem::Problem;

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
pub struct PathText(BTreeMap<String, String>);

impl PathText {
    /// Empty if the route has no such part, which finds nothing; so does text that no record can hold.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).filter(|text| !text.chars().any(char::is_control)).unwrap_or_default()
    }

    /// A part that has a grammar; whatever does not parse names nothing: 404.
    pub fn parse<T>(
        &self,
        name: &str,
        what: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Problem> {
        parse(self.get(name)).ok_or_else(|| Problem::not_found(what))
    }
}

impl FromRequest for PathText {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parts = web::Path::<BTreeMap<String, String>>::from_request(request, payload).into_inner();
        ready(parts.map(|parts| PathText(parts.into_inner())).map_err(|_| Problem::NoSuchPath))
    }
}
