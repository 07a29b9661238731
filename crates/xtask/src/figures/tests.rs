use super::*;

/// A closed list, and a type with one method that gives its texts.
const LISTS: (&str, &str) = (
    "lists",
    "words! { /// Where it stands.
         pub enum Status { Open = \"open\", /// At last.
             Paid = \"paid\" } }
     impl Source { fn as_str(self) -> &'static str { match self { Self::City => \"city\", Self::County => \"county\" } } }",
);

fn closed() -> Closed {
    Closed::of([&Crate::of_texts("claims", &[("", "mod lists;"), LISTS])])
}

fn one(text: &str) -> Crate {
    Crate::of_texts("service", &[("", "mod it;"), ("it", text)])
}

#[test]
fn closed_lists_are_found_by_macro_and_by_method() {
    let closed = closed();
    for (text, is_word) in [
        ("city", true),
        ("county", true),
        ("open", true),
        ("At last.", false),
    ] {
        assert_eq!(closed.is_word(text), is_word, "{text}");
    }
    assert!(closed.variants["Status"].contains("Paid"));
    assert!(closed.variants["Source"].contains("County"));
}

#[test]
fn words_as_text_are_found_outside_their_declarations() {
    for (text, found) in [
        ("fn f(s: &str) -> bool { s == \"paid\" }", 1),
        ("fn f(row: &mut Row) { row.status = \"open\".into(); }", 1),
        ("fn f() { log!(status = \"paid\", \"it was paid\"); }", 1),
        ("fn f() -> &'static str { \"prepaid\" }", 0),
        ("fn f() { g(Refusal::NotFound(\"paid\")) }", 0),
        ("fn f() { g(Settled { what: \"paid\", status: \"paid\" }) }", 1),
        ("fn f() { op.event(county, &id, \"paid\").is(\"open\") }", 1),
        ("words! { pub enum Other { Paid = \"paid\" } }", 0),
        (
            "impl It { fn as_str(self) -> &'static str { match self { It::Paid => \"paid\" } } }",
            0,
        ),
        ("#[serde(rename = \"paid\")] struct It;", 0),
        ("#[cfg(test)] mod tests { const IT: &str = \"paid\"; }", 0),
        ("#[cfg(any(test, feature = \"x\"))] const IT: &str = \"paid\";", 0),
    ] {
        let sites = words::as_text(&one(text), &closed());
        assert_eq!(sites.len(), found, "{text}: {sites:?}");
    }
    let sites = words::as_text(&one("fn f() {\n    g(\"paid\")\n}"), &closed());
    assert_eq!(sites, ["it.rs:2: paid"]);
}

#[test]
fn open_matches_over_closed_lists_are_found() {
    for (text, found) in [
        ("fn f(s: Status) { match s { Status::Paid => a(), _ => b() } }", 1),
        (
            "fn f(s: Option<Status>) { match s { Some(lists::Status::Paid) => a(), _ => b() } }",
            1,
        ),
        (
            "impl Status { fn f(self) { match self { Self::Paid => a(), _ => b() } } }",
            1,
        ),
        (
            "fn f(s: &str) { match s { \"paid\" | \"open\" => a(), _ => b() } }",
            1,
        ),
        (
            "fn f(s: Status) { g!(match s { Status::Paid => a(), _ => b() }) }",
            1,
        ),
        (
            "fn f(s: Status) { match s { Status::Paid => a(), Status::Open => b() } }",
            0,
        ),
        ("fn f(s: Other) { match s { Other::Paid => a(), _ => b() } }", 0),
        ("fn f(s: &str) { match s { \"prepaid\" => a(), _ => b() } }", 0),
        (
            "impl It { fn parse(s: &str) { match s { \"paid\" => a(), _ => b() } } }",
            0,
        ),
    ] {
        let sites = words::open_in(&one(text), &closed());
        assert_eq!(sites.len(), found, "{text}: {sites:?}");
    }
}

#[test]
fn circles_follow_imports_and_what_is_exported_again() {
    let circles = |texts: &[(&str, &str)]| circles::of(&Crate::of_texts("store", texts));
    let root = ("", "mod a; mod b; mod c; pub use b::B;");
    // To take `B` from the root is to import `b`.
    assert_eq!(
        circles(&[
            root,
            ("a", "use crate::B;"),
            ("b", "pub struct B; fn f() { crate::a::f() }"),
            ("c", "use std::io;")
        ]),
        ["store: a b"]
    );
    assert_eq!(
        circles(&[
            root,
            ("a", "use super::b::B;"),
            ("b", "use crate::c::C;"),
            ("c", "use crate::{a, b as it};")
        ]),
        ["store: a b c"]
    );
    // A parent that exports its child's type does not import it; one that uses it does.
    let child = ("a/d", "use super::A;");
    assert!(circles(&[root, ("a", "mod d; pub use d::D; pub struct A;"), child]).is_empty());
    assert_eq!(
        circles(&[root, ("a", "mod d; use d::D; pub struct A;"), child]),
        ["store: a a/d"]
    );
    assert_eq!(
        circles(&[
            root,
            ("a", "mod d; pub struct A; mod inline { use super::d::D; }"),
            child
        ]),
        ["store: a a/d"]
    );
}

#[test]
fn calls_that_no_import_shows_are_found() {
    let hidden = |caller: &str| {
        let service = ("b", "impl Service { pub fn serve(&self) {} }");
        calls::hidden(&Crate::of_texts(
            "service",
            &[("", "mod a; mod b;"), ("a", caller), service],
        ))
    };
    for (caller, found) in [
        ("impl Service { fn f(&self) { self.serve() } }", 1),
        (
            "impl Service { fn f(&self) { try_join!(self.serve(), self.serve()) } }",
            1,
        ),
        (
            "use crate::b::B; impl Service { fn f(&self) { self.serve() } }",
            0,
        ),
        ("impl Service { fn f(&self) { self.serve.serve() } }", 0),
        ("impl Other { fn f(&self) { self.serve() } }", 0),
    ] {
        let pairs = hidden(caller);
        assert_eq!(pairs.len(), found, "{caller}: {pairs:?}");
    }
}

#[test]
fn bugs_are_counted_wherever_they_stand() {
    let text = "fn f() -> Result<(), ServiceError> { g().map_err(ServiceError::bug)?; h!(i(), Err(crate::ServiceError::bug(\"x\"))) }";
    assert_eq!(calls::bugs(&one(text)), ["it.rs:1", "it.rs:1"]);
}

#[test]
fn lines_of_tests_do_not_count() {
    let text = "//! It.\n\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
    assert_eq!(one(text).lines(), 5);
    assert_eq!(one(text).rooms(), 2);
}
