use chrono::NaiveDate;
use policy::Lang;
use proptest::prelude::*;

use super::*;

const CREDIT_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Appends the check character that the parser expects: the parser is the only implementation, and
/// the published numbers below pin it to the standards.
fn completed<T>(body: &str, alphabet: &str, parse: impl Fn(&str) -> Result<T, IdentifierError>) -> String {
    let mut valid = alphabet
        .chars()
        .map(|c| format!("{body}{c}"))
        .filter(|text| parse(text).is_ok());
    let only = valid.next().expect("one check character is right");
    assert!(valid.next().is_none(), "only one check character is right");
    only
}

fn replaced(text: &str, at: usize, with: char) -> String {
    text.chars()
        .enumerate()
        .map(|(i, c)| if i == at { with } else { c })
        .collect()
}

fn transposed(text: &str, at: usize) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    chars.swap(at, at + 1);
    chars.into_iter().collect()
}

/// The check character is wrong, and the error has its position and the expected character.
fn assert_caught<T: std::fmt::Debug>(
    wrong: &str,
    parse: impl Fn(&str) -> Result<T, IdentifierError>,
) -> Result<(), TestCaseError> {
    match parse(wrong) {
        Err(IdentifierError::CheckDigit {
            position, expected, ..
        }) => {
            prop_assert_eq!(position, wrong.chars().count());
            prop_assert!(parse(&replaced(wrong, position - 1, expected)).is_ok());
        }
        // A slip in a date or in the place of the X gives a more specific error than the check
        // digit.
        Err(
            IdentifierError::Date {
                first: 7, last: 14, ..
            }
            | IdentifierError::Character { .. },
        ) => {}
        other => prop_assert!(false, "{:?}", other),
    }
    Ok(())
}

fn credit_code() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(CREDIT_ALPHABET.chars().collect::<Vec<_>>()),
        17,
    )
    .prop_map(|body| {
        completed(
            &body.into_iter().collect::<String>(),
            CREDIT_ALPHABET,
            CreditCode::parse,
        )
    })
}

fn identity_number() -> impl Strategy<Value = (String, NaiveDate)> {
    ("[1-9][0-9]{5}", 0..60_000_u64, "[0-9]{3}").prop_map(|(area, day, order)| {
        let birth = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap() + chrono::Days::new(day);
        let body = format!("{area}{}{order}", birth.format("%Y%m%d"));
        (completed(&body, "0123456789X", IdentityNumber::parse), birth)
    })
}

#[test]
fn known_numbers() {
    // From the standards' own examples and widely published codes.
    for code in ["91350100M000100Y43", "91110000600037341L", "9111000071093123XX"] {
        assert!(CreditCode::parse(code).is_ok(), "{code}");
    }
    for number in ["11010519491231002X", "440524188001010014"] {
        let parsed = IdentityNumber::parse(number);
        assert_eq!(parsed.is_ok(), !number.contains("1880"), "{number}");
    }
    assert!(Vin::parse("1M8GDM9AXKP042788").unwrap().check_digit_matches());
    assert!(Vin::parse("11111111111111111").unwrap().check_digit_matches());
    assert!(!Vin::parse("1M8GDM9A0KP042788").unwrap().check_digit_matches());
    assert_eq!(
        Vin::parse("1M8GDM9A0KP042788").unwrap().expected_check_digit(),
        'X'
    );
    assert!(Gtin13::parse("6901234567892").is_ok());
    assert!(Gtin13::parse("4006381333931").is_ok());
    assert!(Imei::parse("490154203237518").is_ok());
}

#[test]
fn an_impossible_date_is_named() {
    let check = |number: &str, part| {
        let error = IdentityNumber::parse(number).unwrap_err();
        assert_eq!(
            error,
            IdentifierError::Date {
                kind: IdentifierKind::IdentityNumber,
                part,
                first: 7,
                last: 14
            }
        );
        assert_eq!(error.code(), "identity-number.date");
        assert!(error.message(Lang::Zh).contains("第7至14位"));
    };
    check("140802198513140011", DatePart::Month);
    check("140802198502290011", DatePart::Day);
    check("140802198500140011", DatePart::Month);
    check("140802998501140011", DatePart::Year);
}

#[test]
fn errors_say_where_and_never_what() {
    let error = IdentityNumber::parse("11010519491231002１").unwrap_err();
    assert_eq!(
        error,
        IdentifierError::CheckDigit {
            kind: IdentifierKind::IdentityNumber,
            position: 18,
            expected: 'X'
        }
    );
    assert_eq!(error.code(), "identity-number.check-digit");
    for lang in [Lang::Zh, Lang::En] {
        assert!(error.message(lang).contains("18") && error.message(lang).contains('X'));
        assert!(!error.message(lang).contains("110105"));
    }
    let kind = IdentifierKind::Vin;
    assert_eq!(
        Vin::parse("1M8GDM9AXKP04278O"),
        Err(IdentifierError::Character { kind, position: 17 })
    );
    assert_eq!(
        Vin::parse("1M8GDM9AXKP04278"),
        Err(IdentifierError::Length { kind, found: 16 })
    );
    let kind = IdentifierKind::CreditCode;
    assert_eq!(
        CreditCode::parse("9135I100M000100Y43"),
        Err(IdentifierError::Character { kind, position: 5 })
    );
}

#[test]
fn personal_values_do_not_print() {
    let number = IdentityNumber::parse("11010519491231002x").unwrap();
    assert_eq!(format!("{number:?}"), "IdentityNumber(***)");
    assert_eq!(number.masked(), "1101**********002X");
    assert_eq!(number.expose(), "11010519491231002X");
    assert_eq!(
        format!("{:?}", PersonName::parse("王建国").unwrap()),
        "PersonName(***)"
    );
    assert_eq!(PersonName::parse("王建国").unwrap().masked(), "王**");
    assert_eq!(PersonName::parse("王").unwrap().masked(), "*");
    assert_eq!(Phone::parse("+86 138-0013-8000").unwrap().masked(), "138****8000");
    assert_eq!(
        BankAccount::parse("6222 0212 3456 7890 123").unwrap().masked(),
        "***************0123"
    );
    assert_eq!(
        format!("{:?}", Vin::parse("1M8GDM9AXKP042788").unwrap()),
        "Vin(***)"
    );
    assert_eq!(
        format!("{:?}", PlateNumber::parse("晋M12345").unwrap()),
        "PlateNumber(***)"
    );
}

#[test]
fn invoices_have_one_spelling() {
    for (text, canonical) in [
        ("26142000000012345678", "26142000000012345678"),
        (" ２６142000000012345678 ", "26142000000012345678"),
        ("1400212130-01234567", "140021213001234567"),
        ("1400212130 01234567", "140021213001234567"),
        ("014002100211 - 01234567", "01400210021101234567"),
        ("140021213001234567", "140021213001234567"),
    ] {
        assert_eq!(InvoiceNumber::parse(text).unwrap().canonical(), canonical);
    }
    for text in [
        "",
        "-",
        "1",
        "1400212130-0123456",
        "140021213-001234567",
        "1-2-3",
        "1400212130/01234567",
        "2614200000001234567",
    ] {
        assert!(InvoiceNumber::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn plates_phones_and_others() {
    for plate in [
        "晋M12345",
        "晋M·12345",
        "晋m12345",
        "晋MD12345",
        "晋M1234学",
        " 晋Ｍ12345 ",
    ] {
        assert!(PlateNumber::parse(plate).is_ok(), "{plate}");
    }
    for plate in ["M123456", "晋M1234", "晋M1学234", "晋M123456789", "晋晋12345"] {
        assert!(PlateNumber::parse(plate).is_err(), "{plate}");
    }
    for phone in ["13800138000", "0359-2022333", "+8613800138000", "008613800138000"] {
        assert!(Phone::parse(phone).is_ok(), "{phone}");
    }
    for phone in ["12800138000", "1380013800", "2022333", "phone", ""] {
        assert!(Phone::parse(phone).is_err(), "{phone}");
    }
    assert_eq!(SerialNumber::parse(" ｓn-001a ").unwrap().as_str(), "SN-001A");
    assert!(SerialNumber::parse(&"1".repeat(65)).is_err());
    assert!(PersonName::parse("王\u{200B}建国").is_err());
    assert!(MerchantReference::parse(" \t ").is_err());
    assert!(ProgrammeId::parse("appliance-2026").is_ok());
    assert!(ProgrammeId::parse("Appliance").is_err());
    for code in ["140802", "140802404"] {
        assert_eq!(JurisdictionCode::parse(code).unwrap().as_str(), code);
    }
    for code in ["", "14080", "1408021", "14080x", "040802", "１40802"] {
        assert!(JurisdictionCode::parse(code).is_err(), "{code}");
    }
}

#[test]
fn every_error_speaks_both_languages() {
    for kind in IdentifierKind::ALL {
        for error in [
            IdentifierError::Length { kind, found: 3 },
            IdentifierError::Character { kind, position: 2 },
            IdentifierError::CheckDigit {
                kind,
                position: 9,
                expected: '7',
            },
            IdentifierError::Form { kind },
        ] {
            assert!(error.code().starts_with(kind.as_str()));
            assert!(error.message(Lang::Zh).contains(kind.title(Lang::Zh)));
            assert!(error.message(Lang::En).contains(kind.form(Lang::En)) || error.code().ends_with("digit"));
        }
    }
}

proptest! {
    #[test]
    fn credit_codes(code in credit_code(), at in 0..18_usize, with in prop::sample::select(CREDIT_ALPHABET.chars().collect::<Vec<_>>())) {
        let parsed = CreditCode::parse(&code).unwrap();
        prop_assert_eq!(CreditCode::parse(&parsed.to_string()), Ok(parsed.clone()));
        let slip = replaced(&code, at, with);
        if slip != code {
            assert_caught(&slip, CreditCode::parse)?;
        }
        let swap = transposed(&code, at.min(16));
        if swap != code {
            assert_caught(&swap, CreditCode::parse)?;
        }
    }

    #[test]
    fn identity_numbers((number, birth) in identity_number(), at in 0..18_usize, with in prop::char::range('0', '9')) {
        let parsed = IdentityNumber::parse(&number).unwrap();
        prop_assert_eq!(parsed.expose(), &number);
        prop_assert_eq!(parsed.birth_date(), birth);
        let slip = replaced(&number, at, with);
        if slip != number {
            assert_caught(&slip, IdentityNumber::parse)?;
        }
        let swap = transposed(&number, at.min(16));
        if swap != number {
            assert_caught(&swap, IdentityNumber::parse)?;
        }
    }

    #[test]
    fn vins(body in "[A-HJ-NPR-Z0-9]{17}", at in 0..17_usize, with in prop::char::range('0', '9')) {
        let expected = Vin::parse(&body).unwrap().expected_check_digit();
        let text = replaced(&body, 8, expected);
        let vin = Vin::parse(&text).unwrap();
        prop_assert_eq!(vin.expose(), &text);
        prop_assert!(vin.check_digit_matches());
        // Letters share values with digits: only a change of value can be detected.
        let value = |text: &str| Vin::parse(text).unwrap().expected_check_digit();
        let slip = replaced(&text, at, with);
        let same_value = value(&slip) == expected && at != 8 || slip == text;
        prop_assert_eq!(Vin::parse(&slip).unwrap().check_digit_matches(), same_value);
        let old = text.chars().nth(at).unwrap();
        if old.is_ascii_digit() && old != with {
            prop_assert!(!Vin::parse(&slip).unwrap().check_digit_matches());
        }
        let at = at.min(15);
        let (a, b) = (text.chars().nth(at).unwrap(), text.chars().nth(at + 1).unwrap());
        if a.is_ascii_digit() && b.is_ascii_digit() && a != b && at != 7 && at != 8 {
            prop_assert!(!Vin::parse(&transposed(&text, at)).unwrap().check_digit_matches());
        }
    }

    #[test]
    fn gtins(body in "[0-9]{12}", at in 0..13_usize, with in prop::char::range('0', '9')) {
        let code = completed(&body, "0123456789", Gtin13::parse);
        prop_assert_eq!(Gtin13::parse(&code).unwrap().to_string(), code.clone());
        let slip = replaced(&code, at, with);
        if slip != code {
            assert_caught(&slip, Gtin13::parse)?;
        }
        // Weights 1 and 3 do not detect a swap of digits that differ by five.
        let at = at.min(11);
        let digit = |i| code.chars().nth(i).unwrap().to_digit(10).unwrap();
        let swap = transposed(&code, at);
        if digit(at).abs_diff(digit(at + 1)) % 5 == 0 {
            prop_assert!(Gtin13::parse(&swap).is_ok());
        } else {
            assert_caught(&swap, Gtin13::parse)?;
        }
    }

    #[test]
    fn imeis(body in "[0-9]{14}", at in 0..15_usize, with in prop::char::range('0', '9')) {
        let number = completed(&body, "0123456789", Imei::parse);
        prop_assert_eq!(Imei::parse(&number).unwrap().expose().to_owned(), number.clone());
        let slip = replaced(&number, at, with);
        if slip != number {
            assert_caught(&slip, Imei::parse)?;
        }
        // Luhn does not detect 09 becoming 90.
        let at = at.min(13);
        let swap = transposed(&number, at);
        let pair = &number[at..at + 2];
        if pair == "09" || pair == "90" || swap == number {
            prop_assert!(Imei::parse(&swap).is_ok());
        } else {
            assert_caught(&swap, Imei::parse)?;
        }
    }

    #[test]
    fn no_parser_panics_or_is_unstable(text in ".{0,40}") {
        macro_rules! stable {
            ($($name:ident),+) => {$(
                if let Ok(value) = $name::parse(&text) {
                    prop_assert_eq!($name::parse(value.expose()), Ok(value.clone()));
                }
            )+};
        }
        stable!(
            CreditCode, IdentityNumber, Vin, Gtin13, Imei, SerialNumber, InvoiceNumber, PlateNumber, BankAccount, Phone,
            EfficiencyRecord, CertificateNumber, MerchantReference, PersonName, Address, EntitlementCode, ProgrammeId
        );
    }
}
