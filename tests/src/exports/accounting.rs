//! Accounting data of GB/T 24589.1: every balance is recomputed from the vouchers of the same file,
//! and from the ledger.

use std::collections::BTreeMap;

use ledger::{Account, Fen};
use serde_json::Value;
use testkit::{Sale, YANHU, yuan};

use super::{PROGRAMME, busy, export, lines};

fn fen(value: &Value) -> i64 {
    yuan(value.as_str().unwrap()).get()
}

fn code(account: Account) -> &'static str {
    match account {
        Account::Available => "1101",
        Account::Reserved => "1102",
        Account::Payable => "1103",
        Account::InPayment => "1104",
        Account::Recoverable => "1201",
        Account::Advanced => "1301",
        Account::Appropriated => "3001",
        Account::Disbursed => "5001",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_are_what_the_vouchers_come_to() {
    let app = busy().await;
    let first = lines(&export(&app, "140802/export?format=csv").await)[0][1][..10].to_owned();
    app.clock.advance(chrono::Duration::days(40));
    for claim in app.many(2, &Sale::air_conditioner()).await {
        app.submit(claim).await;
    }
    let last = lines(&export(&app, "140802/export?format=csv").await)
        .last()
        .unwrap()[1][..10]
        .to_owned();
    let path = format!("140802/export?format=gbt24589&syntax=json&from={first}&to={last}");
    let books = export(&app, &path).await.json();
    let ledger = &books["总账"];
    let kinds = ledger["会计科目"].as_array().unwrap();
    assert_eq!(kinds.len(), 8);

    // Movements, from the vouchers: debits and credits by account, programme and month.
    let mut moved = BTreeMap::<(String, String, String), (i64, i64)>::new();
    let vouchers = ledger["记账凭证"].as_array().unwrap();
    let mut whole = BTreeMap::<String, (i64, usize)>::new();
    for line in vouchers {
        let (debit, credit) = (fen(&line["借方本币金额"]), fen(&line["贷方本币金额"]));
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let month = format!("{}-{}", text("会计年度"), text("会计期间号"));
        let sums = moved
            .entry((text("科目编号"), text("辅助项1编号"), month))
            .or_default();
        (sums.0, sums.1) = (sums.0 + debit, sums.1 + credit);
        let voucher = whole.entry(text("记账凭证编号")).or_default();
        (voucher.0, voucher.1) = (voucher.0 + debit - credit, voucher.1 + 1);
    }
    assert!(
        whole.values().all(|it| *it == (0, 2)),
        "a voucher balances in two lines"
    );
    assert_eq!(
        whole.len(),
        lines(&export(&app, "140802/export?format=csv").await).len()
    );

    // Each balance begins where the month before ended, and its movements are the vouchers'.
    let balances = ledger["科目余额及发生额"].as_array().unwrap();
    let mut ended = BTreeMap::<(String, String), i64>::new();
    let mut months = std::collections::BTreeSet::new();
    for line in balances {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let key = (text("科目编号"), text("辅助项1编号"));
        let month = format!("{}-{}", text("会计年度"), text("会计期间号"));
        months.insert(month.clone());
        let opening = fen(&line["期初本币余额"]);
        assert_eq!(opening, ended.get(&key).copied().unwrap_or(0));
        let (debit, credit) = moved
            .remove(&(key.0.clone(), key.1.clone(), month))
            .unwrap_or_default();
        assert_eq!(
            (debit, credit),
            (fen(&line["借方本币金额"]), fen(&line["贷方本币金额"]))
        );
        let sign = if text("期初余额方向") == "贷" {
            -1
        } else {
            1
        };
        let closing = fen(&line["期末本币余额"]);
        assert_eq!(closing, opening + sign * (debit - credit));
        ended.insert(key, closing);
    }
    assert!(moved.is_empty() && months.len() > 1, "{moved:?} {months:?}");
    let balances = app.balances(YANHU, PROGRAMME).await;
    for account in Account::ALL {
        let key = (code(account).to_owned(), PROGRAMME.to_owned());
        assert_eq!(Fen::new(ended[&key]), Ok(balances.get(account)), "{account}");
    }

    // The next part begins with the balances at the end of the one before, and ends as the whole
    // does.
    let before = last.parse::<chrono::NaiveDate>().unwrap().pred_opt().unwrap();
    let part = format!("140802/export?format=gbt24589&syntax=json&from=2026-01-01&to={before}");
    let part = export(&app, &part).await.json();
    let mut began = std::collections::BTreeMap::new();
    for line in part["总账"]["科目余额及发生额"].as_array().unwrap() {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        began.insert(
            (text("科目编号"), text("辅助项1编号")),
            fen(&line["期末本币余额"]),
        );
    }
    let rest = format!("140802/export?format=gbt24589&syntax=json&from={last}&to={last}");
    let rest = export(&app, &rest).await.json();
    for line in rest["总账"]["科目余额及发生额"].as_array().unwrap() {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let key = (text("科目编号"), text("辅助项1编号"));
        assert_eq!(fen(&line["期末本币余额"]), ended[&key]);
        assert_eq!(fen(&line["期初本币余额"]), began.get(&key).copied().unwrap_or(0));
    }
    let accounts = &books["公共档案"]["电子账簿"][0];
    assert_eq!(
        (&accounts["电子账簿编号"], &accounts["会计核算单位"]),
        (&"140802".into(), &"盐湖区".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_the_same_in_every_syntax_and_encoding() {
    let app = busy().await;
    let path = "140802/export?format=gbt24589&from=2026-01-01&to=2026-12-31";
    let xml = export(&app, path).await;
    assert_eq!(xml.header("content-type"), Some("application/xml; charset=UTF-8"));
    let text = xml.text();
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
    let chinese = export(&app, &format!("{path}&encoding=gb18030")).await;
    assert_eq!(
        chinese.header("content-type"),
        Some("application/xml; charset=GB18030")
    );
    assert_ne!(chinese.body, xml.body);
    let (decoded, _, wrong) = encoding_rs::GB18030.decode(&chinese.body);
    assert!(!wrong);
    assert_eq!(decoded.replacen("GB18030", "UTF-8", 1), text);
    let json = export(&app, &format!("{path}&syntax=json")).await.json();
    let mut counted = 0;
    for section in ["公共档案", "总账"] {
        for (table, records) in json[section].as_object().unwrap() {
            let tags = text.matches(&format!("<{table}>")).count();
            assert_eq!(tags, records.as_array().unwrap().len(), "{table}");
            for record in records.as_array().unwrap() {
                let fields = record.as_object().unwrap().iter();
                // Values of these books have nothing that XML would escape.
                let fields = fields
                    .map(|(name, value)| format!("<{name}>{}</{name}>", value.as_str().unwrap()))
                    .collect::<Vec<_>>();
                let said = text.match_indices(&format!("<{table}>")).any(|(at, tag)| {
                    let inner = &text[at + tag.len()..];
                    let inner = &inner[..inner.find(&format!("</{table}>")).unwrap()];
                    fields.iter().all(|field| inner.contains(field.as_str()))
                        && inner.len() == fields.iter().map(String::len).sum::<usize>()
                });
                assert!(said, "{table}: {record}");
                counted += 1;
            }
        }
    }
    assert!(counted > 100, "{counted}");
}
