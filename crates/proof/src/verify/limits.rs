//! Sums committed under caps, by programme, category and month.

use std::collections::BTreeMap;

use compact_str::CompactString;

/// The committed sums, in slices as fine as any cap counts.
#[derive(Debug, Default)]
pub(crate) struct Slices {
    by: BTreeMap<(CompactString, CompactString, CompactString), i64>,
    /// Ceilings and the sums committed under each, of this county.
    caps: BTreeMap<(String, String), (i64, i64)>,
}

fn counts(scope: &str, category: &str, month: &str) -> bool {
    match scope.split_once(':') {
        None => scope == "whole",
        Some(("category", it)) => it == category,
        Some(("month", it)) => it == month,
        Some(_) => false,
    }
}

impl Slices {
    /// The sum committed of a programme in a scope.
    pub(crate) fn committed(&self, programme: &str, scope: &str) -> i64 {
        let slices = self
            .by
            .iter()
            .filter(|((of, category, month), _)| of == programme && counts(scope, category, month));
        slices.fold(0, |sum, (_, fen)| sum.saturating_add(*fen))
    }

    /// Sets all caps of a programme, each starting with the sum that is committed already.
    pub(crate) fn set(&mut self, programme: &str, caps: &BTreeMap<String, i64>) -> Result<(), String> {
        self.caps.retain(|(of, _), _| of != programme);
        for (scope, ceiling) in caps {
            let committed = self.committed(programme, scope);
            if committed > *ceiling {
                return Err(format!(
                    "{committed} fen were committed already under `{scope}`, whose ceiling is {ceiling}"
                ));
            }
            self.caps
                .insert((programme.to_owned(), scope.clone()), (*ceiling, committed));
        }
        Ok(())
    }

    /// Commits money, or releases it if the sum is negative.
    pub(crate) fn commit(
        &mut self,
        programme: &str,
        category: &str,
        month: &str,
        fen: i64,
    ) -> Result<(), String> {
        let slice = (programme.into(), category.into(), month.into());
        let sum = self.by.entry(slice).or_default();
        *sum = sum.saturating_add(fen);
        if *sum < 0 {
            return Err(format!(
                "more came back of {category} in {month} than was committed"
            ));
        }
        for ((of, scope), (ceiling, committed)) in &mut self.caps {
            if of != programme || !counts(scope, category, month) {
                continue;
            }
            *committed = committed.saturating_add(fen);
            if *committed > *ceiling {
                return Err(format!(
                    "{committed} fen are committed under the cap `{scope}` of {ceiling}"
                ));
            }
        }
        Ok(())
    }

    /// Scopes with ceiling and committed sum, by programme.
    pub(crate) fn caps(&self) -> impl Iterator<Item = (&str, &str, i64, i64)> {
        self.caps
            .iter()
            .map(|((programme, scope), (ceiling, committed))| {
                (programme.as_str(), scope.as_str(), *ceiling, *committed)
            })
    }
}
