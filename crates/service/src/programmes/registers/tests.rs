use claims::registers::{Register, RegisterRow};
use proptest::prelude::*;

use super::line::Line;
use super::lines::Lines;
use super::{MAX_LINE, RegisterFormat, field_errors, keys_of};
use crate::operation::FieldError;

/// Every line of a file that arrives in pieces of `piece` bytes, or the errors that refuse the file.
fn lines(
    register: Register,
    format: RegisterFormat,
    file: &[u8],
    piece: usize,
) -> Result<Vec<Line>, Vec<FieldError>> {
    let mut lines = Lines::new(register, format);
    let mut found = Vec::new();
    for mut bytes in file.chunks(piece) {
        while let Some(line) = lines.next(&mut bytes)? {
            found.push(line);
        }
        assert!(bytes.is_empty(), "bytes are left behind");
    }
    while let Some(line) = lines.finish()? {
        found.push(line);
    }
    Ok(found)
}

fn csv(file: &str) -> Result<Vec<Line>, Vec<FieldError>> {
    lines(Register::Collectors, RegisterFormat::Csv, file.as_bytes(), 7)
}

fn ndjson(file: &str) -> Vec<Line> {
    lines(Register::Collectors, RegisterFormat::Ndjson, file.as_bytes(), 7).unwrap()
}

/// The line's number and its columns, or the pointers and codes of its errors.
fn brief(line: &Line) -> (u64, String) {
    let text = match &line.columns {
        Ok(columns) => columns
            .iter()
            .map(|(name, text)| format!("{name}={text}"))
            .collect::<Vec<_>>()
            .join(" "),
        Err(errors) => codes(errors),
    };
    (line.number, text)
}

fn codes(errors: &[FieldError]) -> String {
    errors
        .iter()
        .map(|error| format!("{}!{}", error.pointer, error.code))
        .collect::<Vec<_>>()
        .join(" ")
}

fn briefs(lines: &[Line]) -> Vec<(u64, String)> {
    lines.iter().map(brief).collect()
}

const HEADER: &str = "credit_code,name,jurisdiction,licensed_until\n";

#[test]
fn csv_keeps_quotes_newlines_and_line_numbers() {
    let file = format!(
        "\u{feff}{HEADER}\r\n1,\"运城, \"\"一\"\"\n站\",140802,2030-12-31\r\n\n2,b,c\n3,b,c,d\n4,e,\u{1},g"
    );
    let found = briefs(&csv(&file).unwrap());
    let expected = [
        (
            3,
            "credit_code=1 jurisdiction=140802 licensed_until=2030-12-31 name=运城, \"一\"\n站",
        ),
        (6, "!line.cells"),
        (7, "credit_code=3 jurisdiction=c licensed_until=d name=b"),
        (8, "/jurisdiction!column.control"),
    ];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
}

#[test]
fn a_wrong_header_refuses_the_file_and_does_not_quote_values() {
    let errors = csv("credit_code,name,name,licensed,王建国\n1,2,3,4,5\n").unwrap_err();
    assert_eq!(
        codes(&errors),
        "/name!column.repeated /licensed!column.unknown !column.unknown \
         /jurisdiction!column.missing /licensed_until!column.missing"
    );
    assert!(!format!("{errors:?}").contains("王建国"));
    assert_eq!(codes(&csv("\n\n").unwrap_err()), "!csv.no-header");
    assert_eq!(codes(&csv("").unwrap_err()), "!csv.no-header");
    assert!(csv(HEADER).unwrap().is_empty());
    assert!(csv(HEADER.trim_end()).unwrap().is_empty());
    let open_ended = "model,energy,vehicle_type,displacement_ml,listed_from\n";
    assert!(
        lines(
            Register::VehicleModels,
            RegisterFormat::Csv,
            open_ended.as_bytes(),
            64
        )
        .unwrap()
        .is_empty()
    );
}

#[test]
fn a_line_that_is_too_long_is_passed_over_in_bounded_memory() {
    let long = "x".repeat(MAX_LINE + 1);
    let file = format!(
        "{HEADER}1,\"{long}\n{long}\",c,d\n2,b,c,d\n{}\n3,b,c,d\n",
        ",".repeat(100)
    );
    let found = briefs(&csv(&file).unwrap());
    let good = |number| format!("credit_code={number} jurisdiction=c licensed_until=d name=b");
    let too_long = || "!line.too-long".to_owned();
    assert_eq!(
        found,
        [(2, too_long()), (4, good(2)), (5, too_long()), (6, good(3))]
    );

    let file = format!("{{\"a\":\"{long}\"}}\n{{\"name\":\"b\"}}\n{{\"a\":\"{long}");
    assert_eq!(
        briefs(&ndjson(&file)),
        [(1, too_long()), (2, "name=b".to_owned()), (3, too_long())]
    );
}

#[test]
fn json_lines() {
    let file = "\u{feff}{\"credit_code\":\"1\",\"name\":\"甲\",\"grade\":1,\"none\":null}\r\n\n  \n\
        {\"name\":\"a\",\"name\":\"b\"}\n{\"name\":true,\"kind\":[\"王建国\"],\"张三\":{}}\n[1]\n{\"name\":\"王建国\"\nnull\n\
        {\"name\":\"a\\u0000\"}\n{\"price\":1.50}";
    let found = ndjson(file);
    assert!(!format!("{:?}", &found[2..5]).contains("王建国"));
    let expected = [
        (1, "credit_code=1 grade=1 name=甲"),
        (4, "/name!column.repeated"),
        (5, "/name!column.type /kind!column.type !column.type"),
        (6, "!line.json"),
        (7, "!line.json"),
        (8, "!line.json"),
        (9, "/name!column.control"),
        (10, "price=1.5"),
    ];
    assert_eq!(
        briefs(&found),
        expected.map(|(line, text)| (line, text.to_owned()))
    );
}

#[test]
fn other_encodings_are_refused_line_by_line() {
    let gbk = [HEADER.as_bytes(), b"1,\xd4\xcb\xb3\xc7,c,d\n2,b,c,d\n"].concat();
    let found = lines(Register::Collectors, RegisterFormat::Csv, &gbk, 5).unwrap();
    assert_eq!(brief(&found[0]), (2, "!line.encoding".to_owned()));
    assert!(found[1].columns.is_ok());
    let found = lines(Register::Collectors, RegisterFormat::Ndjson, b"\"\xd4\xcb\"\n", 5).unwrap();
    assert_eq!(brief(&found[0]), (1, "!line.encoding".to_owned()));
}

#[test]
fn a_row_that_a_constraint_would_refuse_is_refused_alone() {
    let push = |register, json: &str| {
        let line = lines(register, RegisterFormat::Ndjson, json.as_bytes(), 64)
            .unwrap()
            .remove(0);
        let row = RegisterRow::parse(register, &line.columns.unwrap()).map_err(field_errors)?;
        let entry = row.into_entry(|_, _| claims::digest::Digest::new([7; 16]));
        super::rows::Rows::default()
            .push(entry)
            .map_err(|error| vec![error])
    };
    let refused = |register, json: &str| codes(&push(register, json).unwrap_err());
    let price = r#"{"merchant":"91140802MAXG612DDP","model":"a","price":"0.00","filed_on":"2026-01-01"}"#;
    assert_eq!(refused(Register::FiledPrices, price), "/price!price.not-positive");
    let model = r#"{"model":"a","energy":"new_energy","vehicle_type":"small_passenger","displacement_ml":0,
        "listed_from":"2026-01-02","listed_until":"2026-01-01"}"#
        .replace('\n', "");
    assert_eq!(
        refused(Register::VehicleModels, &model),
        "/listed_until!column.dates-out-of-order"
    );
    assert!(push(Register::VehicleModels, &model.replace("2026-01-01", "")).is_ok());
    let unknown = r#"{"credit_code":"91140802MAXG612DDP","name":"a","jurisdiction":"140802","owner":"王建国","王":"1"}"#;
    assert_eq!(
        refused(Register::Collectors, unknown),
        "/owner!column.unknown !column.unknown /licensed_until!column.missing"
    );
}

#[test]
fn keys_are_read_as_people_type_them() {
    let keys = keys_of(Register::VehicleModels, " byd 7000").unwrap();
    assert_eq!(keys.vehicle_models, ["BYD7000"]);
    let keys = keys_of(Register::Merchants, "91140802maxg612ddp").unwrap();
    assert_eq!(keys.merchants, ["91140802MAXG612DDP"]);
    assert_eq!(keys_of(Register::Merchants, "91140802MAXG612DDX"), None);
    assert_eq!(keys_of(Register::VehicleModels, "a\0"), None);
    assert_eq!(keys_of(Register::VehicleModels, " "), None);
}

proptest! {
    /// Where the network cuts a file makes no difference to what is read from it.
    #[test]
    fn pieces_do_not_matter(file in "[a,\"\n\r\u{feff}王{}:]{0,60}", piece in 1_usize..9, csv in any::<bool>()) {
        let (format, file) = if csv {
            (RegisterFormat::Csv, format!("{HEADER}{file}"))
        } else {
            (RegisterFormat::Ndjson, file)
        };
        let whole = lines(Register::Collectors, format, file.as_bytes(), usize::MAX);
        prop_assert_eq!(lines(Register::Collectors, format, file.as_bytes(), piece), whole);
    }

    #[test]
    fn csv_reads_back_what_the_csv_crate_writes(
        rows in proptest::collection::vec(proptest::collection::vec("[^\\p{Cc}\u{feff}]{0,8}|[a\",\n]{1,6}", 4), 0..6),
        piece in 1_usize..50,
    ) {
        let mut writer = csv::Writer::from_writer(HEADER.as_bytes().to_vec());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let file = writer.into_inner().unwrap();
        let found = lines(Register::Collectors, RegisterFormat::Csv, &file, piece).unwrap();
        let columns = ["credit_code", "name", "jurisdiction", "licensed_until"];
        let found = found.into_iter().map(|line| {
            let cells = line.columns.unwrap();
            columns.map(|column| cells[column].clone()).to_vec()
        });
        prop_assert_eq!(found.collect::<Vec<_>>(), rows);
    }
}

/// The interface spawns a load, so that a client who hangs up does not stop it between two awaits. Compiling is the test.
#[allow(dead_code)]
fn a_load_can_be_spawned(
    service: &crate::Service,
    permit: &crate::operation::Permit<crate::operation::access::KeepRegisters>,
) -> impl Future<Output = Result<super::LoadReport, crate::operation::ServiceError>> + Send {
    let body = futures::stream::empty::<Result<bytes::Bytes, std::io::Error>>();
    service
        .programmes()
        .load_register(permit, Register::Merchants, RegisterFormat::Csv, body)
}
