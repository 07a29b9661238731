//! Closed lists: enums whose variants each have one text, in the database, on the wire and in
//! rules.
//!
//! A list is declared by one of the macros in [`MACROS`], or by an enum with a method `as_str` that
//! has a literal for each of its variants.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::Crate;

/// Macros that declare closed lists: `pub enum Name { Variant = "text", … }`, or without `pub
/// enum`.
const MACROS: [&str; 2] = ["words", "request_words"];

/// Texts that also name a column, a field, a table or a format. A literal of one need not be a
/// status.
const ALSO_NAMES: [&str; 17] = [
    "camt.054",
    "category",
    "collectors",
    "csv",
    "dismantlers",
    "entitlement",
    "entitlements",
    "jurisdiction",
    "json",
    "merchants",
    "month",
    "phone",
    "plate",
    "txt",
    "vin",
    "xlsx",
    "xml",
];

/// All closed lists of the workspace.
#[derive(Default)]
pub(crate) struct Closed {
    /// Variants by the name of their enum.
    pub(crate) variants: BTreeMap<String, BTreeSet<String>>,
    words: BTreeSet<String>,
}

impl Closed {
    pub(crate) fn of<'c>(crates: impl IntoIterator<Item = &'c Crate>) -> Self {
        let mut closed = Self::default();
        for module in crates.into_iter().flat_map(|one| one.modules.values()) {
            for item in &module.items {
                closed.visit_item(item);
            }
        }
        closed
    }

    /// Whether a literal can only be a value of a list.
    pub(crate) fn is_word(&self, text: &str) -> bool {
        self.words.contains(text) && !ALSO_NAMES.contains(&text)
    }

    fn add(&mut self, list: String, variant: String, word: String) {
        self.variants.entry(list).or_default().insert(variant);
        self.words.insert(word);
    }

    /// `Name … { … Variant = "word" … }`, any number of times.
    fn declared(&mut self, tokens: TokenStream) {
        let mut name = None;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if name.is_none() && ident != "pub" && ident != "enum" => {
                    name = Some(ident.to_string());
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    if let Some(name) = name.take() {
                        self.listed(&name, group.stream());
                    }
                }
                _ => {}
            }
        }
    }

    fn listed(&mut self, name: &str, tokens: TokenStream) {
        let mut variant = None;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => variant = Some(ident.to_string()),
                TokenTree::Literal(literal) => {
                    let word = syn::parse_str::<syn::LitStr>(&literal.to_string());
                    if let (Some(variant), Ok(word)) = (variant.take(), word) {
                        self.add(name.to_owned(), variant, word.value());
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Closed {
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if is_declaration(call) {
            self.declared(call.tokens.clone());
        }
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        let syn::Type::Path(of) = block.self_ty.as_ref() else {
            return;
        };
        let Some(name) = of.path.segments.last().map(|it| it.ident.to_string()) else {
            return;
        };
        for item in &block.items {
            if let syn::ImplItem::Fn(method) = item
                && method.sig.ident == "as_str"
            {
                let mut arms = Arms::default();
                arms.visit_block(&method.block);
                for (variant, word) in arms.0 {
                    self.add(name.clone(), variant, word);
                }
            }
        }
        visit::visit_item_impl(self, block);
    }
}

/// Whether a call of a macro declares a closed list.
pub(crate) fn is_declaration(call: &syn::Macro) -> bool {
    MACROS.iter().any(|name| call.path.is_ident(name))
}

/// Arms that turn one variant into one literal.
#[derive(Default)]
struct Arms(Vec<(String, String)>);

impl<'ast> Visit<'ast> for Arms {
    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(word),
            ..
        }) = arm.body.as_ref()
        else {
            return;
        };
        if let syn::Pat::Path(path) = &arm.pat
            && path.path.segments.len() > 1
            && let Some(variant) = path.path.segments.last()
        {
            self.0.push((variant.ident.to_string(), word.value()));
        }
    }
}
