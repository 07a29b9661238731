//! ISO 20022 `pain.001.001.09`, CustomerCreditTransferInitiationV09.
//!
//! One file has one payment information: one debtor, one day, one batch. `ChrgBr` is `DEBT`,
//! because a subsidy arrives in full: the payer bears the cost of the transfer. `CtgyPurp` is
//! `GOVT`. No `UETR` is written, because it has to be a random UUID (version 4) and ids of this
//! service are version 7.
//!
//! The remittance text is the one `Ustrd`, which a payee's statement shows. Each claim is one
//! `Strd` of its own: its amount as `RmtdAmt` and its id as `AddtlRmtInf`, because `RfrdDocInf/Nb`
//! has 35 characters and a claim's id 43 or more. The amounts of the `Strd` always add up to the
//! payment's.

use crate::instruction::{Party, Payment};
use crate::write::Part;
use crate::write::xml::Xml;

pub(crate) const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

pub(crate) fn write(part: &Part<'_>) -> Vec<u8> {
    Xml::document("Document", NAMESPACE, |xml| {
        xml.element("CstmrCdtTrfInitn", |xml| {
            group_header(xml, part);
            payment_information(xml, part);
        });
    })
    .into_bytes()
}

fn group_header(xml: &mut Xml, part: &Part<'_>) {
    xml.element("GrpHdr", |xml| {
        xml.leaf("MsgId", &part.id.to_string());
        let created = part.instruction.created();
        xml.leaf("CreDtTm", &created.format("%Y-%m-%dT%H:%M:%S%:z").to_string());
        totals(xml, part);
        xml.element("InitgPty", |xml| {
            xml.leaf("Nm", part.instruction.debtor().name().expose());
        });
    });
}

fn totals(xml: &mut Xml, part: &Part<'_>) {
    xml.leaf("NbOfTxs", &part.payments.len().to_string());
    xml.leaf("CtrlSum", &part.sum.to_string());
}

fn payment_information(xml: &mut Xml, part: &Part<'_>) {
    let debtor = part.instruction.debtor();
    xml.element("PmtInf", |xml| {
        xml.leaf("PmtInfId", &part.id.to_string());
        xml.leaf("PmtMtd", "TRF");
        xml.leaf("BtchBookg", "true");
        totals(xml, part);
        xml.element("PmtTpInf", |xml| {
            xml.element("CtgyPurp", |xml| xml.leaf("Cd", "GOVT"));
        });
        xml.element("ReqdExctnDt", |xml| {
            let day = part.instruction.execute_on();
            xml.leaf("Dt", &day.format("%Y-%m-%d").to_string());
        });
        xml.element("Dbtr", |xml| xml.leaf("Nm", debtor.name().expose()));
        account(xml, "DbtrAcct", debtor, true);
        agent(xml, "DbtrAgt", debtor);
        xml.leaf("ChrgBr", "DEBT");
        for payment in part.payments {
            transaction(xml, payment);
        }
    });
}

fn transaction(xml: &mut Xml, payment: &Payment) {
    xml.element("CdtTrfTxInf", |xml| {
        xml.element("PmtId", |xml| {
            // Both ids, because some banks report one of them only.
            xml.leaf("InstrId", &payment.id().to_string());
            xml.leaf("EndToEndId", &payment.id().to_string());
        });
        xml.element("Amt", |xml| xml.amount("InstdAmt", payment.amount()));
        agent(xml, "CdtrAgt", payment.payee());
        xml.element("Cdtr", |xml| xml.leaf("Nm", payment.payee().name().expose()));
        account(xml, "CdtrAcct", payment.payee(), false);
        remittance(xml, payment);
    });
}

fn account(xml: &mut Xml, name: &str, party: &Party, with_currency: bool) {
    xml.element(name, |xml| {
        xml.element("Id", |xml| {
            xml.element("Othr", |xml| xml.leaf("Id", party.account().expose()));
        });
        if with_currency {
            xml.leaf("Ccy", "CNY");
        }
    });
}

fn agent(xml: &mut Xml, name: &str, party: &Party) {
    xml.element(name, |xml| {
        xml.element("FinInstnId", |xml| {
            if let Some(code) = party.bank_code() {
                xml.element("ClrSysMmbId", |xml| {
                    xml.element("ClrSysId", |xml| xml.leaf("Cd", "CNAPS"));
                    xml.leaf("MmbId", code);
                });
            }
            xml.leaf("Nm", party.bank_name());
        });
    });
}

fn remittance(xml: &mut Xml, payment: &Payment) {
    let structured = |xml: &mut Xml, amount, text: &str| {
        xml.element("Strd", |xml| {
            xml.element("RfrdDocAmt", |xml| xml.amount("RmtdAmt", amount));
            xml.leaf("AddtlRmtInf", text);
        });
    };
    xml.element("RmtInf", |xml| {
        xml.leaf("Ustrd", payment.remittance().expose());
        let (shown, rest) = payment.shown_details();
        for detail in shown {
            structured(xml, detail.amount(), detail.claim());
        }
        if let Some((count, sum)) = rest {
            structured(xml, sum, &format!("其余{count}笔申领 and {count} more claims"));
        }
    });
}
