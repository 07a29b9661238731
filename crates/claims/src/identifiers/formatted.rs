//! Identifiers without a check digit: a grammar, or opaque text with a bound.

use super::{IdentifierError, IdentifierKind, identifier, length, mask, only, visible};
use crate::text::{folded, model_key, narrowed};

identifier!(
    /// A vendor's serial number: trimmed, width and case folded. Unique per brand.
    public SerialNumber
);
identifier!(
    /// An invoice's identity in digits only: 20 of an e-invoice (数电票), or the code (10 or 12) and
    /// the number (8) joined.
    public InvoiceNumber
);
identifier!(
    /// A car's number plate, without the dot.
    personal PlateNumber
);
identifier!(
    /// An account number at a bank.
    personal BankAccount
);
identifier!(
    /// A telephone number without country code and separators.
    personal Phone
);
identifier!(
    /// Filing number of an efficiency label (能效标识备案号): opaque.
    public EfficiencyRecord
);
identifier!(
    /// Number of an official certificate: opaque, since its grammar is not public.
    public CertificateNumber
);
identifier!(
    /// The merchant's own number for the sale: opaque.
    public MerchantReference
);
identifier!(
    /// A person's name as written; compare by [`crate::text::name_key`].
    personal PersonName
);
identifier!(
    /// A postal address.
    personal Address
);
identifier!(
    /// Code of an entitlement (资格码), used once: opaque.
    public EntitlementCode
);
identifier!(
    /// Id of a programme, such as `appliance-2026`.
    public ProgrammeId
);

const OPAQUE_MAX: usize = 64;

/// Opaque text: visible characters, bounded.
fn opaque(text: String, kind: IdentifierKind, max: usize) -> Result<String, IdentifierError> {
    length(&text, kind, |n| (1..=max).contains(&n))?;
    only(&text, kind, visible)?;
    Ok(text)
}

fn without(text: String, separators: &[char]) -> String {
    text.chars().filter(|c| !separators.contains(c)).collect()
}

impl SerialNumber {
    pub fn parse(text: &str) -> Result<SerialNumber, IdentifierError> {
        opaque(folded(text), IdentifierKind::SerialNumber, OPAQUE_MAX).map(SerialNumber)
    }
}

impl InvoiceNumber {
    /// Separates code and number at a hyphen or a space, or accepts all digits together.
    pub fn parse(text: &str) -> Result<InvoiceNumber, IdentifierError> {
        let kind = IdentifierKind::InvoiceNumber;
        let text = narrowed(text);
        only(&text, kind, |c| c.is_ascii_digit() || c == '-' || c == ' ')?;
        let parts: Vec<&str> = text.split(['-', ' ']).filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            [whole] => length(whole, kind, |n| n == 18 || n == 20)?,
            [code, number] if matches!(code.len(), 10 | 12) && number.len() == 8 => {}
            _ => return Err(IdentifierError::Form { kind }),
        }
        Ok(InvoiceNumber(parts.concat()))
    }

    /// Digits only: one spelling for every form of the same invoice.
    pub fn canonical(&self) -> &str {
        &self.0
    }
}

const PLATE_PROVINCES: &str = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新使";
const PLATE_ENDINGS: &str = "挂学警港澳领试超";

impl PlateNumber {
    pub fn parse(text: &str) -> Result<PlateNumber, IdentifierError> {
        let kind = IdentifierKind::PlateNumber;
        let text = without(model_key(text), &['·', '•', '.', '-']);
        length(&text, kind, |n| n == 7 || n == 8)?;
        let last = text.chars().count().saturating_sub(1);
        let misplaced = text.chars().enumerate().position(|(i, c)| match i {
            0 => !PLATE_PROVINCES.contains(c),
            1 => !c.is_ascii_alphanumeric(),
            _ => !(c.is_ascii_alphanumeric() || i == last && PLATE_ENDINGS.contains(c)),
        });
        match misplaced {
            Some(i) => Err(IdentifierError::Character {
                kind,
                position: i.saturating_add(1),
            }),
            None => Ok(PlateNumber(text)),
        }
    }

    /// The province and the issuing office, and the last two.
    pub fn masked(&self) -> String {
        mask(&self.0, 2, 2)
    }
}

impl BankAccount {
    pub fn parse(text: &str) -> Result<BankAccount, IdentifierError> {
        let kind = IdentifierKind::BankAccount;
        let text = without(model_key(text), &['-']);
        only(&text, kind, |c| c.is_ascii_digit())?;
        length(&text, kind, |n| (8..=32).contains(&n))?;
        Ok(BankAccount(text))
    }

    /// The last four.
    pub fn masked(&self) -> String {
        mask(&self.0, 0, 4)
    }
}

impl Phone {
    /// A mainland mobile number, or a landline with its area code; `+86` before it is dropped.
    pub fn parse(text: &str) -> Result<Phone, IdentifierError> {
        let kind = IdentifierKind::Phone;
        let text = without(model_key(text), &['-', '(', ')']);
        let text = text
            .strip_prefix("+86")
            .or_else(|| text.strip_prefix("0086"))
            .unwrap_or(&text);
        only(text, kind, |c| c.is_ascii_digit())?;
        let mobile = text.len() == 11
            && text.starts_with('1')
            && text.chars().nth(1).is_some_and(|c| matches!(c, '3'..='9'));
        let landline = text.starts_with('0') && !text.starts_with("00") && (10..=12).contains(&text.len());
        if mobile || landline {
            Ok(Phone(text.to_owned()))
        } else {
            Err(IdentifierError::Form { kind })
        }
    }

    /// Such as `138****1234`.
    pub fn masked(&self) -> String {
        mask(&self.0, 3, 4)
    }
}

impl EfficiencyRecord {
    pub fn parse(text: &str) -> Result<EfficiencyRecord, IdentifierError> {
        opaque(folded(text), IdentifierKind::EfficiencyRecord, OPAQUE_MAX).map(EfficiencyRecord)
    }
}

impl CertificateNumber {
    pub fn parse(text: &str) -> Result<CertificateNumber, IdentifierError> {
        opaque(folded(text), IdentifierKind::CertificateNumber, OPAQUE_MAX).map(CertificateNumber)
    }
}

impl MerchantReference {
    /// Trimmed and otherwise as the merchant writes it, since the merchant searches by it.
    pub fn parse(text: &str) -> Result<MerchantReference, IdentifierError> {
        let text = text.trim().to_owned();
        opaque(text, IdentifierKind::MerchantReference, OPAQUE_MAX).map(MerchantReference)
    }
}

impl PersonName {
    pub fn parse(text: &str) -> Result<PersonName, IdentifierError> {
        opaque(narrowed(text), IdentifierKind::PersonName, 60).map(PersonName)
    }

    /// The first character, then as many stars as it has more.
    pub fn masked(&self) -> String {
        mask(&self.0, 1, 0)
    }
}

impl Address {
    pub fn parse(text: &str) -> Result<Address, IdentifierError> {
        opaque(narrowed(text), IdentifierKind::Address, 200).map(Address)
    }

    /// The first six characters: as a rule no more than the province and city.
    pub fn masked(&self) -> String {
        mask(&self.0, 6, 0)
    }
}

impl EntitlementCode {
    pub fn parse(text: &str) -> Result<EntitlementCode, IdentifierError> {
        opaque(folded(text), IdentifierKind::EntitlementCode, OPAQUE_MAX).map(EntitlementCode)
    }
}

impl ProgrammeId {
    pub fn parse(text: &str) -> Result<ProgrammeId, IdentifierError> {
        let kind = IdentifierKind::ProgrammeId;
        length(text, kind, |n| (1..=OPAQUE_MAX).contains(&n))?;
        only(text, kind, |c| matches!(c, 'a'..='z' | '0'..='9' | '-'))?;
        Ok(ProgrammeId(text.to_owned()))
    }
}
