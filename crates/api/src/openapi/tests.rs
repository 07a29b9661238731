use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

fn each_operation(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        item.iter()
            .map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    });
    operations.collect()
}

#[test]
fn every_operation_is_whole() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (name, operation) in each_operation(&document) {
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{name} has no operationId"));
        assert!(ids.insert(id.to_owned()), "{id} stands twice");
        assert!(
            operation["tags"].as_array().is_some_and(|tags| tags.len() == 1),
            "{name}: {}",
            operation["tags"]
        );
        assert!(
            operation["summary"]
                .as_str()
                .is_some_and(|text| text.contains(" · ")),
            "{name} lacks a language"
        );
        assert!(operation["security"].is_array(), "{name}");
        let signed = operation["security"] != serde_json::json!([{}]);
        assert_eq!(
            signed,
            operation["x-roles"].is_array(),
            "{name}: {}",
            operation["security"]
        );
        for (status, response) in operation["responses"].as_object().unwrap() {
            let described = response["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert!(
                described || response["$ref"].is_string(),
                "{name} {status} has no description"
            );
        }
    }
}

#[test]
fn every_parameter_of_a_path_is_described() {
    let document = document();
    for (name, operation) in each_operation(&document) {
        let in_path = name.split(['{', '}']).skip(1).step_by(2).collect::<BTreeSet<_>>();
        let parameters = operation["parameters"].as_array().unwrap().iter();
        let described = parameters
            .filter(|it| it["in"] == "path")
            .map(|it| it["name"].as_str().unwrap());
        assert_eq!(described.collect::<BTreeSet<_>>(), in_path, "{name}");
    }
}

#[test]
fn no_two_schemas_have_one_name() {
    let mut schemas = Schemas::default();
    for operation in crate::routes::operations() {
        contract::document(operation, &mut schemas);
    }
    assert!(schemas.clashes().is_empty(), "{:?}", schemas.clashes());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
        match value {
            Value::Object(object) => open.extend(object.values()),
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
}

#[test]
fn every_string_list_and_number_of_a_request_is_bounded() {
    let document = document();
    for name in finish::request_schemas(&document) {
        let mut open = vec![&document["components"]["schemas"][&name]];
        while let Some(value) = open.pop() {
            let bounded = match value.get("type").and_then(Value::as_str) {
                Some("string") => value.get("maxLength").is_some() || value.get("enum").is_some(),
                Some("array") => value.get("maxItems").is_some(),
                Some("integer" | "number") => value.get("maximum").is_some(),
                _ => true,
            };
            assert!(bounded, "{name}: {value}");
            match value {
                Value::Object(object) => open.extend(object.values()),
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
    }
}

#[test]
fn a_request_takes_no_unknown_field_and_no_null() {
    let document = document();
    for name in finish::request_schemas(&document) {
        let schema = &document["components"]["schemas"][&name];
        assert!(
            !schema.to_string().contains("\"null\""),
            "{name} takes null: {schema}"
        );
        let shapes = schema["oneOf"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![schema.clone()]);
        for shape in shapes.iter().filter(|shape| shape.get("properties").is_some()) {
            assert_eq!(
                shape["additionalProperties"],
                Value::Bool(false),
                "{name} takes anything: {shape}"
            );
        }
    }
}

#[test]
fn the_document_is_the_same_every_time() {
    assert_eq!(openapi_json(), openapi_json());
    assert!(openapi_json().ends_with("}\n"));
    assert_eq!(document()["openapi"].as_str().unwrap().get(..3), Some("3.1"));
    assert_eq!(document()["info"]["license"]["identifier"], "Apache-2.0");
}
