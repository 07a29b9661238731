//! The repository's own Rust, parsed: crates, their modules, and the closed lists that they
//! declare. Tests are left out.
//!
//! A module here is a file. What is declared `mod x { … }` belongs to its file.

mod closed;
mod imports;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use syn::spanned::Spanned;

pub(crate) use closed::{Closed, is_declaration};
pub(crate) use imports::imports;

pub(crate) struct Crate {
    pub(crate) name: String,
    /// By their path from the crate's root, which is empty itself.
    pub(crate) modules: BTreeMap<Vec<String>, Module>,
}

pub(crate) struct Module {
    /// Path from the root of the repository.
    pub(crate) file: String,
    pub(crate) items: Vec<syn::Item>,
    /// Lines of the file, without those of its tests.
    pub(crate) lines: usize,
}

impl Crate {
    /// The modules directly below `src`, its root included.
    pub(crate) fn rooms(&self) -> usize {
        self.modules.keys().filter(|path| path.len() <= 1).count()
    }

    pub(crate) fn lines(&self) -> usize {
        self.modules.values().map(|module| module.lines).sum()
    }

    /// A crate of these modules: `a/b` for `crate::a::b`, and nothing for its root.
    #[cfg(test)]
    pub(crate) fn of_texts(name: &str, texts: &[(&str, &str)]) -> Self {
        let module = |(path, text): &(&str, &str)| {
            let steps = path.split('/').filter(|it| !it.is_empty());
            let steps = steps.map(str::to_owned).collect();
            (steps, Module::parse(format!("{path}.rs"), text).unwrap())
        };
        Self {
            name: name.to_owned(),
            modules: texts.iter().map(module).collect(),
        }
    }
}

/// The crates of the workspace, by name.
///
/// # Errors
/// If a file cannot be read or parsed; the error names it.
pub(crate) fn crates(root: &Path) -> anyhow::Result<BTreeMap<String, Crate>> {
    let mut crates = BTreeMap::new();
    for entry in fs::read_dir(root.join("crates")).context("crates/ cannot be read")? {
        let source = entry?.path().join("src");
        let tops = ["lib.rs", "main.rs"].map(|top| source.join(top));
        if let Some(top) = tops.iter().find(|top| top.is_file()) {
            let one = load(root, &source, top)?;
            crates.insert(one.name.clone(), one);
        }
    }
    Ok(crates)
}

fn load(root: &Path, source: &Path, top: &Path) -> anyhow::Result<Crate> {
    let folder = source.parent().and_then(Path::file_name).unwrap_or_default();
    let mut modules = BTreeMap::new();
    let mut open = vec![(Vec::new(), top.to_owned())];
    while let Some((path, file)) = open.pop() {
        let module = parse(root, &file)?;
        for child in children(&module.items) {
            let mut below = path.clone();
            below.push(child);
            let file = file_of(source, &below)?;
            open.push((below, file));
        }
        modules.insert(path, module);
    }
    Ok(Crate {
        name: folder.to_string_lossy().into_owned(),
        modules,
    })
}

fn parse(root: &Path, file: &Path) -> anyhow::Result<Module> {
    let name = file.strip_prefix(root).unwrap_or(file).display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))?;
    Module::parse(name, &text)
}

impl Module {
    fn parse(file: String, text: &str) -> anyhow::Result<Self> {
        let parsed = syn::parse_file(text).with_context(|| format!("{file} cannot be parsed"))?;
        let (tests, items) = parsed.items.into_iter().partition::<Vec<_>, _>(is_test);
        let tested: usize = tests.iter().map(lines_of).sum();
        Ok(Self {
            file,
            items,
            lines: text.lines().count().saturating_sub(tested),
        })
    }
}

/// Names of the modules that have files of their own.
fn children(items: &[syn::Item]) -> impl Iterator<Item = String> {
    items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() => Some(module.ident.to_string()),
        _ => None,
    })
}

fn file_of(source: &Path, module: &[String]) -> anyhow::Result<PathBuf> {
    let base = module
        .iter()
        .fold(source.to_owned(), |folder, name| folder.join(name));
    let files = [base.with_extension("rs"), base.join("mod.rs")];
    let found = files.into_iter().find(|file| file.is_file());
    found.with_context(|| format!("there is no file of the module {}", module.join("::")))
}

fn lines_of(item: &syn::Item) -> usize {
    let span = item.span();
    span.end()
        .line
        .saturating_sub(span.start().line)
        .saturating_add(1)
}

/// Whether an item is built for tests only: its `cfg` names `test`.
fn is_test(item: &syn::Item) -> bool {
    attributes(item).iter().any(|attribute| {
        let cfg = attribute.path().is_ident("cfg");
        let names_test = |list: &syn::MetaList| {
            let mut names = list.tokens.to_string();
            names.retain(|c| !c.is_whitespace());
            names.split(['(', ')', ',']).any(|name| name == "test")
        };
        cfg && attribute.meta.require_list().is_ok_and(names_test)
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(it) => &it.attrs,
        syn::Item::Enum(it) => &it.attrs,
        syn::Item::Fn(it) => &it.attrs,
        syn::Item::Impl(it) => &it.attrs,
        syn::Item::Macro(it) => &it.attrs,
        syn::Item::Mod(it) => &it.attrs,
        syn::Item::Static(it) => &it.attrs,
        syn::Item::Struct(it) => &it.attrs,
        syn::Item::Trait(it) => &it.attrs,
        syn::Item::Type(it) => &it.attrs,
        syn::Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

/// The arguments of a macro, if its tokens are expressions with commas between them.
pub(crate) fn expressions(tokens: &syn::Macro) -> Vec<syn::Expr> {
    let parser = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
    let parsed = tokens.parse_body_with(parser);
    parsed.map(|all| all.into_iter().collect()).unwrap_or_default()
}
