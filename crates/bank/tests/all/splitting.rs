//! An instruction in parts.

use std::collections::HashSet;

use bank::{FileError, FileId, Format, MAX_FILES};
use proptest::prelude::*;

use crate::county_bank::Order;
use crate::fixtures::{example, instruction, split, total};

#[test]
fn no_more_files_than_can_be_numbered() {
    // The first of 999 files of one payment, were there so many, would be number 001 and the last
    // 999.
    assert_eq!(MAX_FILES, 999);
    let instruction = crate::fixtures::many(1_000);
    let limit = |limit: usize| bank::files(&instruction, Format::Csv, limit.try_into().unwrap());
    assert_eq!(limit(1), Err(FileError));
    let two = limit(999).unwrap();
    assert_eq!(two.iter().map(|file| file.count).collect::<Vec<_>>(), [999, 1]);
    assert_eq!(limit(1_000).unwrap().len(), 1);
    assert_eq!(
        bank::files(&crate::fixtures::many(999), Format::Csv, 1.try_into().unwrap()).unwrap()[998].name(),
        {
            let id = instruction.id();
            format!("{id}-999.csv")
        }
    );
}

#[test]
fn a_file_does_not_print_what_it_holds() {
    let printed = format!("{:?}", split(&example(), Format::Pain001, 10));
    assert!(
        !printed.contains("王建国") && !printed.contains("bytes"),
        "{printed}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn parts_add_up_to_the_whole(instruction in instruction(), limit in 1..=15_usize) {
        for format in Format::ALL {
            let files = split(&instruction, format, limit);
            prop_assert_eq!(&files, &split(&instruction, format, limit), "the same bytes each time");
            prop_assert_eq!(total(files.iter().map(|file| file.sum)), instruction.total());
            let orders: Vec<Order> = files
                .iter()
                .map(|file| match format {
                    Format::Pain001 => Order::from_pain001(&file.bytes),
                    Format::Csv => Order::from_csv(&file.bytes),
                })
                .collect();
            let mut names = HashSet::new();
            for ((file, order), part) in files.iter().zip(&orders).zip(1..) {
                prop_assert!(file.count <= limit && file.count > 0);
                prop_assert_eq!((file.count, file.sum, file.parts), (order.payments.len(), order.sum, files.len()));
                prop_assert_eq!(FileId::parse(&order.id), Ok(file.id));
                prop_assert_eq!((file.id.message, file.id.part()), (instruction.id(), part));
                prop_assert!(names.insert(file.name()));
            }
            let sent: Vec<_> = orders.into_iter().flat_map(|order| order.payments).collect();
            let meant: Vec<_> = instruction
                .payments()
                .iter()
                .map(|payment| (payment.id().to_string(), payment.amount()))
                .collect();
            prop_assert_eq!(sent, meant);
        }
    }
}
