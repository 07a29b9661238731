//! Every kind of problem: its code, its status, and who does what about it.

use actix_web::http::StatusCode;
use policy::Lang;

use crate::http::lang::pick;

macro_rules! kinds {
    ($($name:ident $status:ident $code:literal $title_zh:literal $title_en:literal
        caller $hint_zh:literal $hint_en:literal operator $operator:literal;)*) => {
        /// What is wrong, for machines. The code is stable: it never changes with the language or
        /// the release.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($name),*
        }

        impl Kind {
            /// By status, then as they are met on the way through a request.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            pub fn status(self) -> StatusCode {
                match self {
                    $(Kind::$name => StatusCode::$status),*
                }
            }

            pub fn code(self) -> &'static str {
                match self {
                    $(Kind::$name => $code),*
                }
            }

            pub fn title(self, lang: Lang) -> &'static str {
                match self {
                    $(Kind::$name => pick(lang, $title_zh, $title_en)),*
                }
            }

            /// What the caller does about it.
            pub fn hint(self, lang: Lang) -> &'static str {
                match self {
                    $(Kind::$name => pick(lang, $hint_zh, $hint_en)),*
                }
            }

            /// What whoever runs the service does about it.
            pub fn operator(self) -> &'static str {
                match self {
                    $(Kind::$name => $operator),*
                }
            }
        }
    };
}

kinds! {
    MalformedJson BAD_REQUEST "malformed-json" "JSON 格式错误" "Malformed JSON"
        caller "按所给行列修正请求体后重新发送。" "Correct the body at the line and column given, then send it again."
        operator "Nothing.";
    MalformedBody BAD_REQUEST "malformed-body" "请求体无法读取" "The body cannot be read"
        caller "检查编码（UTF-8）、表头和完整性后重新发送。" "Check the encoding (UTF-8), the header line and that the body is whole, then send it again."
        operator "Nothing; if many clients meet it at once, look for a proxy that cuts bodies off.";
    InvalidParameter BAD_REQUEST "invalid-parameter" "参数错误" "A parameter is wrong"
        caller "按 errors 逐项修正查询参数或请求头。" "Correct the query parameters or headers that `errors` names."
        operator "Nothing.";
    IdempotencyKeyRequired BAD_REQUEST "idempotency-key-required" "缺少幂等键" "An idempotency key is required"
        caller "发送 Idempotency-Key 请求头，每笔业务用一个新键，重试时用原键。" "Send the header Idempotency-Key: a new key for each new thing, the same key on every retry."
        operator "Nothing.";
    UnsupportedGrantType BAD_REQUEST "unsupported-grant-type" "不支持的授权方式" "Unsupported grant type"
        caller "使用 grant_type=client_credentials。" "Use grant_type=client_credentials."
        operator "Nothing.";
    InvalidClient UNAUTHORIZED "invalid-client" "客户端凭据错误" "The client credentials are wrong"
        caller "核对 client_id 和 client_secret；凭据可能已停用或轮换。" "Check client_id and client_secret; they may have been disabled or rotated."
        operator "If it was not announced, see whether someone is guessing secrets of this client; rotate its secret.";
    Unauthenticated UNAUTHORIZED "unauthenticated" "未登录或令牌失效" "No valid token"
        caller "向 /oauth/token 取新令牌后重试。" "Get a new token from /oauth/token and try again."
        operator "If every client meets it, check the signing keys and the clock.";
    Forbidden FORBIDDEN "forbidden" "无权进行此操作" "The role does not allow this"
        caller "换用有此权限的角色。重试无用。" "Use a credential whose role has the right. Trying again does not help."
        operator "Give the client another role only if its office has one.";
    OtherJurisdiction FORBIDDEN "other-jurisdiction" "不在本辖区" "Another county's business"
        caller "只能办理本辖区业务；核对辖区代码。" "Act only in your own counties; check the jurisdiction."
        operator "Extend the client's jurisdictions if its office has taken one over.";
    NotFound NOT_FOUND "not-found" "没有这一记录" "No such record"
        caller "核对编号。他人的记录同样答复为不存在。" "Check the id. A record of somebody else answers the same."
        operator "Nothing.";
    NoSuchPath NOT_FOUND "no-such-path" "没有这一路径" "No such path"
        caller "核对路径；全部路径见 /openapi.json。" "Check the path; /openapi.json lists them all."
        operator "Nothing.";
    MethodNotAllowed METHOD_NOT_ALLOWED "method-not-allowed" "此路径不支持该方法" "The path does not take this method"
        caller "使用 Allow 响应头列出的方法。" "Use a method that the header Allow lists."
        operator "Nothing.";
    OutOfTurn CONFLICT "out-of-turn" "当前状态不允许此操作" "Out of turn"
        caller "重新读取申领，按其当前状态办理。" "Get the claim again and act on the status that it has now."
        operator "Nothing.";
    Settled CONFLICT "settled" "已处理完毕" "Settled already"
        caller "重新读取记录；它不再接受此操作。" "Get the record again; it no longer takes this."
        operator "Nothing.";
    FourEyes CONFLICT "four-eyes" "须由另一人办理" "A second person is needed"
        caller "请另一位有权人员办理。" "Ask another person who has the right."
        operator "If an office has one person only, appoint a second; there is no way around it.";
    CapBelowCommitted CONFLICT "cap-below-committed" "上限低于已占用金额" "The cap is below what is committed"
        caller "提出不低于已占用金额的上限。" "Propose a cap that is not below what is committed."
        operator "Nothing.";
    DocumentUsed CONFLICT "document-used" "文号已登记" "The document was entered before"
        caller "核对文号；同一资金的同一文号只登记一次。" "Check the document number: one document is entered once for a fund and source."
        operator "Nothing.";
    NothingPayable CONFLICT "nothing-payable" "没有应付申领" "Nothing is payable"
        caller "待有申领核准、或解除暂停支付后再生成支付批次。" "Make a disbursement once claims are approved, or lift the hold that keeps them out."
        operator "Nothing.";
    Held CONFLICT "held" "含暂停支付的款项" "Money of it is held"
        caller "解除暂停，或取消本批次后重新生成。" "Lift the hold, or cancel the disbursement and make another."
        operator "Nothing.";
    AccountMissing CONFLICT "account-missing" "缺少收付款账户" "An account is missing"
        caller "先登记并复核 detail 所列各方的账户（PUT /v1/accounts/{holder}），再领取支付指令。" "Enter and approve the accounts of whom `detail` lists (PUT /v1/accounts/{holder}), then get the instruction."
        operator "Nothing.";
    BankMayHaveIt CONFLICT "bank-may-have-it" "银行可能已收到该文件" "The bank may have the file"
        caller "等待系统用同一编号再次报送，直至银行答复；若银行确认未收到，将其中各笔登记为失败，再次支付。" "Wait: it is submitted with the same key until the bank says. If the bank confirms that it never had it, record its payments as failed; they are paid again."
        operator "See why the bank does not answer: `bank did not take a file` in the log.";
    LimitReached CONFLICT "limit-reached" "已达数量上限" "The limit is reached"
        caller "先删除或等待其中一项；上限见 detail。" "Delete one of them, or wait for it; `detail` gives the limit."
        operator "Nothing.";
    WebhooksOff CONFLICT "webhooks-off" "未开通通知" "Webhooks are switched off"
        caller "查询 GET /v1/claims，或请运维开通通知。" "Ask GET /v1/claims, or have the operator switch webhooks on."
        operator "Set webhooks.enabled in `serve` and `work`.";
    NotCovered CONFLICT "not-covered" "尚无检查点覆盖" "No checkpoint covers it yet"
        caller "等下一个检查点，或以 POST /v1/ledgers/{jurisdiction}/checkpoint 立即生成；序号小于检查点的 size。" "Wait for the next checkpoint or have one made with POST /v1/ledgers/{jurisdiction}/checkpoint; leaves are numbered from 0 and below the checkpoint's size."
        operator "See that `huanxin work` runs: it makes checkpoints of logs that have grown.";
    PeriodOpen CONFLICT "period-open" "抽样期间尚未结束" "The period is not over"
        caller "到 detail 所示时刻之后再以同一种子抽取；此前不要透露种子。" "Draw with the same seed after the instant in `detail`, and tell nobody the seed before."
        operator "If the instant has passed, check the clock.";
    Cosignature CONFLICT "cosignature" "见证签名不被接受" "The cosignature is not accepted"
        caller "取回检查点原文，在其下加上见证方的签名行后整份发送；公钥须先由运维登记。" "Fetch the checkpoint, add the witness's line under it and send the whole; the operator must know the witness's key."
        operator "Set transparency.witnesses to the keys of the offices that vouch.";
    AmountDiffers CONFLICT "amount-differs" "金额与支付不符" "Another amount than was paid"
        caller "与银行核对；该结果已列为异常，等待处理。" "Settle it with the bank; the result was set aside as an exception."
        operator "Nothing.";
    NotReleased CONFLICT "not-released" "支付尚未放行" "The payment was not released"
        caller "核对回单属于哪一批次；该结果已列为异常，等待处理。" "See which disbursement the report is about; the result was set aside as an exception."
        operator "Nothing.";
    StatusUnclear CONFLICT "status-unclear" "银行状态无法识别" "The bank's status is not known"
        caller "向银行查明含义；该结果已列为异常，等待处理。" "Ask the bank what it means; the result was set aside as an exception."
        operator "If the bank uses it often, tell the maker of this service.";
    ResultContradicts CONFLICT "result-contradicts" "与已登记的支付结果矛盾" "It contradicts a recorded result"
        caller "与银行核对；已登记的结果不能改写，该结果已列为异常，等待处理。" "Settle it with the bank; a recorded result is not overwritten, and this one was set aside as an exception."
        operator "Compare the bank's statement with the disbursement before anything is entered.";
    Stale PRECONDITION_FAILED "stale" "内容已被他人更新" "Changed since you read it"
        caller "重新读取，核对变化，再用新的 ETag 办理。" "Get it again, look at what changed, then act with the new ETag."
        operator "Nothing.";
    BodyTooLarge PAYLOAD_TOO_LARGE "body-too-large" "请求体过大" "The body is too large"
        caller "分成几次发送；上限见 detail。" "Send it in parts; `detail` gives the limit."
        operator "Nothing.";
    TooMany PAYLOAD_TOO_LARGE "too-many" "条目过多" "Too many items"
        caller "分成几次发送；上限见 detail。" "Send them in parts; `detail` gives the limit."
        operator "Nothing.";
    UriTooLong URI_TOO_LONG "uri-too-long" "地址过长" "The address is too long"
        caller "缩短查询参数。" "Shorten the query."
        operator "Nothing.";
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "不支持的内容类型" "Unsupported media type"
        caller "按 detail 所列设置 Content-Type，且不压缩请求体。" "Set a Content-Type that `detail` lists, and do not compress the body."
        operator "Nothing.";
    Invalid UNPROCESSABLE_ENTITY "invalid" "字段有误" "Fields are wrong"
        caller "按 errors 逐项修正后重新发送；申领尚未登记。" "Correct every field that `errors` names and send it again; nothing was recorded."
        operator "Nothing.";
    ReportUnreadable UNPROCESSABLE_ENTITY "report-unreadable" "银行回单无法读取" "The bank's report cannot be read"
        caller "按 detail 所示行列核对文件；整份回单均未登记。" "Look at the line and column in `detail`; nothing of the report was recorded."
        operator "If a bank's files are refused often, keep one (without names and accounts) and tell the maker of this service.";
    ReasonRequired UNPROCESSABLE_ENTITY "reason-required" "须说明理由" "A reason is required"
        caller "填写 reason。" "Give a `reason`."
        operator "Nothing.";
    IdempotencyKeyReused UNPROCESSABLE_ENTITY "idempotency-key-reused" "幂等键已用于另一请求" "The idempotency key was used for another request"
        caller "新业务换新键；若是重试，发送与首次相同的内容。" "Use a new key for a new thing; for a retry, send what was sent first."
        operator "If one client meets it often, its keys are not unique: tell its maker.";
    BulkRefused UNPROCESSABLE_ENTITY "bulk-refused" "整批未登记" "The batch was refused whole"
        caller "按 errors 修正各行后整批重发；任何一行都未登记。指针的第一段是行号。" "Correct the lines that `errors` names (a pointer starts with the line) and send all again; no line was recorded."
        operator "Nothing.";
    IfMatchRequired PRECONDITION_REQUIRED "if-match-required" "须注明所见版本" "Say which revision you saw"
        caller "先读取申领，把其 ETag 放入 If-Match 请求头。" "Get the claim and send its ETag in the header If-Match."
        operator "Nothing.";
    Throttled TOO_MANY_REQUESTS "throttled" "请求过于频繁" "Too many requests"
        caller "等待 Retry-After 所示秒数后重试；大量申领请用 /v1/claims/bulk。" "Wait for the seconds in Retry-After; for many claims use /v1/claims/bulk."
        operator "Raise the client's limit only if the database has room.";
    Internal INTERNAL_SERVER_ERROR "internal" "服务内部错误" "Internal error"
        caller "用同一幂等键重试一次；若仍出现，请把 request_id 告知运维。" "Try once more with the same idempotency key; if it stays, tell the operator the request_id."
        operator "Find the request_id in the log at level error: it names the broken invariant. It is a bug; report it.";
    Unavailable SERVICE_UNAVAILABLE "unavailable" "服务暂时不可用" "Temporarily unavailable"
        caller "等待 Retry-After 所示秒数，用同一幂等键重试；不会重复登记。" "Wait for the seconds in Retry-After and try again with the same idempotency key; nothing is recorded twice."
        operator "Look at /readyz, the database and the pool's metrics.";
}

impl Kind {
    /// The member `error` that clients of RFC 6749 look for.
    pub fn oauth_error(self) -> Option<&'static str> {
        match self {
            Kind::InvalidClient => Some("invalid_client"),
            Kind::UnsupportedGrantType => Some("unsupported_grant_type"),
            _ => None,
        }
    }

    pub fn of_code(code: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// The kind for an answer that the framework or a library gave without saying more than its
    /// status.
    pub fn of_status(status: StatusCode) -> Kind {
        match status {
            StatusCode::UNAUTHORIZED => Kind::Unauthenticated,
            StatusCode::FORBIDDEN => Kind::Forbidden,
            StatusCode::NOT_FOUND => Kind::NoSuchPath,
            StatusCode::METHOD_NOT_ALLOWED => Kind::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Kind::BodyTooLarge,
            StatusCode::URI_TOO_LONG => Kind::UriTooLong,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Kind::UnsupportedMediaType,
            StatusCode::SERVICE_UNAVAILABLE => Kind::Unavailable,
            status if status.is_client_error() => Kind::MalformedBody,
            _ => Kind::Internal,
        }
    }
}
