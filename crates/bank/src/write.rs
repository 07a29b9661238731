//! One file of an instruction, in each format.

pub(crate) mod csv;
pub(crate) mod pain001;
mod xml;

use ledger::Fen;

use crate::ids::FileId;
use crate::instruction::{Instruction, Payment};

/// The contents of a file: some payments of an instruction, in its order.
pub(crate) struct Part<'i> {
    pub(crate) id: FileId,
    pub(crate) instruction: &'i Instruction,
    pub(crate) payments: &'i [Payment],
    pub(crate) sum: Fen,
}
