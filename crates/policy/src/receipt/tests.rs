use super::*;

const SOURCE: &str = include_str!("../../../../seeds/programmes/appliance-2026.toml");

/// A receipt that nobody changed is read the short way, and that says what the long way says.
#[test]
fn a_receipt_as_it_was_written_comes_out_again() {
    let programme = Programme::parse(SOURCE).unwrap();
    let mut quota = RuleOutcome::system("quota", false);
    quota.facts.insert("quota.slot", Value::Text("a \"slot\"".into()));
    quota.facts.insert("quota.taken", Value::Bool(true));
    for example in programme.examples() {
        let decision = programme.decide(&example.facts);
        for system in [
            &[][..],
            &[RuleOutcome::system("unique-invoice", true), quota.clone()],
        ] {
            let json = receipt(&programme, &example.facts, &decision, system).json;
            let again = open(&json).unwrap().written_again(&programme);
            assert_eq!(
                again,
                Some(read_by_parts(&programme, &json).unwrap()),
                "{}",
                example.name
            );
        }
    }
}

/// Whatever byte is changed, the short way takes what the long way takes, and for the same. (A fact that no rule reads may be
/// another; its digest then is another, too.)
#[test]
fn both_ways_agree_on_a_receipt_with_another_byte() {
    let programme = Programme::parse(SOURCE).unwrap();
    let facts = &programme.examples().first().unwrap().facts;
    let decision = programme.decide(facts);
    let system = [RuleOutcome::system("unique-invoice", true)];
    let json = receipt(&programme, facts, &decision, &system).json;
    for at in 0..json.len() {
        let mut bytes = json.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(changed) = String::from_utf8(bytes) {
            let short = open(&changed).ok().and_then(|it| it.written_again(&programme));
            assert_eq!(short, read_by_parts(&programme, &changed).ok(), "byte {at}");
        }
    }
}
