//! How long to wait after an attempt has failed, and when to give up.
//!
//! A [`Backoff`] is a rule and holds no state: the caller counts failed attempts, in a local
//! variable or in a row of the database, so that a pause survives a restart.

use std::time::Duration;

/// The rule by which the attempts of one operation are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pauses: Pauses,
    /// The most attempts, the first one included.
    attempts: u32,
    jitter: Jitter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pauses {
    Doubling { first: Duration, longest: Duration },
    Listed(&'static [Duration]),
}

/// The random part of a pause, so that operations that failed together are not retried together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    None,
    /// Anywhere from nothing to the whole pause.
    Full,
    /// The whole pause, and up to a fifth of it more.
    AddedFifth,
}

impl Backoff {
    /// Pauses that double from `first` up to `longest`, without a last attempt and without jitter.
    #[must_use]
    pub const fn doubling(first: Duration, longest: Duration) -> Self {
        Self::new(Pauses::Doubling { first, longest })
    }

    /// One pause after each failed attempt but the last, so that there is one attempt more than
    /// pauses.
    #[must_use]
    pub const fn listed(pauses: &'static [Duration]) -> Self {
        Self::new(Pauses::Listed(pauses))
    }

    const fn new(pauses: Pauses) -> Self {
        Self {
            pauses,
            attempts: u32::MAX,
            jitter: Jitter::None,
        }
    }

    /// At most so many attempts, the first one included.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The same pauses with a random part.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// How long to wait before the next attempt when `failed` attempts have failed: nothing before
    /// the first, and `None` when there is no next one.
    ///
    /// `random` is drawn evenly from all values of its type; without jitter it does not matter.
    #[must_use]
    pub fn pause(&self, failed: u32, random: u32) -> Option<Duration> {
        let Some(doublings) = failed.checked_sub(1) else {
            return Some(Duration::ZERO);
        };
        if failed >= self.attempts {
            return None;
        }
        let pause = match self.pauses {
            Pauses::Doubling { first, longest } => 1_u32
                .checked_shl(doublings)
                .and_then(|factor| first.checked_mul(factor))
                .map_or(longest, |pause| pause.min(longest)),
            Pauses::Listed(pauses) => *pauses.get(usize::try_from(doublings).ok()?)?,
        };
        Some(match self.jitter {
            Jitter::None => pause,
            Jitter::Full => share(pause, random),
            Jitter::AddedFifth => {
                let fifth = pause.checked_div(5).unwrap_or_default();
                pause.saturating_add(share(fifth, random))
            }
        })
    }
}

/// `random` of `u32::MAX` parts; all of it where it is too long to be divided so.
fn share(whole: Duration, random: u32) -> Duration {
    whole
        .checked_mul(random)
        .and_then(|parts| parts.checked_div(u32::MAX))
        .unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn pauses_double_up_to_the_longest_and_never_end_by_themselves() {
        let backoff = Backoff::doubling(SECOND, MINUTE);
        let pauses = [0, 1, 2, 3, 6, 7, 8, 32, 33, 34, 1_000].map(|failed| backoff.pause(failed, 0).unwrap());
        assert_eq!(
            pauses.map(|pause| pause.as_secs()),
            [0, 1, 2, 4, 32, 60, 60, 60, 60, 60, 60]
        );
        let endless = Backoff::doubling(Duration::MAX, Duration::MAX);
        assert_eq!(endless.pause(7, 0), Some(Duration::MAX));
    }

    #[test]
    fn attempts_are_counted_with_the_first() {
        let backoff = Backoff::doubling(SECOND, MINUTE).attempts(3);
        assert_eq!(backoff.pause(2, 0), Some(2 * SECOND));
        assert_eq!(backoff.pause(3, 0), None);
        assert_eq!(backoff.pause(u32::MAX, 0), None);
    }

    #[test]
    fn a_list_has_one_attempt_more_than_pauses() {
        let backoff = Backoff::listed(&[SECOND, MINUTE]);
        let pauses = [0, 1, 2, 3].map(|failed| backoff.pause(failed, 0));
        assert_eq!(pauses, [Some(Duration::ZERO), Some(SECOND), Some(MINUTE), None]);
    }

    #[test]
    fn jitter_stays_within_its_bounds() {
        for (jitter, least, most) in [
            (Jitter::None, MINUTE, MINUTE),
            (Jitter::Full, Duration::ZERO, MINUTE),
            (Jitter::AddedFifth, MINUTE, MINUTE * 6 / 5),
        ] {
            let backoff = Backoff::doubling(MINUTE, MINUTE).jitter(jitter);
            assert_eq!(backoff.pause(1, 0), Some(least), "{jitter:?}");
            assert_eq!(backoff.pause(1, u32::MAX), Some(most), "{jitter:?}");
            let between = backoff.pause(1, u32::MAX / 2).unwrap();
            assert!((least..=most).contains(&between), "{jitter:?}");
        }
        let endless = Backoff::doubling(Duration::MAX, Duration::MAX).jitter(Jitter::AddedFifth);
        assert_eq!(endless.pause(1, u32::MAX), Some(Duration::MAX));
    }
}
