//! Text that may stand in a file to a bank.

/// Why a text may not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    #[error("is empty")]
    Empty,
    #[error("begins or ends with a space")]
    Untrimmed,
    /// Characters, as XML Schema counts them.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("holds a character that may not be sent")]
    Character,
    #[error("is not written as such a number is")]
    Form,
}

impl TextFault {
    pub(crate) fn code(self) -> &'static str {
        match self {
            TextFault::Empty => "empty",
            TextFault::Untrimmed => "untrimmed",
            TextFault::TooLong(_) => "too-long",
            TextFault::Character => "character",
            TextFault::Form => "form",
        }
    }

    pub(crate) fn message_zh(self) -> String {
        match self {
            TextFault::Empty => "不能为空".to_owned(),
            TextFault::Untrimmed => "首尾不能有空格".to_owned(),
            TextFault::TooLong(most) => format!("不能超过{most}个字符"),
            TextFault::Character => "含有不可发送的字符".to_owned(),
            TextFault::Form => "格式不正确".to_owned(),
        }
    }
}

/// Whether XML 1.0 lets the character stand in a document at all.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// Characters that make a line read otherwise than it is: a person who checks a list must see the
/// name that the bank gets. The joiners are not among them, because scripts of minorities need
/// them.
fn deceives(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// One line of 1 to `most` characters that a person can read.
pub(crate) fn line(text: &str, most: usize) -> Result<(), TextFault> {
    if text.trim().is_empty() {
        return Err(TextFault::Empty);
    }
    if text.trim().len() != text.len() {
        return Err(TextFault::Untrimmed);
    }
    if text.chars().count() > most {
        return Err(TextFault::TooLong(most));
    }
    let separates = |c| matches!(c, '\u{2028}' | '\u{2029}');
    if text
        .chars()
        .any(|c| c.is_control() || separates(c) || deceives(c) || !is_xml_char(c))
    {
        return Err(TextFault::Character);
    }
    Ok(())
}

/// 1 to `most` of ASCII letters, digits and what `also` lists, beginning with a letter or digit. So
/// it can neither be a formula nor need escaping.
pub(crate) fn token(text: &str, most: usize, also: &[u8]) -> Result<(), TextFault> {
    if text.is_empty() {
        return Err(TextFault::Empty);
    }
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let rest = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || also.contains(&b));
    if !first || !rest {
        return Err(TextFault::Form);
    }
    // ASCII only from here on: bytes are characters.
    if text.len() > most {
        return Err(TextFault::TooLong(most));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for good in ["王建国", "阿依古丽·买买提", "𠮷野", "A & B <C> \"D\"", "=SUM(A1)"] {
            assert_eq!(line(good, 20), Ok(()), "{good:?}");
        }
        assert_eq!(line(&"𠮷".repeat(140), 140), Ok(()));
        for (wrong, fault) in [
            ("", TextFault::Empty),
            (" \u{3000}", TextFault::Empty),
            (" 王", TextFault::Untrimmed),
            ("王\t", TextFault::Untrimmed),
            ("王建国建国", TextFault::TooLong(4)),
            ("王\n国", TextFault::Character),
            ("王\u{0}国", TextFault::Character),
            ("王\u{85}国", TextFault::Character),
            ("王\u{202e}国", TextFault::Character),
            ("王\u{2028}国", TextFault::Character),
            ("王\u{ffff}国", TextFault::Character),
        ] {
            assert_eq!(line(wrong, 4), Err(fault), "{wrong:?}");
        }
    }

    #[test]
    fn tokens() {
        assert_eq!(token("6222-0201", 34, b"-"), Ok(()));
        for (wrong, fault) in [
            ("", TextFault::Empty),
            ("-1", TextFault::Form),
            ("=1", TextFault::Form),
            ("1 2", TextFault::Form),
            ("１２", TextFault::Form),
            ("12345", TextFault::TooLong(4)),
        ] {
            assert_eq!(token(wrong, 4, b"-"), Err(fault), "{wrong:?}");
        }
    }
}
