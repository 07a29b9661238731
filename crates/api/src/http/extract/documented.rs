//! Parameters that many operations share.

use claims::registers::Register;
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use crate::http::wire::{Field, words};

/// Key of a request that must not be carried out twice.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyHeader {
    /// A new key for each new thing, the same on every retry. The first answer is remembered for 30 days.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]{1,255}$",
        example = "YH-20260501-000123"
    )]
    pub idempotency_key: String,
}

/// Key of a request that a retry may repeat: the first answer comes again instead of a stale revision.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct OptionalIdempotencyHeader {
    /// A new key for each new thing, the same on every retry.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]{1,255}$"
    )]
    pub idempotency_key: Option<String>,
}

/// The revision that the caller saw.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatchHeader {
    /// The ETag that the caller saw; if it is stale, nothing is done.
    #[param(
        rename = "If-Match",
        pattern = "^\"[0-9]{1,10}\"$",
        max_length = 12,
        example = "\"1\""
    )]
    pub if_match: Option<String>,
}

/// The revision that the caller saw; without it nothing is decided.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatchRequired {
    /// The ETag that the caller saw; without it the answer is 428, and if it is stale 412.
    #[param(
        rename = "If-Match",
        pattern = "^\"[0-9]{1,10}\"$",
        max_length = 12,
        example = "\"1\""
    )]
    pub if_match: String,
}

/// A file of a disbursement's instruction; the disbursement is an id of its own.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SubmissionPath {
    /// Which file, from 1.
    #[param(minimum = 1, maximum = 999)]
    pub part: u16,
}

/// A fund.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FundPath {
    #[param(pattern = "^[a-z0-9-]{1,64}$", max_length = 64, example = "appliance-2026")]
    pub programme: String,
    #[param(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: String,
}

/// Whose account it is.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct HolderPath {
    /// A merchant's credit code, or a county's code.
    #[param(pattern = "^[0-9A-Z]{6,18}$", max_length = 18, example = "91140802MA2NH6NA3Q")]
    pub holder: String,
}

/// A merchant.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MerchantPath {
    /// Credit code.
    #[param(pattern = "^[0-9A-Z]{18}$", max_length = 18, example = "91140802MA2NH6NA3Q")]
    pub merchant: String,
}

/// A county or development zone.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct JurisdictionPath {
    #[param(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: String,
}

/// A closed month or year of a county.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ClosingPath {
    #[param(pattern = "^[1-9][0-9]{5}([0-9]{3})?$", max_length = 9, example = "140802")]
    pub jurisdiction: String,
    /// A month or a year in Asia/Shanghai.
    #[param(
        pattern = "^2[0-9]{3}(-(0[1-9]|1[0-2]))?$",
        max_length = 7,
        example = "2026-11"
    )]
    pub period: String,
}

/// A programme.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProgrammePath {
    #[param(pattern = "^[a-z0-9-]{1,64}$", max_length = 64, example = "appliance-2026")]
    pub id: String,
}

words! {
    /// A register.
    Register as "Register";
}

/// A register.
#[derive(Debug)]
pub struct RegisterPath;

impl IntoParams for RegisterPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let register = ParameterBuilder::new()
            .name("register")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(Register::schema()))
            .example(Some("efficiency-labels".into()));
        vec![register.build()]
    }
}

/// An entry of a register.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EntryPath {
    #[param(
        pattern = "^(efficiency-labels|scrap-certificates|vehicle-models|filed-prices|entitlements|merchants|dismantlers|collectors)$",
        max_length = 40,
        example = "efficiency-labels"
    )]
    pub register: String,
    /// The register's key; of a filed price `<merchant>:<model>`.
    #[param(min_length = 1, max_length = 200)]
    pub key: String,
}

/// A code of a problem.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProblemPath {
    #[param(pattern = "^[a-z-]{1,40}$", max_length = 40, example = "invalid")]
    pub code: String,
}
