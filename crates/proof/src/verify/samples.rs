//! Samples for inspection: each draw is made again from the seed, the leaf of its commitment and
//! the approvals before it in the log.

use std::collections::HashMap;

use chrono::DateTime;
use claims::sampling::{self, Draw};
use ledger::log::Hash;
use serde::Deserialize;
use uuid::Uuid;

use super::acts;
use super::lives::Life;
use super::replay::uuid_of;

/// The commitment of a sample.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Committed {
    commitment: String,
    from: String,
    programme: Option<String>,
    size: u32,
    to: String,
}

/// The draw of a sample.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Drawn {
    claims: Vec<String>,
    population: u64,
    seed: String,
}

#[derive(Debug)]
struct Sample {
    commitment: [u8; 32],
    /// Microseconds, the last one exclusive.
    period: (i64, i64),
    programme: Option<String>,
    size: u32,
    /// Of the leaf that has the commitment.
    leaf: Hash,
    drawn: bool,
}

/// Samples of a county by their ids.
#[derive(Debug, Default)]
pub(crate) struct Samples(HashMap<Uuid, Sample>);

impl Samples {
    pub(crate) fn commit(&mut self, subject: &str, detail: Option<&str>, leaf: Hash) -> Result<(), String> {
        let stated: Committed = acts::detail(detail)?;
        let sample = Sample {
            commitment: bytes(&stated.commitment).ok_or("the commitment is no SHA-256")?,
            period: (instant(&stated.from)?, instant(&stated.to)?),
            programme: stated.programme,
            size: stated.size,
            leaf,
            drawn: false,
        };
        if self.0.values().any(|it| it.commitment == sample.commitment) {
            return Err("the same commitment was made before".into());
        }
        match self.0.insert(sample_id(subject)?, sample) {
            None => Ok(()),
            Some(_) => Err("it was committed to before".into()),
        }
    }

    /// Claims as the log has made them up to here: a later approval is in no population.
    pub(crate) fn draw(
        &mut self,
        subject: &str,
        detail: Option<&str>,
        at: i64,
        claim_prefix: &str,
        lives: &HashMap<Uuid, Life>,
    ) -> Result<(), String> {
        let stated: Drawn = acts::detail(detail)?;
        let sample = self
            .0
            .get_mut(&sample_id(subject)?)
            .ok_or("nobody committed to this sample before")?;
        if std::mem::replace(&mut sample.drawn, true) {
            return Err("it was drawn before".into());
        }
        let seed: [u8; 32] = bytes(&stated.seed).ok_or("the seed is not 32 bytes")?;
        if sampling::commitment(&seed) != sample.commitment {
            return Err("the seed is not the one that was committed to".into());
        }
        let (from, to) = sample.period;
        if at < to {
            return Err("it was drawn before its period was over".into());
        }
        let mut draw = Draw::new(&seed, &sample.leaf.0, sample.size);
        for (claim, life) in lives {
            let within = life.approved_at.is_some_and(|at| (from..to).contains(&at));
            if within && sample.programme.as_ref().is_none_or(|it| *it == life.programme) {
                draw.consider(*claim);
            }
        }
        let drawn = draw.finish();
        if drawn.population != stated.population {
            return Err(format!(
                "it says that {} claims were approved in its period, and {} were",
                stated.population, drawn.population
            ));
        }
        let names = drawn.claims.iter();
        let names = names.map(|claim| format!("{claim_prefix}{}", claim.simple()));
        let mut place = 0_usize;
        for name in names {
            let listed = stated.claims.get(place);
            place = place.saturating_add(1);
            if listed != Some(&name) {
                return Err(format!(
                    "claim {place} of it is {}, and {name} is drawn",
                    listed.map_or("missing", String::as_str)
                ));
            }
        }
        if stated.claims.len() != place {
            return Err(format!(
                "it has {} claims, and {place} are drawn",
                stated.claims.len()
            ));
        }
        Ok(())
    }
}

fn sample_id(subject: &str) -> Result<Uuid, String> {
    uuid_of(subject).ok_or_else(|| "no sample has such an id".into())
}

fn bytes(hexadecimal: &str) -> Option<[u8; 32]> {
    hex::decode(hexadecimal).ok()?.try_into().ok()
}

fn instant(text: &str) -> Result<i64, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.timestamp_micros())
        .map_err(|_| "its period cannot be read".into())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SEED: [u8; 32] = [3; 32];
    const LEAF: Hash = Hash([4; 32]);
    const SUBJECT: &str = "smp_140802_018f2f6e7d3a7c8e9b0a1122334455ff";
    const PREFIX: &str = "clm_140802_";
    /// 2026-06-01T00:00:00Z.
    const JUNE: i64 = 1_780_272_000_000_000;
    const DAY: i64 = 86_400_000_000;

    /// Ten claims: one a day from the first of June on; odd ones of another programme.
    fn lives() -> HashMap<Uuid, Life> {
        let life = |day: i64| {
            let mut life = Life::default();
            life.programme = if day % 2 == 0 {
                "appliance-2026"
            } else {
                "digital-2026"
            }
            .into();
            life.approved_at = Some(JUNE + day * DAY);
            life
        };
        (0..10)
            .zip(1..)
            .map(|(day, id)| (Uuid::from_u128(id), life(day)))
            .collect()
    }

    fn commitment(programme: Option<&str>) -> String {
        json!({
            "commitment": hex::encode(sampling::commitment(&SEED)), "from": "2026-06-02T00:00:00.000000Z",
            "programme": programme, "size": 3, "to": "2026-06-09T00:00:00.000000Z",
        })
        .to_string()
    }

    fn committed(programme: Option<&str>) -> Samples {
        let mut samples = Samples::default();
        samples
            .commit(SUBJECT, Some(&commitment(programme)), LEAF)
            .unwrap();
        samples
    }

    /// The expected draw from these claims.
    fn honest(ids: impl IntoIterator<Item = u128>) -> Value {
        let mut draw = Draw::new(&SEED, &LEAF.0, 3);
        ids.into_iter().for_each(|id| draw.consider(Uuid::from_u128(id)));
        let drawn = draw.finish();
        let claims = drawn
            .claims
            .iter()
            .map(|claim| format!("{PREFIX}{}", claim.simple()));
        json!({
            "claims": claims.collect::<Vec<_>>(), "population": drawn.population, "seed": hex::encode(SEED),
        })
    }

    fn check(mut samples: Samples, stated: &Value, at: i64) -> Result<(), String> {
        samples.draw(SUBJECT, Some(&stated.to_string()), at, PREFIX, &lives())
    }

    #[test]
    fn an_honest_draw_holds() {
        // The first instant is in the period, the last is not.
        check(committed(None), &honest(2..=8), JUNE + 8 * DAY).unwrap();
        check(
            committed(Some("appliance-2026")),
            &honest([3, 5, 7]),
            JUNE + 9 * DAY,
        )
        .unwrap();
    }

    #[test]
    fn any_other_does_not() {
        let stated = honest(2..=8);
        let late = JUNE + 8 * DAY;
        let with = |member: &str, value: Value| {
            let mut stated = stated.clone();
            stated[member] = value;
            check(committed(None), &stated, late).unwrap_err()
        };
        let claims = stated["claims"].as_array().unwrap();
        let other = format!("{PREFIX}{}", Uuid::from_u128(1).simple());
        let elsewhere = claims[0].as_str().unwrap().replace("140802", "140881");
        let swapped = json!([claims[1], claims[0], claims[2]]);
        for wrong in [
            swapped,
            json!([claims[0], claims[1]]),
            json!([claims[0], claims[1], other]),
            json!([elsewhere, claims[1], claims[2]]),
            json!([]),
        ] {
            assert!(with("claims", wrong).contains("is drawn"));
        }
        let more = json!([claims[0], claims[1], claims[2], other]);
        assert_eq!(with("claims", more), "it has 4 claims, and 3 are drawn");
        assert!(with("population", json!(8)).contains("8 claims were approved in its period, and 7 were"));
        assert!(with("seed", json!("00".repeat(32))).contains("not the one that was committed to"));
        assert!(
            check(committed(None), &stated, late - 1)
                .unwrap_err()
                .contains("before its period")
        );
        assert!(
            check(Samples::default(), &stated, late)
                .unwrap_err()
                .contains("nobody committed")
        );
        let mut samples = committed(None);
        let text = stated.to_string();
        samples
            .draw(SUBJECT, Some(&text), late, PREFIX, &lives())
            .unwrap();
        let again = samples.draw(SUBJECT, Some(&text), late, PREFIX, &lives());
        assert_eq!(again, Err("it was drawn before".into()));
    }

    #[test]
    fn a_commitment_is_made_once() {
        let mut samples = committed(None);
        let other = SUBJECT.replace("55ff", "5500");
        let again = samples.commit(&other, Some(&commitment(None)), LEAF);
        assert_eq!(again, Err("the same commitment was made before".into()));
        let fresh = commitment(None).replace(&hex::encode(sampling::commitment(&SEED)), &"5a".repeat(32));
        let again = samples.commit(SUBJECT, Some(&fresh), LEAF);
        assert_eq!(again, Err("it was committed to before".into()));
    }
}
