//! JSON on several lines, every member in its place: a difference is one line, and no byte of a
//! value is lost.

/// A text of JSON, one member a line. What is no JSON comes out in some form, always the same.
pub(super) fn pretty(json: &str) -> String {
    let mut lines = String::with_capacity(json.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut characters = json.chars().peekable();
    let start = |lines: &mut String, depth: usize| {
        lines.push('\n');
        lines.extend(std::iter::repeat_n(' ', depth));
    };
    while let Some(c) = characters.next() {
        if quoted {
            lines.push(c);
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '{' | '[' if characters.peek().is_some_and(|next| matches!(next, '}' | ']')) => lines.push(c),
            '{' | '[' => {
                lines.push(c);
                depth += 1;
                start(&mut lines, depth);
            }
            '}' | ']' if lines.ends_with(['{', '[']) => lines.push(c),
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                start(&mut lines, depth);
                lines.push(c);
            }
            ',' => {
                lines.push(c);
                start(&mut lines, depth);
            }
            _ => {
                quoted = c == '"';
                lines.push(c);
            }
        }
    }
    lines
}

#[test]
fn members_stay_where_they_were() {
    let text = r#"{"b":[],"a":[1,{"x":"},{\"\\"}],"c":{}}"#;
    assert_eq!(
        pretty(text),
        "{\n \"b\":[],\n \"a\":[\n  1,\n  {\n   \"x\":\"},{\\\"\\\\\"\n  }\n ],\n \"c\":{}\n}"
    );
}
