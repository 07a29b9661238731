//! Receipts and sealed claims at rest, small: they are nearly alike, so each is compressed against a dictionary of examples.
//!
//! A row says how it was packed: 0, not at all; above, with the dictionary of that number. A dictionary is part of the format
//! and frozen with its number: what was packed years ago must be unpacked to the byte. A better one is a new file with the next
//! number, packed with from then on; those before it stay.

use std::cell::RefCell;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::operation::ServiceError;

/// How a text is packed now.
pub const PACKING: i16 = 1;

const V1: &[u8] = include_bytes!("packing/v1.txt");

/// Texts of a claim have some kilobytes; what claims to be larger than this was not packed here.
const LARGEST: usize = 1 << 20;

/// Beyond this a text shrinks no more and only takes longer.
const LEVEL: i32 = 3;

static ENCODER: LazyLock<EncoderDictionary<'static>> = LazyLock::new(|| EncoderDictionary::copy(V1, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(V1));

thread_local! {
    // Making one costs more than a whole text.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// The text, packed as [`PACKING`] says.
pub fn pack(text: &[u8]) -> Result<Vec<u8>, ServiceError> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::with_prepared_dictionary(&ENCODER)?),
        };
        Ok(compressor.compress(text)?)
    })
}

/// The text that was packed, this way or an earlier one.
pub fn unpack(packing: i16, packed: Vec<u8>) -> Result<Vec<u8>, ServiceError> {
    match packing {
        0 => Ok(packed),
        1 => Decompressor::with_prepared_dictionary(&DECODER)
            .and_then(|mut it| it.decompress(&packed, LARGEST))
            .map_err(|_| ServiceError::bug("a text at rest cannot be unpacked")),
        _ => Err(ServiceError::bug("a text at rest was packed by a newer program")),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// What a dictionary packed is lost without it.
    #[test]
    fn a_dictionary_never_changes() {
        assert_eq!(
            hex::encode(Sha256::digest(V1)),
            "bc62418c3622afeaa58e066f20f11da93aea0525bc810d47adc6a4574122df48"
        );
    }

    #[test]
    fn a_text_comes_out_as_it_went_in_and_small() {
        for text in ["", "{}", include_str!("document/v1.jsonl"), "完全不同的一段文字"] {
            let packed = pack(text.as_bytes()).unwrap();
            assert_eq!(unpack(PACKING, packed).unwrap(), text.as_bytes());
        }
        let receipt = std::str::from_utf8(V1)
            .unwrap()
            .lines()
            .last()
            .unwrap()
            .replace("4000.00", "3217.00");
        let packed = pack(receipt.as_bytes()).unwrap();
        assert!(packed.len() < receipt.len() / 10, "{} bytes", packed.len());
    }

    #[test]
    fn a_version_that_was_packed_before_is_read_for_ever() {
        // Packed when the dictionary was made.
        let packed = hex::decode(FIRST).unwrap();
        let text = unpack(1, packed).unwrap();
        assert!(text.starts_with(br#"{"v":1,"claim":{"programme":"appliance-2026""#));
        assert_eq!(unpack(0, b"plain".to_vec()).unwrap(), b"plain");
        assert!(unpack(7, b"plain".to_vec()).is_err());
        assert!(unpack(1, b"plain".to_vec()).is_err());
    }

    const FIRST: &str = "28b52ffd005875000000034000989574adac8b196fb859";
}
