//! Reading a JSON object field by field, so that one answer names everything that is wrong.
//!
//! A derived reader stops at the first error and quotes what it stumbled over. This one goes on to
//! the end, gives each error the JSON pointer of its field, and knows only the field's form, so
//! that no value reaches an answer or a log. Query parameters and lines of a CSV are read the same
//! way, as objects of strings.
//!
//! A reader returns `None` once something is wrong; [`read`] gives the errors in its stead.

use std::cell::RefCell;
use std::collections::BTreeSet;

use chrono::NaiveDate;
use claims::identifiers::IdentifierError;
use ledger::Fen;
use policy::Lang;
use serde_json::{Map, Value};
use service::FieldError;

use crate::http::field_limits;

/// Reads a body or a line. `root` goes before every pointer.
pub fn read<T>(
    value: &Value,
    root: &str,
    reader: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T, Vec<FieldError>> {
    let errors = RefCell::new(Vec::new());
    let slot = Slot {
        value,
        pointer: root.to_owned(),
        errors: &errors,
    };
    let result = slot.object(reader);
    match (result, errors.into_inner()) {
        (Some(result), errors) if errors.is_empty() => Ok(result),
        (_, errors) => Err(errors),
    }
}

/// Reads an object.
pub(crate) type Reader<T> = fn(&mut Fields<'_>) -> Option<T>;

/// The fields of one object.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    pointer: &'a str,
    errors: &'a RefCell<Vec<FieldError>>,
    known: BTreeSet<&'static str>,
}

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields")
            .field("pointer", &self.pointer)
            .finish_non_exhaustive()
    }
}

impl Fields<'_> {
    /// A field that must be there.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        reader: impl FnOnce(&Slot<'_>) -> Option<T>,
    ) -> Option<T> {
        match self.optional(name, reader)? {
            Some(value) => Some(value),
            None => {
                self.error(name, "missing", "缺少该字段", "the field is missing");
                None
            }
        }
    }

    /// A field that may be absent: `Some(None)`. `null` is no value of any field: absent is written
    /// by leaving it out.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        reader: impl FnOnce(&Slot<'_>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.known.insert(name);
        let Some(value) = self.object.get(name) else {
            return Some(None);
        };
        let slot = Slot {
            value,
            pointer: joined(self.pointer, name),
            errors: self.errors,
        };
        reader(&slot).map(Some)
    }

    /// The object in the form that one of its fields names.
    pub(crate) fn tagged<T>(&mut self, tag: &'static str, forms: &[(&str, Reader<T>)]) -> Option<T> {
        let read = self.required(tag, |slot| {
            let text = slot.text(field_limits::IDENTIFIER)?;
            let found = forms.iter().find(|(word, _)| *word == text);
            found.map(|(_, read)| *read).or_else(|| {
                let words: Vec<_> = forms.iter().map(|(word, _)| *word).collect();
                slot.wrong_word(&words)
            })
        })?;
        read(self)
    }

    /// Reports a field that is wrong for a reason of its object.
    pub fn error(&self, name: &str, code: &str, zh: &str, en: &str) {
        self.errors
            .borrow_mut()
            .push(FieldError::new(joined(self.pointer, name), code, zh, en));
    }

    /// Reports fields that nobody asked for: a misspelt optional field would otherwise be lost in
    /// silence.
    fn refuse_unknown(&self) {
        for name in self
            .object
            .keys()
            .filter(|name| !self.known.contains(name.as_str()))
        {
            let name: String = name.chars().take(64).collect();
            self.error(&name, "unknown-field", "没有这一字段", "there is no such field");
        }
    }
}

/// RFC 6901.
fn joined(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// One value and where it stands.
pub struct Slot<'a> {
    value: &'a Value,
    pointer: String,
    errors: &'a RefCell<Vec<FieldError>>,
}

impl std::fmt::Debug for Slot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot")
            .field("pointer", &self.pointer)
            .finish_non_exhaustive()
    }
}

impl<'a> Slot<'a> {
    pub fn wrong<T>(
        &self,
        code: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Option<T> {
        self.errors
            .borrow_mut()
            .push(FieldError::new(self.pointer.clone(), code, zh, en));
        None
    }

    fn wrong_word<T>(&self, words: &[&str]) -> Option<T> {
        let words = words.join(", ");
        self.wrong(
            "unknown-word",
            format!("须为以下之一：{words}"),
            format!("it is one of {words}"),
        )
    }

    /// A string of at most `longest` characters, as sent.
    pub fn text(&self, longest: usize) -> Option<&'a str> {
        let Some(text) = self.value.as_str() else {
            return self.wrong("type", "须为字符串", "it is a string");
        };
        if text.chars().count() > longest {
            return self.wrong(
                "too-long",
                format!("最多 {longest} 个字符"),
                format!("it has at most {longest} characters"),
            );
        }
        if text.contains('\0') {
            return self.wrong(
                "control-character",
                "不能含控制字符",
                "it may not have control characters",
            );
        }
        Some(text)
    }

    /// Words for people: folded to one width, neither empty nor with control characters.
    pub fn words(&self, longest: usize) -> Option<String> {
        let text = claims::text::narrowed(self.text(longest)?);
        if text.is_empty() {
            return self.wrong("empty", "不能为空", "it may not be empty");
        }
        if text.chars().any(char::is_control) {
            return self.wrong(
                "control-character",
                "不能含控制字符",
                "it may not have control characters",
            );
        }
        Some(text)
    }

    /// An identifier with its own grammar.
    pub fn parse<T>(&self, parse: impl FnOnce(&str) -> Result<T, IdentifierError>) -> Option<T> {
        self.parse_within(field_limits::IDENTIFIER, parse)
    }

    /// An identifier that may be longer than most, such as an address.
    pub fn parse_within<T>(
        &self,
        longest: usize,
        parse: impl FnOnce(&str) -> Result<T, IdentifierError>,
    ) -> Option<T> {
        match parse(self.text(longest)?) {
            Ok(value) => Some(value),
            Err(error) => self.wrong(error.code(), error.message(Lang::Zh), error.message(Lang::En)),
        }
    }

    /// A word of a closed list.
    pub fn word<T>(
        &self,
        words: &'static [&'static str],
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        parse(self.text(field_limits::IDENTIFIER)?).or_else(|| self.wrong_word(words))
    }

    /// An id of one of the service's own records.
    pub fn id<T: std::str::FromStr<Err = claims::IdError>>(&self) -> Option<T> {
        match self.text(field_limits::IDENTIFIER)?.parse::<T>() {
            Ok(id) => Some(id),
            Err(error) => self.wrong(error.code(), error.message(Lang::Zh), error.message(Lang::En)),
        }
    }

    pub fn money(&self) -> Option<Fen> {
        let Some(text) = self.value.as_str() else {
            let zh = "金额须为字符串，例如 \"1500.00\"";
            return self.wrong("type", zh, "money is a string, such as \"1500.00\"");
        };
        match text.parse::<Fen>() {
            Ok(fen) => Some(fen),
            Err(error) => self.wrong(error.code(), error.message_zh(), error.to_string()),
        }
    }

    pub fn positive_money(&self) -> Option<Fen> {
        let amount = self.money()?;
        if amount.is_zero() {
            return self.wrong("money.zero", "金额必须大于零", "it is more than nothing");
        }
        Some(amount)
    }

    pub fn date(&self) -> Option<NaiveDate> {
        let text = self.text(field_limits::IDENTIFIER)?;
        let date = Some(text)
            .filter(|text| text.len() == 10)
            .and_then(|text| text.parse::<NaiveDate>().ok());
        date.or_else(|| {
            self.wrong(
                "date",
                "须为 YYYY-MM-DD 的真实日期",
                "it is a real date, YYYY-MM-DD",
            )
        })
    }

    /// A whole number within bounds; from a string too, since query parameters and CSV have nothing
    /// else.
    pub fn whole(&self, low: u32, high: u32) -> Option<u32> {
        let number = match self.value {
            Value::String(text) => text
                .parse::<u32>()
                .ok()
                .filter(|_| text.bytes().all(|b| b.is_ascii_digit())),
            other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        number.filter(|number| (low..=high).contains(number)).or_else(|| {
            self.wrong(
                "range",
                format!("须为 {low} 至 {high} 的整数"),
                format!("it is a whole number from {low} to {high}"),
            )
        })
    }

    pub fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        flag.or_else(|| self.wrong("type", "须为 true 或 false", "it is true or false"))
    }

    pub fn object<T>(&self, reader: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Option<T> {
        let Some(object) = self.value.as_object() else {
            return self.wrong("type", "须为 JSON 对象", "it is a JSON object");
        };
        let mut fields = Fields {
            object,
            pointer: &self.pointer,
            errors: self.errors,
            known: BTreeSet::new(),
        };
        let result = reader(&mut fields);
        fields.refuse_unknown();
        result
    }

    /// A list of `least` to `most`; every element is read, whichever are wrong.
    pub fn list<T>(
        &self,
        least: usize,
        most: usize,
        mut reader: impl FnMut(&Slot<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(items) = self.value.as_array() else {
            return self.wrong("type", "须为列表", "it is a list");
        };
        if !(least..=most).contains(&items.len()) {
            return self.wrong(
                "items",
                format!("须有 {least} 至 {most} 项"),
                format!("it has {least} to {most} items"),
            );
        }
        let read = items.iter().enumerate().map(|(i, value)| {
            reader(&Slot {
                value,
                pointer: format!("{}/{i}", self.pointer),
                errors: self.errors,
            })
        });
        // Collected before it is judged: stopping at the first error would hide the others.
        let read: Vec<Option<T>> = read.collect();
        read.into_iter().collect()
    }

    pub fn is_list(&self) -> bool {
        self.value.is_array()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointers(errors: &[FieldError]) -> Vec<(&str, &str)> {
        errors
            .iter()
            .map(|error| (error.pointer.as_str(), error.code.as_str()))
            .collect()
    }

    #[test]
    fn every_error_is_found_and_none_repeats_a_value() {
        let body = json!({
            "date": "2026-02-30", "total": 12, "many": ["1", "x", "y"], "in": {"a/b": "secret", "n": 7}, "extra": "secret", "none": null
        });
        let errors = read(&body, "", |f| {
            let date = f.required("date", |s| s.date());
            let total = f.required("total", |s| s.money());
            let many = f.required("many", |s| s.list(1, 5, |s| s.whole(0, 9)));
            let inner = f.required("in", |s| s.object(|f| f.required("n", |s| s.whole(0, 5))));
            let none = f.optional("none", |s| s.text(5).map(str::to_owned));
            let gone = f.required("gone", |s| s.words(5));
            date.zip(total).zip(many).zip(inner).zip(none).zip(gone)
        })
        .unwrap_err();
        assert_eq!(
            pointers(&errors),
            [
                ("/date", "date"),
                ("/total", "type"),
                ("/many/1", "range"),
                ("/many/2", "range"),
                ("/in/n", "range"),
                ("/in/a~1b", "unknown-field"),
                ("/none", "type"),
                ("/gone", "missing"),
                ("/extra", "unknown-field"),
            ]
        );
        assert!(!format!("{errors:?}").contains("secret"));
    }

    #[test]
    fn a_body_that_is_no_object() {
        let errors = read(&json!([1]), "/7", |_| Some(())).unwrap_err();
        assert_eq!(pointers(&errors), [("/7", "type")]);
    }
}
