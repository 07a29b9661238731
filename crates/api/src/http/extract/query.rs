//! Query parameters, read as an object of strings: every wrong one is named, and so is one that the
//! operation does not have.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde_json::{Map, Value};
use utoipa::openapi::path::ParameterIn;

use crate::http::contract::{Argument, Contract};
use crate::http::fields::{Fields, read};
use crate::http::problem::Problem;
use crate::http::wire::{Members, Object};

/// Parameters of a query.
pub trait Params {
    /// What is read: as a rule the parameters themselves.
    type Value;

    fn read(fields: &mut Fields<'_>) -> Option<Self::Value>;
}

/// The parameters, read.
pub struct Query<T: Params>(pub T::Value);

impl<T: Params> std::fmt::Debug for Query<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").finish_non_exhaustive()
    }
}

impl<T: Params> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse::<T>(request.query_string()).map(Query))
    }
}

impl<T: Params + Object> Argument for Query<T> {
    fn describe(contract: &mut Contract<'_>) {
        contract.parameters(Members::of::<T>().parameters(&ParameterIn::Query));
        contract.problems(&[400]);
    }
}

fn parse<T: Params>(query: &str) -> Result<T::Value, Problem> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
        .map_err(|_| Problem::query("", "encoding", "查询编码有误", "the query's encoding is wrong"))?;
    let mut object = Map::new();
    for (name, value) in pairs.into_inner() {
        if object.insert(name.clone(), Value::String(value)).is_some() {
            let name: String = name.chars().take(64).collect();
            return Err(Problem::query(
                &name,
                "repeated",
                "参数重复",
                "the parameter is given twice",
            ));
        }
    }
    read(&Value::Object(object), "/query", T::read).map_err(Problem::InvalidParameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Page(Option<u32>);

    impl Params for Page {
        type Value = Page;

        fn read(fields: &mut Fields<'_>) -> Option<Self> {
            fields.optional("limit", |s| s.whole(1, 200)).map(Page)
        }
    }

    #[test]
    fn parameters_are_read_and_strange_ones_named() {
        assert_eq!(parse::<Page>("limit=20").unwrap().0, Some(20));
        assert_eq!(parse::<Page>("").unwrap().0, None);
        for (query, pointer, code) in [
            ("limit=0", "/query/limit", "range"),
            ("limit=+5", "/query/limit", "range"),
            ("limit=1&limit=2", "/query/limit", "repeated"),
            ("offset=3", "/query/offset", "unknown-field"),
        ] {
            let problem = parse::<Page>(query).unwrap_err();
            assert_eq!(
                (
                    problem.errors()[0].pointer.as_str(),
                    problem.errors()[0].code.as_str()
                ),
                (pointer, code)
            );
        }
    }
}
