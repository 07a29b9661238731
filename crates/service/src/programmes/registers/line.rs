//! One row of a register's file, and what can be wrong with it.

use claims::registers::Columns;

use super::MAX_LINE;
use crate::operation::FieldError;

/// One row of the file: the line it begins on, and its columns or why it has none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) columns: Result<Columns, Vec<FieldError>>,
}

/// Puts a cell into its column. Control characters other than white space are in nobody's name, and PostgreSQL refuses NUL.
pub(super) fn put(columns: &mut Columns, errors: &mut Vec<FieldError>, column: &str, text: String) {
    let pointer = || pointer(column);
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        errors.push(FieldError::new(
            pointer(),
            "column.control",
            "含有控制字符",
            "holds a control character",
        ));
    } else if columns.insert(column.to_owned(), text).is_some() {
        errors.push(FieldError::new(
            pointer(),
            "column.repeated",
            "此列重复出现",
            "the column stands twice",
        ));
    }
}

/// A pointer to a column, if its name looks like one: a file without its header would show values as names.
pub(super) fn pointer(column: &str) -> String {
    if looks_like_a_column(column) {
        format!("/{column}")
    } else {
        String::new()
    }
}

fn looks_like_a_column(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

pub(super) fn unknown_column(name: &str) -> FieldError {
    FieldError::new(
        pointer(name),
        "column.unknown",
        "名录没有此列",
        "the register has no such column",
    )
}

pub(super) fn too_long() -> FieldError {
    let kib = MAX_LINE / 1024;
    FieldError::new(
        "",
        "line.too-long",
        format!("一行超过 {kib} KiB 或列数过多；请检查是否有引号没有成对"),
        format!(
            "the line is longer than {kib} KiB or has too many columns; look for a quote that is never closed"
        ),
    )
}

pub(super) fn not_utf8() -> FieldError {
    FieldError::new(
        "",
        "line.encoding",
        "不是 UTF-8 编码，请另存为 UTF-8",
        "is not UTF-8; save the file as UTF-8",
    )
}
