//! The table: measurements, each against its requirement.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

/// Several measurements of one thing.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Samples(pub(crate) Vec<f64>);

impl Samples {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let at = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
        if sorted.len().is_multiple_of(2) {
            (at(middle.saturating_sub(1)) + at(middle)) / 2.0
        } else {
            at(middle)
        }
    }

    fn ends(&self) -> (f64, f64) {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        (least, self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    }

    /// Each divided by its neighbour of the same round.
    pub(crate) fn over(&self, other: &Self) -> Self {
        let pairs = self.0.iter().zip(&other.0);
        Self(
            pairs
                .filter(|(_, below)| **below > 0.0)
                .map(|(above, below)| above / below)
                .collect(),
        )
    }

    /// Median and spread.
    pub(crate) fn text(&self) -> String {
        let number = |value: f64| match value.abs() {
            0.0..10.0 => format!("{value:.2}"),
            10.0..100.0 => format!("{value:.1}"),
            _ => format!("{value:.0}"),
        };
        match self.0.len() {
            0 => "-".to_owned(),
            1 => number(self.median()),
            _ => format!(
                "{} ({}-{})",
                number(self.median()),
                number(self.ends().0),
                number(self.ends().1)
            ),
        }
    }
}

impl From<f64> for Samples {
    fn from(value: f64) -> Self {
        Self(vec![value])
    }
}

/// The requirement for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Asked {
    AtLeast,
    AtMost,
}

/// A line of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    what: String,
    measured: String,
    value: Samples,
    asked: Asked,
    ask: f64,
    stretch: f64,
    met: &'static str,
}

/// All lines of the output.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) conditions: Vec<(String, String)>,
    rows: Vec<Row>,
    raw: Vec<Value>,
}

impl Report {
    /// A line that passes or fails by the median of its value.
    pub(crate) fn row(
        &mut self,
        what: &str,
        measured: String,
        value: Samples,
        asked: Asked,
        bounds: (f64, f64),
    ) {
        let median = value.median();
        let holds = |bound: f64| match asked {
            Asked::AtLeast => median >= bound,
            Asked::AtMost => median <= bound,
        };
        let met = match () {
            () if value.0.is_empty() => "skipped",
            () if holds(bounds.1) => "stretch",
            () if holds(bounds.0) => "ask",
            () => "no",
        };
        let row = Row {
            what: what.to_owned(),
            measured,
            value,
            asked,
            ask: bounds.0,
            stretch: bounds.1,
            met,
        };
        eprintln!("  => {}", line(&row));
        self.rows.push(row);
    }

    /// A line that could not be measured, with the reason.
    pub(crate) fn skipped(&mut self, what: &str, why: &str, asked: Asked, bounds: (f64, f64)) {
        self.row(what, why.to_owned(), Samples::default(), asked, bounds);
    }

    /// Keeps a single measurement for the file.
    pub(crate) fn raw(&mut self, what: &str, value: &impl Serialize) {
        self.raw.push(json!({"what": what, "seen": value}));
    }

    pub(crate) fn print(&self) {
        for (name, value) in &self.conditions {
            println!("{name}: {value}");
        }
        println!();
        println!(
            "{:<52} | {:<46} | {:<20} | {:>7} | {:>7} | met?",
            "row", "measured", "value or ratio", "ask", "stretch"
        );
        println!("{}", "-".repeat(154));
        for row in &self.rows {
            println!("{}", line(row));
        }
    }

    /// Writes all measurements as JSON.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let conditions = self
            .conditions
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.clone())));
        let conditions = conditions.collect::<serde_json::Map<_, _>>();
        let all = json!({"conditions": conditions, "rows": self.rows, "measurements": self.raw});
        std::fs::write(path, format!("{}\n", serde_json::to_string_pretty(&all)?))?;
        println!("\nwritten to {}", path.display());
        Ok(())
    }
}

fn line(row: &Row) -> String {
    let sign = if row.asked == Asked::AtLeast { ">=" } else { "<=" };
    format!(
        "{:<52} | {:<46} | {:<20} | {sign}{:>5} | {sign}{:>5} | {}",
        row.what,
        row.measured,
        row.value.text(),
        row.ask,
        row.stretch,
        row.met
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides() {
        let samples = Samples(vec![3.0, 1.0, 2.5]);
        assert_eq!(samples.text(), "2.50 (1.00-3.00)");
        let mut report = Report::default();
        report.row("a", String::new(), samples.clone(), Asked::AtLeast, (2.0, 2.6));
        report.row("b", String::new(), samples, Asked::AtMost, (3.0, 2.5));
        report.skipped("c", "none", Asked::AtMost, (3.0, 2.5));
        let met = report.rows.iter().map(|row| row.met).collect::<Vec<_>>();
        assert_eq!(met, ["ask", "stretch", "skipped"]);
    }
}
