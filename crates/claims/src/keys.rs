//! Natural keys: what may be claimed once and never again, across all counties and years.
//!
//! A claim takes its keys when it is recorded as eligible and gives them back when it ends unpaid.
//! The value of a key is canonical text, which the caller hashes with its own secret: only the
//! digest is kept and compared.

use words::words;

use crate::claim::{Claim, Item, OldItem};
use crate::digest::{Digest, Domain};
use crate::text::model_key;

words! {
    /// The kind of a key.
    pub enum UniqueKind {
        Invoice = "invoice",
        SerialNumber = "serial_number",
        Imei = "imei",
        NewVin = "new_vin",
        OldVin = "old_vin",
        ScrapCertificate = "scrap_certificate",
        TransferInvoice = "transfer_invoice",
        Entitlement = "entitlement",
    }
}

impl UniqueKind {
    /// The system rule that a taken key fails. Both VINs fall under one.
    pub const fn rule_id(self) -> &'static str {
        match self {
            UniqueKind::Invoice => "unique-invoice",
            UniqueKind::SerialNumber => "unique-serial-number",
            UniqueKind::Imei => "unique-imei",
            UniqueKind::NewVin | UniqueKind::OldVin => "unique-vin",
            UniqueKind::ScrapCertificate => "unique-scrap-certificate",
            UniqueKind::TransferInvoice => "unique-transfer-invoice",
            UniqueKind::Entitlement => "unique-entitlement",
        }
    }

    /// The number that stands for it in leaves of the transparency log: never changed, never used
    /// again.
    pub const fn code(self) -> u8 {
        match self {
            UniqueKind::Invoice => 1,
            UniqueKind::SerialNumber => 2,
            UniqueKind::Imei => 3,
            UniqueKind::NewVin => 4,
            UniqueKind::OldVin => 5,
            UniqueKind::ScrapCertificate => 6,
            UniqueKind::TransferInvoice => 7,
            UniqueKind::Entitlement => 8,
        }
    }

    pub const fn domain(self) -> Domain {
        match self {
            UniqueKind::Invoice => Domain::UniqueInvoice,
            UniqueKind::SerialNumber => Domain::UniqueSerialNumber,
            UniqueKind::Imei => Domain::UniqueImei,
            UniqueKind::NewVin => Domain::UniqueNewVin,
            UniqueKind::OldVin => Domain::UniqueOldVin,
            UniqueKind::ScrapCertificate => Domain::UniqueScrapCertificate,
            UniqueKind::TransferInvoice => Domain::UniqueTransferInvoice,
            UniqueKind::Entitlement => Domain::UniqueEntitlement,
        }
    }
}

/// Every key that the claim takes, in canonical text, sorted and without repeats. Holds identifiers
/// in the clear: hash it, never store it.
pub fn natural_keys(claim: &Claim) -> Vec<(UniqueKind, String)> {
    let mut keys = vec![(
        UniqueKind::Invoice,
        claim.purchase.invoice.number.canonical().to_owned(),
    )];
    // The unit separator cannot stand in either part, so that no two pairs of brand and number have
    // the same text.
    if let Some(goods) = claim.item.goods()
        && let Some(serial) = &goods.serial_number
    {
        keys.push((
            UniqueKind::SerialNumber,
            format!("{}\u{1f}{}", model_key(&goods.brand), serial.as_str()),
        ));
    }
    match &claim.item {
        Item::Appliance(_) => {}
        Item::Digital { imeis, .. } => {
            keys.extend(
                imeis
                    .iter()
                    .map(|imei| (UniqueKind::Imei, imei.expose().to_owned())),
            );
        }
        Item::Vehicle(vehicle) => keys.push((UniqueKind::NewVin, vehicle.vin.expose().to_owned())),
    }
    if let Some(old) = claim.old_item.as_ref().and_then(OldItem::vehicle) {
        keys.push((UniqueKind::OldVin, old.vin.expose().to_owned()));
        keys.extend(
            old.scrap_certificate
                .iter()
                .map(|c| (UniqueKind::ScrapCertificate, c.number.as_str().to_owned())),
        );
        keys.extend(old.transfer.iter().map(|t| {
            (
                UniqueKind::TransferInvoice,
                t.invoice_number.canonical().to_owned(),
            )
        }));
    }
    keys.extend(
        claim
            .entitlement
            .iter()
            .map(|code| (UniqueKind::Entitlement, code.as_str().to_owned())),
    );
    keys.sort();
    keys.dedup();
    keys
}

/// [`natural_keys`] as digests, each hashed in the domain of its kind.
pub fn unique_keys(claim: &Claim, digest: impl Fn(Domain, &str) -> Digest) -> Vec<(UniqueKind, Digest)> {
    natural_keys(claim)
        .into_iter()
        .map(|(kind, text)| (kind, digest(kind.domain(), &text)))
        .collect()
}

/// The digests of a claim that registers are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimDigests {
    pub applicant: Digest,
    /// Owner of the old car, if given.
    pub owner: Option<Digest>,
    pub new_vin: Option<Digest>,
    pub old_vin: Option<Digest>,
    pub old_plate: Option<Digest>,
}

/// Hashes the values that are compared, in the same domains in which
/// [`crate::registers::RegisterRow::into_entry`] hashes the registers.
pub fn digests(claim: &Claim, digest: impl Fn(Domain, &str) -> Digest) -> ClaimDigests {
    let old = claim.old_item.as_ref().and_then(OldItem::vehicle);
    let new_vin = match &claim.item {
        Item::Vehicle(vehicle) => Some(digest(Domain::Vin, vehicle.vin.expose())),
        Item::Appliance(_) | Item::Digital { .. } => None,
    };
    ClaimDigests {
        applicant: digest(Domain::Person, claim.applicant.identity_number.expose()),
        owner: old
            .and_then(|old| old.owner_identity_number.as_ref())
            .map(|n| digest(Domain::Person, n.expose())),
        new_vin,
        old_vin: old.map(|old| digest(Domain::Vin, old.vin.expose())),
        old_plate: old.map(|old| digest(Domain::Plate, old.plate.expose())),
    }
}

#[cfg(test)]
mod tests;
