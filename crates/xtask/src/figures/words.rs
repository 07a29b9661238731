//! Values of closed lists that are used as text, or matched with an arm for other values.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::source::{Closed, Crate, expressions, is_declaration};

/// Literals that are a value of a closed list, outside of where such lists are declared:
/// `file:line: value`.
pub(super) fn as_text(one: &Crate, closed: &Closed) -> Vec<String> {
    let mut found = Vec::new();
    for module in one.modules.values() {
        let mut literals = Literals::default();
        module.items.iter().for_each(|item| literals.visit_item(item));
        let words = literals.0.into_iter().filter(|(_, text)| closed.is_word(text));
        found.extend(words.map(|(line, word)| format!("{}:{line}: {word}", module.file)));
    }
    found
}

/// String literals with their lines.
#[derive(Default)]
struct Literals(Vec<(usize, String)>);

impl Literals {
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                        self.0.push((literal.span().start().line, text.value()));
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Literals {
    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        self.0.push((literal.span().start().line, literal.value()));
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if !is_declaration(call) {
            self.tokens(call.tokens.clone());
        }
    }

    fn visit_impl_item_fn(&mut self, method: &'ast syn::ImplItemFn) {
        if method.sig.ident != "as_str" {
            visit::visit_impl_item_fn(self, method);
        }
    }

    /// What was not found is a noun, not a value: `Refusal::NotFound("claim")`.
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let syn::Expr::Path(of) = call.func.as_ref() else {
            return visit::visit_expr_call(self, call);
        };
        if of.path.segments.last().is_none_or(|it| it.ident != "NotFound") {
            visit::visit_expr_call(self, call);
        }
    }

    /// The same in `Refusal::Settled { what: "claim", … }`.
    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if !matches!(&field.member, syn::Member::Named(name) if name == "what") {
            visit::visit_field_value(self, field);
        }
    }

    /// The verb of an event or of a key is a name of its own, also where a transfer has the same.
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if ["event", "once", "once_if"]
            .iter()
            .any(|name| call.method == name)
        {
            self.visit_expr(&call.receiver);
        } else {
            visit::visit_expr_method_call(self, call);
        }
    }

    /// Names of columns, fields and paths: no value is compared with them.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

/// Matches of a crate that end in `_ =>` and have another arm over a closed list: `file:line`.
pub(crate) fn open_in(one: &Crate, closed: &Closed) -> Vec<String> {
    let mut found = Vec::new();
    for module in one.modules.values() {
        let mut matches = Matches {
            closed,
            own: None,
            lines: Vec::new(),
        };
        module.items.iter().for_each(|item| matches.visit_item(item));
        found.extend(matches.lines.iter().map(|line| format!("{}:{line}", module.file)));
    }
    found
}

struct Matches<'c> {
    closed: &'c Closed,
    /// The type that `Self` stands for.
    own: Option<String>,
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Matches<'_> {
    fn visit_expr_match(&mut self, it: &'ast syn::ExprMatch) {
        let wild = it.arms.iter().find(|arm| matches!(arm.pat, syn::Pat::Wild(_)));
        let named = it.arms.iter().any(|arm| {
            let mut names = Names {
                closed: self.closed,
                own: self.own.as_deref(),
                found: false,
            };
            names.visit_pat(&arm.pat);
            names.found
        });
        if let (Some(arm), true) = (wild, named) {
            let syn::Pat::Wild(wild) = &arm.pat else { return };
            self.lines.push(wild.underscore_token.span.start().line);
        }
        visit::visit_expr_match(self, it);
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        let of = match block.self_ty.as_ref() {
            syn::Type::Path(of) => of.path.segments.last().map(|it| it.ident.to_string()),
            _ => None,
        };
        let before = std::mem::replace(&mut self.own, of);
        visit::visit_item_impl(self, block);
        self.own = before;
    }

    /// The inverse of a list's texts: its input may be none of them.
    fn visit_impl_item_fn(&mut self, method: &'ast syn::ImplItemFn) {
        if method.sig.ident != "parse" {
            visit::visit_impl_item_fn(self, method);
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        for expression in expressions(call) {
            let mut inner = Matches {
                closed: self.closed,
                own: self.own.clone(),
                lines: Vec::new(),
            };
            inner.visit_expr(&expression);
            self.lines.extend(inner.lines);
        }
    }
}

/// Whether a pattern names a variant of a closed list.
struct Names<'c> {
    closed: &'c Closed,
    own: Option<&'c str>,
    found: bool,
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut last = path.segments.iter().rev().map(|it| it.ident.to_string());
        if let (Some(variant), Some(of)) = (last.next(), last.next()) {
            let of = if of == "Self" { self.own } else { Some(of.as_str()) };
            let variants = of.and_then(|of| self.closed.variants.get(of));
            self.found |= variants.is_some_and(|all| all.contains(&variant));
        }
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        self.found |= self.closed.is_word(&literal.value());
    }
}
