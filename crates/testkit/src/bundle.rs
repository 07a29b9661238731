//! A bundle without a service: valid in every part and of any size, for measuring its check and for
//! trying to break it.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, Write};

use ledger::log::{Checkpoint, Growing, Hash, Leaf, LogKey};
use policy::Programme;
use proof::{
    AppropriationLine, ClaimLine, CountyManifest, DecisionLine, EventLine, FORMAT, FundLine, Instant as At,
    Manifest, PartManifest, PaymentLine, SIGNED_AS, TransferLine, Writer, keys_as_text,
};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

const COUNTY: &str = "140802";

/// A part and its digest as it is written.
struct Part {
    name: String,
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

impl Part {
    fn new(name: &str) -> Part {
        Part {
            name: format!("{COUNTY}/{name}"),
            file: BufWriter::with_capacity(1 << 20, tempfile::tempfile().unwrap()),
            digest: Sha256::new(),
            bytes: 0,
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).unwrap();
    }

    fn line(&mut self, line: &impl Serialize) {
        let mut text = serde_json::to_vec(line).unwrap();
        text.push(b'\n');
        self.bytes(&text);
    }

    fn end(self) -> (PartManifest, File) {
        let mut file = self.file.into_inner().unwrap();
        file.rewind().unwrap();
        let manifest = PartManifest {
            name: self.name,
            bytes: self.bytes,
            sha256: hex::encode(self.digest.finalize()),
        };
        (manifest, file)
    }
}

/// The log being written.
struct Log {
    part: Part,
    leaves: Part,
    tree: Growing,
    height: i64,
    at: i64,
}

impl Log {
    fn add(&mut self, leaf: &Leaf<'_>, line: &impl Serialize) {
        let hash = leaf.hash();
        self.tree.push(hash, |_, _| ());
        self.leaves.bytes(&hash.0);
        self.part.line(line);
    }

    fn event(
        &mut self,
        subject: &str,
        verb: &str,
        person: &str,
        to: Option<(&str, &str, i64)>,
        detail: Option<&str>,
    ) {
        let number = self.tree.size();
        self.at += 1;
        let line = EventLine {
            leaf: number,
            kind: EventLine::KIND.into(),
            id: Uuid::from_u128(number.into()),
            subject: subject.into(),
            verb: verb.into(),
            actor: "bench".into(),
            person: person.into(),
            at: At(self.at),
            revision: to.map(|it| it.2),
            from: to.and_then(|it| (!it.0.is_empty()).then_some(it.0.into())),
            to: to.map(|it| it.1.into()),
            reason: None,
            request: Some("bench".into()),
            detail: detail.map(Into::into),
        };
        self.add(&line.as_leaf(COUNTY), &line)
    }

    fn transfer(
        &mut self,
        programme: &str,
        reason: &str,
        amount: i64,
        claim: Option<Uuid>,
        document: Option<Uuid>,
    ) {
        self.height += 1;
        let line = TransferLine {
            leaf: self.tree.size(),
            kind: TransferLine::KIND.into(),
            height: self.height,
            programme: programme.into(),
            reason: reason.into(),
            amount,
            claim,
            document,
            posted_at: At(self.at),
            actor: "bench".into(),
        };
        self.add(&line.as_leaf(COUNTY), &line)
    }
}

/// A decision of one of the worked examples of a programme.
fn eligible() -> (Programme, String, i64, String) {
    let source = include_str!("../../../seeds/programmes/appliance-2026.toml");
    let programme = Programme::parse(source).unwrap();
    for example in programme.examples() {
        let decision = programme.decide(&example.facts);
        let receipt = policy::receipt::receipt(&programme, &example.facts, &decision, &[]);
        let Some(price) = decision
            .price
            .as_ref()
            .filter(|_| receipt.outcome == policy::Outcome::Eligible)
        else {
            continue;
        };
        let amount = ledger::Fen::from_decimal(price.amount).unwrap().get();
        let category = example.facts.iter().find(|(path, _)| *path == "item.category");
        let category = category.and_then(|(_, value)| value.to_json().as_str().map(str::to_owned));
        return (
            programme.clone(),
            receipt.json,
            amount,
            category.unwrap_or_default(),
        );
    }
    panic!("no example of the programme is eligible")
}

/// Writes a bundle of one county with so many claims, each paid by four transfers. Returns the key
/// it is signed with.
pub fn write_bundle(claims: u64, out: &mut impl Write) -> LogKey {
    let key = LogKey::new("bench", &[9; 32]).unwrap();
    let (programme, receipt, amount, category) = eligible();
    let id = programme.id();
    let total = amount * i64::try_from(claims).unwrap();
    let receipt_raw = RawValue::from_string(receipt.clone()).unwrap();
    let digest: [u8; 32] = Sha256::digest(receipt.as_bytes()).into();
    let mut log = Log {
        part: Part::new("log.jsonl"),
        leaves: Part::new("leaves"),
        tree: Growing::default(),
        height: 0,
        at: 1_780_000_000_000_000,
    };
    let (grant, payout) = (Uuid::from_u128(1 << 100), Uuid::from_u128(2 << 100));
    let granted = json!({"amount": ledger::Fen::new(total).unwrap().to_string(), "document": "bench", "programme": id, "source": "central"});
    let granted = granted.to_string();
    let subject = format!("apr_{COUNTY}_{}", grant.simple());
    log.event(&subject, "appropriate", "one", None, Some(&granted));
    log.event(
        &subject,
        "check_appropriation",
        "other",
        Some(("pending", "approved", 0)),
        Some(&granted),
    );
    log.transfer(id, "appropriate", total, None, Some(grant));
    let claim_of = |number: u64| Uuid::from_u128((3 << 100) + u128::from(number));
    let subject_of = |claim: Uuid| format!("clm_{COUNTY}_{}", claim.simple());
    let key_of = |number: u64| [&[1_u8][..], &u128::from(number).to_be_bytes()].concat();
    for number in 0..claims {
        let claim = claim_of(number);
        let keys = key_of(number);
        log.at += 1;
        let line = DecisionLine {
            leaf: log.tree.size(),
            kind: DecisionLine::KIND.into(),
            claim,
            revision: 1,
            outcome: "eligible".into(),
            receipt: &receipt_raw,
            keys: keys_as_text(&keys),
            decided_at: At(log.at),
        };
        let leaf = Leaf::Decision(ledger::log::Decision {
            jurisdiction: COUNTY,
            claim: line.claim.into_bytes(),
            revision: line.revision,
            outcome: &line.outcome,
            receipt: digest,
            keys: &keys,
            decided_at: line.decided_at.0,
        });
        log.add(&leaf, &line);
        let subject = subject_of(claim);
        log.event(&subject, "submit", "shop", Some(("", "under_review", 1)), None);
        log.transfer(id, "reserve", amount, Some(claim), None);
        log.event(
            &subject,
            "recommend",
            "one",
            Some(("under_review", "recommended", 2)),
            None,
        );
        log.event(
            &subject,
            "approve",
            "other",
            Some(("recommended", "approved", 3)),
            None,
        );
        log.transfer(id, "approve", amount, Some(claim), None);
    }
    let paying = format!("dsb_{COUNTY}_{}", payout.simple());
    log.event(&paying, "make_disbursement", "one", None, None);
    for number in 0..claims {
        let claim = claim_of(number);
        log.event(
            &subject_of(claim),
            "instruct",
            "one",
            Some(("approved", "in_payment", 4)),
            None,
        );
        log.transfer(id, "instruct", amount, Some(claim), Some(payout));
    }
    let released = json!({"claims": claims, "digest": "00", "payments": 1, "persons": 2, "programme": id, "total": ledger::Fen::new(total).unwrap().to_string()});
    log.event(
        &paying,
        "release_disbursement",
        "other",
        None,
        Some(&released.to_string()),
    );
    for number in 0..claims {
        let claim = claim_of(number);
        log.event(
            &subject_of(claim),
            "pay",
            "bank",
            Some(("in_payment", "paid", 5)),
            None,
        );
        log.transfer(id, "pay", amount, Some(claim), Some(payout));
    }
    let checkpoint = Checkpoint {
        origin: key.public().origin(COUNTY),
        size: log.tree.size(),
        root: log.tree.root(),
        made_at: At(log.at).to_string(),
    };
    let mut parts = Vec::new();
    let mut document = Part::new("");
    document.name = format!("programmes/{id}@{}.toml", programme.version());
    document.bytes(programme.source().as_bytes());
    parts.push(document.end());
    let mut note = Part::new("checkpoint");
    note.bytes(key.sign(&checkpoint).unwrap().as_bytes());
    parts.push(note.end());
    parts.push(log.leaves.end());
    parts.push(log.part.end());
    let mut funds = Part::new("funds.jsonl");
    funds.line(&FundLine {
        programme: id.to_owned(),
        appropriated: total,
        available: 0,
        reserved: 0,
        payable: 0,
        in_payment: 0,
        disbursed: total,
        recoverable: 0,
        advanced: 0,
    });
    parts.push(funds.end());
    parts.push(Part::new("caps.jsonl").end());
    let mut grants = Part::new("appropriations.jsonl");
    grants.line(&AppropriationLine {
        id: grant,
        programme: id.to_owned(),
        source: "central".into(),
        amount: total,
        document: "bench".into(),
        status: "approved".into(),
        maker: "one".into(),
        checker: Some("other".into()),
    });
    parts.push(grants.end());
    let mut payouts = Part::new("disbursements.jsonl");
    payouts.line(&proof::DisbursementLine {
        id: payout,
        programme: id.to_owned(),
        status: "closed".into(),
        claims: i64::try_from(claims).unwrap(),
        total,
        payments: vec![PaymentLine {
            id: payout,
            amount: total,
            netted: 0,
            set_off: 0,
        }],
        digest: Some("00".into()),
    });
    parts.push(payouts.end());
    let mut table = Part::new("claims.jsonl");
    for number in 0..claims {
        table.line(&ClaimLine {
            claim: claim_of(number),
            programme: id.to_owned(),
            status: "paid".into(),
            revision: 5,
            category: category.clone(),
            amount: Some(amount),
            committed: true,
            keys: keys_as_text(&key_of(number)),
        });
    }
    parts.push(table.end());
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        made_at: checkpoint.made_at.clone(),
        log: "bench".into(),
        counties: vec![CountyManifest {
            jurisdiction: COUNTY.into(),
            size: checkpoint.size,
            root: checkpoint.root.to_string(),
            previous: None,
        }],
        parts: parts.iter().map(|part| part.0.clone()).collect(),
    };
    let text = serde_json::to_vec(&manifest).unwrap();
    let note = key
        .sign(&Checkpoint {
            origin: key.public().origin(SIGNED_AS),
            size: text.len() as u64,
            root: Hash(Sha256::digest(&text).into()),
            made_at: manifest.made_at.clone(),
        })
        .unwrap();
    let mut archive = Writer::new(out);
    archive
        .part("manifest.json", text.len() as u64, text.as_slice())
        .unwrap();
    archive
        .part("manifest.sig", note.len() as u64, note.as_bytes())
        .unwrap();
    for (part, file) in parts {
        archive
            .part(&part.name, part.bytes, BufReader::with_capacity(1 << 20, file))
            .unwrap();
    }
    archive.finish().unwrap();
    key
}
