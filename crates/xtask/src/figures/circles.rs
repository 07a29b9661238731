//! Import circles.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Crate, imports};

type Path = Vec<String>;

/// Groups of modules of which each imports each other, directly or through others: `crate: a b c`.
pub(super) fn of(one: &Crate) -> Vec<String> {
    let imports = imports(one);
    let reached = imports
        .keys()
        .map(|module| (module, reached(&imports, module)))
        .collect::<BTreeMap<_, _>>();
    let mut circles = BTreeSet::new();
    for (module, reaches) in &reached {
        let back = |other: &&Path| reached.get(*other).is_some_and(|it| it.contains(*module));
        let circle = reaches.iter().filter(back).map(name).collect::<BTreeSet<_>>();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    let said = |circle: &BTreeSet<String>| {
        let names = circle.iter().map(String::as_str).collect::<Vec<_>>();
        format!("{}: {}", one.name, names.join(" "))
    };
    circles.iter().map(said).collect()
}

/// What a module imports, directly or through others.
fn reached(imports: &BTreeMap<Path, BTreeSet<Path>>, from: &Path) -> BTreeSet<Path> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in imports.get(module).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    found
}

fn name(module: &Path) -> String {
    if module.is_empty() {
        "(root)".to_owned()
    } else {
        module.join("/")
    }
}
