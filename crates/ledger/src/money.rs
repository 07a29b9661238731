//! Integer fen, never negative, never a float.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// A non-negative sum of money in fen (1/100 yuan), at most [`Fen::MAX`].
///
/// Its wire form, which [`Display`](fmt::Display) writes and [`FromStr`] reads, is yuan with
/// exactly two decimals: `1500.00`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fen(i64);

/// Why a number is not a sum of money, or why two sums cannot be added or subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("money may not be negative")]
    Negative,
    #[error("money may not exceed {}", Fen::MAX)]
    TooLarge,
    #[error("money has at most two decimals")]
    FractionOfFen,
    #[error("money is written as yuan with two decimals, such as 1500.00")]
    Malformed,
    #[error("a transfer moves more than nothing")]
    Zero,
}

impl MoneyError {
    /// Stable code for machines, such as `money.negative`.
    pub fn code(self) -> &'static str {
        match self {
            MoneyError::Negative => "money.negative",
            MoneyError::TooLarge => "money.too-large",
            MoneyError::FractionOfFen => "money.fraction-of-fen",
            MoneyError::Malformed => "money.malformed",
            MoneyError::Zero => "money.zero",
        }
    }

    /// The same as `Display`, in Chinese.
    pub fn message_zh(self) -> &'static str {
        match self {
            MoneyError::Negative => "金额不能为负数",
            MoneyError::TooLarge => "金额不能超过9999999999999.99元",
            MoneyError::FractionOfFen => "金额最多两位小数",
            MoneyError::Malformed => "金额须以元为单位并带两位小数，例如1500.00",
            MoneyError::Zero => "划转金额必须大于零",
        }
    }
}

/// Yuan digits that the wire form allows before the point.
const YUAN_DIGITS: usize = 13;

impl Fen {
    pub const ZERO: Fen = Fen(0);
    /// 9,999,999,999,999.99 yuan: the largest sum that the wire form can write.
    pub const MAX: Fen = Fen(999_999_999_999_999);

    /// From a count of fen.
    pub fn new(fen: i64) -> Result<Fen, MoneyError> {
        if fen < 0 {
            Err(MoneyError::Negative)
        } else if fen > Fen::MAX.0 {
            Err(MoneyError::TooLarge)
        } else {
            Ok(Fen(fen))
        }
    }

    /// The count of fen.
    pub fn get(self) -> i64 {
        self.0
    }

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub fn checked_add(self, other: Fen) -> Result<Fen, MoneyError> {
        self.0
            .checked_add(other.0)
            .ok_or(MoneyError::TooLarge)
            .and_then(Fen::new)
    }

    /// [`MoneyError::Negative`] if `other` is more than `self`.
    pub fn checked_sub(self, other: Fen) -> Result<Fen, MoneyError> {
        self.0
            .checked_sub(other.0)
            .ok_or(MoneyError::Negative)
            .and_then(Fen::new)
    }

    /// The sum, or [`Fen::MAX`] where it would exceed it.
    pub fn saturating_add(self, other: Fen) -> Fen {
        self.checked_add(other).unwrap_or(Fen::MAX)
    }

    /// The difference, or zero where it would be negative.
    pub fn saturating_sub(self, other: Fen) -> Fen {
        self.checked_sub(other).unwrap_or(Fen::ZERO)
    }

    /// From yuan; trailing zeros do not count as decimals, anything finer than a fen is refused and
    /// never rounded.
    pub fn from_decimal(yuan: Decimal) -> Result<Fen, MoneyError> {
        let fen = yuan
            .checked_mul(Decimal::ONE_HUNDRED)
            .ok_or(MoneyError::TooLarge)?;
        if !fen.fract().is_zero() {
            return Err(MoneyError::FractionOfFen);
        }
        match i64::try_from(fen) {
            Ok(fen) => Fen::new(fen),
            Err(_) if fen.is_sign_negative() => Err(MoneyError::Negative),
            Err(_) => Err(MoneyError::TooLarge),
        }
    }

    /// In yuan, with two decimals.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, 2)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (yuan, fen) = (self.0.div_euclid(100), self.0.rem_euclid(100));
        match f.width() {
            None => write!(f, "{yuan}.{fen:02}"),
            Some(_) => f.pad(&format!("{yuan}.{fen:02}")),
        }
    }
}

impl FromStr for Fen {
    type Err = MoneyError;

    /// Reads the wire form and no other: one to thirteen digits, a point, two digits.
    fn from_str(text: &str) -> Result<Fen, MoneyError> {
        let digits_only = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let (yuan, fen) = text.split_once('.').ok_or(MoneyError::Malformed)?;
        if yuan.is_empty() || fen.len() != 2 || !digits_only(yuan) || !digits_only(fen) {
            return Err(MoneyError::Malformed);
        }
        if yuan.len() > YUAN_DIGITS {
            return Err(MoneyError::TooLarge);
        }
        let fen = format!("{yuan}{fen}").parse().map_err(|_| MoneyError::TooLarge)?;
        Fen::new(fen)
    }
}

impl TryFrom<i64> for Fen {
    type Error = MoneyError;

    fn try_from(fen: i64) -> Result<Fen, MoneyError> {
        Fen::new(fen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wire_form() {
        for (text, fen) in [
            ("0.00", 0),
            ("0.01", 1),
            ("1500.00", 150_000),
            ("9999999999999.99", 999_999_999_999_999),
        ] {
            assert_eq!(text.parse::<Fen>(), Fen::new(fen));
            assert_eq!(Fen::new(fen).unwrap().to_string(), text);
        }
        for text in [
            "", "1", "1.0", "1.000", ".00", "-1.00", "+1.00", "1,000.00", " 1.00", "1.00 ", "１.00",
            "1e2.00", "NaN",
        ] {
            assert_eq!(text.parse::<Fen>(), Err(MoneyError::Malformed), "{text:?}");
        }
        assert_eq!("10000000000000.00".parse::<Fen>(), Err(MoneyError::TooLarge));
    }

    #[test]
    fn decimals_are_never_rounded() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(Fen::from_decimal(decimal("899.850")), Fen::new(89_985));
        assert_eq!(
            Fen::from_decimal(decimal("899.855")),
            Err(MoneyError::FractionOfFen)
        );
        assert_eq!(Fen::from_decimal(decimal("-0.01")), Err(MoneyError::Negative));
        assert_eq!(
            Fen::from_decimal(decimal("10000000000000")),
            Err(MoneyError::TooLarge)
        );
        assert_eq!(Fen::from_decimal(Decimal::MAX), Err(MoneyError::TooLarge));
        assert_eq!(
            Fen::from_decimal(decimal("-9999999999999999999999")),
            Err(MoneyError::Negative)
        );
    }

    proptest! {
        #[test]
        fn every_sum_round_trips(fen in 0..=Fen::MAX.get()) {
            let sum = Fen::new(fen).unwrap();
            prop_assert_eq!(sum.to_string().parse::<Fen>(), Ok(sum));
            prop_assert_eq!(Fen::from_decimal(sum.to_decimal()), Ok(sum));
        }

        #[test]
        fn adding_and_taking_away_agree(a in 0..=Fen::MAX.get(), b in 0..=Fen::MAX.get()) {
            let (a, b) = (Fen::new(a).unwrap(), Fen::new(b).unwrap());
            match a.checked_add(b) {
                Ok(sum) => prop_assert_eq!(sum.checked_sub(b), Ok(a)),
                Err(error) => prop_assert_eq!(error, MoneyError::TooLarge),
            }
            prop_assert_eq!(a.checked_sub(b).is_ok(), b <= a);
        }

        #[test]
        fn the_parser_never_panics(text in ".*") {
            let _ = text.parse::<Fen>();
        }
    }
}
