//! One setting: its sources, the values it takes, and how a value of a type is read from its text.

use std::net::SocketAddr;
use std::time::Duration;

use secrecy::SecretString;

use super::outside::{BankKind, WebhookReach};
use super::reader::Reader;
use super::{BankFormat, LogFormat};

/// A setting. Its meaning stands in the documentation of the field that it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its dotted path in the file.
    pub key: &'static str,
    /// Its environment variable.
    pub variable: &'static str,
    pub meaning: &'static str,
    /// The default.
    pub default: Option<&'static str>,
    /// The text of the documentation where there is no default.
    pub without: &'static str,
    pub required: bool,
    /// A secret may also come from the file that `<variable>_FILE` names.
    pub secret: bool,
    pub values: Values,
    remedy: Option<&'static str>,
}

/// Which values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Text, of a form that the setting's own reader checks.
    Text,
    /// A whole number.
    Number { least: u64, most: u64 },
    /// A span of time in a unit.
    Span { least: u64, most: u64, unit: Unit },
    /// One of these values.
    Choices(&'static [&'static str]),
}

/// Of a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    Seconds,
    Minutes,
}

impl Unit {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Minutes => "min",
        }
    }

    const fn span(self, number: u64) -> Duration {
        match self {
            Self::Milliseconds => Duration::from_millis(number),
            Self::Seconds => Duration::from_secs(number),
            Self::Minutes => Duration::from_secs(number.saturating_mul(60)),
        }
    }
}

/// An optional setting of any text.
pub(super) const fn plain(key: &'static str, variable: &'static str) -> Setting {
    Setting {
        key,
        variable,
        meaning: "",
        default: None,
        without: "none",
        required: false,
        secret: false,
        values: Values::Text,
        remedy: None,
    }
}

/// A secret, optional unless it is [`required`](Setting::required).
pub(super) const fn secret(key: &'static str, variable: &'static str) -> Setting {
    let mut setting = plain(key, variable);
    setting.secret = true;
    setting
}

impl Setting {
    /// The meaning, for the documentation.
    pub(super) const fn meaning(mut self, text: &'static str) -> Self {
        self.meaning = text;
        self
    }

    pub(super) const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    /// What stands in the documentation where the default would.
    pub(super) const fn without(mut self, text: &'static str) -> Self {
        self.without = text;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self.without("required")
    }

    pub(super) const fn number(mut self, least: u64, most: u64) -> Self {
        self.values = Values::Number { least, most };
        self
    }

    pub(super) const fn span(mut self, least: u64, most: u64, unit: Unit) -> Self {
        self.values = Values::Span { least, most, unit };
        self
    }

    pub(super) const fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.values = Values::Choices(choices);
        self
    }

    /// How to make a good value, where the range of values does not show it.
    pub(super) const fn remedy(mut self, text: &'static str) -> Self {
        self.remedy = Some(text);
        self
    }

    /// What to do about a bad or missing value, for error messages.
    pub fn advice(&self) -> String {
        match (self.remedy, self.values) {
            (Some(remedy), _) => remedy.to_owned(),
            (None, Values::Text) => "give a value".to_owned(),
            (None, Values::Number { least, most } | Values::Span { least, most, .. }) => {
                format!("give {least} to {most}")
            }
            (None, Values::Choices(choices)) => format!("give {}", listed(choices, "")),
        }
    }

    /// The values it takes, for the documentation; empty where the meaning states them.
    pub fn range(&self) -> String {
        match self.values {
            Values::Text => String::new(),
            Values::Number { least, most } => format!("{least} to {most}"),
            Values::Span { least, most, unit } => format!("{least} to {most} {}", unit.symbol()),
            Values::Choices(choices) => listed(choices, "`"),
        }
    }
}

/// `a, b or c`, each between a pair of `quote`.
fn listed(choices: &[&str], quote: &str) -> String {
    let quoted = |choice: &&str| format!("{quote}{choice}{quote}");
    match choices.split_last() {
        Some((last, [])) => quoted(last),
        Some((last, before)) => {
            let before: Vec<String> = before.iter().map(quoted).collect();
            format!("{} or {}", before.join(", "), quoted(last))
        }
        None => String::new(),
    }
}

/// A type whose values are read from the text of a setting.
pub(super) trait FromText: Sized {
    /// `None`: the text is not valid, and the reader has recorded the reason.
    fn from_text(reader: &mut Reader<'_>, setting: &Setting, text: String) -> Option<Self>;
}

/// A type that a setting may have.
pub(super) trait FromSetting: Sized {
    /// `None`: there is no value, and if one is required the reader has recorded the reason.
    fn read(reader: &mut Reader<'_>, setting: &Setting) -> Option<Self>;
}

impl<T: FromText> FromSetting for T {
    fn read(reader: &mut Reader<'_>, setting: &Setting) -> Option<Self> {
        match reader.text(setting) {
            Some(text) => T::from_text(reader, setting, text),
            None => {
                if setting.required {
                    reader.missing(setting);
                }
                None
            }
        }
    }
}

/// An unset setting is a value here; [`Reader::finish`] fails for one that is set and not valid.
impl<T: FromText> FromSetting for Option<T> {
    fn read(reader: &mut Reader<'_>, setting: &Setting) -> Option<Self> {
        Some(T::read(reader, setting))
    }
}

impl FromText for String {
    fn from_text(_: &mut Reader<'_>, _: &Setting, text: String) -> Option<Self> {
        Some(text)
    }
}

impl FromText for SecretString {
    fn from_text(_: &mut Reader<'_>, _: &Setting, text: String) -> Option<Self> {
        Some(Self::from(text))
    }
}

impl FromText for Duration {
    fn from_text(reader: &mut Reader<'_>, setting: &Setting, text: String) -> Option<Self> {
        let Values::Span { unit, .. } = setting.values else {
            reader.wrong(setting, "has no unit of time");
            return None;
        };
        u64::from_text(reader, setting, text).map(|number| unit.span(number))
    }
}

macro_rules! whole_numbers {
    ($($number:ty),+) => {$(
        impl FromText for $number {
            fn from_text(reader: &mut Reader<'_>, setting: &Setting, text: String) -> Option<Self> {
                let (least, most) = match setting.values {
                    Values::Number { least, most } | Values::Span { least, most, .. } => (least, most),
                    Values::Text | Values::Choices(_) => (0, u64::MAX),
                };
                let number = text.parse().ok().filter(|number| (least..=most).contains(number));
                let number = number.and_then(|number: u64| Self::try_from(number).ok());
                if number.is_none() {
                    reader.wrong(
                        setting,
                        format!("is `{text}` and not a whole number from {least} to {most}"),
                    );
                }
                number
            }
        }
    )+};
}

whole_numbers!(u32, u64, i64, usize);

macro_rules! parsed {
    ($($type:ty),+) => {$(
        impl FromText for $type {
            fn from_text(reader: &mut Reader<'_>, setting: &Setting, text: String) -> Option<Self> {
                let value = text.trim().parse().ok();
                if value.is_none() {
                    reader.wrong(setting, format!("is `{text}`"));
                }
                value
            }
        }
    )+};
}

parsed!(bool, SocketAddr);

/// A closed list: one declaration gives the values of an enum for [`Setting::choices`] and their
/// reading.
macro_rules! choices {
    ($type:ident { $($choice:literal => $value:ident),+ $(,)? }) => {
        impl $type {
            pub(super) const CHOICES: &'static [&'static str] = &[$($choice),+];
        }

        impl FromText for $type {
            fn from_text(reader: &mut Reader<'_>, setting: &Setting, text: String) -> Option<Self> {
                match text.as_str() {
                    $($choice => Some(Self::$value),)+
                    other => {
                        reader.wrong(setting, format!("is `{other}`"));
                        None
                    }
                }
            }
        }
    };
}

choices!(LogFormat { "json" => Json, "text" => Text });
choices!(BankKind { "none" => None, "gateway" => Gateway, "folders" => Folders });
choices!(BankFormat { "pain.001" => Pain001, "csv" => Csv });
choices!(WebhookReach { "public" => Public, "this_machine" => ThisMachine });
