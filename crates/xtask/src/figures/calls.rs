//! Calls that no import shows, and uses of `ServiceError::bug`.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

use crate::source::{Crate, expressions, imports};

/// Pairs of modules of different rooms: the first calls a method on `self` that the second
/// declares, and imports nothing of it.
pub(super) fn hidden(one: &Crate) -> Vec<String> {
    let mut declared = BTreeMap::new();
    for (path, module) in &one.modules {
        for block in blocks(&module.items) {
            let Some(of) = type_name(block) else { continue };
            let methods = block.items.iter().filter_map(|item| match item {
                syn::ImplItem::Fn(method) => Some(method.sig.ident.to_string()),
                _ => None,
            });
            declared.extend(methods.map(|method| ((of.clone(), method), path)));
        }
    }
    let imports = imports(one);
    let mut found = BTreeSet::new();
    for (path, module) in &one.modules {
        for block in blocks(&module.items) {
            let Some(of) = type_name(block) else { continue };
            let mut calls = Calls::default();
            calls.visit_item_impl(block);
            for method in calls.0 {
                let Some(to) = declared.get(&(of.clone(), method)) else {
                    continue;
                };
                let shown = imports
                    .get(path)
                    .is_some_and(|all| all.iter().any(|it| it.first() == to.first()));
                if to.first() != path.first() && !shown {
                    found.insert(format!("{} -> {}", path.join("/"), to.join("/")));
                }
            }
        }
    }
    found.into_iter().collect()
}

fn blocks(items: &[syn::Item]) -> impl Iterator<Item = &syn::ItemImpl> {
    items.iter().filter_map(|item| match item {
        syn::Item::Impl(block) if block.trait_.is_none() => Some(block),
        _ => None,
    })
}

fn type_name(block: &syn::ItemImpl) -> Option<String> {
    let syn::Type::Path(of) = block.self_ty.as_ref() else {
        return None;
    };
    of.path.segments.last().map(|it| it.ident.to_string())
}

/// Names of methods that are called on `self`.
#[derive(Default)]
struct Calls(BTreeSet<String>);

impl<'ast> Visit<'ast> for Calls {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if matches!(call.receiver.as_ref(), syn::Expr::Path(it) if it.path.is_ident("self")) {
            self.0.insert(call.method.to_string());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        for expression in expressions(call) {
            let mut inner = Calls::default();
            inner.visit_expr(&expression);
            self.0.extend(inner.0);
        }
    }
}

/// Uses of `ServiceError::bug`.
pub(super) fn bugs(one: &Crate) -> Vec<String> {
    let mut found = Vec::new();
    for module in one.modules.values() {
        let mut bugs = Bugs::default();
        module.items.iter().for_each(|item| bugs.visit_item(item));
        found.extend(bugs.0.iter().map(|line| format!("{}:{line}", module.file)));
    }
    found
}

#[derive(Default)]
struct Bugs(Vec<usize>);

impl<'ast> Visit<'ast> for Bugs {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut last = path.segments.iter().rev().map(|it| &it.ident);
        if let (Some(bug), Some(of)) = (last.next(), last.next())
            && bug == "bug"
            && of == "ServiceError"
        {
            self.0.push(bug.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        for expression in expressions(call) {
            let mut inner = Bugs::default();
            inner.visit_expr(&expression);
            self.0.extend(inner.0);
        }
    }
}
