//! What operations share is written here once: problems, headers, the way to sign in, and what a request takes.

use std::collections::{BTreeMap, BTreeSet};

use policy::Lang;
use serde_json::{Map, Value, json};

use crate::http::contract::without_null;
use crate::http::problem::Kind;

/// Completes the document.
pub(crate) fn finish(document: &mut Value) {
    let closed = request_schemas(document);
    let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) else {
        return;
    };
    components.insert("responses".into(), problem_responses());
    components.insert("parameters".into(), shared_parameters());
    components.insert(
        "headers".into(),
        json!({ "RequestId": {
            "description": "The request's id: the caller's own if it sent one, otherwise a new one.",
            "schema": { "type": "string", "maxLength": 64 },
        }, "Replayed": {
            "description": "`true` on the first answer again; absent otherwise.",
            "schema": { "type": "string", "enum": ["true"] },
        }}),
    );
    components.insert("securitySchemes".into(), json!({ "bearer": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token from `POST /oauth/token`.",
    }}));
    if let Some(schemas) = components.get_mut("schemas").and_then(Value::as_object_mut) {
        for name in closed {
            if let Some(schema) = schemas.get_mut(&name) {
                without_null(schema);
                close(schema);
            }
        }
    }
}

/// One response for each status, naming the problems that have it.
fn problem_responses() -> Value {
    let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in Kind::ALL {
        by_status.entry(kind.status().as_u16()).or_default().push(*kind);
    }
    let response = |(status, kinds): (u16, Vec<Kind>)| {
        let lines = kinds
            .iter()
            .map(|kind| format!("- `{}` {}", kind.code(), kind.title(Lang::En)));
        let mut headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/RequestId" } });
        for (with, name, text) in [
            (401, "WWW-Authenticate", "How to sign in."),
            (405, "Allow", "The methods that the path takes."),
            (429, "Retry-After", "Seconds to wait."),
            (503, "Retry-After", "Seconds to wait."),
        ] {
            if with == status
                && let Some(headers) = headers.as_object_mut()
            {
                headers.insert(
                    name.into(),
                    json!({ "description": text, "schema": { "type": "string", "maxLength": 100 } }),
                );
            }
        }
        let content =
            json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        let description = lines.collect::<Vec<_>>().join("\n");
        (
            format!("Problem{status}"),
            json!({ "description": description, "headers": headers, "content": content }),
        )
    };
    Value::Object(by_status.into_iter().map(response).collect())
}

fn shared_parameters() -> Value {
    json!({
        "AcceptLanguage": {
            "name": "Accept-Language", "in": "header", "required": false,
            "description": "`zh-CN` (default) or `en`.",
            "schema": { "type": "string", "maxLength": 200 }, "example": "zh-CN",
        },
        "RequestId": {
            "name": "X-Request-Id", "in": "header", "required": false,
            "description": "An id of the caller's for this request; it comes back and stands in the log.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]{1,64}$" },
        },
    })
}

/// The schemas that requests are made of.
pub(crate) fn request_schemas(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Value> = Vec::new();
    let items = document
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::values);
    for item in items {
        let operations = item.as_object().into_iter().flat_map(Map::values);
        open.extend(operations.filter_map(|operation| operation.get("requestBody")));
    }
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                let name = object.get("$ref").and_then(Value::as_str);
                if let Some(name) = name.and_then(|it| it.strip_prefix("#/components/schemas/"))
                    && found.insert(name.to_owned())
                {
                    open.extend(document.pointer(&format!("/components/schemas/{name}")));
                }
                open.extend(object.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

/// A request's object takes the fields that it names and no other. utoipa says so of structs, not of an enum's variants.
fn close(schema: &mut Value) {
    if let Some(variants) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        variants.iter_mut().for_each(close);
    }
    if let Some(object) = schema.as_object_mut().filter(|it| it.contains_key("properties")) {
        object.insert("additionalProperties".into(), json!(false));
    }
}
