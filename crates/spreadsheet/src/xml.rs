//! Text inside XML.

/// Appends text that stands between tags. Characters that XML cannot have become U+FFFD, and so do
/// other control characters: a reader may refuse the file for one, and none has a meaning for a
/// person.
pub fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_is_escaped() {
        for (text, expected) in [
            ("", ""),
            ("a <b> & \"c\"", "a &lt;b&gt; &amp; \"c\""),
            ("two\nlines\tand a tab", "two\nlines\tand a tab"),
            (
                "nul\0 bell\u{7} return\r c1\u{85}",
                "nul\u{fffd} bell\u{fffd} return\u{fffd} c1\u{fffd}",
            ),
            ("\u{ffff}𠮷", "\u{fffd}𠮷"),
        ] {
            let mut out = String::new();
            super::escape(&mut out, text);
            assert_eq!(out, expected, "{text:?}");
        }
    }
}
