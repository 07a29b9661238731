//! An operation's part of the OpenAPI document, collected from its attribute and its types.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use service::Right;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Parameter;

use super::{Method, Operation, Schema};

/// Schemas by name.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    by_name: BTreeMap<String, Value>,
    clashes: BTreeSet<String>,
}

impl Schemas {
    /// A reference to the type's schema, which is kept with all that it refers to.
    pub(crate) fn refer<T: ToSchema>(&mut self) -> Value {
        let name = T::name().into_owned();
        let mut found = vec![(name.clone(), T::schema())];
        T::schemas(&mut found);
        self.keep(found);
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    fn keep(&mut self, schemas: Vec<(String, RefOr<utoipa::openapi::Schema>)>) {
        for (name, schema) in schemas {
            let schema = value(schema);
            if self.by_name.get(&name).is_some_and(|kept| *kept != schema) {
                self.clashes.insert(name.clone());
            }
            self.by_name.insert(name, schema);
        }
    }

    /// Names that two types have: a reference to one of them would lead to the other.
    #[cfg(test)]
    pub(crate) fn clashes(&self) -> &BTreeSet<String> {
        &self.clashes
    }

    pub(crate) fn into_inner(self) -> BTreeMap<String, Value> {
        self.by_name
    }
}

fn value(part: impl serde::Serialize) -> Value {
    serde_json::to_value(part).unwrap_or_default()
}

/// An operation's contract while its types say what they add to it: first the arguments, then the result.
pub(crate) struct Contract<'a> {
    operation: &'a Operation,
    schemas: &'a mut Schemas,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: Map<String, Value>,
    problems: BTreeSet<u16>,
    roles: Option<Value>,
    replays: bool,
}

impl Contract<'_> {
    pub(crate) fn operation(&self) -> &Operation {
        self.operation
    }

    /// Only a caller who has the right gets in, and not too often.
    pub(crate) fn requires<R: Right>(&mut self) {
        let roles: Vec<_> = R::ROLES.iter().map(|role| role.as_str()).collect();
        self.roles = Some(json!(roles));
        self.problems.extend([401, 403, 429]);
        if self.operation.method != Method::Get {
            // What a body names may not exist, and what exists may be out of turn.
            self.problems.extend([404, 409]);
        }
    }

    /// Parameters of a path, a query or a header.
    pub(crate) fn parameters(&mut self, parameters: Vec<Parameter>) {
        for mut parameter in parameters.into_iter().map(value) {
            // A parameter that may be left out is left out, never null.
            parameter.get_mut("schema").map(without_null);
            self.parameters.push(parameter);
        }
    }

    /// Statuses of problems with what is read.
    pub(crate) fn problems(&mut self, statuses: &[u16]) {
        self.problems.extend(statuses);
    }

    /// A repeat under the same key gets the first answer again, and says so.
    pub(crate) fn replays(&mut self) {
        self.replays = true;
    }

    /// A body that an argument reads.
    pub(crate) fn body(&mut self, media_type: &'static str, schema: Schema, required: bool) {
        self.read(&[(media_type, schema)], required);
    }

    fn read(&mut self, media: &[(&'static str, Schema)], required: bool) {
        let content = self.content(media);
        let text = self.operation.body.map_or("", |body| body.text);
        self.body = Some(json!({ "description": text, "content": content, "required": required }));
        self.problems.extend([400, 413, 415, 422]);
    }

    /// The answer with this status. A header that comes with each answer of its form has its usual text here.
    pub(crate) fn answer(&mut self, status: u16, media: &[(&'static str, Schema)], headers: &[(&str, &str)]) {
        let content = self.content(media);
        let text = self.operation.answer.text;
        let headers = headers.iter().chain(self.operation.headers);
        let headers = headers.map(|(name, text)| {
            let header = json!({ "description": text, "schema": { "type": "string" } });
            ((*name).to_owned(), header)
        });
        self.respond(status, text, headers.collect(), content);
    }

    /// 304 for a caller who has the answer already.
    pub(crate) fn unmodified(&mut self) {
        let text = "Nothing changed since the ETag in If-None-Match.";
        self.respond(304, text, Map::new(), Map::new());
    }

    fn respond(
        &mut self,
        status: u16,
        text: &str,
        mut headers: Map<String, Value>,
        content: Map<String, Value>,
    ) {
        let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
        headers.insert("X-Request-Id".into(), header("RequestId"));
        if self.replays {
            headers.insert("Idempotency-Replayed".into(), header("Replayed"));
        }
        let mut answer = json!({ "description": text, "headers": headers });
        if let Some(answer) = answer.as_object_mut().filter(|_| !content.is_empty()) {
            answer.insert("content".into(), Value::Object(content));
        }
        self.answers.insert(status.to_string(), answer);
    }

    fn content(&mut self, media: &[(&'static str, Schema)]) -> Map<String, Value> {
        let one = |(media_type, schema): &(&'static str, Schema)| {
            let schema = schema(self.schemas);
            ((*media_type).to_owned(), json!({ "schema": schema }))
        };
        media.iter().map(one).collect()
    }
}

/// The operation as the document has it, under its path and method; its schemas are added to the others.
pub(crate) fn document(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut contract = Contract {
        operation,
        schemas,
        parameters: Vec::new(),
        body: None,
        answers: Map::new(),
        // Any request may have an address that is too long, find a bug, or find no database.
        problems: BTreeSet::from([414, 500, 503]),
        roles: None,
        replays: false,
    };
    if let Some(body) = operation.body.filter(|body| !body.media.is_empty()) {
        contract.read(body.media, true);
    }
    (operation.describe)(&mut contract);
    contract.problems(operation.problems);
    contract.finish()
}

impl Contract<'_> {
    fn finish(self) -> Value {
        let Operation {
            id,
            tag,
            summary,
            description,
            ..
        } = self.operation;
        let mut parameters = self.parameters;
        for name in ["AcceptLanguage", "RequestId"] {
            parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
        }
        let mut responses = self.answers;
        for status in self.problems {
            let problem = json!({ "$ref": format!("#/components/responses/Problem{status}") });
            responses.insert(status.to_string(), problem);
        }
        let mut document = Map::from_iter([
            ("operationId".to_owned(), json!(id)),
            ("tags".to_owned(), json!([tag.as_str()])),
            ("summary".to_owned(), json!(summary)),
            ("parameters".to_owned(), Value::Array(parameters)),
            ("responses".to_owned(), Value::Object(responses)),
        ]);
        if !description.is_empty() {
            document.insert("description".into(), json!(description));
        }
        if let Some(body) = self.body {
            document.insert("requestBody".into(), body);
        }
        let security = match self.roles {
            Some(roles) => {
                document.insert("x-roles".into(), roles);
                json!([{ "bearer": [] }])
            }
            None => json!([{}]),
        };
        document.insert("security".into(), security);
        Value::Object(document)
    }
}

/// Takes `null` out of a schema: requests leave a field out instead. An alternative of one is that one.
pub(crate) fn without_null(schema: &mut Value) {
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
