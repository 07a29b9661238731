//! The OpenAPI document: what the routes say, completed with what holds for all of them.

mod finish;

use actix_web::App;
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;

/// The head of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Huanxin",
        description = "换新：消费品以旧换新补贴的申领、审核与拨付。Claims for trade-in subsidies: submission, review and payout.\n\nMoney is a string of yuan with two decimals. Dates are `YYYY-MM-DD` in Asia/Shanghai, instants RFC 3339. Lists are keyset pages. Errors are `application/problem+json`; `problems.md` says for each what to do. Messages follow `Accept-Language` (`zh-CN`, `en`); codes and ids never change with it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "This service.")),
    tags(
        (name = "access", description = "令牌 · Tokens"),
        (name = "claims", description = "申领 · Claims"),
        (name = "review", description = "审核与批准 · Review and approval"),
        (name = "funds", description = "资金与上限 · Funds and caps"),
        (name = "disbursements", description = "拨付 · Disbursements"),
        (name = "webhooks", description = "通知 · Webhooks of merchants"),
        (name = "ledgers", description = "账簿 · Ledgers"),
        (name = "transparency", description = "透明日志 · Transparency log"),
        (name = "programmes", description = "补贴项目 · Programmes"),
        (name = "registers", description = "登记库 · Registers"),
        (name = "public", description = "公示 · For anybody"),
        (name = "operations", description = "运行 · Operations"),
    ),
    components(schemas(crate::http::problem::ProblemView, crate::http::problem::FieldErrorView)),
)]
struct Head;

fn collected() -> utoipa::openapi::OpenApi {
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(Head::openapi())
        .configure(crate::routes::routes)
        .split_for_parts();
    document
}

/// The document as it is served and as it is committed under `api-spec/`: pretty, keys in a stable order, ends in a newline.
pub fn openapi_json() -> String {
    let mut document = serde_json::to_value(collected()).unwrap_or_default();
    finish::finish(&mut document);
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Every path with the methods it takes, in upper case.
pub fn operations() -> Vec<(String, Vec<String>)> {
    let document = serde_json::to_value(collected()).unwrap_or_default();
    let paths = document
        .get("paths")
        .and_then(|paths| paths.as_object())
        .cloned()
        .unwrap_or_default();
    let methods = |item: serde_json::Value| {
        let item = item.as_object().cloned().unwrap_or_default();
        item.keys()
            .filter(|key| finish::METHODS.contains(&key.as_str()))
            .map(|key| key.to_uppercase())
            .collect()
    };
    paths
        .into_iter()
        .map(|(path, item)| (path, methods(item)))
        .collect()
}

#[cfg(test)]
mod tests;
