//! `docs/LOGGING.md` has a row for every log line of the workspace, and no other row.
//!
//! Lines are read from the tokens of the sources, so that calls inside other macros, such as
//! `tokio::select!`, are found too. Code of tests is left out. A message is the last literal of its
//! macro: a line whose message is not a literal has no row that an operator could search for, and
//! fails.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// Crate, level, message and names of fields, in order.
type Line = (String, String, String, Vec<String>);

/// The rows of the tables below `### crate`.
fn documented() -> Vec<Line> {
    let page = include_str!("../../docs/LOGGING.md");
    let (_, lines) = page.split_once("\n## Every line\n").unwrap();
    let (lines, _) = lines.split_once("\n## ").unwrap();
    let mut heading = "";
    let mut rows = Vec::new();
    for line in lines.lines() {
        if let Some(name) = line.strip_prefix("### ") {
            heading = name;
        }
        if !line.starts_with("| ") || line.starts_with("| level ") {
            continue;
        }
        let cells = line.split('|').skip(1).map(str::trim).collect::<Vec<_>>();
        let fields = cells[2].split(", ");
        let fields = fields.map(|field| field.trim_matches('`').to_owned());
        rows.push((
            heading.to_owned(),
            cells[0].to_lowercase(),
            cells[1].trim_matches('`').to_owned(),
            fields.filter(|field| !field.is_empty()).collect(),
        ));
    }
    rows
}

/// The log lines of a stream of tokens, as level, message and names of fields.
fn lines(tokens: TokenStream, found: &mut Vec<(String, String, Vec<String>)>) {
    let tokens = tokens.into_iter().collect::<Vec<_>>();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at..] {
            [TokenTree::Punct(hash), TokenTree::Group(attribute), ..]
                if hash.as_char() == '#'
                    && attribute.stream().to_string().replace(' ', "") == "cfg(test)" =>
            {
                // Up to the end of the item.
                at += tokens[at..].iter().take_while(|token| !ends_item(token)).count();
            }
            [
                TokenTree::Ident(name),
                TokenTree::Punct(bang),
                TokenTree::Group(body),
                ..,
            ] if bang.as_char() == '!' && LEVELS.contains(&&*name.to_string()) => {
                let (message, fields) = arguments(body.stream());
                found.push((name.to_string(), message, fields));
                at += 2;
            }
            [TokenTree::Group(group), ..] => lines(group.stream(), found),
            _ => {}
        }
        at += 1;
    }
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    }
}

/// Message and names of fields: `target: …` is neither, `%error` and `?error` are named `error`.
fn arguments(tokens: TokenStream) -> (String, Vec<String>) {
    let tokens = tokens.into_iter().collect::<Vec<_>>();
    let arguments = tokens.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','));
    let (mut message, mut fields) = (None, Vec::new());
    for argument in arguments {
        match argument {
            [TokenTree::Literal(text)] => message = Some(text.to_string().trim_matches('"').to_owned()),
            [TokenTree::Ident(_), TokenTree::Punct(colon), ..] if colon.as_char() == ':' => {}
            [TokenTree::Ident(name), ..] => fields.push(name.to_string()),
            [TokenTree::Punct(_), TokenTree::Ident(name), ..] => fields.push(name.to_string()),
            _ => {}
        }
    }
    let message = message.unwrap_or_else(|| panic!("a log line without a literal message: {tokens:?}"));
    (message, fields)
}

fn logged() -> Vec<Line> {
    let crates = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates")).unwrap();
    let mut all = Vec::new();
    for one in crates {
        let name = one.unwrap().file_name().into_string().unwrap();
        for (path, text) in crate::fences::sources(&name) {
            let (_, inside) = path.rsplit_once("/src/").unwrap();
            if inside
                .split('/')
                .any(|part| ["tests", "tests.rs"].contains(&part))
            {
                continue;
            }
            let mut found = Vec::new();
            lines(text.parse().unwrap(), &mut found);
            let found = found.into_iter();
            all.extend(found.map(|(level, message, fields)| (name.clone(), level, message, fields)));
        }
    }
    all
}

#[test]
fn every_log_line_has_its_row_and_every_row_its_line() {
    let (logged, documented) = (logged(), documented());
    let in_code = logged.iter().collect::<BTreeSet<_>>();
    let on_page = documented.iter().collect::<BTreeSet<_>>();
    let no_row = in_code.difference(&on_page).collect::<Vec<_>>();
    let no_line = on_page.difference(&in_code).collect::<Vec<_>>();
    assert!(
        no_row.is_empty() && no_line.is_empty(),
        "lines without a row in docs/LOGGING.md: {no_row:#?}\nrows without a line in the code: {no_line:#?}"
    );
    assert_eq!(documented.len(), on_page.len(), "a row stands twice");
    assert!(in_code.len() > 30, "{in_code:?}");
}

#[test]
fn lines_are_read_inside_macros_and_outside_of_tests() {
    let text = r#"
        fn f() {
            tokio::select! { _ = a => tracing::warn!(%error, claims = batch.len(), "split"), _ = b => {} }
            info!(target: "elsewhere", ?secret, attempt, "configured");
        }
        #[cfg(test)]
        mod tests { fn g() { tracing::error!("not logged"); } }
        fn h() { tracing::debug!("plain"); }
    "#;
    let mut found = Vec::new();
    lines(text.parse().unwrap(), &mut found);
    let found = found
        .iter()
        .map(|(level, message, fields)| format!("{level} {message} {}", fields.join(" ")));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            "warn split error claims",
            "info configured secret attempt",
            "debug plain "
        ]
    );
}
