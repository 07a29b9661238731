//! Parts of the path.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde_json::{Map, Value};
use utoipa::openapi::path::ParameterIn;

use crate::http::contract::{Argument, Contract};
use crate::http::fields::{Fields, read};
use crate::http::problem::Problem;
use crate::http::wire::{Field, Members, Named, Object, form};

/// The `{id}` of the path. What is no id names no record: 404, as for an id that no record has.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

impl<T: FromStr + Named> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(|text| text.parse().ok());
        ready(id.map(PathId).ok_or_else(|| Problem::not_found(T::WHAT)))
    }
}

impl<T: Field + Named> Argument for PathId<T> {
    fn describe(contract: &mut Contract<'_>) {
        let mut members = Members::default();
        members.add("id", true, "", None, &form::<T>());
        contract.parameters(members.parameters(&ParameterIn::Path));
        contract.problems(&[404]);
    }
}

/// Parts of a path, other than the id of one record.
pub trait PathParts: Sized {
    /// What a part names.
    fn what(part: &str) -> &'static str;

    fn read(fields: &mut Fields<'_>) -> Option<Self>;
}

/// The parts, percent-decoded and read. A part that does not parse names nothing: 404. Nor does
/// text that no record can hold.
#[derive(Debug, Clone)]
pub struct Path<P>(pub P);

impl<P: PathParts> FromRequest for Path<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let values = web::Path::<Vec<String>>::from_request(request, payload).into_inner();
        let values = values.map_err(|_| Problem::NoSuchPath);
        ready(values.and_then(|values| parts(request, values.into_inner()).map(Path)))
    }
}

fn parts<P: PathParts>(request: &HttpRequest, values: Vec<String>) -> Result<P, Problem> {
    let mut object = Map::new();
    for ((name, _), value) in request.match_info().iter().zip(values) {
        if value.chars().any(char::is_control) {
            return Err(Problem::not_found(P::what(name)));
        }
        object.insert(name.to_owned(), Value::String(value));
    }
    read(&Value::Object(object), "", P::read).map_err(|errors| {
        let first = errors.first().map(|error| error.pointer.trim_start_matches('/'));
        Problem::not_found(P::what(first.unwrap_or_default()))
    })
}

impl<P: PathParts + Object> Argument for Path<P> {
    fn describe(contract: &mut Contract<'_>) {
        contract.parameters(Members::of::<P>().parameters(&ParameterIn::Path));
        contract.problems(&[404]);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use claims::ClaimId;
    use service::Refusal;
    use wire_derive::WirePath;

    use super::*;
    use crate::http::wire::{Text, Whole};

    /// A shelf and a thing on it.
    #[derive(Debug, WirePath)]
    #[wire(what = "thing")]
    struct ThingPath {
        #[wire(Whole::new(1..=9), what = "shelf")]
        shelf: u16,
        #[wire(Text(1..=20))]
        key: String,
    }

    async fn read(shelf: &'static str, key: &'static str) -> Result<ThingPath, &'static str> {
        let request = TestRequest::default().param("shelf", shelf).param("key", key);
        let path = Path::<ThingPath>::extract(&request.to_http_request()).await;
        path.map(|path| path.0).map_err(|problem| match problem {
            Problem::Refused(Refusal::NotFound(what)) => what,
            other => panic!("{other:?}"),
        })
    }

    #[actix_web::test]
    async fn parts_are_decoded_and_what_cannot_be_kept_names_nothing() {
        let path = read("7", "KFR-35%2FGW").await.unwrap();
        assert_eq!((path.shelf, path.key.as_str()), (7, "KFR-35/GW"));
        assert_eq!(read("7", "%E6%B5%B7%E5%B0%94").await.unwrap().key, "海尔");
        assert_eq!(read("7", "a%00b").await.unwrap_err(), "thing");
        assert_eq!(read("0", "a").await.unwrap_err(), "shelf");
    }

    #[actix_web::test]
    async fn what_is_no_id_names_no_record() {
        let request = TestRequest::default().param("id", "clm_1").to_http_request();
        let problem = PathId::<ClaimId>::extract(&request).await.unwrap_err();
        assert_eq!(problem.kind(), crate::http::problem::Kind::NotFound);
    }
}
