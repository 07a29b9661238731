//! One file for each noun. A handler parses nothing and decides nothing: its arguments are parsed by their extractors, the
//! use case decides, and the view is what is answered.

mod accounts;
mod advances;
mod answer;
mod bulk;
mod bulk_lines;
mod claims;
mod clawbacks;
mod disbursements;
mod drafts;
mod exports;
mod funds;
mod holds;
mod ledgers;
mod operations;
mod payments;
mod programmes;
mod registers;
mod review;
mod samples;
mod statements;
mod submissions;
mod tokens;
mod transparency;
mod webhooks;

use actix_web::web;
use utoipa_actix_web::service_config::ServiceConfig;

/// Every documented operation. An operation that is not here is neither served nor documented.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(tokens::issue_token)
        .service(tokens::get_jwks)
        // Before `/v1/claims/{id}`, and with every method, so that their words are not taken for ids.
        .service(claims::check_claim)
        .route("/v1/claims/check", web::route().to(fallback))
        .service(bulk::submit_claims)
        .route("/v1/claims/bulk", web::route().to(fallback))
        .service(claims::submit_claim)
        .service(claims::list_claims)
        .service(claims::get_claim)
        .service(claims::correct_claim)
        .service(claims::withdraw_claim)
        .service(claims::return_goods)
        .service(clawbacks::demand_clawback)
        .service(clawbacks::claw_back_claim)
        .service(clawbacks::get_clawback)
        .service(clawbacks::waive_clawback)
        .service(clawbacks::check_waiver)
        .service(claims::list_claim_events)
        .service(claims::get_receipt)
        .service(transparency::prove_claim)
        .service(claims::reveal_claim)
        .service(review::review_claim)
        .service(review::approve_claim)
        .service(review::approve_claims)
        .service(funds::list_funds)
        .service(funds::appropriate)
        .service(funds::list_appropriations)
        .service(funds::list_sources)
        .service(funds::check_appropriation)
        .service(funds::propose_caps)
        .service(funds::list_cap_changes)
        .service(funds::check_caps)
        .service(funds::list_public_funds)
        .service(disbursements::make_disbursement)
        .service(disbursements::list_disbursements)
        .service(disbursements::get_disbursement)
        .service(disbursements::list_payments)
        .service(disbursements::release_disbursement)
        .service(disbursements::cancel_disbursement)
        .service(disbursements::get_instruction)
        .service(submissions::list_submissions)
        .service(submissions::resolve_submission)
        .service(submissions::list_bank_reports)
        .service(payments::record_results)
        .service(payments::reconcile_disbursement)
        .service(payments::get_payment)
        .service(payments::list_payment_claims)
        .service(payments::record_bank_report)
        .service(payments::list_bank_exceptions)
        .service(payments::resolve_bank_exception)
        .service(payments::reconcile)
        .service(holds::place_hold)
        .service(holds::list_holds)
        .service(holds::lift_hold)
        .service(advances::make_advance)
        .service(advances::list_advances)
        .service(advances::get_advance)
        .service(advances::repay_advance)
        .service(statements::get_statement)
        .service(statements::get_statement_file)
        .service(accounts::enter_account)
        .service(accounts::get_account)
        .service(accounts::check_account)
        .service(accounts::correct_payee)
        .service(webhooks::register_webhook)
        .service(webhooks::list_webhooks)
        .service(webhooks::get_webhook)
        .service(webhooks::switch_webhook)
        .service(webhooks::rotate_webhook_secret)
        .service(webhooks::test_webhook)
        .service(webhooks::list_webhook_deliveries)
        .service(webhooks::list_webhook_events)
        .service(webhooks::replay_webhook)
        .service(webhooks::delete_webhook)
        .service(ledgers::get_balances)
        .service(ledgers::list_transfers)
        .service(exports::export_ledger)
        .service(exports::export_claims)
        .service(ledgers::list_personal_reads)
        .service(ledgers::list_closings)
        .service(ledgers::get_closing)
        .service(samples::commit_sample)
        .service(samples::list_samples)
        .service(samples::get_sample)
        .service(samples::draw_sample)
        .service(transparency::get_checkpoint)
        .service(transparency::list_checkpoints)
        .service(transparency::make_checkpoint)
        .service(transparency::cosign_checkpoint)
        .service(transparency::prove_inclusion)
        .service(transparency::prove_consistency)
        .service(programmes::list_programmes)
        // Before `/v1/programmes/{id}`, and with every method, as above.
        .service(drafts::simulate_programme)
        .route("/v1/programmes/simulate", web::route().to(fallback))
        .service(programmes::get_programme)
        .service(drafts::propose_programme)
        .service(drafts::list_drafts)
        .service(drafts::get_draft)
        .service(drafts::get_draft_report)
        .service(drafts::check_draft)
        .service(registers::load_register)
        .service(registers::get_register_entry)
        .service(operations::healthz)
        .service(operations::readyz)
        .service(operations::metrics)
        .service(operations::openapi_document)
        .service(operations::explain_problem);
}

pub(crate) use operations::{docs, fallback};
