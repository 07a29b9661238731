//! The schema of each body, and of the queries whose reader and schema are two types.

use utoipa::openapi::path::ParameterIn;

use crate::http::contract::{Contract, Parameters};
use crate::http::extract::Form;

macro_rules! twins {
    (
        bodies { $($read:ty => $form:ty;)* }
        queries { $($query:ty => [$($params:ty),*];)* }
    ) => {
        $(impl Form for $read {
            type Schema = $form;
        })*
        $(impl Parameters for $query {
            fn describe(_contract: &mut Contract<'_>, _place: ParameterIn) {
                $(<$params as Parameters>::describe(_contract, _place.clone());)*
            }
        })*
    };
}

twins! {
    bodies {
        crate::payments::advances::AdvanceRead => crate::payments::advances::AdvanceForm;
        crate::payments::advances::AdvanceRepaymentRead => crate::payments::advances::AdvanceRepaymentForm;
        crate::funds::AppropriateRead => crate::funds::Appropriate;
        crate::claims::review::Approval => crate::claims::review::Approval;
        crate::claims::review::ApprovalsRead => crate::claims::review::Approvals;
        crate::http::bodies::Check => crate::http::bodies::Check;
        crate::payments::accounts::CheckAccount => crate::payments::accounts::CheckAccount;
        claims::claim::Claim => crate::claims::form::SubmitClaim;
        crate::audit::samples::CommitSampleRead => crate::audit::samples::CommitSample;
        crate::payments::accounts::CorrectPayeeRead => crate::payments::accounts::CorrectPayee;
        crate::claims::clawbacks::DemandRead => crate::claims::clawbacks::DemandForm;
        crate::audit::samples::DrawSampleRead => crate::audit::samples::DrawSample;
        crate::payments::accounts::EnterAccountRead => crate::payments::accounts::EnterAccount;
        crate::payments::disbursements::MakeDisbursementRead => crate::payments::disbursements::MakeDisbursement;
        crate::http::bodies::Nothing => crate::http::bodies::Nothing;
        crate::funds::holds::PlaceHoldRead => crate::funds::holds::PlaceHold;
        crate::funds::caps::ProposeCapsRead => crate::funds::caps::ProposeCaps;
        crate::programmes::draft_views::ProposeRead => crate::programmes::draft_views::ProposeProgramme;
        crate::http::bodies::ReasonGiven => crate::http::bodies::ReasonGiven;
        crate::http::bodies::ReasonIfAny => crate::http::bodies::ReasonIfAny;
        crate::claims::clawbacks::RepaymentRead => crate::claims::clawbacks::RepaymentForm;
        crate::webhooks::ReplayRead => crate::webhooks::ReplayForm;
        crate::payments::bank_reports::ResolveExceptionRead => crate::payments::bank_reports::ResolveException;
        crate::payments::submissions::ResolveSubmission => crate::payments::submissions::ResolveSubmission;
        crate::claims::review::Review => crate::claims::review::Review;
        crate::programmes::draft_views::SimulateRead => crate::programmes::draft_views::Simulate;
        crate::webhooks::SwitchWebhook => crate::webhooks::SwitchWebhook;
        crate::claims::clawbacks::WaiverRead => crate::claims::clawbacks::WaiverForm;
        crate::webhooks::WebhookRead => crate::webhooks::WebhookForm;
    }
    queries {
        crate::payments::advances::AdvancesQuery => [crate::payments::advances::AdvancesParams, crate::http::queries::PageParams];
        crate::http::queries::AsOfQuery => [crate::funds::ledgers::AsOfParams];
        crate::claims::bulk::BulkQuery => [crate::claims::bulk::BulkParams];
        crate::audit::transparency::CheckpointQuery => [crate::audit::transparency::CheckpointParams];
        crate::claims::ClaimAsOfQuery => [crate::claims::ClaimAsOfParams];
        crate::audit::export_query::ClaimsExportQuery => [crate::audit::export_query::ClaimsExportParams];
        crate::claims::ClaimsQuery => [crate::claims::ClaimsParams, crate::http::queries::PageParams];
        crate::funds::closings::ClosingQuery => [crate::funds::closings::ClosingParams];
        crate::audit::transparency::ConsistencyQuery => [crate::audit::transparency::ConsistencyParams];
        crate::payments::bank_reports::CountyQuery => [crate::payments::bank_reports::CountyParams];
        crate::payments::DaysQuery => [crate::payments::DaysParams];
        crate::webhooks::DeliveriesQuery => [crate::webhooks::DeliveriesParams, crate::http::queries::PageParams];
        crate::programmes::draft_views::DraftsQuery => [crate::programmes::draft_views::DraftsParams, crate::http::queries::PageParams];
        crate::payments::disbursements::FundQuery => [crate::payments::disbursements::FundParams, crate::http::queries::PageParams];
        crate::funds::holds::HoldsQuery => [crate::funds::holds::HoldsParams, crate::http::queries::PageParams];
        crate::audit::transparency::InclusionQuery => [crate::audit::transparency::InclusionParams];
        crate::payments::disbursements::InstructionQuery => [crate::payments::disbursements::InstructionParams];
        crate::http::queries::JurisdictionQuery => [crate::http::queries::JurisdictionParams, crate::http::queries::PageParams];
        crate::audit::export_query::LedgerExportQuery => [crate::audit::export_query::LedgerExportParams];
        crate::http::queries::NoParams => [];
        crate::http::queries::PageQuery => [crate::http::queries::PageParams];
        crate::identity::access_log::ReadsOf => [crate::identity::access_log::ReadsParams, crate::http::queries::PageParams];
        crate::payments::bank_reports::ReportsQuery => [crate::payments::bank_reports::ReportsParams, crate::http::queries::PageParams];
        crate::payments::statements::StatementFileQuery => [crate::payments::statements::SpanParams, crate::payments::statements::StatementFileParams];
        crate::payments::statements::StatementQuery => [crate::payments::statements::SpanParams, crate::http::queries::PageParams];
        crate::funds::ledgers::TransfersQuery => [crate::funds::ledgers::TransfersParams, crate::http::queries::PageParams];
        crate::programmes::VersionQuery => [crate::programmes::VersionParams];
    }
}
