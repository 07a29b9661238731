//! Payments: disbursements, what becomes of their payments, and the files and reports that a bank exchanges about them.

use words::words;

words! {
    /// How a disbursement stands. Claims are in it from `made` to `cancelled`.
    pub enum DisbursementStatus {
        Made = "made",
        /// The third signature, which a large disbursement needs before its release.
        Countersigned = "countersigned",
        /// The bank may have it; it does not change any more.
        Released = "released",
        /// No payment is open.
        Settled = "settled",
        /// Taken back before its release.
        Cancelled = "cancelled",
    }
}

words! {
    /// What became of a payment, and of its claims' lines with it.
    pub enum PaymentOutcome {
        Open = "open",
        Paid = "paid",
        /// The bank could not pay.
        Failed = "failed",
        /// The bank had paid, and the money came back (退汇).
        Returned = "returned",
        /// Its disbursement was taken back before release.
        Cancelled = "cancelled",
    }
}

words! {
    /// Who is paid.
    pub enum PayeeKind {
        Merchant = "merchant",
        Applicant = "applicant",
    }
}

words! {
    /// How an advance to a merchant stands.
    pub enum AdvanceStatus {
        /// Its payment is open.
        Made = "made",
        /// The merchant has it; part of it may be set off or repaid.
        Paid = "paid",
        /// Set off or repaid to the end.
        Used = "used",
        /// The bank could not pay it.
        Failed = "failed",
        /// The bank had paid it, and the money came back.
        Returned = "returned",
        /// Its disbursement was taken back before release.
        Cancelled = "cancelled",
    }
}

words! {
    /// What a bank says of a payment.
    pub enum BankStatus {
        Paid = "paid",
        Failed = "failed",
        /// It was paid, and the money came back.
        Returned = "returned",
        /// The bank's own status is none that is known here.
        Unclear = "unclear",
    }
}

words! {
    /// How a bank's entry of a payment came in.
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
    /// What became of a bank's entry of a payment.
    pub enum EntryStanding {
        /// It settled a payment.
        Matched = "matched",
        /// It waits for a person.
        Exception = "exception",
        /// A person applied it.
        Applied = "applied",
        /// A person set it aside.
        Dismissed = "dismissed",
    }
}

words! {
    /// Why a bank's entry of a payment could not be matched.
    pub enum EntryException {
        UnknownPayment = "unknown_payment",
        /// Its disbursement is not released.
        NotReleased = "not_released",
        AmountDiffers = "amount_differs",
        /// The payment has another outcome.
        Contradicts = "contradicts",
        /// The bank's own status is none that is known here.
        Unclear = "unclear",
    }
}

words! {
    /// How a file for the bank stands.
    pub enum SubmissionStatus {
        Queued = "queued",
        /// The bank has it.
        Taken = "taken",
        /// The bank refused it: none of its orders is carried out.
        Refused = "refused",
        /// All of its payments have an outcome.
        Settled = "settled",
        /// A person takes it to the bank.
        ByHand = "by_hand",
        /// The same orders were queued again under a new name.
        Replaced = "replaced",
    }
}

words! {
    /// What keeps a file from the bank.
    pub enum SubmissionProblem {
        /// A payee or the county has no account on file.
        AccountMissing = "account_missing",
        /// The bank was not reached.
        Unavailable = "unavailable",
        /// Whether the bank has it is not known.
        Unknown = "unknown",
        /// The bank refused it.
        Refused = "refused",
    }
}

words! {
    /// What became of a bank's report.
    pub enum ReportStatus {
        Recorded = "recorded",
        /// With its fault.
        Unreadable = "unreadable",
    }
}
