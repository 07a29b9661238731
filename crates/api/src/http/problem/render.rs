//! A problem in the caller's language.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};
use chrono::SecondsFormat;
use ledger::log::NoteError;
use policy::Lang;
use serde::{Deserialize, Serialize};
use service::{FieldError, Refusal};
use utoipa::ToSchema;

use crate::http::lang::{pick, tag};
use crate::http::problem::{Kind, Problem, kind_of};

/// A problem (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemView {
    /// Where the problem is explained.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", max_length = 64, example = "/problems/invalid")]
    pub kind: String,
    /// The same for every problem of the code, in the caller's language.
    #[schema(max_length = 200)]
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub status: u16,
    /// What is wrong this time.
    #[schema(max_length = 1000)]
    pub detail: String,
    /// Stable, for machines.
    #[schema(pattern = "^[a-z-]{1,40}$", example = "invalid")]
    pub code: String,
    /// What to do about it.
    #[schema(max_length = 400)]
    pub hint: String,
    /// Each field that is wrong; empty where no field is.
    #[schema(max_items = 1000)]
    pub errors: Vec<FieldErrorView>,
    /// The id that finds the request in the log; `X-Request-Id` too.
    #[schema(max_length = 64)]
    pub request_id: String,
    /// Only from `/oauth/token`, for clients of RFC 6749.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40, example = "invalid_client")]
    pub error: Option<String>,
}

/// One field that is wrong. The value is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FieldError)]
pub struct FieldErrorView {
    /// JSON pointer (RFC 6901) into the body; `/query/…` and `/header/…` name a parameter; in a batch the first part is the line.
    #[schema(max_length = 400, example = "/applicant/identity_number")]
    pub pointer: String,
    /// Stable, for machines.
    #[schema(max_length = 64, example = "identity-number.check-digit")]
    pub code: String,
    /// In the caller's language.
    #[schema(max_length = 1000)]
    pub detail: String,
}

impl FieldErrorView {
    pub fn of(error: &FieldError, lang: Lang) -> FieldErrorView {
        FieldErrorView {
            pointer: error.pointer.clone(),
            code: error.code.clone(),
            detail: error.message(lang).to_owned(),
        }
    }
}

/// Errors beyond these are not listed: correcting a thousand shows the rest.
const LISTED: usize = 1000;

impl Problem {
    pub fn view(&self, lang: Lang, request_id: &str) -> ProblemView {
        let kind = self.kind();
        ProblemView {
            kind: format!("/problems/{}", kind.code()),
            title: kind.title(lang).to_owned(),
            status: kind.status().as_u16(),
            detail: self.detail(lang),
            code: kind.code().to_owned(),
            hint: kind.hint(lang).to_owned(),
            errors: self
                .errors()
                .iter()
                .take(LISTED)
                .map(|error| FieldErrorView::of(error, lang))
                .collect(),
            request_id: request_id.to_owned(),
            error: kind.oauth_error().map(str::to_owned),
        }
    }

    /// The answer, whole: status, headers and body.
    pub fn respond(&self, lang: Lang, request_id: &str) -> HttpResponse {
        let kind = self.kind();
        let mut response = HttpResponse::build(kind.status());
        response.content_type("application/problem+json");
        response.insert_header((header::CONTENT_LANGUAGE, tag(lang)));
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.retry_after_s() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Problem::MethodNotAllowed(methods) = self
            && let Ok(allow) = HeaderValue::from_str(&methods.join(", "))
        {
            response.insert_header((header::ALLOW, allow));
        }
        match kind {
            Kind::Unauthenticated => {
                response.insert_header((header::WWW_AUTHENTICATE, r#"Bearer realm="huanxin""#));
            }
            Kind::InvalidClient => {
                response.insert_header((header::WWW_AUTHENTICATE, r#"Basic realm="huanxin""#));
            }
            _ => {}
        }
        let view = self.view(lang, request_id);
        response.body(serde_json::to_string(&view).unwrap_or_default())
    }

    /// What is wrong this time, with the numbers that help; otherwise the title.
    fn detail(&self, lang: Lang) -> String {
        let (zh, en) = match self {
            Problem::Refused(refusal) => return refusal_detail(refusal, lang),
            Problem::MalformedJson { line, column } => (
                format!("请求体第 {line} 行第 {column} 列不是合法的 JSON"),
                format!("the body is not JSON at line {line}, column {column}"),
            ),
            Problem::BodyTooLarge { limit } => (
                format!("请求体不得超过 {limit} 字节"),
                format!("a body has at most {limit} bytes"),
            ),
            Problem::UriTooLong { limit } => (
                format!("路径和查询不得超过 {limit} 字节"),
                format!("path and query have at most {limit} bytes"),
            ),
            Problem::UnsupportedMediaType(types) => {
                let types = types.join(", ");
                (
                    format!("Content-Type 须为 {types}"),
                    format!("Content-Type is one of {types}"),
                )
            }
            Problem::MethodNotAllowed(methods) => {
                let methods = methods.join(", ");
                (
                    format!("此路径支持 {methods}"),
                    format!("the path takes {methods}"),
                )
            }
            Problem::InvalidParameter(errors) | Problem::BulkRefused(errors) => {
                return counted(errors.len(), lang);
            }
            Problem::MalformedBody(error) => return error.message(lang).to_owned(),
            _ => return self.kind().title(lang).to_owned(),
        };
        match lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

fn counted(errors: usize, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("共 {errors} 处有误"),
        Lang::En if errors == 1 => "1 error".to_owned(),
        Lang::En => format!("{errors} errors"),
    }
}

/// Holders of missing accounts that are named at most.
const NAMED: usize = 20;

fn refusal_detail(refusal: &Refusal, lang: Lang) -> String {
    let (zh, en) = match refusal {
        Refusal::Forbidden { right, roles } => {
            let roles = roles
                .iter()
                .map(|role| role.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            (
                format!("需要权限 {right}（角色：{roles}）"),
                format!("it needs the right {right} (roles: {roles})"),
            )
        }
        Refusal::NotFound(what) => (format!("没有这一记录（{what}）"), format!("no such {what}")),
        Refusal::Invalid(errors) => return counted(errors.len(), lang),
        Refusal::OutOfTurn { status, verb } => (
            format!("申领处于“{}”，不能进行 {}", status.title_zh(), verb.as_str()),
            format!(
                "{} is out of turn for a claim that is {}",
                verb.as_str(),
                status.as_str()
            ),
        ),
        Refusal::Settled { what, status } => (
            format!("该记录（{what}）已是 {status}，不再接受此操作"),
            format!("a {what} that is {status} does not take this"),
        ),
        Refusal::Stale { current } => (
            format!("现行版本是 \"{current}\""),
            format!("the revision now is \"{current}\""),
        ),
        Refusal::CapBelowCommitted { scope, committed } => (
            format!("{scope} 已占用 {committed} 元"),
            format!("{committed} yuan are committed under {scope}"),
        ),
        Refusal::Held { claims } => (
            format!("{claims} 笔申领处于暂停支付"),
            format!("{claims} of its claims are held"),
        ),
        Refusal::AdvanceHeld => (
            "该商户或项目处于暂停支付".to_owned(),
            "the merchant it goes to, or the programme, is held".to_owned(),
        ),
        Refusal::AccountMissing(holders) => {
            let some = holders.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            let all = holders.len();
            (
                format!("共 {all} 方没有可用账户：{some}"),
                format!("{all} have no account that could be used: {some}"),
            )
        }
        Refusal::ReportUnreadable {
            line, column, zh, en, ..
        } => (
            format!("第 {line} 行第 {column} 列：{zh}"),
            format!("line {line}, column {column}: {en}"),
        ),
        Refusal::LimitReached { what, limit } => (
            format!("{what} 最多 {limit} 项"),
            format!("there are at most {limit} {what}"),
        ),
        Refusal::TooMany { what, limit } => (
            format!("{what} 最多 {limit} 项"),
            format!("at most {limit} {what}"),
        ),
        Refusal::Cosignature(why) => (
            match why {
                NoteError::Malformed => "不是签名的检查点".to_owned(),
                NoteError::OtherLog => "不是本日志的检查点".to_owned(),
                NoteError::Unsigned => "没有已知见证方的签名".to_owned(),
                NoteError::Wrong => "签名不成立".to_owned(),
            },
            why.to_string(),
        ),
        Refusal::PeriodOpen { until } => {
            let until = until.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            (
                format!("期间到 {until} 才结束"),
                format!("the period lasts until {until}"),
            )
        }
        Refusal::Throttled { retry_after_s } => (
            format!("请在 {retry_after_s} 秒后重试"),
            format!("try again in {retry_after_s} s"),
        ),
        Refusal::BadCredentials
        | Refusal::BadToken
        | Refusal::OtherJurisdiction
        | Refusal::IdempotencyKeyReused
        | Refusal::FourEyes
        | Refusal::ReasonRequired
        | Refusal::DocumentUsed
        | Refusal::NothingPayable
        | Refusal::ResultContradicts
        | Refusal::AmountDiffers
        | Refusal::NotReleased
        | Refusal::BankMayHaveIt
        | Refusal::WebhooksOff
        | Refusal::NotCovered
        | Refusal::StatusUnclear => return kind_of(refusal).title(lang).to_owned(),
    };
    pick(lang, &zh, &en).to_owned()
}
