//! What the gateway's answers mean, and what counts as proof.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::StatusCode;
use serde::Deserialize;
use service::ports::{BankError, BankFile, FileName, LARGEST_BANK_FILE, Submitted};

use crate::outcome::Silence;

/// The longest reference, in characters.
const LONGEST_REFERENCE: usize = 100;

/// The longest cursor, in characters.
const LONGEST_CURSOR: usize = 512;

/// The parts of an answer that matter.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Whether it is `application/problem+json`.
    pub(super) problem: bool,
    pub(super) retry_after: Option<Duration>,
    /// The body of a success, if it came whole and within its bound.
    pub(super) body: Option<Bytes>,
}

/// An attempt without the answer that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setback {
    pub(super) error: BankError,
    /// Whether another attempt in the same call may succeed.
    pub(super) again: bool,
    /// Whether the attempt counts as a failure of the bank for the circuit.
    pub(super) fault: bool,
}

impl Setback {
    fn unavailable(why: String) -> Self {
        let error = BankError::Unavailable {
            why,
            retry_after: None,
        };
        Self {
            error,
            again: false,
            fault: false,
        }
    }

    fn unknown(why: String) -> Self {
        let error = BankError::Unknown {
            why,
            retry_after: None,
        };
        Self {
            error,
            again: true,
            fault: true,
        }
    }

    fn after(mut self, asked: Option<Duration>) -> Self {
        if let BankError::Unknown { retry_after, .. } | BankError::Unavailable { retry_after, .. } =
            &mut self.error
        {
            *retry_after = asked;
        }
        self
    }

    /// The error after attempt number `attempt`, given the error before it. A doubt stays: that the
    /// second attempt found no connection proves nothing about the first.
    pub(super) fn since(self, earlier: Option<BankError>, attempt: u32) -> BankError {
        let numbered = |why: String| match attempt {
            1 => why,
            _ => format!("{why} (attempt {attempt})"),
        };
        match (self.error, earlier) {
            (BankError::Refused { why }, _) => BankError::Refused { why: numbered(why) },
            (BankError::Unavailable { why, retry_after }, Some(BankError::Unknown { .. }))
            | (BankError::Unknown { why, retry_after }, _) => BankError::Unknown {
                why: numbered(why),
                retry_after,
            },
            (BankError::Unavailable { why, retry_after }, _) => BankError::Unavailable {
                why: numbered(why),
                retry_after,
            },
        }
    }
}

/// The outcome of a submission: a receipt, or the error that any other answer means.
fn success(tried: Result<Answer, Silence>) -> Result<Answer, Setback> {
    let answer = match tried {
        Ok(answer) => answer,
        Err(Silence::NoAnswer(why)) => return Err(Setback::unknown(why)),
        Err(Silence::NoConnection(why)) => {
            return Err(Setback {
                again: true,
                fault: true,
                ..Setback::unavailable(why)
            });
        }
    };
    if answer.status.is_success() {
        return Ok(answer);
    }
    let code = answer.status.as_u16();
    let why = format!("it answered {code}");
    let setback = match code {
        400 | 413 | 415 | 422 if answer.problem => Setback {
            error: BankError::Refused { why },
            again: false,
            fault: false,
        },
        300..=399 => Setback::unavailable(format!("{why}, and redirects are not followed")),
        429 => Setback {
            again: true,
            ..Setback::unavailable(why)
        },
        // The gateway still works on the first request with this key: an answer from a bank that is
        // well.
        409 => Setback {
            fault: false,
            ..Setback::unknown(why)
        },
        408 => Setback::unknown(why),
        400..=499 => Setback::unavailable(why),
        _ => Setback::unknown(why),
    };
    Err(setback.after(answer.retry_after))
}

/// The outcome of a question, which changes nothing, so that it is never in doubt.
fn success_of_question(tried: Result<Answer, Silence>) -> Result<Answer, Setback> {
    success(tried).map_err(|setback| match setback.error {
        BankError::Unknown { why, retry_after } => Setback {
            error: BankError::Unavailable { why, retry_after },
            ..setback
        },
        _ => setback,
    })
}

#[derive(Deserialize)]
struct Receipt {
    reference: String,
    sha256: String,
}

/// Only a receipt with the digest of the bytes proves that the bank has them: a 200 may come from a
/// proxy.
pub(super) fn receipt(tried: Result<Answer, Silence>, file: &BankFile) -> Result<Submitted, Setback> {
    let answer = success(tried)?;
    let receipt = answer
        .body
        .and_then(|body| serde_json::from_slice::<Receipt>(&body).ok())
        .filter(|receipt| is_visible(&receipt.reference, LONGEST_REFERENCE))
        .filter(|receipt| digest(&receipt.sha256).as_ref() == Some(file.sha256()));
    match receipt {
        Some(receipt) => Ok(Submitted {
            reference: Some(receipt.reference),
        }),
        None => Err(Setback::unknown(format!(
            "it answered {} without a receipt of this file",
            answer.status.as_u16()
        ))),
    }
}

#[derive(Deserialize)]
struct Listing {
    files: Vec<Report>,
}

/// A report as the gateway lists it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Report {
    pub(super) cursor: String,
    name: String,
    media_type: String,
    pub(super) size: usize,
    sha256: String,
}

pub(super) fn reports(tried: Result<Answer, Silence>) -> Result<Vec<Report>, Setback> {
    let answer = success_of_question(tried)?;
    let listing = answer
        .body
        .and_then(|body| serde_json::from_slice::<Listing>(&body).ok());
    listing
        .map(|listing| listing.files)
        .ok_or_else(|| garbled("its list of reports cannot be read"))
}

/// The name to fetch a report by.
///
/// # Errors
/// A report that cannot be taken. The page fails at it instead of passing over it, because it may
/// record payments: its bank has to mend it.
pub(super) fn name(report: &Report) -> Result<FileName, BankError> {
    let name = FileName::parse(&report.name)
        .ok()
        .filter(|_| report.size <= LARGEST_BANK_FILE)
        .filter(|_| is_visible(&report.cursor, LONGEST_CURSOR))
        .filter(|_| digest(&report.sha256).is_some());
    name.ok_or_else(|| garbled("it lists a report that cannot be taken").error)
}

pub(super) fn report(
    tried: Result<Answer, Silence>,
    listed: &Report,
    name: &FileName,
) -> Result<BankFile, Setback> {
    let answer = success_of_question(tried)?;
    answer
        .body
        .and_then(|body| BankFile::new(name.clone(), &listed.media_type, body).ok())
        .filter(|file| digest(&listed.sha256).as_ref() == Some(file.sha256()))
        .ok_or_else(|| garbled("a report is not what was listed"))
}

/// An answer that cannot be used; perhaps it was cut off on its way.
fn garbled(why: &str) -> Setback {
    Setback {
        again: true,
        fault: true,
        ..Setback::unavailable(why.to_owned())
    }
}

/// The value of Content-Digest (RFC 9530).
pub(super) fn content_digest(sha256: &[u8; 32]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(sha256))
}

fn digest(hexadecimal: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(hexadecimal, &mut digest).ok()?;
    Some(digest)
}

fn is_visible(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, problem: bool) -> Result<Answer, Silence> {
        Ok(Answer {
            status: StatusCode::from_u16(code).unwrap(),
            problem,
            retry_after: None,
            body: None,
        })
    }

    /// Kind of error, whether the call tries again, whether the attempt counts against the bank.
    fn sorted(setback: &Setback) -> (&'static str, bool, bool) {
        let kind = match setback.error {
            BankError::Refused { .. } => "refused",
            BankError::Unknown { .. } => "unknown",
            BankError::Unavailable { .. } => "unavailable",
        };
        (kind, setback.again, setback.fault)
    }

    #[test]
    fn answers_are_sorted_by_what_is_known_then() {
        let (yes, no) = (true, false);
        let cases = [
            (400, yes, ("refused", no, no)),
            (413, yes, ("refused", no, no)),
            (415, yes, ("refused", no, no)),
            (422, yes, ("refused", no, no)),
            (400, no, ("unavailable", no, no)),
            (413, no, ("unavailable", no, no)),
            (422, no, ("unavailable", no, no)),
            (301, yes, ("unavailable", no, no)),
            (307, no, ("unavailable", no, no)),
            (401, yes, ("unavailable", no, no)),
            (403, no, ("unavailable", no, no)),
            (404, yes, ("unavailable", no, no)),
            (429, yes, ("unavailable", yes, no)),
            (409, yes, ("unknown", yes, no)),
            (408, no, ("unknown", yes, yes)),
            (500, yes, ("unknown", yes, yes)),
            (502, no, ("unknown", yes, yes)),
            (503, yes, ("unknown", yes, yes)),
            (504, no, ("unknown", yes, yes)),
            (599, no, ("unknown", yes, yes)),
        ];
        for (code, problem, expected) in cases {
            let setback = success(answer(code, problem)).unwrap_err();
            assert_eq!(sorted(&setback), expected, "{code}, {problem}");
            let asking = success_of_question(answer(code, problem)).unwrap_err();
            assert_ne!(sorted(&asking).0, "unknown", "{code}, {problem}");
        }
        let silent = |silence| sorted(&success(Err(silence)).unwrap_err());
        assert_eq!(silent(Silence::NoAnswer(String::new())), ("unknown", yes, yes));
        assert_eq!(
            silent(Silence::NoConnection(String::new())),
            ("unavailable", yes, yes)
        );
    }

    #[test]
    fn a_doubt_stays_until_the_bank_speaks() {
        let unknown = || Setback::unknown("a".into());
        let unavailable = || Setback::unavailable("b".into());
        let refused = || Setback {
            error: BankError::Refused { why: "c".into() },
            ..unavailable()
        };
        let after_doubt = |setback: Setback| setback.since(Some(unknown().error), 2);
        assert_eq!(
            after_doubt(unavailable()),
            BankError::Unknown {
                why: "b (attempt 2)".into(),
                retry_after: None
            }
        );
        assert_eq!(
            after_doubt(refused()),
            BankError::Refused {
                why: "c (attempt 2)".into()
            }
        );
        assert_eq!(unavailable().since(None, 1), unavailable().error);
        assert_eq!(unknown().since(Some(unavailable().error), 1), unknown().error);
    }

    #[test]
    fn the_digest_is_written_as_rfc_9530_does() {
        let file = BankFile::new(
            FileName::parse("a").unwrap(),
            "application/json",
            "{\"hello\": \"world\"}\n",
        )
        .unwrap();
        // RFC 9530, appendix D.
        assert_eq!(
            content_digest(file.sha256()),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
    }
}
