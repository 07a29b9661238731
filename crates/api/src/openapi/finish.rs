//! What is true of every operation is written here once: which problems it can answer follows from
//! what it takes.

use std::collections::{BTreeMap, BTreeSet};

use policy::Lang;
use serde_json::{Map, Value, json};

use crate::http::problem::Kind;

pub(crate) const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// Completes the document.
pub(crate) fn finish(document: &mut Value) {
    let closed = request_schemas(document);
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for (path, item) in paths.iter_mut() {
        let Some(item) = item.as_object_mut() else {
            continue;
        };
        for method in METHODS {
            if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                complete(path, method, operation);
            }
        }
    }
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

fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let public = operation.contains_key("security");
    if !public {
        operation.insert("security".into(), json!([{ "bearer": [] }]));
    }
    let statuses = statuses(path, method, public, operation);
    let keyed = operation
        .get("parameters")
        .is_some_and(|it| it.to_string().contains("\"Idempotency-Key\""));
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        // A parameter that may be left out is left out, never null.
        parameters
            .iter_mut()
            .filter_map(|it| it.get_mut("schema"))
            .for_each(without_null);
        parameters.push(json!({ "$ref": "#/components/parameters/AcceptLanguage" }));
        parameters.push(json!({ "$ref": "#/components/parameters/RequestId" }));
    }
    if let Some(body) = operation.get_mut("requestBody").and_then(Value::as_object_mut) {
        let optional = body
            .get("content")
            .is_some_and(|content| content.to_string().contains("/Nothing\""));
        body.insert("required".into(), json!(!optional));
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for response in responses.values_mut().filter_map(Value::as_object_mut) {
        let headers = response.entry("headers").or_insert_with(|| json!({}));
        if let Some(headers) = headers.as_object_mut() {
            headers.insert(
                "X-Request-Id".into(),
                json!({ "$ref": "#/components/headers/RequestId" }),
            );
            if keyed && path != "/v1/claims/bulk" {
                headers.insert(
                    "Idempotency-Replayed".into(),
                    json!({ "$ref": "#/components/headers/Replayed" }),
                );
            }
        }
    }
    for status in statuses {
        let reference = json!({ "$ref": format!("#/components/responses/Problem{status}") });
        responses.entry(status.to_string()).or_insert(reference);
    }
}

/// The statuses of problems that an operation can answer.
fn statuses(path: &str, method: &str, public: bool, operation: &Map<String, Value>) -> BTreeSet<u16> {
    let parameters = operation
        .get("parameters")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let takes = |place: &str, name: Option<&str>| {
        parameters.iter().any(|it| {
            it.get("in").and_then(Value::as_str) == Some(place)
                && name.is_none_or(|name| it.get("name").and_then(Value::as_str) == Some(name))
        })
    };
    let mut statuses = BTreeSet::from([414, 500, 503]);
    if !public {
        statuses.extend([401, 403, 429]);
    }
    if path == "/oauth/token" {
        statuses.extend([401, 429]);
    }
    if takes("query", None) || path == "/v1/programmes" {
        statuses.insert(400);
    }
    if takes("path", None) {
        statuses.insert(404);
    }
    if operation.contains_key("requestBody") {
        statuses.extend([400, 413, 415, 422]);
    }
    if takes("header", Some("Idempotency-Key")) {
        statuses.extend([400, 422]);
    }
    if takes("header", Some("If-Match")) {
        statuses.extend([400, 412]);
    }
    let if_match = parameters
        .iter()
        .find(|it| it.get("name").and_then(Value::as_str) == Some("If-Match"));
    if if_match.is_some_and(|it| it.get("required").and_then(Value::as_bool) == Some(true)) {
        statuses.insert(428);
    }
    let writes = method != "get" && !public;
    if writes || path.ends_with("/instruction") {
        // What a body names may not exist, and what exists may be out of turn.
        statuses.extend([404, 409]);
    }
    statuses
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

/// Takes `null` out of a schema: requests leave a field out instead. An alternative of one is that one.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|it| it != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    object.insert("type".into(), one);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("oneOf") {
                choices.retain(|it| it.get("type").and_then(Value::as_str) != Some("null"));
                if let [one] = choices.as_slice() {
                    let one = one.clone();
                    object.remove("oneOf");
                    if let Value::Object(one) = one {
                        object.extend(one);
                    }
                }
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}
