//! Payments: disbursements, the outcomes of their payments, and the files and reports that a bank
//! exchanges about them.

use words::words;

words! {
    /// The status of a disbursement. Claims are in it from `made` to `cancelled`.
    pub enum DisbursementStatus {
        Made = "made",
        /// The third signature, which a large disbursement needs before its release.
        Countersigned = "countersigned",
        /// The bank may have it; the disbursement does not change any more.
        Released = "released",
        /// No payment is open.
        Settled = "settled",
        /// Cancelled before its release.
        Cancelled = "cancelled",
    }
}

words! {
    /// The outcome of a payment, and of its claims' lines with it.
    pub enum PaymentOutcome {
        Open = "open",
        Paid = "paid",
        /// The bank could not pay.
        Failed = "failed",
        /// The bank had paid, and the money was returned (退汇).
        Returned = "returned",
        /// The disbursement was cancelled before its release.
        Cancelled = "cancelled",
    }
}

words! {
    /// The kind of payee.
    pub enum PayeeKind {
        Merchant = "merchant",
        Applicant = "applicant",
    }
}

words! {
    /// The status of an advance to a merchant.
    pub enum AdvanceStatus {
        /// The advance's payment is open.
        Made = "made",
        /// The merchant has the advance; part of it may be set off or repaid.
        Paid = "paid",
        /// Set off or repaid in full.
        Used = "used",
        /// The bank could not pay it.
        Failed = "failed",
        /// The bank had paid it, and the money was returned.
        Returned = "returned",
        /// The disbursement was cancelled before its release.
        Cancelled = "cancelled",
    }
}

words! {
    /// A bank's status of a payment.
    pub enum BankStatus {
        Paid = "paid",
        Failed = "failed",
        /// The payment was made, and the money was returned.
        Returned = "returned",
        /// The bank's status has no defined meaning.
        Unclear = "unclear",
    }
}

words! {
    /// The source of a bank's entry about a payment.
    pub enum EntryFormat {
        /// Entered by a person.
        Json = "json",
        /// The table with headings in Chinese.
        Csv = "csv",
        /// ISO 20022 `CustomerPaymentStatusReport`.
        Pain002 = "pain.002",
        /// ISO 20022 `BankToCustomerDebitCreditNotification`.
        Camt054 = "camt.054",
    }
}

words! {
    /// The processing status of a bank's entry about a payment.
    pub enum EntryStanding {
        /// The entry settled a payment.
        Matched = "matched",
        /// The entry waits for a person.
        Exception = "exception",
        /// A person applied the entry.
        Applied = "applied",
        /// A person set the entry aside.
        Dismissed = "dismissed",
    }
}

words! {
    /// Why a bank's entry could not be matched with a payment.
    pub enum EntryException {
        UnknownPayment = "unknown_payment",
        /// The disbursement is not released.
        NotReleased = "not_released",
        AmountDiffers = "amount_differs",
        /// The payment has another outcome.
        Contradicts = "contradicts",
        /// The bank's status has no defined meaning.
        Unclear = "unclear",
    }
}

words! {
    /// The status of a file for the bank.
    pub enum SubmissionStatus {
        Queued = "queued",
        /// The bank has it.
        Taken = "taken",
        /// The bank refused it: none of its orders is carried out.
        Refused = "refused",
        /// All of its payments have an outcome.
        Settled = "settled",
        /// A person carries it to the bank.
        ByHand = "by_hand",
        /// The same orders were queued again under a new name.
        Replaced = "replaced",
    }
}

words! {
    /// The problem of a file that the bank does not have.
    pub enum SubmissionProblem {
        /// A payee or the county has no account on file.
        AccountMissing = "account_missing",
        /// The bank could not be reached.
        Unavailable = "unavailable",
        /// It is not certain whether the bank has it.
        Unknown = "unknown",
        /// The bank refused it.
        Refused = "refused",
    }
}

words! {
    /// The processing status of a bank's report.
    pub enum ReportStatus {
        Recorded = "recorded",
        /// Unreadable, with the fault.
        Unreadable = "unreadable",
    }
}
