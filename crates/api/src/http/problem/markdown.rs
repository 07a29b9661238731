//! `api-spec/problems.md`.

use std::fmt::Write;

use policy::Lang;

use crate::http::problem::Kind;

/// The table of all problems: what the caller does and what the operator does. Generated, so that
/// it cannot lag behind.
pub fn problems_markdown() -> String {
    let mut page = String::from(
        "# Problems\n\n\
         Generated from `crates/api/src/http/problem/kind.rs` by `cargo run -p xtask -- openapi`; do not edit.\n\n\
         Every answer of 400 and above is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, \
         `code`, `hint`, `errors` and `request_id`. `code` is stable; texts follow `Accept-Language` (`zh-CN`, `en`). \
         `GET /problems/{code}` explains one.\n\n\
         | status | code | what happened | what the caller does | what the operator does |\n|---|---|---|---|---|\n",
    );
    for kind in Kind::ALL {
        let _ = writeln!(
            page,
            "| {} | `{}` | {} · {} | {} · {} | {} |",
            kind.status().as_u16(),
            kind.code(),
            kind.title(Lang::En),
            kind.title(Lang::Zh),
            kind.hint(Lang::En),
            kind.hint(Lang::Zh),
            kind.operator(),
        );
    }
    page
}
