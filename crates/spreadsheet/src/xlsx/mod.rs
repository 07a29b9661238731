//! XLSX (ECMA-376), written as its rows come.
//!
//! A library would keep the cells in memory or in files beside the service until the last one is
//! there. A [`Book`] gives each piece of XML to the archive's compressor, so that memory is a piece
//! and the first bytes go out at once. The archive carries no time of its own: the same calls give
//! the same bytes.
//!
//! Text is a cell of text, with any beginning: only [`Cells::formula`] writes a formula.

mod cells;
mod parts;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use zip::CompressionMethod;
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter, ZipWriter};

pub use cells::{Cells, column_name};
pub use parts::Style;

use crate::xml::escape;

/// The most rows of a sheet.
pub const MAX_ROWS: u32 = 1_048_576;

/// Bytes of XML that are held before the compressor gets them.
const PIECE: usize = 1 << 20;

/// Why a workbook could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the workbook cannot be written: {0}")]
    Write(#[from] io::Error),
    #[error("the workbook cannot be archived: {0}")]
    Archive(#[from] ZipError),
    #[error("a number of the workbook cannot be formatted")]
    Format(#[from] fmt::Error),
    #[error("a workbook's row stands on a sheet, and there is none")]
    NoSheet,
    #[error("a sheet has at most {MAX_ROWS} rows")]
    SheetFull,
}

/// Properties of the file that a spreadsheet shows.
#[derive(Debug, Clone, Copy)]
pub struct Properties<'a> {
    pub title: &'a str,
    pub created: DateTime<Utc>,
}

/// A sheet that begins.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// At most 31 characters, none of `[]:*?/\`, and not that of another sheet.
    pub name: &'a str,
    pub place: Place,
    /// Widths of the columns from the first one on, in characters.
    pub widths: &'a [u8],
    /// Whether the first row stays in place when the others are scrolled.
    pub freeze_heading: bool,
}

/// The position of a sheet. Its rows are written when they come in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before all other sheets.
    First,
    Last,
}

/// A workbook that is being written. It has one sheet at least.
pub struct Book<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    /// XML that the compressor does not have yet.
    xml: String,
    /// Names and numbers of parts, in the order in which they are shown.
    sheets: Vec<(String, usize)>,
    /// Rows so far of the sheet that is being written.
    rows: u32,
    in_row: bool,
}

impl<W: Write> fmt::Debug for Book<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut book = f.debug_struct("Book");
        book.field("sheets", &self.sheets).field("rows", &self.rows);
        book.finish_non_exhaustive()
    }
}

impl<W: Write> Book<W> {
    /// Begins a workbook; the parts that do not depend on rows are written at once.
    ///
    /// # Errors
    /// Fails where `out` does.
    pub fn new(out: W, properties: Option<Properties<'_>>) -> Result<Self, Error> {
        let mut book = Self {
            zip: ZipWriter::new_stream(out),
            xml: String::new(),
            sheets: Vec::new(),
            rows: 0,
            in_row: false,
        };
        let given = |part: &'static str| properties.map_or("", |_| part);
        book.part(
            "[Content_Types].xml",
            &[parts::CONTENT_TYPES, given(parts::PROPERTIES_TYPE), "</Types>"],
        )?;
        book.part(
            "_rels/.rels",
            &[
                parts::RELATIONS,
                given(parts::PROPERTIES_RELATION),
                "</Relationships>",
            ],
        )?;
        if let Some(properties) = properties {
            book.properties(properties)?;
        }
        book.part("xl/styles.xml", &[parts::STYLES])?;
        Ok(book)
    }

    /// Ends the current sheet, and begins another.
    ///
    /// # Errors
    /// Fails where the writer below does.
    pub fn add_sheet(&mut self, sheet: Sheet<'_>) -> Result<(), Error> {
        self.end_sheet()?;
        let number = self.sheets.len().saturating_add(1);
        let at = match sheet.place {
            Place::First => 0,
            Place::Last => self.sheets.len(),
        };
        self.sheets.insert(at, (sheet.name.to_owned(), number));
        self.start(&format!("xl/worksheets/sheet{number}.xml"))?;
        self.xml.push_str(parts::SHEET);
        if sheet.freeze_heading {
            self.xml.push_str(parts::FROZEN_HEADING);
        }
        if !sheet.widths.is_empty() {
            self.xml.push_str("<cols>");
            for (i, width) in (1_u32..).zip(sheet.widths) {
                write!(
                    self.xml,
                    "<col min=\"{i}\" max=\"{i}\" width=\"{width}\" customWidth=\"1\"/>"
                )?;
            }
            self.xml.push_str("</cols>");
        }
        self.xml.push_str("<sheetData>");
        Ok(())
    }

    /// Begins the sheet's next row; the returned value writes its cells.
    ///
    /// # Errors
    /// [`Error::NoSheet`], [`Error::SheetFull`], or the error of the writer below.
    pub fn row(&mut self) -> Result<Cells<'_>, Error> {
        self.blank_row()?;
        if self.xml.len() > PIECE {
            self.flush()?;
        }
        write!(self.xml, "<row r=\"{}\">", self.rows)?;
        self.in_row = true;
        Ok(Cells::new(&mut self.xml, self.rows))
    }

    /// Leaves a row without cells.
    ///
    /// # Errors
    /// [`Error::NoSheet`] or [`Error::SheetFull`].
    pub fn blank_row(&mut self) -> Result<(), Error> {
        self.end_row();
        if self.sheets.is_empty() {
            return Err(Error::NoSheet);
        }
        if self.rows >= MAX_ROWS {
            return Err(Error::SheetFull);
        }
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    /// Rows of this sheet so far, which is the number of the last one.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Gives the compressor all XML so far.
    ///
    /// # Errors
    /// Fails where the writer below does.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.zip.write_all(self.xml.as_bytes())?;
        self.xml.clear();
        Ok(())
    }

    /// Ends the last sheet and writes the book that names them all.
    ///
    /// # Errors
    /// [`Error::NoSheet`], or the error of the writer below.
    pub fn finish(mut self) -> Result<(), Error> {
        if self.sheets.is_empty() {
            return Err(Error::NoSheet);
        }
        self.end_sheet()?;
        let (mut book, mut relations) = (parts::BOOK.to_owned(), parts::BOOK_RELATIONS.to_owned());
        for (id, (name, number)) in (1_usize..).zip(&self.sheets) {
            book.push_str("<sheet name=\"");
            attribute(&mut book, name);
            write!(book, "\" sheetId=\"{id}\" r:id=\"rId{id}\"/>")?;
            let target = format!("worksheets/sheet{number}.xml");
            relate(&mut relations, id, "worksheet", &target)?;
        }
        let styles = self.sheets.len().saturating_add(1);
        relate(&mut relations, styles, "styles", "styles.xml")?;
        // Without it, a reader of the book may show a formula's result as it was written.
        let end = "</sheets><calcPr fullCalcOnLoad=\"1\"/></workbook>";
        self.part("xl/workbook.xml", &[&book, end])?;
        self.part("xl/_rels/workbook.xml.rels", &[&relations, "</Relationships>"])?;
        self.zip.finish()?;
        Ok(())
    }

    fn end_row(&mut self) {
        if std::mem::take(&mut self.in_row) {
            self.xml.push_str("</row>");
        }
    }

    fn end_sheet(&mut self) -> Result<(), Error> {
        if self.sheets.is_empty() {
            return Ok(());
        }
        self.end_row();
        self.rows = 0;
        self.xml.push_str("</sheetData></worksheet>");
        self.flush()
    }

    fn properties(&mut self, properties: Properties<'_>) -> Result<(), Error> {
        self.start("docProps/core.xml")?;
        self.xml.push_str(parts::PROPERTIES);
        self.xml.push_str("<dc:title>");
        escape(&mut self.xml, properties.title);
        let created = properties.created.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(
            self.xml,
            "</dc:title><dcterms:created xsi:type=\"dcterms:W3CDTF\">{created}</dcterms:created></cp:coreProperties>"
        )?;
        self.flush()
    }

    fn part(&mut self, name: &str, content: &[&str]) -> Result<(), Error> {
        self.start(name)?;
        self.xml.extend(content.iter().copied());
        self.flush()
    }

    fn start(&mut self, name: &str) -> Result<(), Error> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        self.zip.start_file(name, options)?;
        self.xml.push_str(parts::HEAD);
        Ok(())
    }
}

/// Appends text that stands in an attribute.
fn attribute(out: &mut String, text: &str) {
    let mut escaped = String::new();
    escape(&mut escaped, text);
    out.push_str(&escaped.replace('"', "&quot;"));
}

fn relate(out: &mut String, id: usize, kind: &str, target: &str) -> fmt::Result {
    let begin = parts::RELATION_TYPE;
    write!(
        out,
        "<Relationship Id=\"rId{id}\" Type=\"{begin}{kind}\" Target=\"{target}\"/>"
    )
}
