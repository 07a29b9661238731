use claims::life_cycle::{Status, Verb};
use policy::Lang;

use super::*;

#[test]
fn codes_are_unique_and_statuses_are_errors() {
    for (i, kind) in Kind::ALL.iter().enumerate() {
        assert!(kind.status().as_u16() >= 400, "{kind:?}");
        assert!(
            Kind::ALL
                .iter()
                .skip(i + 1)
                .all(|other| other.code() != kind.code()),
            "{kind:?}"
        );
        assert_eq!(Kind::of_code(kind.code()), Some(*kind));
    }
}

#[test]
fn the_page_has_a_row_for_every_kind() {
    let page = problems_markdown();
    assert!(
        Kind::ALL
            .iter()
            .all(|kind| page.contains(&format!("| `{}` |", kind.code())))
    );
}

#[test]
fn words_follow_the_language_and_the_code_does_not() {
    let problem = Problem::from(Refusal::OutOfTurn {
        status: Status::Paid,
        verb: Verb::Withdraw,
    });
    let (zh, en) = (problem.view(Lang::Zh, "r"), problem.view(Lang::En, "r"));
    assert_eq!((zh.code.as_str(), zh.status), ("out-of-turn", 409));
    assert_eq!(zh.code, en.code);
    assert_ne!(zh.title, en.title);
    assert_eq!(en.detail, "withdraw is out of turn for a claim that is paid");
}

#[test]
fn an_internal_error_keeps_its_text_to_itself() {
    let problem = Problem::from(ServiceError::Bug("claim 7 has no decision".into()));
    let body = serde_json::to_string(&problem.view(Lang::En, "r")).unwrap();
    assert!(!body.contains("decision"), "{body}");
    assert!(problem.to_string().contains("claim 7"));
}

#[test]
fn headers_that_a_status_asks_for() {
    let retry = Problem::from(Refusal::Throttled { retry_after_s: 7 }).respond(Lang::Zh, "r");
    assert_eq!(retry.headers().get("retry-after").unwrap(), "7");
    let allow = Problem::MethodNotAllowed(vec!["GET".into(), "HEAD".into()]).respond(Lang::Zh, "r");
    assert_eq!(allow.headers().get("allow").unwrap(), "GET, HEAD");
    let bearer = Problem::from(Refusal::BadToken).respond(Lang::En, "r");
    assert_eq!(
        bearer.headers().get("www-authenticate").unwrap(),
        r#"Bearer realm="huanxin""#
    );
    assert_eq!(bearer.headers().get("content-language").unwrap(), "en");
    assert_eq!(
        bearer.headers().get("content-type").unwrap(),
        "application/problem+json"
    );
}

#[test]
fn clients_of_oauth_find_their_member() {
    let view = Problem::from(Refusal::BadCredentials).view(Lang::En, "r");
    assert_eq!(
        (view.code.as_str(), view.error.as_deref()),
        ("invalid-client", Some("invalid_client"))
    );
}
