//! Reads settings from the environment and the file, and collects everything that is wrong instead
//! of the first thing.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretBox};
use toml::{Table, Value};

use super::environment::Environment;
use super::setting::Setting;
use super::settings;

/// One fault of a configuration. The message never holds a secret's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key in the file and the variable, or the source: a file, an unknown name.
    pub subject: String,
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}; {}", self.subject, self.message, self.remedy)
    }
}

/// Everything that is wrong with a configuration; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the configuration has {} problem(s):", self.0.len())?;
        self.0
            .iter()
            .try_for_each(|problem| write!(formatter, "\n  - {problem}"))
    }
}

impl std::error::Error for ConfigError {}

pub(super) struct Reader<'a> {
    environment: &'a Environment,
    file: Table,
    problems: Vec<Problem>,
    /// Every key that was read, with the setting that it stands in.
    keys: Vec<(&'static str, SecretBox<[u8; 32]>)>,
}

impl<'a> Reader<'a> {
    /// Reads `file`, or what `HUANXIN_CONFIG` names, or no file at all.
    pub(super) fn open(environment: &'a Environment, file: Option<&Path>) -> Self {
        let mut reader = Self {
            environment,
            file: Table::new(),
            problems: Vec::new(),
            keys: Vec::new(),
        };
        if let Some(path) = file
            .map(PathBuf::from)
            .or_else(|| environment.os("HUANXIN_CONFIG").map(PathBuf::from))
        {
            match std::fs::read_to_string(&path)
                .map_err(|error| error.to_string())
                .and_then(|text| parse(&text))
            {
                Ok(table) => reader.file = table,
                Err(message) => reader.problem(
                    path.display().to_string(),
                    message,
                    "name a TOML file that can be read",
                ),
            }
        }
        reader
    }

    /// Refuses unknown variables with the program's prefix and unknown keys of the file: a misspelt
    /// setting would silently keep its default.
    pub(super) fn refuse_unknown(&mut self) {
        let mut known: Vec<String> = settings::OTHER_VARIABLES
            .iter()
            .map(|&name| name.to_owned())
            .collect();
        for setting in settings::ALL {
            known.push(setting.variable.to_owned());
            if setting.secret {
                known.push(format!("{}_FILE", setting.variable));
            }
        }
        // Variables by which tests steer their own helper processes are not settings.
        let ours = self
            .environment
            .names("HUANXIN_")
            .filter(|name| !name.starts_with("HUANXIN_TEST_"));
        let unknown: Vec<String> = ours
            .filter(|&name| !known.iter().any(|known| known == name))
            .map(str::to_owned)
            .collect();
        for variable in unknown {
            self.problem(
                variable,
                "is no variable of huanxin",
                "docs/configuration.md lists them",
            );
        }
        let mut keys = Vec::new();
        leaves("", &self.file, &mut keys);
        for key in keys
            .into_iter()
            .filter(|key| !settings::ALL.iter().any(|setting| setting.key == key))
        {
            self.problem(
                key,
                "is no key of the configuration file",
                "docs/configuration.md lists them",
            );
        }
    }

    /// The setting as text, or its default.
    pub(super) fn text(&mut self, setting: &Setting) -> Option<String> {
        self.value(setting, |value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Boolean(switch) => Some(switch.to_string()),
            _ => None,
        })
        .or_else(|| setting.default.map(str::to_owned))
    }

    /// A list of ids and values: `id:value,id:value` in a variable, an array of tables with `id`
    /// and `key` in the file. `None` when it is not set; what is malformed is a problem and an
    /// empty list.
    pub(super) fn pairs(&mut self, setting: &Setting) -> Option<Vec<(String, String)>> {
        let pair = |entry: &Value| {
            Some(format!(
                "{}:{}",
                entry.get("id")?.as_str()?,
                entry.get("key")?.as_str()?
            ))
        };
        let text = self.value(setting, |value| {
            let entries: Option<Vec<String>> = value.as_array()?.iter().map(pair).collect();
            entries.map(|entries| entries.join(","))
        })?;
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (position, entry) in text.split(',').enumerate() {
            let position = position.saturating_add(1);
            match entry.trim().split_once(':') {
                Some((id, _)) if !is_id(id) => self.wrong(
                    setting,
                    format!(
                        "has an id at place {position} that is not 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'"
                    ),
                ),
                Some((id, _)) if pairs.iter().any(|(other, _)| other == id) => {
                    self.wrong(setting, format!("has the id `{id}` twice"));
                }
                Some((id, value)) => pairs.push((id.to_owned(), value.trim().to_owned())),
                None => self.wrong(
                    setting,
                    format!("has no `id:` before its value at place {position}"),
                ),
            }
        }
        Some(pairs)
    }

    /// Refuses a key that stands in another setting too, or twice in one: the loss of one key for
    /// two purposes is the loss of both.
    pub(super) fn refuse_reuse(&mut self, setting: &Setting, key: &[u8; 32]) {
        let first = self
            .keys
            .iter()
            .find(|(_, other)| other.expose_secret() == key)
            .map(|(first, _)| *first);
        if let Some(first) = first {
            self.wrong(setting, format!("repeats a key of {first}"));
        }
        self.keys.push((setting.key, SecretBox::new(Box::new(*key))));
    }

    /// The setting is required and not set.
    pub(super) fn missing(&mut self, setting: &Setting) {
        self.wrong(setting, "is missing");
    }

    /// The setting's value is not valid. `message` must not quote a secret.
    pub(super) fn wrong(&mut self, setting: &Setting, message: impl Into<String>) {
        self.problem(
            format!("{} ({})", setting.key, setting.variable),
            message,
            &setting.advice(),
        );
    }

    /// The problems, if there are any, and else the value.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, ConfigError> {
        match read {
            Some(read) if self.problems.is_empty() => Ok(read),
            _ => Err(ConfigError(self.problems)),
        }
    }

    fn problem(&mut self, subject: String, message: impl Into<String>, remedy: &str) {
        self.problems.push(Problem {
            subject,
            message: message.into(),
            remedy: remedy.to_owned(),
        });
    }

    /// From `<variable>_FILE`, the variable, or the file, in this order.
    fn value(&mut self, setting: &Setting, of_file: impl Fn(&Value) -> Option<String>) -> Option<String> {
        if setting.secret
            && let Some(path) = self
                .environment
                .os(&format!("{}_FILE", setting.variable))
                .map(PathBuf::from)
        {
            return match std::fs::read_to_string(&path) {
                Ok(text) => Some(text.trim().to_owned()),
                Err(error) => {
                    self.wrong(
                        setting,
                        format!("cannot be read from {}: {error}", path.display()),
                    );
                    None
                }
            };
        }
        match self.environment.text(setting.variable) {
            Ok(Some(text)) => return Some(text.to_owned()),
            Ok(None) => {}
            Err(error) => {
                self.wrong(setting, error.to_string());
                return None;
            }
        }
        let mut levels = setting.key.split('.');
        let first = self.file.get(levels.next()?)?;
        let value = levels.try_fold(first, |value, level| value.get(level))?;
        let text = of_file(value);
        if text.is_none() {
            let kind = value.type_str();
            self.wrong(
                setting,
                format!("has the wrong type, {kind}, in the configuration file"),
            );
        }
        text
    }
}

fn parse(text: &str) -> Result<Table, String> {
    text.parse::<Table>().map_err(|error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count());
        // The error's Display quotes the line, which may hold a key.
        let place = line.map_or_else(String::new, |before| {
            format!(" in line {}", before.saturating_add(1))
        });
        format!("is not TOML{place}: {}", error.message())
    })
}

/// The dotted paths of all values that are not tables.
fn leaves(prefix: &str, table: &Table, found: &mut Vec<String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Table(inner) => leaves(&key, inner, found),
            _ => found.push(key),
        }
    }
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}
