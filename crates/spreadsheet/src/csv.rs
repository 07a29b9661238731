//! Fields and rows of CSV (RFC 4180: comma, double quotes), and the rule against formulas.
//!
//! A spreadsheet runs a cell that opens like a formula, also one in quotes. So text that came from
//! outside is defused by a [`Mark`]. Numbers and text of this program are not: an amount of
//! `-12.00` has to stay a number.

use std::borrow::Cow;

/// Put before the heading, because spreadsheets read a file without it in the system's encoding.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Whether a cell that begins with this character is run as a formula. The full-width forms count,
/// because spreadsheets in Chinese treat them as the half-width ones. Tab and carriage return
/// count, because spreadsheets drop them and look at the next character.
pub fn opens_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r')
}

/// The mark before a text that opens like a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// For programs: a reader who removes one leading tab has the text.
    Tab,
    /// For people, who recognise it from spreadsheets, and for readers that trim cells.
    Apostrophe,
}

impl Mark {
    /// The text with the mark, or as it is.
    pub fn defuse(self, text: &str) -> Cow<'_, str> {
        if !text.starts_with(opens_formula) {
            return Cow::Borrowed(text);
        }
        let mark = match self {
            Self::Tab => '\t',
            Self::Apostrophe => '\'',
        };
        Cow::Owned(format!("{mark}{text}"))
    }
}

/// How a row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    Lf,
    CrLf,
}

/// Appends a field, in quotes where it needs them.
pub fn field(out: &mut Vec<u8>, text: &str) {
    let special = |byte| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if !text.bytes().any(special) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Appends a row. The caller defuses cells with text from outside.
pub fn row<T: AsRef<str>>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = T>, end: LineEnd) {
    for (column, cell) in cells.into_iter().enumerate() {
        if column > 0 {
            out.push(b',');
        }
        field(out, cell.as_ref());
    }
    out.extend_from_slice(match end {
        LineEnd::Lf => b"\n",
        LineEnd::CrLf => b"\r\n",
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character that opens a formula, half and full width.
    const OPENING: [char; 10] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r'];

    fn written(cells: &[&str]) -> String {
        let mut out = Vec::new();
        row(&mut out, cells, LineEnd::Lf);
        String::from_utf8(out).unwrap()
    }

    fn read(text: &str) -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let record = reader.records().next().unwrap().unwrap();
        record.iter().map(str::to_owned).collect()
    }

    #[test]
    fn what_opens_a_formula_is_defused() {
        for opening in OPENING {
            for rest in ["", "1", "SUM(A1)", "cmd|' /C calc'!A0", "王建国"] {
                let text = format!("{opening}{rest}");
                assert_eq!(Mark::Tab.defuse(&text), format!("\t{text}"));
                assert_eq!(Mark::Apostrophe.defuse(&text), format!("'{text}"));
            }
        }
    }

    #[test]
    fn what_opens_no_formula_stays() {
        for text in [
            "",
            "王=国",
            "a-b",
            "1+1",
            "mail@example.cn",
            "'=1",
            " =1",
            "\u{3000}＝1",
            "\n=1",
            "\"=1\"",
            "–1",
            "—1",
            "−1",
            "﹢1",
        ] {
            for mark in [Mark::Tab, Mark::Apostrophe] {
                assert!(
                    matches!(mark.defuse(text), Cow::Borrowed(same) if same == text),
                    "{text:?}"
                );
            }
        }
    }

    #[test]
    fn a_reader_takes_the_tab_away_and_has_the_text() {
        for opening in OPENING {
            for text in [format!("{opening}1,\"2\"\n3"), format!("\t{opening}1")] {
                let line = written(&["a", &Mark::Tab.defuse(&text), "b"]);
                let cells = read(&line);
                assert_eq!(cells[1].strip_prefix('\t'), Some(text.as_str()), "{line:?}");
            }
        }
    }

    #[test]
    fn a_field_is_quoted_where_it_must_be() {
        for (text, quoted) in [
            ("", ""),
            ("王建国", "王建国"),
            ("a b", "a b"),
            ("a;b", "a;b"),
            ("a，b", "a，b"),
            ("a\tb", "a\tb"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("\"", "\"\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("a\rb", "\"a\rb\""),
        ] {
            let mut out = Vec::new();
            field(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), quoted, "{text:?}");
            assert_eq!(read(&written(&["x", text])), ["x", text], "{text:?}");
        }
    }

    #[test]
    fn numbers_of_ours_stay_numbers() {
        assert_eq!(
            written(&["-12.00", "+1", "0.00", "2026-05-01", ""]),
            "-12.00,+1,0.00,2026-05-01,\n"
        );
    }

    #[test]
    fn a_row_has_the_requested_ending() {
        let mut out = Vec::new();
        row(&mut out, ["a", "b"], LineEnd::CrLf);
        row(&mut out, ["c"], LineEnd::Lf);
        assert_eq!(out, b"a,b\r\nc\n");
    }
}
