//! The main job, step by step over HTTP, each step printed with the `curl` that repeats it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::anyhow;
use partners::own_api::{Ask, OwnApi};
use serde_json::{Value, json};
use service::ports::{Clock, SystemClock};
use timing::shanghai;

use super::cast::{Cast, private};
use super::claims::{self, DemoClaim};
use super::identifiers::bank_account;
use super::stage::{Line, Stage, failed, text};
use crate::commands::say;

/// The merchant that is advanced money, and the fund that advances it.
const MERCHANT: (&str, &str, &str) = ("91140802MA2NH6NA3Q", "140802", "appliance-2026");

/// Runs all steps. The first step with an unexpected answer ends the story with an error.
pub(super) async fn run(cast: &Cast, dir: &Path) -> anyhow::Result<()> {
    let mut stage = Stage {
        api: OwnApi::new(&cast.url)?,
        cast,
        dir,
        tokens: HashMap::new(),
    };
    fs::create_dir_all(dir.join("claims"))?;
    cast.write_shell(dir)?;
    say(&format!(
        "\n以下各行可在另一终端粘贴执行 paste any line below after:\n  . {}",
        dir.join("demo.sh").display()
    ))?;
    stage.advance().await?;
    let mut returned = None;
    for claim in claims::all()? {
        let name = claim.name;
        let paid = stage.claim(claim).await?;
        match (name, paid) {
            ("air-conditioner", Some(id)) => {
                stage.give_back(&id).await?;
                returned = Some(id);
            }
            ("refrigerator", _) => {
                let id = returned.take().ok_or_else(|| anyhow!("nothing was returned"))?;
                stage.netted(&id).await?;
            }
            _ => {}
        }
    }
    stage.statement().await?;
    for county in ["140802", "140881"] {
        stage.balances(county).await?;
    }
    stage.export("140802").await
}

impl Stage<'_> {
    /// Yanhu advances money to a merchant: the merchant's claims are set against the advance first.
    async fn advance(&mut self) -> anyhow::Result<()> {
        say("\n━━ 预拨 · money ahead of a merchant's claims")?;
        let new = json!({"jurisdiction": MERCHANT.1, "programme": MERCHANT.2, "merchant": MERCHANT.0, "amount": "200.00",
            "document": "运商预〔2026〕1号"});
        let line = Line::new("treasury-1", "/v1/advances")
            .body(new)
            .key(format!("advance-{}", super::identifiers::tag(10)));
        let made = self
            .post("  预拨申请 made by one person of treasury", line)
            .await?
            .json();
        let batch = text(&made, "/disbursement")?;
        self.release(&batch).await?;
        self.show_file(&batch).await?;
        self.settle(&batch, &json!({"outcome": "paid"})).await?;
        let path = format!("/v1/advances/{}", text(&made, "/id")?);
        let stands = self
            .get(
                "  预拨余额 the advance as it stands",
                Line::new("treasury-1", path),
            )
            .await?
            .json();
        say(&format!(
            "   {}: 可抵扣 open {} 元",
            text(&stands, "/status")?,
            text(&stands, "/open")?
        ))
    }

    /// The goods of a paid claim are returned: its subsidy is due back, and netted against the
    /// merchant's next payment.
    async fn give_back(&mut self, id: &str) -> anyhow::Result<()> {
        say("\n━━ 退货 · the goods come back after payment")?;
        let line = Line::new("retailer-hualian", format!("/v1/claims/{id}/return"))
            .body(json!({"reason": "消费者七日内退货"}))
            .etag(self.etag("retailer-hualian", id).await?);
        let returned = self
            .post("  退货 returned: the subsidy is due back", line)
            .await?;
        show_status(&returned.json())?;
        self.clawback(id).await
    }

    async fn clawback(&mut self, id: &str) -> anyhow::Result<()> {
        let line = Line::new("auditor", format!("/v1/claims/{id}/clawback"));
        let stands = self
            .get(
                "  追缴情况 what is due, and what of it is netted, repaid and open",
                line,
            )
            .await?
            .json();
        let of = |name: &str| text(&stands, name);
        say(&format!(
            "   应追回 {} = 抵扣 {} + 待定 {} + 缴回 {} + 豁免 {} + 未追回 {}  〔{}〕",
            of("/due")?,
            of("/netted")?,
            of("/pending")?,
            of("/repaid")?,
            of("/waived")?,
            of("/open")?,
            of("/clause")?,
        ))
    }

    /// The amount due back has been netted against the next payment, and the bank paid the rest.
    async fn netted(&mut self, id: &str) -> anyhow::Result<()> {
        say("\n━━ 抵扣追缴 · what was due is netted against the payment before this line")?;
        self.clawback(id).await
    }

    /// What the county and the merchant owe each other, as both see it.
    async fn statement(&mut self) -> anyhow::Result<()> {
        say("\n━━ 清算单 · the settlement statement of the merchant")?;
        let today = shanghai::date(SystemClock.now());
        let (merchant, county, programme) = MERCHANT;
        let span = format!("jurisdiction={county}&programme={programme}&from={today}&to={today}");
        let line = Line::new("retailer-hualian", format!("/v1/statements/{merchant}?{span}"));
        let stands = self.get("  清算单 as the merchant sees it", line).await?.json();
        let of = |name: &str| text(&stands, name);
        say(&format!(
            "   应结：期初 {} + 批准 {} - 撤销 {} - 已付 {} + 退汇 {} = 期末 {}",
            of("/claims/opening")?,
            of("/claims/approved")?,
            of("/claims/withdrawn")?,
            of("/claims/paid")?,
            of("/claims/returned")?,
            of("/claims/closing")?,
        ))?;
        say(&format!(
            "   已付 {} = 银行支付 {} + 抵扣预拨 {} + 抵扣追缴 {}",
            of("/claims/paid")?,
            of("/claims/transferred")?,
            of("/claims/set_off")?,
            of("/claims/netted")?,
        ))?;
        let path = format!("/v1/statements/{merchant}/file?{span}&format=csv");
        let file = self
            .get(
                "  同一清算单，表格 the same as a table (or format=xlsx)",
                Line::new("treasury-1", path),
            )
            .await?;
        for line in file.text.trim_start_matches('\u{feff}').lines().take(18) {
            say(&format!("   {line}"))?;
        }
        Ok(())
    }

    /// Takes a claim to its end, and returns its id if it was paid.
    async fn claim(&mut self, claim: DemoClaim) -> anyhow::Result<Option<String>> {
        say(&format!("\n━━ {}", claim.title))?;
        for (register, row) in &claim.registers {
            self.load(register, row).await?;
        }
        let decided = self.submit(&claim).await?;
        let outcome = decided
            .pointer("/decision/outcome")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if outcome != claim.expected {
            return Err(anyhow!(
                "{}: expected {}, got {outcome}",
                claim.name,
                claim.expected
            ));
        }
        let id = text(&decided, "/id")?;
        let decided = match &claim.corrected {
            Some(corrected) => self.correct(&claim, &id, corrected).await?,
            None => decided,
        };
        if decided.pointer("/decision/outcome").and_then(Value::as_str) != Some("eligible") {
            return Ok(None);
        }
        self.review(&claim, &id).await?;
        self.pay(&claim, &id).await?;
        Ok(Some(id))
    }

    async fn load(&mut self, register: &str, row: &Value) -> anyhow::Result<()> {
        let token = self.token("admin-1").await?;
        let ask = Ask {
            token: Some(&token),
            body: Some(("application/x-ndjson", format!("{row}\n"))),
            ..Ask::default()
        };
        let answer = self.api.put(&format!("/v1/registers/{register}"), ask).await?;
        if answer.is_success() {
            Ok(())
        } else {
            Err(failed("load", &answer))
        }
    }

    async fn submit(&mut self, claim: &DemoClaim) -> anyhow::Result<Value> {
        let file = self.dir.join("claims").join(format!("{}.json", claim.name));
        private(&file, &serde_json::to_string_pretty(&claim.body)?)?;
        let key = text(&claim.body, "/merchant_reference")?;
        let line = Line::new(claim.client, "/v1/claims")
            .body(claim.body.clone())
            .key(key);
        let decided = self
            .post(
                "1 申请与决定 submitted and decided",
                line.file(file.display().to_string()),
            )
            .await?
            .json();
        show_decision(&decided)?;
        Ok(decided)
    }

    async fn correct(&mut self, claim: &DemoClaim, id: &str, corrected: &Value) -> anyhow::Result<Value> {
        let file = self
            .dir
            .join("claims")
            .join(format!("{}-corrected.json", claim.name));
        private(&file, &serde_json::to_string_pretty(corrected)?)?;
        let line = Line::new(claim.client, format!("/v1/claims/{id}/correction"))
            .body(corrected.clone())
            .key(format!("correct-{id}"))
            .file(file.display().to_string());
        let decided = self
            .post("  更正 corrected; place and reservation kept", line)
            .await?
            .json();
        show_decision(&decided)?;
        Ok(decided)
    }

    async fn review(&mut self, claim: &DemoClaim, id: &str) -> anyhow::Result<()> {
        let (reviewer, approver) = (
            format!("reviewer-{}", claim.jurisdiction),
            format!("approver-{}", claim.jurisdiction),
        );
        let etag = self.etag(&reviewer, id).await?;
        let line = Line::new(&reviewer, format!("/v1/claims/{id}/review"))
            .body(json!({"verdict": "recommend", "reason": "材料齐全"}))
            .key(format!("review-{id}"))
            .etag(etag);
        let reviewed = self.post("2 审核 reviewed", line).await?;
        show_status(&reviewed.json())?;
        let line = Line::new(&approver, format!("/v1/claims/{id}/approval"))
            .body(json!({"verdict": "approve", "reason": "同意"}))
            .key(format!("approve-{id}"))
            .etag(reviewed.etag);
        let approved = self
            .post("3 批准（另一人） approved by another person", line)
            .await?;
        show_status(&approved.json())
    }

    /// A buyer's first payment fails, the account is corrected, and the next payment succeeds; a
    /// merchant's succeeds at once.
    async fn pay(&mut self, claim: &DemoClaim, id: &str) -> anyhow::Result<()> {
        let mut batch = self.disburse(claim, &format!("pay-{id}")).await?;
        if claim.body.pointer("/payee/kind").and_then(Value::as_str) == Some("applicant") {
            let failed = json!({"outcome": "failed", "reason": "账户已销户"});
            self.settle(&batch, &failed).await?;
            self.expect(claim, id, "payment_failed").await?;
            let account = json!({"bank_account": bank_account(), "bank_name": "中国建设银行运城分行"});
            let line = Line::new(claim.client, format!("/v1/claims/{id}/payee")).body(account);
            self.put("  更正收款账户 the account is put right", line).await?;
            batch = self.disburse(claim, &format!("pay-again-{id}")).await?;
        }
        self.settle(&batch, &json!({"outcome": "paid"})).await?;
        self.expect(claim, id, "paid").await
    }

    /// Gathers what is payable, releases it, and fetches the bank's file.
    async fn disburse(&mut self, claim: &DemoClaim, key: &str) -> anyhow::Result<String> {
        let fund = json!({"jurisdiction": claim.jurisdiction, "programme": claim.programme});
        let line = Line::new("treasury-1", "/v1/disbursements")
            .body(fund)
            .key(key.to_owned());
        let made = self
            .post("4 支付 paid: gathered by one person of treasury", line)
            .await?
            .json();
        let batch = text(&made, "/id")?;
        if self.release(&batch).await? {
            self.show_file(&batch).await?;
        } else {
            say("   全部抵扣，无须付款 nothing is left to send")?;
        }
        Ok(batch)
    }

    /// Whether something is left for the bank to pay.
    async fn release(&mut self, batch: &str) -> anyhow::Result<bool> {
        let line = Line::new("treasury-2", format!("/v1/disbursements/{batch}/release"))
            .body(json!({}))
            .key(format!("release-{batch}"));
        let released = self.post("  放行（另一人） released by another", line).await?;
        Ok(text(&released.json(), "/status")? != "settled")
    }

    async fn show_file(&mut self, batch: &str) -> anyhow::Result<()> {
        let file = format!("/v1/disbursements/{batch}/instruction?format=pain.001");
        let file = self
            .get(
                "  付款指令 the bank's file (pain.001)",
                Line::new("treasury-1", file),
            )
            .await?;
        let sums = file.text.lines().map(str::trim);
        for line in sums
            .filter(|line| line.starts_with("<CtrlSum>") || line.starts_with("<NbOfTxs>"))
            .take(2)
        {
            say(&format!("   {line}"))?;
        }
        Ok(())
    }

    /// Records the bank's result for every payment of a disbursement, and checks the totals.
    async fn settle(&mut self, batch: &str, bank_result: &Value) -> anyhow::Result<()> {
        let payments = self
            .get(
                "  付款明细 its payments",
                Line::new("treasury-1", format!("/v1/disbursements/{batch}/payments")),
            )
            .await?
            .json();
        let items = payments.pointer("/items").and_then(Value::as_array);
        let results = items.into_iter().flatten().map(|item| {
            let mut result = bank_result.clone();
            if let (Some(result), Some(id)) = (result.as_object_mut(), item.get("id")) {
                result.insert("payment".into(), id.clone());
            }
            result
        });
        let line = Line::new("treasury-1", format!("/v1/disbursements/{batch}/results"))
            .body(json!({"items": results.collect::<Vec<_>>()}))
            .key(format!("results-{batch}"));
        self.post("  银行结果 the bank's result", line).await?;
        let stands = self
            .get(
                "  对账 sent = paid + failed + returned + open",
                Line::new("treasury-1", format!("/v1/disbursements/{batch}/reconciliation")),
            )
            .await?
            .json();
        let of = |name: &str| {
            let amount = stands.pointer(&format!("/{name}/amount")).and_then(Value::as_str);
            amount.unwrap_or_default().to_owned()
        };
        say(&format!(
            "   已发 {} = 成功 {} + 失败 {} + 退汇 {} + 在途 {}",
            of("sent"),
            of("paid"),
            of("failed"),
            of("returned"),
            of("open"),
        ))
    }

    async fn expect(&mut self, claim: &DemoClaim, id: &str, status: &str) -> anyhow::Result<()> {
        let stands = self
            .get(
                "  现状 as it stands",
                Line::new(claim.client, format!("/v1/claims/{id}")),
            )
            .await?
            .json();
        show_status(&stands)?;
        if text(&stands, "/status")? == status {
            Ok(())
        } else {
            Err(anyhow!("{}: not {status}", claim.name))
        }
    }

    async fn balances(&mut self, county: &str) -> anyhow::Result<()> {
        let line = Line::new("auditor", format!("/v1/ledgers/{county}/balances"));
        let balances = self
            .get(&format!("\n━━ 余额 balances of {county}"), line)
            .await?
            .json();
        let items = balances
            .pointer("/items")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for item in &items {
            let of = |name: &str| {
                item.pointer(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            // Of a county's eleven funds, only those with payments are printed.
            if of("/balances/disbursed") == "0.00" {
                continue;
            }
            say(&format!(
                "   {:<26} 拨款 {:>14}  可用 {:>14}  预留 {:>10}  应付 {:>10}  已付 {:>12}",
                of("/programme"),
                of("/balances/appropriated"),
                of("/balances/available"),
                of("/balances/reserved"),
                of("/balances/payable"),
                of("/balances/disbursed"),
            ))?;
        }
        Ok(())
    }

    async fn export(&mut self, county: &str) -> anyhow::Result<()> {
        let path = format!("/v1/ledgers/{county}/export?format=csv&lang=zh");
        let export = self
            .get(
                &format!("\n━━ 台账导出 ledger export of {county}"),
                Line::new("auditor", path),
            )
            .await?;
        let lines = export
            .text
            .trim_start_matches('\u{feff}')
            .lines()
            .collect::<Vec<_>>();
        for line in lines.iter().take(1).chain(lines.iter().rev().take(8).rev()) {
            say(&format!("   {line}"))?;
        }
        say(&format!("   … {} 行 lines", lines.len().saturating_sub(1)))
    }
}

fn show_decision(claim: &Value) -> anyhow::Result<()> {
    let of = |pointer: &str| {
        claim
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or("-")
            .to_owned()
    };
    say(&format!(
        "   {} → {}（{}）  补贴 subsidy {} 元  凭据 receipt {}",
        of("/id"),
        of("/decision/outcome"),
        of("/status"),
        of("/subsidy/amount"),
        of("/decision/receipt"),
    ))?;
    let rules = claim
        .pointer("/decision/rules")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for rule in &rules {
        let of = |name: &str| {
            rule.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let mark = match of("outcome").as_str() {
            "pass" => "✓",
            "fail" => "✗",
            _ => "?",
        };
        say(&format!("     {mark} {}  〔{}〕", of("message"), of("clause")))?;
        if let Some(fix) = rule.get("fix").and_then(Value::as_str) {
            say(&format!("       → {fix}"))?;
        }
    }
    Ok(())
}

fn show_status(claim: &Value) -> anyhow::Result<()> {
    say(&format!(
        "   状态 status: {}",
        claim.get("status").and_then(Value::as_str).unwrap_or("-")
    ))
}
