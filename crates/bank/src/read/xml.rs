//! A cursor over a bank's XML. It goes forward only and keeps nothing, so that a message of any
//! length is read in the memory of one of its items.
//!
//! Elements are matched by their local name within the document's own namespace; those of any other
//! namespace are skipped with their contents. A DTD, and with it every entity but the five of XML,
//! ends the reading.

use ledger::Fen;
use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;

use crate::ids::Quoted;
use crate::read::{Fault, Limits, Marker, Place, ReadError, values};
use crate::text::is_xml_char;

/// Characters of one value. The longest that ISO 20022 allows in the elements read here has 500.
const LONGEST_VALUE: usize = 1_024;

const NAMESPACES: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// The start of an element.
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) place: Place,
    currency: Currency,
    ours: bool,
}

enum Currency {
    None,
    Cny,
    Other,
}

enum Token {
    Open(Tag),
    Close,
    Text(String),
    End,
}

pub(super) struct Cursor<'x> {
    reader: NsReader<&'x [u8]>,
    source: &'x str,
    /// Of the document's elements; empty before its root was read.
    namespace: String,
    depth: usize,
    most_depth: usize,
    /// Where the last token began.
    at: Marker,
}

impl<'x> Cursor<'x> {
    /// Opens a document of the family, such as `pain.002`, and calls `inside` with its root.
    pub(super) fn read(
        bytes: &'x [u8],
        family: &'static str,
        limits: &Limits,
        inside: impl FnOnce(&mut Cursor<'x>, &Tag) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let source = std::str::from_utf8(bytes).map_err(|error| {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let good = std::str::from_utf8(good).unwrap_or_default();
            Fault::Encoding.at(Marker::START.forward(good, good.len()).place)
        })?;
        let mut reader = NsReader::from_str(source);
        reader.config_mut().expand_empty_elements = true;
        let mut cursor = Cursor {
            reader,
            source,
            namespace: String::new(),
            depth: 0,
            most_depth: limits.depth,
            at: Marker::START,
        };
        let root = cursor.root(family)?;
        inside(&mut cursor, &root)?;
        cursor.leave(0)?;
        cursor.end()
    }

    fn root(&mut self, family: &'static str) -> Result<Tag, ReadError> {
        loop {
            match self.next()? {
                Token::Open(tag) => {
                    let version = self
                        .namespace
                        .strip_prefix(NAMESPACES)
                        .and_then(|rest| rest.strip_prefix(family));
                    if tag.name != "Document" || !version.is_some_and(is_version) {
                        return Err(Fault::Namespace(family).at(tag.place));
                    }
                    return Ok(tag);
                }
                Token::Text(text) if text.trim().is_empty() => {}
                Token::Text(_) => return Err(self.fault(Fault::Malformed)),
                Token::Close | Token::End => return Err(self.fault(Fault::Namespace(family))),
            }
        }
    }

    /// Nothing but space may follow the root.
    fn end(&mut self) -> Result<(), ReadError> {
        loop {
            match self.next()? {
                Token::End => return Ok(()),
                Token::Text(text) if text.trim().is_empty() => {}
                _ => return Err(self.fault(Fault::Malformed)),
            }
        }
    }

    /// Calls `each` for the children of the element that was opened last. Skips what `each` leaves
    /// of a child.
    pub(super) fn children(
        &mut self,
        mut each: impl FnMut(&mut Cursor<'x>, &Tag) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let depth = self.depth;
        loop {
            match self.next()? {
                Token::Open(tag) => {
                    if tag.ours {
                        each(self, &tag)?;
                    }
                    self.leave(depth)?;
                }
                Token::Close => return Ok(()),
                Token::Text(_) => {}
                Token::End => return Err(self.fault(Fault::Truncated)),
            }
        }
    }

    /// The text of the element that was opened last, without the space around it.
    pub(super) fn value(&mut self) -> Result<String, ReadError> {
        let depth = self.depth;
        let mut value = String::new();
        loop {
            match self.next()? {
                Token::Open(_) => self.leave(depth)?,
                Token::Close => return Ok(value.trim().to_owned()),
                Token::Text(text) => self.gather(&mut value, &text)?,
                Token::End => return Err(self.fault(Fault::Truncated)),
            }
        }
    }

    /// A value that is kept as the bank wrote it; `None` when it is empty.
    pub(super) fn quoted(&mut self) -> Result<Option<Quoted>, ReadError> {
        let value = self.value()?;
        Ok((!value.is_empty()).then(|| Quoted::new(value)))
    }

    /// The text of an element that is either a code or, in later versions, a choice of `Cd` and
    /// `Prtry`.
    pub(super) fn code(&mut self) -> Result<String, ReadError> {
        let depth = self.depth;
        let mut code = String::new();
        loop {
            match self.next()? {
                Token::Open(tag) => {
                    if tag.ours && matches!(tag.name.as_str(), "Cd" | "Prtry") {
                        code = self.value()?;
                    }
                    self.leave(depth)?;
                }
                Token::Close => return Ok(code.trim().to_owned()),
                // The space around a choice is not part of its code.
                Token::Text(text) if text.trim().is_empty() => {}
                Token::Text(text) => self.gather(&mut code, &text)?,
                Token::End => return Err(self.fault(Fault::Truncated)),
            }
        }
    }

    /// An amount of the element `tag`, which was opened last. Without a currency it is refused.
    pub(super) fn amount(&mut self, tag: &Tag) -> Result<Fen, ReadError> {
        match tag.currency {
            Currency::Cny => {}
            Currency::None | Currency::Other => return Err(Fault::Currency.at(tag.place)),
        }
        let value = self.value()?;
        values::amount(&value).ok_or(Fault::Amount.at(tag.place))
    }

    /// A number without a currency, such as a control sum.
    pub(super) fn sum(&mut self, tag: &Tag) -> Result<Fen, ReadError> {
        let value = self.value()?;
        values::amount(&value).ok_or(Fault::Amount.at(tag.place))
    }

    pub(super) fn count(&mut self, tag: &Tag) -> Result<u32, ReadError> {
        let value = self.value()?;
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        let count = digits.then(|| value.parse().ok()).flatten();
        count.ok_or(Fault::Count.at(tag.place))
    }

    /// The date of an `xs:date`, an `xs:dateTime`, or a choice of `Dt` and `DtTm`.
    pub(super) fn date(&mut self, tag: &Tag) -> Result<chrono::NaiveDate, ReadError> {
        let depth = self.depth;
        let mut value = String::new();
        loop {
            match self.next()? {
                Token::Open(inner) => {
                    if inner.ours && matches!(inner.name.as_str(), "Dt" | "DtTm") {
                        value = self.value()?;
                    }
                    self.leave(depth)?;
                }
                Token::Close => return values::iso_date(value.trim()).ok_or(Fault::Date.at(tag.place)),
                Token::Text(text) if text.trim().is_empty() => {}
                Token::Text(text) => self.gather(&mut value, &text)?,
                Token::End => return Err(self.fault(Fault::Truncated)),
            }
        }
    }

    /// Appends the next text to a value, in time that does not grow with the length of the value.
    fn gather(&self, value: &mut String, text: &str) -> Result<(), ReadError> {
        let text = if value.is_empty() { text.trim_start() } else { text };
        // A character has up to four bytes. A value of many texts may so be longer, and is bounded
        // all the same.
        let long = text.trim_end().chars().nth(LONGEST_VALUE).is_some()
            || value.len().saturating_add(text.trim_end().len()) > LONGEST_VALUE.saturating_mul(4);
        if long {
            return Err(self.fault(Fault::ValueTooLong(LONGEST_VALUE)));
        }
        value.push_str(text);
        Ok(())
    }

    fn fault(&self, fault: Fault) -> ReadError {
        fault.at(self.at.place)
    }

    /// Reads on until no more than `depth` elements are open.
    fn leave(&mut self, depth: usize) -> Result<(), ReadError> {
        while self.depth > depth {
            if matches!(self.next()?, Token::End) {
                return Err(self.fault(Fault::Truncated));
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Token, ReadError> {
        loop {
            self.at = self
                .at
                .forward(self.source, offset(self.reader.buffer_position()));
            let (namespace, event) = match self.reader.read_resolved_event() {
                Ok(read) => read,
                Err(error) => return Err(self.syntax(&error)),
            };
            match event {
                Event::Start(start) => {
                    let namespace = match namespace {
                        ResolveResult::Bound(namespace) => namespace.into_inner().to_owned(),
                        ResolveResult::Unbound => String::new(),
                        ResolveResult::Unknown(_) => return Err(self.fault(Fault::Malformed)),
                    };
                    return self.open(&start, namespace).map(Token::Open);
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Token::Close);
                }
                Event::Text(text) => return self.text(&text.xml10_content()),
                Event::CData(data) => return self.text(&data.xml10_content()),
                Event::GeneralRef(reference) => return self.reference(&reference),
                Event::DocType(_) => return Err(self.fault(Fault::Doctype)),
                Event::Decl(declaration) => {
                    let utf8 = declaration.encoding().is_none_or(|encoding| {
                        encoding.is_ok_and(|it| {
                            it.eq_ignore_ascii_case("utf-8") || it.eq_ignore_ascii_case("us-ascii")
                        })
                    });
                    if !utf8 {
                        return Err(self.fault(Fault::Encoding));
                    }
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => return Ok(Token::End),
                // Empty elements are expanded.
                Event::Empty(_) => return Err(self.fault(Fault::Malformed)),
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, namespace: String) -> Result<Tag, ReadError> {
        if self.depth >= self.most_depth {
            return Err(self.fault(Fault::TooDeep(self.most_depth)));
        }
        let mut currency = Currency::None;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| self.fault(Fault::Malformed))?;
            if attribute.key.into_inner() == "Ccy" {
                currency = match attribute.value.as_ref() {
                    "CNY" => Currency::Cny,
                    _ => Currency::Other,
                };
            }
        }
        // The root element defines the namespace of the document.
        if self.depth == 0 && self.namespace.is_empty() {
            self.namespace.clone_from(&namespace);
        }
        self.depth = self.depth.saturating_add(1);
        Ok(Tag {
            name: start.local_name().into_inner().to_owned(),
            place: self.at.place,
            currency,
            ours: namespace == self.namespace,
        })
    }

    fn text(&self, text: &str) -> Result<Token, ReadError> {
        if text.chars().all(is_xml_char) {
            Ok(Token::Text(text.to_owned()))
        } else {
            Err(self.fault(Fault::Malformed))
        }
    }

    fn reference(&self, reference: &BytesRef<'_>) -> Result<Token, ReadError> {
        let character = match reference.resolve_char_ref() {
            Ok(Some(character)) => Some(character),
            Ok(None) => match &*reference.xml10_content() {
                "lt" => Some('<'),
                "gt" => Some('>'),
                "amp" => Some('&'),
                "apos" => Some('\''),
                "quot" => Some('"'),
                _ => return Err(self.fault(Fault::Entity)),
            },
            Err(_) => None,
        };
        let character = character.filter(|c| is_xml_char(*c));
        let character = character.ok_or_else(|| self.fault(Fault::Malformed))?;
        Ok(Token::Text(character.to_string()))
    }

    /// The library's errors quote the document, so that only their kind is taken.
    fn syntax(&self, error: &quick_xml::Error) -> ReadError {
        let place = self
            .at
            .forward(self.source, offset(self.reader.error_position()))
            .place;
        match error {
            quick_xml::Error::Syntax(_) => Fault::Truncated.at(place),
            _ => Fault::Malformed.at(place),
        }
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// Such as `.001.10`.
fn is_version(text: &str) -> bool {
    let digits = |part: Option<&str>, length| {
        part.is_some_and(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut parts = text.split('.');
    parts.next() == Some("") && digits(parts.next(), 3) && digits(parts.next(), 2) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for good in [".001.03", ".001.10"] {
            assert!(is_version(good), "{good}");
        }
        for wrong in [
            "",
            ".001",
            ".001.1",
            ".001.100",
            ".1.10",
            "001.10",
            ".001.10.1",
            ".001.１",
            ".00a.10",
        ] {
            assert!(!is_version(wrong), "{wrong}");
        }
    }

    #[test]
    fn places_go_forward_and_back() {
        let source = "王a\n\n𠮷b";
        let at = |from: Marker, offset| from.forward(source, offset).place;
        let end = Marker::START.forward(source, source.len());
        assert_eq!(end.place, Place { line: 3, column: 3 });
        assert_eq!(at(Marker::START, 4), Place { line: 1, column: 3 });
        assert_eq!(
            at(Marker::START.forward(source, 4), 6),
            Place { line: 3, column: 1 }
        );
        assert_eq!(at(end, 3), Place { line: 1, column: 2 });
    }
}
