//! Who calls, and with which right.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use policy::Lang;
use service::{Permit, Refusal, Right};

use crate::http::contract::{Argument, Contract};
use crate::http::middleware::Context;
use crate::http::problem::Problem;
use crate::http::state::{ApiState, shared};

/// A caller whose token is good, who does not call too often, and whose role has the right `R`. A
/// handler that takes one cannot be reached without it; a use case takes its permit.
#[derive(Debug)]
pub struct Authenticated<R> {
    pub permit: Permit<R>,
    pub lang: Lang,
}

impl<R: Right> FromRequest for Authenticated<R> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = shared(request).cloned();
        let token = bearer(request).map(str::to_owned);
        let context = Context::of(request);
        Box::pin(async move { authenticate(&state?, token, context).await })
    }
}

impl<R: Right> Argument for Authenticated<R> {
    const RIGHTS: usize = 1;

    fn describe(contract: &mut Contract<'_>) {
        contract.requires::<R>();
    }
}

async fn authenticate<R: Right>(
    state: &ApiState,
    token: Option<String>,
    context: Context,
) -> Result<Authenticated<R>, Problem> {
    let token = token.ok_or(Refusal::BadToken)?;
    let actor = state
        .service
        .identity()
        .authenticate(&token, Some(context.request_id))
        .await?;
    tracing::Span::current().record("client", actor.client.as_str());
    state.service.identity().throttle(&actor)?;
    Ok(Authenticated {
        permit: actor.permit()?,
        lang: context.lang,
    })
}

/// The longest token that is looked at: ours have some 300 bytes.
const TOKEN_MAX: usize = 4096;

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let fits = scheme.eq_ignore_ascii_case("bearer") && (1..=TOKEN_MAX).contains(&token.len());
    fits.then_some(token)
}
