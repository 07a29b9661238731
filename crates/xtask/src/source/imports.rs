//! What a module imports from others of its crate: by `use`, or by a path from `crate`, `self` or
//! `super` in the code.
//!
//! A name that is imported from where it is re-exported counts as imported from where it is
//! declared: to import `crate::Actor` is to import the module that declares `Actor`. A re-export is
//! no import.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

use super::{Crate, Module};

type Path = Vec<String>;

/// For each module, those that it imports.
pub(crate) fn imports(of: &Crate) -> BTreeMap<Path, BTreeSet<Path>> {
    let names = of
        .modules
        .iter()
        .map(|(path, module)| (path.clone(), Names::of(module)));
    let names = names.collect::<BTreeMap<_, _>>();
    let resolver = Resolver { of, names: &names };
    let mut all = BTreeMap::new();
    for (path, names) in &names {
        let found = names
            .imported
            .iter()
            .filter_map(|leaf| resolver.find(path, leaf, 0));
        let found = found.filter(|it| it != path).collect::<BTreeSet<_>>();
        all.insert(path.clone(), found);
    }
    all
}

/// The declarations, imports and re-exports of a module.
#[derive(Default)]
struct Names {
    declared: BTreeSet<String>,
    imported: Vec<Path>,
    /// Re-exports, by their name here.
    exported: BTreeMap<String, Path>,
    /// Modules that are re-exported as a whole.
    globs: Vec<Path>,
    /// How many modules that have no file stand around what is visited.
    depth: usize,
}

impl Names {
    fn of(module: &Module) -> Self {
        let mut names = Self::default();
        for item in &module.items {
            names.declared.extend(declared(item));
            names.visit_item(item);
        }
        names
    }

    /// A path as it would be written in the file's own module.
    fn outside(&self, mut path: Path) -> Option<Path> {
        for _ in 0..self.depth {
            match path.first().map(String::as_str) {
                Some("super") => drop(path.remove(0)),
                Some("crate") => return Some(path),
                _ => return None,
            }
        }
        if self.depth > 0 {
            path.insert(0, "self".to_owned());
        }
        Some(path)
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut leaves = Vec::new();
        spread(&item.tree, &mut Vec::new(), &mut leaves);
        let again = !matches!(item.vis, syn::Visibility::Inherited);
        for (path, name) in leaves {
            let Some(path) = self.outside(path) else {
                continue;
            };
            match name {
                _ if !again => self.imported.push(path),
                Some(name) => drop(self.exported.insert(name, path)),
                None => self.globs.push(path),
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let steps = path.segments.iter().map(|it| it.ident.to_string());
        let steps = steps.collect::<Vec<_>>();
        let rooted = steps
            .first()
            .is_some_and(|it| ["crate", "self", "super"].contains(&it.as_str()));
        if rooted && steps.len() > 1 {
            self.imported.extend(self.outside(steps));
        }
        visit::visit_path(self, path);
    }

    /// `pub(in crate::wing)` is no import.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.depth = self.depth.saturating_add(1);
        visit::visit_item_mod(self, item);
        self.depth = self.depth.saturating_sub(1);
    }
}

/// The paths of a tree, each with the name that it gives, or without one if it is all of a module.
fn spread(tree: &syn::UseTree, before: &mut Path, leaves: &mut Vec<(Path, Option<String>)>) {
    let with = |name: &syn::Ident| {
        let mut path = before.clone();
        path.push(name.to_string());
        path
    };
    match tree {
        syn::UseTree::Path(step) => {
            before.push(step.ident.to_string());
            spread(&step.tree, before, leaves);
            before.pop();
        }
        syn::UseTree::Name(name) if name.ident == "self" => {
            leaves.push((before.clone(), before.last().cloned()));
        }
        syn::UseTree::Name(name) => leaves.push((with(&name.ident), Some(name.ident.to_string()))),
        syn::UseTree::Rename(name) => leaves.push((with(&name.ident), Some(name.rename.to_string()))),
        syn::UseTree::Glob(_) => leaves.push((before.clone(), None)),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                spread(tree, before, leaves);
            }
        }
    }
}

fn declared(item: &syn::Item) -> Option<String> {
    let name = match item {
        syn::Item::Const(it) => &it.ident,
        syn::Item::Enum(it) => &it.ident,
        syn::Item::Fn(it) => &it.sig.ident,
        syn::Item::Macro(it) => it.ident.as_ref()?,
        syn::Item::Mod(it) if it.content.is_some() => &it.ident,
        syn::Item::Static(it) => &it.ident,
        syn::Item::Struct(it) => &it.ident,
        syn::Item::Trait(it) => &it.ident,
        syn::Item::Type(it) => &it.ident,
        _ => return None,
    };
    Some(name.to_string())
}

struct Resolver<'r> {
    of: &'r Crate,
    names: &'r BTreeMap<Path, Names>,
}

impl Resolver<'_> {
    /// The module that declares what `leaf`, written in the module `from`, refers to. `None` for
    /// other crates.
    fn find(&self, from: &Path, leaf: &[String], steps: usize) -> Option<Path> {
        // Modules that re-export each other's names would make this loop for ever.
        if steps > 8 {
            return None;
        }
        let mut at = from.clone();
        let mut rest = leaf;
        let first = rest.first()?;
        let rooted = match first.as_str() {
            "crate" => {
                at.clear();
                true
            }
            "self" => true,
            "super" => {
                at.pop();
                true
            }
            _ => false,
        };
        if rooted {
            rest = rest.get(1..)?;
            while rest.first().is_some_and(|it| it == "super") {
                at.pop();
                rest = rest.get(1..)?;
            }
        }
        let mut entered = false;
        while let Some((next, after)) = rest.split_first() {
            let mut below = at.clone();
            below.push(next.clone());
            if !self.of.modules.contains_key(&below) {
                break;
            }
            (at, rest, entered) = (below, after, true);
        }
        let Some((name, after)) = rest.split_first() else {
            return Some(at);
        };
        let names = self.names.get(&at)?;
        if let Some(path) = names.exported.get(name) {
            let path = path.iter().chain(after).cloned().collect::<Vec<_>>();
            return self.find(&at, &path, steps.saturating_add(1)).or(Some(at));
        }
        if !rooted && !entered {
            return None;
        }
        if !names.declared.contains(name) {
            for glob in &names.globs {
                let mut path = glob.clone();
                path.extend(rest.iter().cloned());
                let found = self.find(&at, &path, steps.saturating_add(1))?;
                let declares = |it: &Names| it.declared.contains(name) || it.exported.contains_key(name);
                if self.names.get(&found).is_some_and(declares) {
                    return Some(found);
                }
            }
        }
        Some(at)
    }
}
