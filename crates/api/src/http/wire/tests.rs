use ledger::Fen;
use serde_json::{Value, json};
use service::FieldError;
use utoipa::openapi::path::ParameterIn;
use wire_derive::{WireBody, WireQuery};

use super::*;
use crate::http::fields::read;

request_words! {
    /// A colour
    /// of the sample.
    pub(crate) enum Colour { Red = "red", DarkBlue = "dark-blue" }
}

/// A sample.
#[derive(Debug, PartialEq, WireBody)]
struct Sample {
    /// What it is called.
    #[wire(Words(5), example = "abc")]
    title: String,
    #[wire(Whole::new(1..=3))]
    count: Option<u16>,
    #[wire(Positive, items = 1..=2)]
    sums: Vec<Fen>,
    #[wire(name = "paint", default = Colour::Red)]
    colour: Colour,
    #[wire(flatten)]
    flag: Flag,
}

#[derive(Debug, PartialEq, WireBody)]
#[wire(check(on))]
struct Flag {
    #[wire(default)]
    on: bool,
    #[wire(Whole::new(0..=1))]
    level: Option<u32>,
}

impl Flag {
    fn check(on: &bool, fields: &Fields<'_>) -> Option<()> {
        if *on {
            fields.error("on", "never", "不", "never");
            return None;
        }
        Some(())
    }
}

#[derive(WireBody)]
#[wire(tag = "kind", value = Colour)]
#[expect(dead_code, reason = "it declares forms; what is read is a `Colour`")]
enum Painted {
    #[wire(Colour::DarkBlue)]
    Blue,
    #[wire(|sample: Sample| sample.colour)]
    LikeSample(Sample),
}

#[derive(Debug, PartialEq, WireQuery)]
#[wire(refine = u32)]
struct Asked {
    #[wire(Whole::new(0..=9))]
    count: Option<u32>,
    #[wire(default = Colour::DarkBlue)]
    colour: Colour,
}

impl Asked {
    fn refine(self, _: &Fields<'_>) -> Option<u32> {
        self.count
    }
}

fn codes(errors: &[FieldError]) -> Vec<(&str, &str)> {
    errors
        .iter()
        .map(|error| (error.pointer.as_str(), error.code.as_str()))
        .collect()
}

#[test]
fn a_body_is_read_and_what_may_be_left_out_is() {
    let sent = json!({"title": " a ", "sums": ["1.00"]});
    let sample = read(&sent, "", <Sample as Object>::read).unwrap();
    assert_eq!(sample.colour, Colour::Red);
    assert_eq!((sample.count, sample.flag.on), (None, false));
    let sent = json!({"title": "a", "count": 3, "sums": ["1.00"], "paint": "dark-blue"});
    let sample = read(&sent, "", <Sample as Object>::read).unwrap();
    assert_eq!((sample.count, sample.colour), (Some(3), Colour::DarkBlue));
}

#[test]
fn every_fault_is_reported_with_its_place() {
    let sent = json!({
        "title": "secret", "count": 4, "sums": ["0.00", "x"], "paint": "DarkBlue", "on": true, "level": 2, "colour": "red"
    });
    let errors = read(&sent, "", <Sample as Object>::read).unwrap_err();
    assert_eq!(
        codes(&errors),
        [
            ("/title", "too-long"),
            ("/count", "range"),
            ("/sums/0", "money.zero"),
            ("/sums/1", "money.malformed"),
            ("/paint", "unknown-word"),
            ("/level", "range"),
            ("/on", "never"),
            ("/colour", "unknown-field"),
        ]
    );
    assert!(!format!("{errors:?}").contains("secret"));
    assert!(
        errors
            .iter()
            .any(|error| error.message(policy::Lang::En).contains("red, dark-blue"))
    );
}

#[test]
fn the_schema_has_the_bounds_of_the_reader() {
    let schema = serde_json::to_value(<Sample as Field>::schema()).unwrap();
    assert_eq!(
        schema,
        json!({
            "type": "object",
            "description": "A sample.",
            "required": ["title", "sums"],
            "additionalProperties": false,
            "properties": {
                "title": {
                    "type": "string", "minLength": 1, "maxLength": 5,
                    "description": "What it is called.", "example": "abc",
                },
                "count": { "type": "integer", "format": "int32", "minimum": 1, "maximum": 3 },
                "sums": {
                    "type": "array", "minItems": 1, "maxItems": 2, "items": { "$ref": "#/components/schemas/Money" },
                },
                "paint": { "$ref": "#/components/schemas/Colour" },
                "on": { "type": "boolean" },
                "level": { "type": "integer", "format": "int32", "minimum": 0, "maximum": 1 },
            },
        })
    );
    let mut found = Vec::new();
    <Sample as Field>::components(&mut found);
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Money", "Colour"]);
}

#[test]
fn each_word_is_read_as_its_value() {
    for colour in Colour::ALL {
        assert_eq!(Colour::of_word(colour.word()), Some(colour));
    }
}

#[test]
fn a_tag_says_which_form_is_read() {
    let painted = |sent: Value| {
        let object = json!({ "it": sent });
        read(&object, "", |f| f.required("it", <Painted as Field>::read))
    };
    assert_eq!(painted(json!({"kind": "blue"})).unwrap(), Colour::DarkBlue);
    let like = json!({"kind": "like_sample", "title": "a", "sums": ["1.00"]});
    assert_eq!(painted(like).unwrap(), Colour::Red);
    let errors = painted(json!({"kind": "Blue"})).unwrap_err();
    assert_eq!(codes(&errors), [("/it/kind", "unknown-word")]);
    let schema = serde_json::to_value(<Painted as Field>::schema()).unwrap();
    assert_eq!(schema["oneOf"][0]["properties"]["kind"]["enum"], json!(["blue"]));
    assert_eq!(schema["oneOf"][1]["required"], json!(["title", "sums", "kind"]));
}

#[test]
fn a_query_is_described_by_what_it_reads() {
    assert_eq!(
        read(&json!({"count": "7"}), "/query", <Asked as Object>::read).unwrap(),
        7
    );
    let parameters = serde_json::to_value(Members::of::<Asked>().parameters(&ParameterIn::Query)).unwrap();
    assert_eq!(
        parameters,
        json!([
            {
                "name": "count", "in": "query", "required": false,
                "schema": { "type": "integer", "format": "int32", "minimum": 0, "maximum": 9 },
            },
            {
                "name": "colour", "in": "query", "required": false,
                "schema": {
                    "type": "string", "description": "A colour\nof the sample.", "enum": ["red", "dark-blue"],
                },
            },
        ])
    );
}
