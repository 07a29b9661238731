//! Parts and lines as they come out of the file, each no longer than such a thing may be.

use std::io::{BufRead, Read};

use serde::de::DeserializeOwned;

use super::Fault;
use crate::archive::{FormError, Head, Parts};

/// Lines that are parsed, hashed and decided again at once, on all cores.
const TOGETHER: usize = 8_192;
/// The longest line: a receipt is some kilobytes.
const LINE: usize = 1 << 20;
/// The largest part that is read whole.
const WHOLE: u64 = 64 << 20;

pub(super) fn form(place: &str, error: &FormError) -> Fault {
    Fault::new(place, error.to_string())
}

pub(super) fn next<R: Read>(parts: &mut Parts<R>, name: &str) -> Result<Head, Fault> {
    match parts.next().map_err(|error| form(name, &error))? {
        Some(head) if head.name == name => Ok(head),
        Some(head) => Err(Fault::new(name, format!("`{}` stands in its place", head.name))),
        None => Err(Fault::new(name, "it is missing")),
    }
}

/// A part that is read whole.
pub(super) fn named<R: Read>(parts: &mut Parts<R>, name: &str) -> Result<Vec<u8>, Fault> {
    let head = next(parts, name)?;
    let mut content = parts.content(head.bytes);
    let bytes = read_whole(name, head.bytes, &mut content)?;
    parts
        .skip_padding(head.bytes)
        .map_err(|error| form(name, &error))?;
    Ok(bytes)
}

pub(super) fn read_whole(name: &str, bytes: u64, content: &mut impl Read) -> Result<Vec<u8>, Fault> {
    if bytes > WHOLE {
        return Err(Fault::new(name, "it is larger than such a part may be"));
    }
    let mut all = Vec::new();
    content
        .read_to_end(&mut all)
        .map_err(|error| Fault::new(name, error.to_string()))?;
    if u64::try_from(all.len()).ok() != Some(bytes) {
        return Err(Fault::new(name, "the file is cut off"));
    }
    Ok(all)
}

pub(super) fn whole<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|error| {
        Fault::new(
            format!("{name} line {} column {}", error.line(), error.column()),
            "it is not the JSON that belongs there",
        )
    })
}

pub(super) fn text(name: &str, bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|_| Fault::new(name, "it is not UTF-8"))
}

/// The next lines, as many as are looked at together.
pub(super) fn lines(name: &str, reader: &mut impl BufRead) -> Result<Vec<Vec<u8>>, Fault> {
    std::iter::from_fn(|| line(name, reader).transpose())
        .take(TOGETHER)
        .collect()
}

/// The next line without its line break.
pub(super) fn line(name: &str, reader: &mut impl BufRead) -> Result<Option<Vec<u8>>, Fault> {
    let mut line = Vec::new();
    let most = u64::try_from(LINE).unwrap_or(u64::MAX);
    let read = reader.by_ref().take(most).read_until(b'\n', &mut line);
    read.map_err(|error| Fault::new(name, error.to_string()))?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(Fault::new(name, "a line is cut off or too long")),
    }
}
