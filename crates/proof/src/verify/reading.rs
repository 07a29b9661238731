//! Reads parts and lines from the file, each within its bound.

use std::io::{BufRead, Read};
use std::ops::Range;

use rayon::prelude::*;
use serde::de::DeserializeOwned;

use super::Fault;
use crate::archive::{FormError, Head, Parts};

/// Lines that are parsed, hashed and decided again together, on all cores.
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

/// Lines that are processed together, in one piece of memory.
#[derive(Default)]
pub(super) struct Lines {
    text: Vec<u8>,
    /// Begin and end of each, without its line break.
    bounds: Vec<Range<usize>>,
}

impl Lines {
    /// Replaces the lines by the next ones.
    pub(super) fn fill(&mut self, name: &str, reader: &mut impl BufRead) -> Result<(), Fault> {
        self.text.clear();
        self.bounds.clear();
        while self.bounds.len() < TOGETHER {
            let begin = self.text.len();
            if !append_line(name, reader, &mut self.text)? {
                break;
            }
            self.bounds.push(begin..self.text.len());
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bounds.is_empty()
    }

    /// Applies a function to every line, on all cores.
    pub(super) fn each<T: Send>(&self, each: impl Fn(&[u8]) -> T + Sync) -> Vec<T> {
        let lines = self.bounds.par_iter();
        lines
            .map(|bounds| each(self.text.get(bounds.clone()).unwrap_or_default()))
            .collect()
    }
}

/// The next line without its line break.
pub(super) fn line(name: &str, reader: &mut impl BufRead) -> Result<Option<Vec<u8>>, Fault> {
    let mut line = Vec::new();
    Ok(append_line(name, reader, &mut line)?.then_some(line))
}

/// Appends the next line without its line break; returns whether there was one.
fn append_line(name: &str, reader: &mut impl BufRead, text: &mut Vec<u8>) -> Result<bool, Fault> {
    let most = u64::try_from(LINE).unwrap_or(u64::MAX);
    let begin = text.len();
    let read = reader.by_ref().take(most).read_until(b'\n', text);
    read.map_err(|error| Fault::new(name, error.to_string()))?;
    if text.len() == begin {
        return Ok(false);
    }
    match text.pop() {
        Some(b'\n') => Ok(true),
        _ => Err(Fault::new(name, "a line is cut off or too long")),
    }
}
