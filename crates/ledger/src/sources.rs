//! Sources of a payment: central, province, city and county share every payment by a ratio, to the
//! fen.
//!
//! # What it guarantees
//!
//! Parts are never negative and sum to the payment. Each source carries the amount by which it is
//! behind (or, below zero, ahead of) its exact share of all payments so far, in ten-thousandths of
//! a fen; the carries sum to zero. Every fen of a payment goes to the source that is furthest
//! behind, ties in the order of [`Source::ALL`]: the method of the largest remainder, with memory.
//!
//! # What bounds it
//!
//! With four sources a source is never **ahead** by more than 3/4 fen, for any payments: the one
//! furthest behind is behind by at least a quarter of the rest. It is never **behind** by more than
//! 3/4 fen after a payment whose every share above zero is at least a fen: then all remainders are
//! those of one division and lie within one fen of each other. Payments of a few fen to sources
//! with tiny shares may leave it behind by up to 9/4 fen; the next ordinary payment corrects that.
//!
//! # A source that runs out
//!
//! A source gives what it has. For the rest, local sources pay by their ratios among themselves,
//! then any local source that still has money, and central only when all local money is gone. So
//! over quota is local. The carry does not include this: a source does not owe later what it could
//! not give, and another source does not get back what it gave in its stead, or the next grant
//! would first be spent on the past.

use words::words;

use crate::Fen;

words! {
    /// Sources of money.
    pub enum Source {
        Central = "central",
        Province = "province",
        City = "city",
        County = "county",
    }
}

impl Source {
    /// All but central.
    const LOCAL: [Source; 3] = [Source::Province, Source::City, Source::County];

    pub fn title_zh(self) -> &'static str {
        match self {
            Source::Central => "中央资金",
            Source::Province => "省级资金",
            Source::City => "市级资金",
            Source::County => "县级资金",
        }
    }
}

/// One value for each source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct BySource<T> {
    pub central: T,
    pub province: T,
    pub city: T,
    pub county: T,
}

impl<T> BySource<T> {
    pub fn from_fn(mut value: impl FnMut(Source) -> T) -> BySource<T> {
        BySource {
            central: value(Source::Central),
            province: value(Source::Province),
            city: value(Source::City),
            county: value(Source::County),
        }
    }

    pub fn get(&self, source: Source) -> &T {
        match source {
            Source::Central => &self.central,
            Source::Province => &self.province,
            Source::City => &self.city,
            Source::County => &self.county,
        }
    }

    pub fn get_mut(&mut self, source: Source) -> &mut T {
        match source {
            Source::Central => &mut self.central,
            Source::Province => &mut self.province,
            Source::City => &mut self.city,
            Source::County => &mut self.county,
        }
    }
}

/// What each source bears of 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio(BySource<u16>);

impl Ratio {
    /// The sum of the parts of a ratio.
    pub const WHOLE: u16 = 10_000;

    /// `None` unless the parts sum to [`Ratio::WHOLE`].
    pub fn new(parts: BySource<u16>) -> Option<Ratio> {
        let sum = Source::ALL
            .into_iter()
            .try_fold(0_u16, |sum, source| sum.checked_add(*parts.get(source)));
        (sum == Some(Ratio::WHOLE)).then_some(Ratio(parts))
    }

    pub fn part(&self, source: Source) -> u16 {
        *self.0.get(source)
    }
}

/// The amount by which each source is behind its exact share, in ten-thousandths of a fen; below
/// zero: ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Carry(BySource<i64>);

impl Carry {
    /// Three fen; no split leaves as much.
    const MOST: i64 = 30_000;

    /// `None` unless they sum to zero and each is less than three fen: no split leaves others.
    pub fn new(behind: BySource<i64>) -> Option<Carry> {
        let within = Source::ALL
            .into_iter()
            .all(|source| behind.get(source).unsigned_abs() < Self::MOST.unsigned_abs());
        let sum = Source::ALL
            .into_iter()
            .map(|source| *behind.get(source))
            .fold(0_i64, i64::saturating_add);
        (within && sum == 0).then_some(Carry(behind))
    }

    pub fn behind(&self, source: Source) -> i64 {
        *self.0.get(source)
    }
}

/// A payment by source, and the carry to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    pub parts: BySource<Fen>,
    pub carry: Carry,
}

/// All sources together have less than the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sources together lack {lacking} fen")]
pub struct Exhausted {
    pub lacking: i64,
}

/// Splits a payment by the ratio, from the money that each source has left. The [module](self)
/// states the guarantees.
///
/// # Errors
/// [`Exhausted`] if the sources together have less than `amount`.
pub fn split(amount: Fen, ratio: &Ratio, carry: &Carry, left: &BySource<Fen>) -> Result<Split, Exhausted> {
    let whole = i128::from(Ratio::WHOLE);
    let want = BySource::from_fn(|source| {
        let share = i128::from(amount.get()).saturating_mul(i128::from(ratio.part(source)));
        share.saturating_add(i128::from(carry.behind(source)))
    });
    let due = furthest_behind(amount, &want, whole);
    let behind = BySource::from_fn(|source| {
        let given = i128::from(*due.get(source)).saturating_mul(whole);
        // Within three fen, as the bounds above say.
        i64::try_from(want.get(source).saturating_sub(given)).unwrap_or(0)
    });
    Ok(Split {
        parts: stand_in(&due, ratio, left)?,
        carry: Carry(behind),
    })
}

/// The parts of `amount` that go back to sources whose `parts` are still out, in proportion to
/// them. No source gets back more than is out; so when all is back, each source has all of its own.
///
/// # Errors
/// [`Exhausted`] if `amount` is more than all parts.
pub fn give_back(amount: Fen, parts: &BySource<Fen>) -> Result<BySource<Fen>, Exhausted> {
    let out = BySource::from_fn(|source| i128::from(parts.get(source).get()));
    let all = sum(&out);
    let lacking = i128::from(amount.get()).saturating_sub(all);
    if lacking > 0 {
        return Err(Exhausted {
            lacking: i64::try_from(lacking).unwrap_or(i64::MAX),
        });
    }
    Ok(in_fen(&in_proportion(amount.get(), &out)))
}

/// Gives `amount` to the sources, each fen to the one that is furthest behind its want, in units of
/// a `scale`th of a fen. The wants sum to `amount` times `scale`. Whole fen are given at once: the
/// rest, or the excess if a source is ahead, is less than a fen for each source.
fn furthest_behind(amount: Fen, want: &BySource<i128>, scale: i128) -> BySource<i64> {
    let mut given = BySource::from_fn(|source| {
        let whole = (*want.get(source)).max(0).checked_div(scale).unwrap_or(0);
        i64::try_from(whole).unwrap_or(i64::MAX)
    });
    let behind = |given: &BySource<i64>, source: Source| {
        let had = i128::from(*given.get(source)).saturating_mul(scale);
        want.get(source).saturating_sub(had)
    };
    let mut to_give = Source::ALL.into_iter().fold(amount.get(), |rest, source| {
        rest.saturating_sub(*given.get(source))
    });
    while to_give > 0 {
        // `max_by_key` takes the last of equals, and the first source has to win.
        let next = Source::ALL.into_iter().rev();
        let Some(next) = next.max_by_key(|source| behind(&given, *source)) else {
            break;
        };
        let part = given.get_mut(next);
        *part = part.saturating_add(1);
        to_give = to_give.saturating_sub(1);
    }
    while to_give < 0 {
        let with_some = Source::ALL
            .into_iter()
            .rev()
            .filter(|source| *given.get(*source) > 0);
        let Some(next) = with_some.min_by_key(|source| behind(&given, *source)) else {
            break;
        };
        let part = given.get_mut(next);
        *part = part.saturating_sub(1);
        to_give = to_give.saturating_add(1);
    }
    given
}

/// `amount` in proportion to weights, by the largest remainder; zero if all weights are zero.
fn in_proportion(amount: i64, weights: &BySource<i128>) -> BySource<i64> {
    let (all, Ok(amount)) = (sum(weights), Fen::new(amount)) else {
        return BySource::default();
    };
    if all == 0 {
        return BySource::default();
    }
    let want = BySource::from_fn(|source| i128::from(amount.get()).saturating_mul(*weights.get(source)));
    furthest_behind(amount, &want, all)
}

/// What each source gives of its part, and which others pay for those without money.
fn stand_in(due: &BySource<i64>, ratio: &Ratio, left: &BySource<Fen>) -> Result<BySource<Fen>, Exhausted> {
    let mut parts = BySource::default();
    let mut short = 0_i64;
    let mut take = |source: Source, asked: i64| {
        let part: &mut i64 = parts.get_mut(source);
        let has = left.get(source).get().saturating_sub(*part);
        let takes = asked.min(has);
        *part = part.saturating_add(takes);
        asked.saturating_sub(takes)
    };
    for source in Source::ALL {
        short = short.saturating_add(take(source, *due.get(source)));
    }
    let local = in_proportion(
        short,
        &BySource {
            central: 0,
            ..BySource::from_fn(|source| i128::from(ratio.part(source)))
        },
    );
    for source in Source::LOCAL {
        let asked = *local.get(source);
        let lacking = take(source, asked);
        short = short.saturating_sub(asked.saturating_sub(lacking));
    }
    for source in Source::LOCAL.into_iter().chain([Source::Central]) {
        short = take(source, short);
    }
    if short > 0 {
        Err(Exhausted { lacking: short })
    } else {
        Ok(in_fen(&parts))
    }
}

fn sum(values: &BySource<i128>) -> i128 {
    Source::ALL
        .into_iter()
        .map(|source| *values.get(source))
        .fold(0, i128::saturating_add)
}

/// Parts of a valid sum are valid sums.
fn in_fen(parts: &BySource<i64>) -> BySource<Fen> {
    BySource::from_fn(|source| Fen::new(*parts.get(source)).unwrap_or(Fen::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: i64 = 10_000;

    fn fen(fen: i64) -> Fen {
        Fen::new(fen).unwrap()
    }

    fn by(central: i64, province: i64, city: i64, county: i64) -> BySource<Fen> {
        BySource {
            central: fen(central),
            province: fen(province),
            city: fen(city),
            county: fen(county),
        }
    }

    fn of(central: u16, province: u16, city: u16, county: u16) -> Ratio {
        let parts = BySource {
            central,
            province,
            city,
            county,
        };
        Ratio::new(parts).unwrap()
    }

    fn total(parts: &BySource<Fen>) -> i64 {
        Source::ALL.iter().map(|source| parts.get(*source).get()).sum()
    }

    fn plenty() -> BySource<Fen> {
        BySource::from_fn(|_| Fen::MAX)
    }

    fn ratio() -> impl Strategy<Value = Ratio> {
        let cuts = prop_oneof![
            prop::array::uniform3(0..=10_000_u16),
            // Shares of a ten-thousandth or two, and of zero.
            prop::array::uniform3(0..=3_u16),
            prop::array::uniform3(9_997..=10_000_u16),
        ];
        cuts.prop_map(|mut cuts| {
            cuts.sort_unstable();
            of(cuts[0], cuts[1] - cuts[0], cuts[2] - cuts[1], 10_000 - cuts[2])
        })
    }

    fn amount() -> impl Strategy<Value = i64> {
        prop_oneof![
            1..4_i64,
            1..100_000_i64,
            Just(60_000_i64),
            Just(Fen::MAX.get() / 1_000)
        ]
    }

    #[test]
    fn nine_to_one_takes_turns_with_the_odd_fen() {
        let ratio = of(9_000, 0, 0, 1_000);
        let mut carry = Carry::default();
        let parts = (0..10).map(|_| {
            let split = split(fen(1), &ratio, &carry, &plenty()).unwrap();
            carry = split.carry;
            split.parts.county.get()
        });
        assert_eq!(parts.collect::<Vec<_>>(), [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(carry, Carry::default());
    }

    #[test]
    fn over_quota_is_local_and_an_empty_town_is_central_s() {
        let ratio = of(9_000, 400, 200, 400);
        let pays = |left: BySource<Fen>| {
            split(fen(1_000), &ratio, &Carry::default(), &left)
                .map(|split| split.parts)
                .map_err(|exhausted| exhausted.lacking)
        };
        assert_eq!(pays(plenty()), Ok(by(900, 40, 20, 40)));
        assert_eq!(pays(by(100, 9_999, 9_999, 9_999)), Ok(by(100, 360, 180, 360)));
        assert_eq!(pays(by(100, 50, 9_999, 40)), Ok(by(100, 50, 810, 40)));
        assert_eq!(pays(by(9_999, 0, 0, 0)), Ok(by(1_000, 0, 0, 0)));
        assert_eq!(pays(by(990, 0, 3, 6)), Err(1));
    }

    #[test]
    fn what_a_source_could_not_give_is_not_owed_later() {
        let ratio = of(9_000, 0, 0, 1_000);
        let dry = split(fen(1_000), &ratio, &Carry::default(), &by(0, 0, 0, 5_000)).unwrap();
        assert_eq!(dry.parts, by(0, 0, 0, 1_000));
        let granted = split(fen(1_000), &ratio, &dry.carry, &plenty()).unwrap();
        assert_eq!(granted.parts, by(900, 0, 0, 100));
    }

    #[test]
    fn a_ratio_is_of_ten_thousand() {
        let parts = |central, county| BySource {
            central,
            province: 0,
            city: 0,
            county,
        };
        assert!(Ratio::new(parts(9_000, 999)).is_none());
        assert!(Ratio::new(parts(u16::MAX, 1)).is_none());
        assert!(Carry::new(BySource::from_fn(|_| 1)).is_none());
        for source in Source::ALL {
            assert_eq!(Source::parse(source.as_str()), Some(source));
        }
    }

    proptest! {
        #[test]
        fn every_prefix_is_shared_to_the_fen(ratio in ratio(), amounts in prop::collection::vec(amount(), 1..80)) {
            let mut carry = Carry::default();
            let mut given = BySource::<i128>::default();
            let mut paid = 0_i128;
            for amount in amounts {
                let split = split(fen(amount), &ratio, &carry, &plenty()).unwrap();
                prop_assert_eq!(total(&split.parts), amount);
                carry = split.carry;
                prop_assert_eq!(Carry::new(carry.0), Some(carry), "what is carried can be read back");
                paid += i128::from(amount);
                let shares = Source::ALL.map(|source| amount * i64::from(ratio.part(source)));
                let ordinary = shares.iter().all(|share| *share == 0 || *share >= WHOLE);
                for source in Source::ALL {
                    *given.get_mut(source) += i128::from(split.parts.get(source).get());
                    let exact = paid * i128::from(ratio.part(source));
                    let behind = exact - given.get(source) * i128::from(WHOLE);
                    prop_assert_eq!(behind, i128::from(carry.behind(source)));
                    prop_assert!(behind >= -i128::from(WHOLE) * 3 / 4, "ahead by {}", -behind);
                    let bound = if ordinary { 3 } else { 9 };
                    prop_assert!(behind <= i128::from(WHOLE) * bound / 4, "behind by {behind}");
                }
            }
        }

        #[test]
        fn whatever_is_left_pays_while_there_is_enough(
            ratio in ratio(),
            left in prop::array::uniform4(0..2_000_i64),
            amounts in prop::collection::vec(1..700_i64, 1..40),
        ) {
            let mut left = by(left[0], left[1], left[2], left[3]);
            let mut carry = Carry::default();
            for amount in amounts {
                let all = total(&left);
                match split(fen(amount), &ratio, &carry, &left) {
                    Err(exhausted) => prop_assert_eq!(exhausted.lacking, amount - all),
                    Ok(split) => {
                        prop_assert!(amount <= all);
                        prop_assert_eq!(total(&split.parts), amount);
                        for source in Source::ALL {
                            let has = left.get_mut(source);
                            *has = has.checked_sub(*split.parts.get(source)).unwrap();
                        }
                        let due = super::split(fen(amount), &ratio, &carry, &plenty()).unwrap();
                        prop_assert_eq!(due.carry, split.carry, "what ran out is not carried");
                        let more = split.parts.central > due.parts.central;
                        let local = Source::LOCAL.iter().map(|source| left.get(*source).get()).sum::<i64>();
                        prop_assert!(!more || local == 0, "central stands in only where local money is gone");
                        carry = split.carry;
                    }
                }
            }
        }

        #[test]
        fn what_comes_back_goes_where_it_came_from(
            parts in prop::array::uniform4(prop_oneof![Just(0_i64), 1..5_000_i64, Just(Fen::MAX.get() / 4)]),
            steps in prop::collection::vec(1..3_000_i64, 0..20),
        ) {
            let mut out = by(parts[0], parts[1], parts[2], parts[3]);
            let over = total(&out) + 1;
            prop_assume!(over <= Fen::MAX.get());
            prop_assert_eq!(give_back(fen(over), &out), Err(Exhausted { lacking: 1 }));
            for step in steps {
                let step = step.min(total(&out));
                let back = give_back(fen(step), &out).unwrap();
                prop_assert_eq!(total(&back), step);
                for source in Source::ALL {
                    let is_out = out.get_mut(source);
                    *is_out = is_out.checked_sub(*back.get(source)).unwrap();
                }
            }
            let rest = give_back(fen(total(&out)), &out).unwrap();
            prop_assert_eq!(rest, out);
        }
    }
}
