//! From an instruction to a bank and back.

use bank::{Failure, FailureReason, Format, GroupVerdict, Item, Report, ReportFormat, Verdict, read};
use ledger::Fen;
use proptest::prelude::*;

use crate::county_bank::{Fate, Order, camt054, fate, filled_in, pain002};
use crate::fixtures::{instruction, split, total};

/// Id, file, amount.
type Named = (String, String, Fen);

fn named<'i>(items: impl IntoIterator<Item = &'i Item>) -> Vec<Named> {
    let text = |quoted: &Option<bank::Quoted>| quoted.as_ref().unwrap().as_str().to_owned();
    items
        .into_iter()
        .map(|item| {
            (
                text(&item.end_to_end_id),
                text(&item.original),
                item.amount.unwrap(),
            )
        })
        .collect()
}

fn meant(order: &Order) -> Vec<Named> {
    let named = |(id, amount): &(String, Fen)| (id.clone(), order.id.clone(), *amount);
    order.payments.iter().map(named).collect()
}

fn reason(failure: &Failure) -> &FailureReason {
    assert_eq!(failure.text, None);
    &failure.reason
}

/// Whether the verdict matches the simulated result, as far as the format reports it: one has
/// failures but not returns.
fn matches_fate(verdict: &Verdict, fate: Fate) -> bool {
    match (verdict, fate) {
        (Verdict::Accepted, Fate::Accepted) | (Verdict::Pending, Fate::Pending) => true,
        (Verdict::Paid { .. }, Fate::Paid | Fate::Returned(_)) => true,
        (Verdict::Failed(failure), Fate::Failed(code)) => reason(failure).code() == code,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn through_iso_20022(
        instruction in instruction(),
        limit in 1..=15_usize,
        fates in proptest::collection::vec(fate(), 12),
    ) {
        let mut paid = Vec::new();
        for file in split(&instruction, Format::Pain001, limit) {
            let order = Order::from_pain001(&file.bytes);
            for version in ["03", "10"] {
                let answer = pain002(&order, &fates, version);
                let report = read(ReportFormat::Pain002, answer.as_bytes()).unwrap();
                prop_assert_eq!(named(&report.items), meant(&order));
                for (item, fate) in report.items.iter().zip(&fates) {
                    prop_assert!(matches_fate(&item.verdict, *fate), "{:?} {:?}", item, fate);
                }
                let [group] = report.groups.as_slice() else { panic!("one group") };
                prop_assert_eq!(&group.verdict, &GroupVerdict::Partly);
                prop_assert_eq!((group.count, group.sum), (u32::try_from(order.payments.len()).ok(), Some(order.sum)));
            }

            let booked = read(ReportFormat::Camt054, camt054(&order, &fates).as_bytes()).unwrap();
            let (went, returned): (Vec<&Item>, Vec<&Item>) =
                booked.items.iter().partition(|item| matches!(item.verdict, Verdict::Paid { .. }));
            let expect = |is: fn(&Fate) -> bool| -> Vec<Named> {
                meant(&order).into_iter().zip(&fates).filter(|(_, fate)| is(fate)).map(|(it, _)| it).collect()
            };
            prop_assert_eq!(named(went.clone()), expect(|fate| matches!(fate, Fate::Paid | Fate::Returned(_))));
            prop_assert_eq!(named(returned.clone()), expect(|fate| matches!(fate, Fate::Returned(_))));
            let codes: Vec<&str> = returned
                .iter()
                .map(|item| match &item.verdict {
                    Verdict::Returned { failure, booked: Some(_), bank_reference: Some(_) } => reason(failure).code(),
                    other => panic!("{other:?}"),
                })
                .collect();
            let asked: Vec<&str> = fates
                .iter()
                .take(order.payments.len())
                .filter_map(|fate| match fate { Fate::Returned(code) => Some(*code), _ => None })
                .collect();
            prop_assert_eq!(codes, asked);
            paid.extend(went.iter().filter_map(|item| item.amount));
        }
        if fates.iter().all(|fate| *fate == Fate::Paid) {
            prop_assert_eq!(total(paid), instruction.total());
        }
    }

    #[test]
    fn through_a_table(
        instruction in instruction(),
        limit in 1..=15_usize,
        fates in proptest::collection::vec(fate(), 12),
    ) {
        for file in split(&instruction, Format::Csv, limit) {
            let order = Order::from_csv(&file.bytes);
            let text = filled_in(&file.bytes, &fates);
            let report = read(ReportFormat::Csv, text.as_bytes()).unwrap();
            prop_assert_eq!(named(&report.items), meant(&order));
            for (item, fate) in report.items.iter().zip(&fates) {
                let matches = match (&item.verdict, fate) {
                    (Verdict::Returned { failure, .. }, Fate::Returned(code)) => reason(failure).code() == *code,
                    (_, Fate::Returned(_)) => false,
                    (verdict, fate) => matches_fate(verdict, *fate),
                };
                prop_assert!(matches, "{:?} {:?}", item, fate);
            }
            // The table as it was sent reports nothing.
            let unchanged = read(ReportFormat::Csv, &file.bytes).unwrap();
            prop_assert_eq!(named(&unchanged.items), meant(&order));
            prop_assert!(unchanged.items.iter().all(|item| item.verdict == Verdict::Pending));

            let (county, _, lost) = encoding_rs::GB18030.encode(&text);
            prop_assert!(!lost);
            let same = |report: Report| (report.groups, report.items);
            prop_assert_eq!(same(read(ReportFormat::Csv, &county).unwrap()), same(report));
        }
    }

    #[test]
    fn the_same_news_has_the_same_fingerprint_in_every_format(
        instruction in instruction(),
        code in proptest::sample::select(vec!["AC01", "BE01"]),
    ) {
        let fingerprints = |report: Report| -> Vec<_> { report.items.iter().map(|item| item.fingerprint).collect() };
        let xml = &split(&instruction, Format::Pain001, 12)[0];
        let table = &split(&instruction, Format::Csv, 12)[0];
        let fates = vec![Fate::Failed(code); 12];
        let order = Order::from_pain001(&xml.bytes);
        let one = read(ReportFormat::Pain002, pain002(&order, &fates, "10").as_bytes()).unwrap();
        let other = read(ReportFormat::Csv, filled_in(&table.bytes, &fates).as_bytes()).unwrap();
        prop_assert_ne!(one.sha256, other.sha256);
        prop_assert_eq!(fingerprints(one), fingerprints(other));
    }
}
