//! Settings of the partners besides the receiver of events: the bank and merchants' webhooks.

use std::path::PathBuf;

use secrecy::SecretString;

use super::read::is_https_or_local;
use super::reader::Reader;
use super::setting::{FromSetting, Setting};
use super::settings::{self, BankSettings};
use super::{Bank, BankWay, Gateway};

/// How files go to the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BankKind {
    None,
    Gateway,
    Folders,
}

/// Which addresses are called for merchants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WebhookReach {
    Public,
    ThisMachine,
}

/// The bank, if there is one: `Some(None)` for none.
pub(super) fn bank(reader: &mut Reader<'_>) -> Option<Option<Bank>> {
    let bank = BankSettings::read(reader)?;
    let (format, poll) = (bank.format, bank.poll);
    let way = match bank.kind {
        BankKind::None => {
            unused(reader, &settings::BANK_URL, bank.url.as_ref());
            unused(reader, &settings::BANK_FOLDER, bank.folder.as_ref());
            return Some(None);
        }
        BankKind::Gateway => {
            unused(reader, &settings::BANK_FOLDER, bank.folder.as_ref());
            gateway(reader, bank).map(BankWay::Gateway)
        }
        BankKind::Folders => {
            unused(reader, &settings::BANK_URL, bank.url.as_ref());
            if bank.folder.is_none() {
                reader.missing(&settings::BANK_FOLDER);
            }
            bank.folder.map(|folder| BankWay::Folders(PathBuf::from(folder)))
        }
    };
    Some(Some(Bank {
        way: way?,
        format,
        poll,
    }))
}

/// Refuses settings without effect: an operator who set one believes that files go to a bank.
fn unused(reader: &mut Reader<'_>, setting: &Setting, value: Option<&String>) {
    if value.is_some() {
        reader.wrong(setting, "is set, and bank.kind does not use it");
    }
}

fn gateway(reader: &mut Reader<'_>, bank: BankSettings) -> Option<Gateway> {
    match bank.url.as_deref() {
        None => reader.missing(&settings::BANK_URL),
        // The path may be a secret.
        Some(url) if !is_https_or_local(url) => reader.wrong(&settings::BANK_URL, "is not an https address"),
        Some(_) => {}
    }
    let mut file = |setting, path: Option<String>| path.and_then(|path| file(reader, setting, &path));
    let certificate = file(&settings::BANK_CLIENT_CERTIFICATE, bank.client_certificate);
    let root_certificates = file(&settings::BANK_ROOT_CERTIFICATES, bank.root_certificates);
    let identity = match (certificate, bank.client_key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
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
    Some(Gateway {
        url: bank.url?,
        identity,
        root_certificates,
        call: bank.call,
    })
}

/// A key as PEM. In a variable, line ends are often written as `\n`.
pub(super) fn pem(reader: &mut Reader<'_>, setting: &Setting) -> Option<Option<SecretString>> {
    let text = Option::<String>::read(reader, setting)?;
    Some(text.map(|text| SecretString::from(text.replace("\\n", "\n"))))
}

/// The text of the file that a setting names.
fn file(reader: &mut Reader<'_>, setting: &Setting, path: &str) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) => {
            reader.wrong(setting, format!("is `{path}`, which cannot be read: {error}"));
            None
        }
    }
}

/// Whether addresses of this machine are called too.
pub(super) fn reach(reader: &mut Reader<'_>, setting: &Setting) -> Option<bool> {
    WebhookReach::read(reader, setting).map(|reach| reach == WebhookReach::ThisMachine)
}
