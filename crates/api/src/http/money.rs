//! Money on the wire.

use ledger::Fen;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Yuan with exactly two decimals, as a string: no reader passes it through a float.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(
    pattern = r"^\d{1,13}\.\d{2}$",
    min_length = 4,
    max_length = 16,
    example = "4599.00"
)]
pub struct Money(pub String);

impl From<Fen> for Money {
    fn from(fen: Fen) -> Money {
        Money(fen.to_string())
    }
}

impl Money {
    /// A price of the programme's; it is in whole fen, and is written with both decimals.
    pub fn of_decimal(mut yuan: rust_decimal::Decimal) -> Money {
        yuan.rescale(2);
        Money(yuan.to_string())
    }
}
