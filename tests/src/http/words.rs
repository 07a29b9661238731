//! The service accepts exactly the values of each closed list in the OpenAPI document.
//!
//! The document is walked: each parameter and each member of a body that has an `enum` is sent over
//! HTTP with each of its values, and with one that stands in no list. Other faults of such a
//! request do not matter, since a reader reports every fault: the test looks for `unknown-word` at
//! that place and nowhere else.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use service::Actor;
use testkit::{HttpApp, Reply};

const STRANGER: &str = "Stranger";

/// A place with a closed list of values.
struct Place {
    /// JSON pointer in a body, name of a parameter.
    at: String,
    words: Vec<String>,
    /// The body that leads there, with an unlisted value at the place; `None` for a parameter.
    rest: Value,
}

fn words(schema: &Value) -> Option<Vec<String>> {
    let words = schema.get("enum")?.as_array()?.iter();
    Some(words.map(|word| word.as_str().unwrap().to_owned()).collect())
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    }
}

/// The places under a schema, each with a body that has nothing but the way to it.
fn places(document: &Value, schema: &Value) -> Vec<(String, Vec<String>, Value)> {
    let schema = resolved(document, schema);
    if let Some(words) = words(schema) {
        return vec![(String::new(), words, json!(STRANGER))];
    }
    let mut found = Vec::new();
    for form in schema["oneOf"].as_array().into_iter().flatten() {
        let form = resolved(document, form);
        let mut tag = Map::new();
        let properties = form["properties"].as_object().into_iter().flatten();
        for (name, property) in properties {
            if let Some([only]) = words(property).as_deref() {
                tag.insert(name.clone(), json!(only));
            }
        }
        for (at, words, mut body) in places(document, form) {
            if let (Some(body), false) = (body.as_object_mut(), at.is_empty()) {
                for (name, word) in &tag {
                    body.entry(name.clone()).or_insert(word.clone());
                }
            }
            found.push((at, words, body));
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        for (at, words, inner) in places(document, property) {
            found.push((format!("/{name}{at}"), words, json!({ name: inner })));
        }
    }
    if let Some(items) = schema.get("items") {
        for (at, words, inner) in places(document, items) {
            found.push((format!("/0{at}"), words, json!([inner])));
        }
    }
    found
}

fn body_places(document: &Value, operation: &Value) -> Vec<Place> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let mut merged = BTreeMap::<String, Place>::new();
    for (at, words, rest) in places(document, schema) {
        // A tag stands once for each form, and accepts the values of all.
        let place = merged.entry(at.clone()).or_insert_with(|| Place {
            at,
            words: Vec::new(),
            rest,
        });
        for word in words {
            if !place.words.contains(&word) {
                place.words.push(word);
            }
        }
    }
    merged.into_values().collect()
}

/// A path whose parameters are of the right form, and name nothing.
fn path_of(path: &str, operation: &Value) -> String {
    let mut path = path.to_owned();
    for parameter in operation["parameters"].as_array().unwrap() {
        if parameter["in"] != "path" {
            continue;
        }
        let pattern = parameter["schema"]["pattern"].as_str().unwrap_or_default();
        let prefix = pattern.trim_start_matches('^').split('_').next().unwrap();
        let value = match (parameter["example"].as_str(), words(&parameter["schema"])) {
            (Some(example), _) => example.to_owned(),
            (None, Some(words)) => words[0].clone(),
            (None, None) if pattern.contains("[0-9a-f]{32}") => format!("{prefix}_140802_{:032x}", 1),
            (None, None) => "1".to_owned(),
        };
        let name = parameter["name"].as_str().unwrap();
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    path
}

/// An actor that has one of the roles.
fn actor<'a>(app: &'a HttpApp, roles: &Value) -> &'a Actor {
    let cast = [
        &app.cast.retailer,
        &app.cast.reviewer,
        &app.cast.approver,
        &app.cast.maker,
        &app.cast.auditor,
        &app.cast.admin,
    ];
    let may = |actor: &&&Actor| {
        let roles = roles.as_array().into_iter().flatten();
        roles.into_iter().any(|role| role == actor.role.as_str())
    };
    cast.iter().find(may).unwrap_or_else(|| panic!("{roles}"))
}

struct Sender<'a> {
    app: &'a HttpApp,
    tokens: BTreeMap<String, String>,
}

impl Sender<'_> {
    async fn send(&mut self, operation: &Value, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let actor = actor(self.app, &operation["x-roles"]);
        if !self.tokens.contains_key(&actor.client) {
            let token = self.app.token(actor).await;
            self.tokens.insert(actor.client.clone(), token);
        }
        let bearer = format!("Bearer {}", self.tokens[&actor.client]);
        let key = testkit::numbers::tag("key-");
        let mut headers = vec![
            ("authorization", bearer.as_str()),
            ("accept-language", "en"),
            ("if-match", "\"1\""),
            ("idempotency-key", &key),
        ];
        let body = body.map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.app.send(method, path, &headers, body.as_bytes()).await
    }
}

/// The message that refuses a value at a place; `None` if it is accepted.
fn refusal(reply: &Reply, pointer: &str) -> Option<String> {
    if reply.status < 400 {
        return None;
    }
    let problem = reply.json();
    let errors = problem["errors"].as_array().unwrap().iter();
    let mut refused = errors.filter(|error| error["pointer"] == pointer && error["code"] == "unknown-word");
    refused
        .next()
        .map(|error| error["detail"].as_str().unwrap().to_owned())
}

/// Checks the answer to one value. A value that stands in no list is refused with the list.
fn check(name: &str, place: &Place, word: &str, reply: &Reply, pointer: &str) {
    let refusal = refusal(reply, pointer);
    if word == STRANGER {
        let refusal =
            refusal.unwrap_or_else(|| panic!("{name} {pointer} takes a stranger: {}", reply.text()));
        assert!(
            place.words.iter().all(|word| refusal.contains(word.as_str())),
            "{name} {pointer}: {refusal}"
        );
    } else {
        assert_eq!(refusal, None, "{name} {pointer} refuses {word}");
    }
}

fn put(body: &mut Value, at: &str, word: &str) {
    *body.pointer_mut(at).unwrap() = json!(word);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_word_of_the_document_is_taken_and_no_other() {
    let app = HttpApp::new().await;
    let document: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    let mut sender = Sender {
        app: &app,
        tokens: BTreeMap::new(),
    };
    let (mut parameters, mut fields) = (0, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let (method, name) = (method.to_uppercase(), format!("{method} {path}"));
            let filled = path_of(path, operation);
            for parameter in operation["parameters"].as_array().unwrap() {
                let Some(words) = words(&parameter["schema"]) else {
                    continue;
                };
                parameters += 1;
                let at = parameter["name"].as_str().unwrap().to_owned();
                let place = Place {
                    at,
                    words,
                    rest: Value::Null,
                };
                for word in place.words.iter().map(String::as_str).chain([STRANGER]) {
                    if parameter["in"] == "query" {
                        let target = format!("{filled}?{}={word}", place.at);
                        let reply = sender.send(operation, &method, &target, None).await;
                        check(&name, &place, word, &reply, &format!("/query/{}", place.at));
                    } else {
                        // What a path does not name does not exist.
                        let target = path_of(path, &with_word(operation, &place.at, word));
                        let reply = sender.send(operation, &method, &target, None).await;
                        let unknown =
                            reply.status == 404 && reply.text().contains(&format!("no such {}\"", place.at));
                        assert_eq!(unknown, word == STRANGER, "{name} {word}: {}", reply.text());
                    }
                }
            }
            for place in body_places(&document, operation) {
                fields += 1;
                for word in place.words.iter().map(String::as_str).chain([STRANGER]) {
                    let mut body = place.rest.clone();
                    put(&mut body, &place.at, word);
                    let reply = sender.send(operation, &method, &filled, Some(&body)).await;
                    check(&name, &place, word, &reply, &place.at);
                }
            }
        }
    }
    // The number of places: a walk that finds none would prove nothing.
    assert!(
        parameters >= 17 && fields >= 20,
        "{parameters} parameters, {fields} fields"
    );
}

/// The operation with one parameter of its path fixed.
fn with_word(operation: &Value, name: &str, word: &str) -> Value {
    let mut operation = operation.clone();
    for parameter in operation["parameters"].as_array_mut().unwrap() {
        if parameter["name"] == name {
            parameter["example"] = json!(word);
        }
    }
    operation
}
