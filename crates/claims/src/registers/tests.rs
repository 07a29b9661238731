use policy::Lang;

use super::*;
use crate::fixtures::{APPLICANT, FIRM, OLD_VIN, car, digest};
use crate::keys::digests;

fn columns(pairs: &[(&str, &str)]) -> Columns {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A good row of each register.
fn good(register: Register) -> Columns {
    columns(match register {
        Register::EfficiencyLabels => &[
            ("record", "20241017-471100-92391729144470006"),
            ("category", "air_conditioner"),
            ("brand", "海尔"),
            ("model", "KFR-35GW"),
            ("grade", "1"),
            ("standard", "GB 21455-2019"),
            ("filed_on", "2023-06-01"),
        ],
        Register::ScrapCertificates => &[
            ("number", "1408X1"),
            ("issued_on", "2026-05-20"),
            ("owner_identity_number", APPLICANT),
            ("vin", OLD_VIN),
            ("plate", "晋M·12345"),
            ("energy", "petrol"),
            ("vehicle_type", "small_passenger"),
            ("first_registered_on", "2010-05-01"),
            ("dismantler", FIRM),
        ],
        Register::VehicleModels => &[
            ("model", "BYD 7001"),
            ("energy", "new_energy"),
            ("vehicle_type", "small_passenger"),
            ("displacement_ml", "0"),
            ("listed_from", "2020-01-01"),
            ("listed_until", "2030-12-31"),
        ],
        Register::FiledPrices => &[
            ("merchant", FIRM),
            ("model", "kfr-35gw"),
            ("price", "4000.00"),
            ("filed_on", "2024-01-02"),
        ],
        Register::Entitlements => &[
            ("code", "QY0001"),
            ("programme", "appliance-2026"),
            ("applicant_identity_number", APPLICANT),
            ("category", "air_conditioner"),
            ("issued_on", "2024-01-01"),
            ("expires_on", "2027-12-31"),
        ],
        Register::Merchants => &[
            ("credit_code", FIRM),
            ("name", "盐湖区电器商场"),
            ("kind", "retailer"),
            ("jurisdiction", "140802"),
            ("status", "admitted"),
        ],
        Register::Dismantlers | Register::Collectors => &[
            ("credit_code", FIRM),
            ("name", "盐湖区再生资源回收站"),
            ("jurisdiction", "140802"),
            ("licensed_until", "2030-12-31"),
        ],
    })
}

#[test]
fn every_register_reads_its_columns() {
    for register in Register::ALL {
        let columns = good(register);
        let names: std::collections::BTreeSet<_> =
            register.columns().iter().map(|c| (*c).to_owned()).collect();
        assert_eq!(
            columns.keys().cloned().collect::<std::collections::BTreeSet<_>>(),
            names
        );
        let entry = RegisterRow::parse(register, &columns).unwrap().into_entry(digest);
        assert_eq!(entry.register(), register);
        assert!(!entry.key().is_empty());
        assert_eq!(Register::parse(register.as_str()), Some(register));
        let described = register
            .key_columns()
            .iter()
            .chain(register.optional_columns())
            .chain(register.personal_columns());
        assert!(described.into_iter().all(|column| names.contains(*column)));
    }
}

#[test]
fn blank_columns_are_missing_unless_optional() {
    for register in Register::ALL {
        for &column in register.columns() {
            let mut row = good(register);
            row.insert(column.to_owned(), "  ".to_owned());
            let blank = RegisterRow::parse(register, &row);
            row.remove(column);
            assert_eq!(RegisterRow::parse(register, &row), blank);
            if register.optional_columns().contains(&column) {
                assert!(blank.is_ok(), "{register} {column}");
            } else {
                let error = ColumnError {
                    column: column.to_owned(),
                    fault: ColumnFault::Missing,
                };
                assert_eq!(blank, Err(vec![error]));
            }
        }
    }
}

#[test]
fn all_wrong_columns_are_reported_and_none_repeats_its_value() {
    let mut row = good(Register::ScrapCertificates);
    for (column, value) in [
        ("owner_identity_number", "110105194912310021"),
        ("vin", "1M8GDM9AXKP04278O"),
        ("energy", "steam"),
        ("issued_on", "2026-02-30"),
        ("colour", "red"),
    ] {
        row.insert(column.to_owned(), value.to_owned());
    }
    let errors = RegisterRow::parse(Register::ScrapCertificates, &row).unwrap_err();
    let codes: Vec<_> = errors.iter().map(|e| (e.column.as_str(), e.code())).collect();
    assert_eq!(
        codes,
        [
            ("colour", "column.unknown".to_owned()),
            ("issued_on", "column.date".to_owned()),
            ("owner_identity_number", "identity-number.check-digit".to_owned()),
            ("vin", "vin.character".to_owned()),
            ("energy", "column.word".to_owned()),
        ]
    );
    for error in &errors {
        for lang in [Lang::Zh, Lang::En] {
            let message = error.message(lang);
            assert!(
                row.values().all(|value| !message.contains(value.as_str())),
                "{message}"
            );
        }
    }
}

#[test]
fn bounds_of_columns() {
    for (register, column, value, code) in [
        (Register::EfficiencyLabels, "grade", "0", "column.number"),
        (Register::EfficiencyLabels, "grade", "6", "column.number"),
        (Register::EfficiencyLabels, "category", "空调", "column.category"),
        (Register::FiledPrices, "price", "4000", "money.malformed"),
        (Register::FiledPrices, "filed_on", "2024-1-02", "column.date"),
        (Register::VehicleModels, "displacement_ml", "1.5", "column.number"),
        (
            Register::Merchants,
            "credit_code",
            "91350100M000100Y44",
            "credit-code.check-digit",
        ),
        (Register::Merchants, "jurisdiction", "1408", "jurisdiction.length"),
    ] {
        let mut row = good(register);
        row.insert(column.to_owned(), value.to_owned());
        let errors = RegisterRow::parse(register, &row).unwrap_err();
        assert_eq!(
            errors.iter().map(ColumnError::code).collect::<Vec<_>>(),
            [code],
            "{column} {value}"
        );
    }
    let mut row = good(Register::Merchants);
    row.insert("name".to_owned(), "名".repeat(201));
    assert_eq!(
        RegisterRow::parse(Register::Merchants, &row).unwrap_err()[0].code(),
        "column.too-long"
    );
}

#[test]
fn digests_of_a_register_and_of_a_claim_meet() {
    let row = RegisterRow::parse(Register::ScrapCertificates, &good(Register::ScrapCertificates)).unwrap();
    assert!(!format!("{row:?}").contains(APPLICANT));
    let Entry::ScrapCertificate(certificate) = row.into_entry(digest) else {
        panic!("another register")
    };
    let claimed = digests(&car(), digest);
    assert_eq!(certificate.owner, claimed.applicant);
    assert_eq!(Some(certificate.vin), claimed.old_vin);
    assert_eq!(Some(certificate.plate), claimed.old_plate);
    assert_ne!(claimed.old_vin, claimed.new_vin);
}

#[test]
fn look_ups_are_spelled_as_the_registers_keep_them() {
    let asked = look_ups(&car());
    let parse = |register| {
        RegisterRow::parse(register, &good(register))
            .unwrap()
            .into_entry(digest)
            .key()
    };
    assert_eq!(asked.vehicle_model, Some(parse(Register::VehicleModels)));
    assert_eq!(
        asked.certificate.unwrap().as_str(),
        parse(Register::ScrapCertificates)
    );
    assert_eq!(asked.entitlement.unwrap().as_str(), parse(Register::Entitlements));
    assert_eq!(asked.dismantler.unwrap().as_str(), parse(Register::Dismantlers));
    assert_eq!(asked.collector, None);
    assert_eq!(asked.filed_model, None);
}
