//! The table of settings in `docs/configuration.md`, between two marks; what stands around it is
//! written by hand.

use super::setting::Setting;
use super::settings;

const BEGIN: &str =
    "<!-- Written by `make openapi` from the table of settings: do not change it by hand. -->\n";
const END: &str = "<!-- The end of what is written. -->\n";

/// The page with its table written anew; `None` when it has not both marks.
#[must_use]
pub fn written(page: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", table()))
}

fn table() -> String {
    let mut table = "| key | variable | default | values | meaning |\n|---|---|---|---|---|\n".to_owned();
    for setting in settings::ALL {
        table.push_str(&row(setting));
    }
    table
}

fn row(setting: &Setting) -> String {
    let mut default = match setting.default {
        Some(default) => format!("`{default}`"),
        None => setting.without.to_owned(),
    };
    if setting.secret {
        default.push_str(", secret");
    }
    format!(
        "| `{}` | `{}` | {default} | {} | {} |\n",
        setting.key,
        setting.variable,
        setting.range(),
        setting.meaning.trim()
    )
}
