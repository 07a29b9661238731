use super::*;

const SOURCE: &str = include_str!("../../../../seeds/programmes/appliance-2026.toml");

/// An unchanged receipt is read the short way, with the same result as the long way.
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

/// If any byte is changed, the short way accepts exactly the texts that the long way accepts, with
/// the same result. (A fact that no rule reads may differ; then its digest differs too.)
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
