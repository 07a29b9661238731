//! When to try again within one call. Retries over a longer time are the caller's, which sends
//! again later.

use std::time::Duration;

use chrono::{DateTime, Utc};
use timing::{Backoff, Jitter};

/// Attempts of one call.
pub(crate) const ATTEMPTS: u32 = 3;

const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(1))
    .attempts(ATTEMPTS)
    .jitter(Jitter::Full);

/// The longest pause a partner may ask for with Retry-After and still be waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The pause after attempt number `attempt`, counted from 1. `None`: give up, because the attempts
/// are used up or the partner asked for a longer pause than a call may take.
pub(crate) fn pause(attempt: u32, asked: Option<Duration>) -> Option<Duration> {
    let asked = asked.unwrap_or_default();
    if asked > LONGEST_WAIT {
        return None;
    }
    // On top of the requested pause: all clients refused in the same second were asked for the same
    // one.
    asked.checked_add(BACKOFF.pause(attempt, rand::random())?)
}

/// The pause in a Retry-After header: seconds, or an HTTP date (RFC 9110, 10.2.3). Nonsense asks
/// for none.
pub(crate) fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than fit still ask for a pause.
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    Some(until.signed_duration_since(now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        for _ in 0..100 {
            assert!(pause(1, None).unwrap() <= Duration::from_millis(500));
            assert!(pause(2, None).unwrap() <= Duration::from_millis(1_000));
        }
        assert_eq!(pause(3, None), None);
    }

    #[test]
    fn what_is_asked_for_is_waited_for_up_to_a_bound() {
        let two = Duration::from_secs(2);
        assert!(pause(1, Some(two)).unwrap() > two);
        assert!(pause(1, Some(LONGEST_WAIT)).is_some());
        assert_eq!(pause(1, Some(Duration::from_secs(6))), None);
        assert_eq!(pause(1, Some(Duration::MAX)), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-11-23T08:00:00Z")
            .unwrap()
            .to_utc();
        let cases = [
            ("0", Some(Duration::ZERO)),
            (" 120 ", Some(Duration::from_secs(120))),
            ("99999999999999999999999", Some(Duration::MAX)),
            ("Mon, 23 Nov 2026 08:00:30 GMT", Some(Duration::from_secs(30))),
            ("Mon, 23 Nov 2026 07:00:00 GMT", Some(Duration::ZERO)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ];
        for (value, expected) in cases {
            assert_eq!(retry_after(value, now), expected, "{value:?}");
        }
    }
}
