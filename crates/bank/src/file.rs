//! An instruction as files, each no longer than the bank accepts.

use std::fmt;
use std::num::NonZeroUsize;

use ledger::Fen;
use words::words;

use crate::digest::Digest;
use crate::ids::FileId;
use crate::instruction::{Instruction, Payment, sum};
use crate::write::{Part, csv, pain001};

/// Files of one instruction: what the three digits of a [`FileId`] number.
pub const MAX_FILES: usize = 999;

words! {
    /// The formats of files to a bank.
    pub enum Format {
        /// ISO 20022 `pain.001.001.09`.
        Pain001 = "pain.001.001.09",
        /// A table with headings in Chinese, see the crate's README.
        Csv = "csv",
    }
}

impl Format {
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Pain001 => "application/xml",
            Format::Csv => "text/csv; charset=utf-8",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Format::Pain001 => "xml",
            Format::Csv => "csv",
        }
    }
}

/// The instruction would need more than [`MAX_FILES`] files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an instruction has at most {MAX_FILES} files; with so many payments the bank has to take more in each"
)]
pub struct FileError;

impl FileError {
    pub fn code(self) -> &'static str {
        "instruction.too-many-files"
    }

    /// The same as `Display`, in Chinese.
    pub fn message_zh(self) -> &'static str {
        "一份付款指令最多拆分为999个文件；付款笔数过多时，须提高银行单个文件的笔数上限"
    }
}

/// A file for the bank, complete.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Its message id, and the prefix of its name.
    pub id: FileId,
    pub format: Format,
    /// How many files the instruction has.
    pub parts: usize,
    /// Payments in it.
    pub count: usize,
    /// Control sum: what they add up to.
    pub sum: Fen,
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    pub bytes: Vec<u8>,
}

impl FileId {
    /// The name of the file with this id, before and after it is written.
    pub fn file_name(self, format: Format) -> String {
        format!("{}-{:03}.{}", self.message, self.part(), format.extension())
    }
}

impl File {
    /// Such as `018f2f6e7d3a7c8e9b0a1122334455ff-001.xml`.
    pub fn name(&self) -> String {
        self.id.file_name(self.format)
    }
}

/// The bytes hold names and accounts.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("name", &self.name())
            .field("parts", &self.parts)
            .field("count", &self.count)
            .field("sum", &self.sum)
            .field("sha256", &self.sha256)
            .finish_non_exhaustive()
    }
}

/// Writes the instruction, `limit` payments to a file at most, in its order. Whatever the limit,
/// each payment stands in one file and the sums of the files add up to the instruction's. The same
/// arguments give the same bytes.
pub fn files(instruction: &Instruction, format: Format, limit: NonZeroUsize) -> Result<Vec<File>, FileError> {
    let chunks: Vec<&[Payment]> = instruction.payments().chunks(limit.get()).collect();
    let parts = chunks.len();
    if parts > MAX_FILES {
        return Err(FileError);
    }
    let number = |(part, payments): (u16, &'_ [Payment])| {
        let id = FileId::new(instruction.id(), part).ok_or(FileError)?;
        // Part of a sum that was checked.
        let sum = sum(payments.iter().map(Payment::amount)).map_err(|_| FileError)?;
        Ok(write(instruction, format, id, payments, sum, parts))
    };
    (1_u16..).zip(chunks).map(number).collect()
}

fn write(
    instruction: &Instruction,
    format: Format,
    id: FileId,
    payments: &[Payment],
    sum: Fen,
    parts: usize,
) -> File {
    let part = Part {
        id,
        instruction,
        payments,
        sum,
    };
    let bytes = match format {
        Format::Pain001 => pain001::write(&part),
        Format::Csv => csv::write(&part),
    };
    File {
        id,
        format,
        parts,
        count: payments.len(),
        sum,
        sha256: Digest::of(&bytes),
        bytes,
    }
}
