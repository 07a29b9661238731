//! Settings of what stands toward the world outside beside the receiver of events: the bank and merchants' webhooks.

use std::path::PathBuf;
use std::time::Duration;

use partners::is_loopback_host;
use secrecy::SecretString;

use super::read::parsed;
use super::reader::Reader;
use super::settings::{self, Setting};
use super::{Bank, BankFormat, BankWay, Gateway, Webhooks};

/// The bank, if there is one: `Some(None)` for none.
pub(super) fn bank(reader: &mut Reader<'_>) -> Option<Option<Bank>> {
    let kind = reader.text(&settings::BANK_KIND)?;
    let format = match reader.text(&settings::BANK_FORMAT)?.as_str() {
        "pain.001" => Some(BankFormat::Pain001),
        "csv" => Some(BankFormat::Csv),
        other => {
            reader.wrong(&settings::BANK_FORMAT, format!("is `{other}`"));
            None
        }
    };
    let poll = reader.number(&settings::BANK_POLL_SECONDS, 1..=3_600);
    let call = reader.number(&settings::BANK_CALL_SECONDS, 10..=300);
    let way = match kind.as_str() {
        "none" => {
            unused(reader, &[&settings::BANK_URL, &settings::BANK_FOLDER]);
            return Some(None);
        }
        "gateway" => {
            unused(reader, &[&settings::BANK_FOLDER]);
            gateway(reader, call).map(BankWay::Gateway)
        }
        "folders" => {
            unused(reader, &[&settings::BANK_URL]);
            let folder = reader.text(&settings::BANK_FOLDER);
            if folder.is_none() {
                reader.missing(&settings::BANK_FOLDER);
            }
            folder.map(|folder| BankWay::Folders(PathBuf::from(folder)))
        }
        other => {
            reader.wrong(&settings::BANK_KIND, format!("is `{other}`"));
            None
        }
    };
    Some(Some(Bank {
        way: way?,
        format: format?,
        poll: Duration::from_secs(poll?),
    }))
}

/// What is set and means nothing: whoever set it thinks that files go to a bank.
fn unused(reader: &mut Reader<'_>, settings: &[&Setting]) {
    for setting in settings {
        if reader.text(setting).is_some() {
            reader.wrong(setting, "is set, and bank.kind does not use it");
        }
    }
}

fn gateway(reader: &mut Reader<'_>, call: Option<u64>) -> Option<Gateway> {
    let url = reader.text(&settings::BANK_URL);
    match url.as_deref() {
        None => reader.missing(&settings::BANK_URL),
        Some(url) => {
            let host = |scheme| {
                url.strip_prefix(scheme)
                    .and_then(|rest: &str| rest.split('/').next())
            };
            let local = host("http://").is_some_and(is_loopback_host);
            if host("https://").is_none_or(str::is_empty) && !local {
                // Its path may be a secret.
                reader.wrong(&settings::BANK_URL, "is not an https address");
            }
        }
    }
    let certificate = file(reader, &settings::BANK_CLIENT_CERTIFICATE);
    let key = reader.text(&settings::BANK_CLIENT_KEY);
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, SecretString::from(key.replace("\\n", "\n")))),
        (Some(_), None) => {
            reader.missing(&settings::BANK_CLIENT_KEY);
            None
        }
        (None, Some(_)) => {
            reader.missing(&settings::BANK_CLIENT_CERTIFICATE);
            None
        }
        (None, None) => None,
    };
    let root_certificates = file(reader, &settings::BANK_ROOT_CERTIFICATES);
    Some(Gateway {
        url: url?,
        identity,
        root_certificates,
        call: Duration::from_secs(call?),
    })
}

/// The text of the file that a setting names.
fn file(reader: &mut Reader<'_>, setting: &Setting) -> Option<String> {
    let path = reader.text(setting)?;
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            reader.wrong(setting, format!("is `{path}`, which cannot be read: {error}"));
            None
        }
    }
}

pub(super) fn webhooks(reader: &mut Reader<'_>) -> Option<Webhooks> {
    let enabled = parsed(reader, &settings::WEBHOOKS);
    let this_machine = match reader.text(&settings::WEBHOOKS_REACH)?.as_str() {
        "public" => Some(false),
        "this_machine" => Some(true),
        other => {
            reader.wrong(&settings::WEBHOOKS_REACH, format!("is `{other}`"));
            None
        }
    };
    // A message is attempted for three days.
    let days = reader.number(&settings::WEBHOOKS_DAYS, 4..=365);
    Some(Webhooks {
        enabled: enabled?,
        this_machine: this_machine?,
        days: days?,
    })
}
