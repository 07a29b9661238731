use std::fmt;
use std::ops::Range;

/// One reason why a document was refused, at a place in its text. Line and column count from 1; the
/// column counts characters, as an editor shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// Collects diagnostics against one source.
pub(crate) struct Reporter<'s> {
    source: &'s str,
    found: Vec<Diagnostic>,
}

impl<'s> Reporter<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Reporter {
            source,
            found: Vec::new(),
        }
    }

    pub(crate) fn at(&mut self, offset: usize, message: impl Into<String>) {
        let before = self.source.get(..offset).unwrap_or(self.source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
        let column = before.get(line_start..).map_or(0, |line| line.chars().count());
        self.found.push(Diagnostic {
            line: before.matches('\n').count().saturating_add(1),
            column: column.saturating_add(1),
            message: message.into(),
        });
    }

    /// The offset in the document of an offset inside a string's value.
    ///
    /// Exact for strings without escapes, which expressions are: their own quotes are single.
    pub(crate) fn inside(&self, string: Range<usize>, offset: usize) -> usize {
        let quotes = match self.source.get(string.clone()) {
            Some(text) if text.starts_with("\"\"\"\r\n") || text.starts_with("'''\r\n") => 5,
            Some(text) if text.starts_with("\"\"\"\n") || text.starts_with("'''\n") => 4,
            Some(text) if text.starts_with("\"\"\"") || text.starts_with("'''") => 3,
            _ => 1,
        };
        string.start.saturating_add(quotes).saturating_add(offset)
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort();
        self.found.dedup();
        self.found
    }
}
