//! The OpenAPI document: what the operations say, completed with what they share.

mod finish;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::http::contract::{self, Schemas, Tag};

/// The head of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Huanxin",
        description = "换新：消费品以旧换新补贴的申领、审核与拨付。Claims for trade-in subsidies: submission, review and payout.\n\nMoney is a string of yuan with two decimals. Dates are `YYYY-MM-DD` in Asia/Shanghai, instants RFC 3339. Lists are keyset pages. Errors are `application/problem+json`; `problems.md` says for each what to do. Messages follow `Accept-Language` (`zh-CN`, `en`); codes and ids never change with it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "This service.")),
    components(schemas(crate::http::problem::ProblemView, crate::http::problem::FieldErrorView)),
)]
struct Head;

/// The head, with every operation under its path and the schemas that these refer to.
fn collected() -> Value {
    let mut document = serde_json::to_value(Head::openapi()).unwrap_or_default();
    let mut schemas = Schemas::default();
    let mut paths = Map::new();
    for operation in crate::routes::operations() {
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        let method = operation.method.as_str().to_lowercase();
        if let Some(item) = item.as_object_mut() {
            item.insert(method, contract::document(operation, &mut schemas));
        }
    }
    if let Some(document) = document.as_object_mut() {
        let tag = |tag: &Tag| json!({ "name": tag.as_str(), "description": tag.text() });
        document.insert("tags".into(), Tag::ALL.iter().map(tag).collect());
        document.insert("paths".into(), Value::Object(paths));
    }
    let components = document.pointer_mut("/components/schemas");
    if let Some(components) = components.and_then(Value::as_object_mut) {
        components.extend(schemas.into_inner());
    }
    document
}

/// The document as it is served and as it is committed under `api-spec/`: pretty, keys in a stable order, ends in a newline.
pub fn openapi_json() -> String {
    let mut document = collected();
    finish::finish(&mut document);
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Every path with the methods it takes, in upper case.
pub fn operations() -> Vec<(String, Vec<String>)> {
    let mut paths = BTreeMap::<String, Vec<String>>::new();
    for operation in crate::routes::operations() {
        let methods = paths.entry(operation.path.to_owned()).or_default();
        methods.push(operation.method.as_str().to_owned());
    }
    paths.into_iter().collect()
}

#[cfg(test)]
mod tests;
