//! The transparency log: checkpoints, witnesses' words on them, and proofs.
//!
//! Leaves are appended by whoever makes them, in his own transaction (`store::log`). A checkpoint is made afterwards, from the
//! hashes as they were appended and not from the rows that they are of: what is changed in a row later no longer fits.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use claims::ids::ClaimId;
use ledger::log::{
    Checkpoint, Growing, Hash, LogKey, Node, NoteError, ProofError, PublicKey, Tree, Witness, consistency,
    inclusion, root,
};
use store::Conn;
use store::audit::log::{CheckpointRow, CosignatureRow, NodeRow};

use super::Audit;
use crate::claims::visible;
use crate::operation::access::{ReadClaims, ReadLedger, WitnessLog};
use crate::operation::{Op, Permit, Refusal, ServiceError, paging};

/// Leaves hashed together while a checkpoint is made.
const RUN: u64 = 1 << 16;
/// Nodes written by one statement.
const NODES: usize = 10_000;

/// What the log is signed with, and whose words on it are kept.
#[derive(Debug)]
pub struct LogSettings {
    pub key: LogKey,
    pub witnesses: Vec<Witness>,
    /// How old the last checkpoint is when the next one is made of a log that has grown.
    pub every: Duration,
}

/// A signed checkpoint, with the words of those who vouch for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub size: u64,
    pub root: Hash,
    pub made_at: DateTime<Utc>,
    /// A signed note: its text, our signature and the witnesses'.
    pub note: String,
}

/// That a leaf stands in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    pub leaf: u64,
    pub leaf_hash: Hash,
    pub size: u64,
    pub root: Hash,
    pub hashes: Vec<Hash>,
}

/// That one tree begins with another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consistency {
    pub from: u64,
    pub from_root: Hash,
    pub to: u64,
    pub to_root: Hash,
    pub hashes: Vec<Hash>,
}

/// All that a claimant needs to know that what was decided stands in the county's log.
#[derive(Debug, Clone)]
pub struct ClaimProof {
    /// The leaf's bytes: what was decided, as it is logged.
    pub leaf: Vec<u8>,
    /// The receipt, byte for byte as the leaf's hash of it says.
    pub receipt: String,
    pub inclusion: Inclusion,
    pub checkpoint: Signed,
    /// What the checkpoint is checked with.
    pub key: String,
}

impl Audit {
    /// The log's name and public key.
    pub fn log_key(&self) -> PublicKey {
        self.log.key.public()
    }

    /// The youngest checkpoint of a county's log, or the one of a size.
    pub async fn checkpoint(
        &self,
        permit: &Permit<WitnessLog>,
        jurisdiction: &str,
        size: Option<u64>,
    ) -> Result<Signed, ServiceError> {
        self.log_of(permit, jurisdiction)?;
        let mut conn = self.op.read().await?;
        let row = conn.checkpoint(jurisdiction, size.map(number)).await?;
        let row = row.ok_or(Refusal::NotFound("checkpoint"))?;
        signed(&mut conn, row).await
    }

    /// Checkpoints of a county, youngest first.
    pub async fn checkpoints(
        &self,
        permit: &Permit<WitnessLog>,
        jurisdiction: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<crate::operation::Page<Signed>, ServiceError> {
        self.log_of(permit, jurisdiction)?;
        let below = paging::read(cursor)?;
        let mut conn = self.op.read().await?;
        let rows = conn
            .checkpoints(jurisdiction, below, paging::fetch(limit))
            .await?;
        let page = paging::page(rows, limit, |row| row.size)?;
        let mut items = Vec::with_capacity(page.items.len());
        for row in page.items {
            items.push(signed(&mut conn, row).await?);
        }
        Ok(crate::operation::Page {
            items,
            next_cursor: page.next_cursor,
        })
    }

    /// Makes a checkpoint of a county's log as it stands; that of the same size, if there is one.
    pub async fn make_checkpoint(
        &self,
        permit: &Permit<WitnessLog>,
        jurisdiction: &str,
    ) -> Result<Signed, ServiceError> {
        self.log_of(permit, jurisdiction)?;
        self.sign_log(jurisdiction, None).await
    }

    /// Signs the logs that have grown and whose last checkpoint is old enough. How many.
    pub(crate) async fn sign_logs(&self) -> Result<usize, ServiceError> {
        let now = self.op.now();
        let before = now.checked_sub_signed(self.log.every).unwrap_or(now);
        let grown = self.op.read().await?.logs_to_sign(before, 1_000).await?;
        for jurisdiction in &grown {
            self.sign_log(jurisdiction, None).await?;
        }
        Ok(grown.len())
    }

    /// Signs a log as it stands, or as it stood when it had this many leaves.
    pub(super) async fn sign_log(&self, jurisdiction: &str, at: Option<i64>) -> Result<Signed, ServiceError> {
        let mut conn = self.op.read().await?;
        // Whoever raised the number has committed the leaves below it.
        let leaves = conn
            .log_size(jurisdiction)
            .await?
            .ok_or(Refusal::NotFound("ledger"))?;
        let leaves = at.map_or(leaves, |at| at.min(leaves));
        if let Some(row) = conn.checkpoint(jurisdiction, Some(leaves)).await? {
            return signed(&mut conn, row).await;
        }
        // Of a younger one nothing is needed but the nodes, which are there.
        let last = conn.checkpoint(jurisdiction, None).await?;
        let began = match last {
            Some(row) => unsigned(row.size.min(leaves)),
            None => 0,
        };
        let size = unsigned(leaves);
        let (tree, nodes) = grow(&mut conn, jurisdiction, began, size).await?;
        let now = self.op.now();
        let checkpoint = Checkpoint {
            origin: self.log_key().origin(jurisdiction),
            size,
            root: tree.root(),
            made_at: now.to_rfc3339_opts(SecondsFormat::Micros, true),
        };
        let row = CheckpointRow {
            jurisdiction: jurisdiction.to_owned(),
            size: leaves,
            root: tree.root().0.to_vec(),
            note: self.log.key.sign(&checkpoint).map_err(ServiceError::bug)?,
            made_at: now,
        };
        let nodes = node_rows(jurisdiction, &nodes);
        self.op
            .transaction(async |mut tx| {
                for nodes in nodes.chunks(NODES) {
                    NodeRow::insert(&mut tx, nodes).await?;
                }
                tx.add_checkpoint(&row).await?;
                Ok(tx.done(()))
            })
            .await?;
        // Of two who signed at once the first is kept.
        let kept = conn.checkpoint(jurisdiction, Some(leaves)).await?;
        signed(
            &mut conn,
            kept.ok_or_else(|| ServiceError::bug("a checkpoint is gone"))?,
        )
        .await
    }

    /// Keeps what a witness of ours says of a checkpoint of ours. A note may have several lines; at least one must be a known
    /// witness's.
    pub async fn cosign(
        &self,
        permit: &Permit<WitnessLog>,
        jurisdiction: &str,
        note: &str,
    ) -> Result<Signed, ServiceError> {
        self.log_of(permit, jurisdiction)?;
        let checkpoint = self
            .log_key()
            .open(jurisdiction, note)
            .map_err(Refusal::Cosignature)?;
        let mut conn = self.op.read().await?;
        let row = conn
            .checkpoint(jurisdiction, Some(number(checkpoint.size)))
            .await?;
        let row = row.ok_or(Refusal::NotFound("checkpoint"))?;
        let text = |note: &str| note.rsplit_once("\n\n").map(|it| it.0.to_owned());
        if text(note) != text(&row.note) {
            return Err(Refusal::Cosignature(NoteError::OtherLog).into());
        }
        let now = self.op.now();
        let mut words = Vec::new();
        for witness in &self.log.witnesses {
            match witness.vouches(note) {
                Ok(word) => words.push(CosignatureRow {
                    jurisdiction: jurisdiction.to_owned(),
                    size: row.size,
                    witness: word.witness,
                    line: word.line,
                    signed_at: i64::try_from(word.at)
                        .ok()
                        .and_then(|at| DateTime::from_timestamp(at, 0))
                        .ok_or(Refusal::Cosignature(NoteError::Malformed))?,
                    received_at: now,
                }),
                Err(NoteError::Unsigned) => {}
                Err(why) => return Err(Refusal::Cosignature(why).into()),
            }
        }
        if words.is_empty() {
            return Err(Refusal::Cosignature(NoteError::Unsigned).into());
        }
        let unit = async |mut op: Op<'_>| {
            for word in &words {
                op.tx.add_cosignature(word).await?;
            }
            Ok(op.unrecorded(()))
        };
        self.op.of(permit).within(jurisdiction)?.run(unit).await?;
        signed(&mut conn, row).await
    }

    /// The proof that a leaf stands in the tree of a size; of the last checkpoint, if none is named.
    pub async fn prove_inclusion(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        leaf: u64,
        size: Option<u64>,
    ) -> Result<Inclusion, ServiceError> {
        self.funds.county(permit, jurisdiction)?;
        let mut conn = self.op.read().await?;
        let covered = covered(&mut conn, jurisdiction, size).await?;
        include(&mut conn, jurisdiction, leaf, covered).await
    }

    /// The proof that the tree of one size begins with that of another.
    pub async fn prove_consistency(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        from: u64,
        to: Option<u64>,
    ) -> Result<Consistency, ServiceError> {
        self.funds.county(permit, jurisdiction)?;
        let mut conn = self.op.read().await?;
        let to = covered(&mut conn, jurisdiction, to).await?;
        consist(&mut conn, jurisdiction, from, to).await
    }

    /// The proof that what was last decided on a claim stands in its county's log.
    pub async fn prove_claim(
        &self,
        permit: &Permit<ReadClaims>,
        id: ClaimId,
    ) -> Result<ClaimProof, ServiceError> {
        let mut conn = self.op.read().await?;
        let row = visible(permit, conn.claim(id).await?, id)?;
        let decision = conn.decision(id, row.decided).await?;
        let decision = decision.ok_or_else(|| ServiceError::bug("a claim has no decision"))?;
        let leaf = unsigned(decision.leaf);
        let last = conn.checkpoint(row.jurisdiction.as_str(), None).await?;
        let last = last.filter(|last| unsigned(last.size) > leaf);
        let last = last.ok_or(Refusal::NotCovered)?;
        let inclusion = include(&mut conn, row.jurisdiction.as_str(), leaf, unsigned(last.size)).await?;
        Ok(ClaimProof {
            leaf: decision.leaf().encode(),
            receipt: crate::claims::view::receipt(&decision)?,
            inclusion,
            checkpoint: signed(&mut conn, last).await?,
            key: self.log_key().of_county(row.jurisdiction.as_str()),
        })
    }

    fn log_of(&self, permit: &Permit<WitnessLog>, jurisdiction: &str) -> Result<(), Refusal> {
        // The city has a log too: of its caps and programmes.
        self.catalogue
            .current()
            .jurisdiction(jurisdiction)
            .ok_or(Refusal::NotFound("ledger"))?;
        permit.within(jurisdiction)
    }
}

pub(crate) fn number(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The checkpoint with its witnesses' lines.
async fn signed(conn: &mut Conn, row: CheckpointRow) -> Result<Signed, ServiceError> {
    let mut note = row.note;
    for word in conn.cosignatures(&row.jurisdiction, row.size).await? {
        note.push_str(&word.line);
        note.push('\n');
    }
    Ok(Signed {
        size: unsigned(row.size),
        root: Hash(row.root.as_slice().try_into()?),
        made_at: row.made_at,
        note,
    })
}

/// The size asked for, if a checkpoint covers it; else that of the last one.
async fn covered(conn: &mut Conn, jurisdiction: &str, size: Option<u64>) -> Result<u64, ServiceError> {
    let last = conn
        .checkpoint(jurisdiction, None)
        .await?
        .ok_or(Refusal::NotCovered)?;
    let last = unsigned(last.size);
    match size {
        Some(size) if size > last => Err(Refusal::NotCovered.into()),
        Some(size) => Ok(size),
        None => Ok(last),
    }
}

/// What a question about the tree needs. Nodes of complete subtrees are there up to the last checkpoint.
async fn read(conn: &mut Conn, jurisdiction: &str, tree: Tree) -> Result<BTreeMap<Node, Hash>, ServiceError> {
    let parts = tree.parts().map_err(|_| Refusal::NotCovered)?;
    Ok(conn.log_nodes(jurisdiction, &parts).await?)
}

async fn root_of(conn: &mut Conn, jurisdiction: &str, size: u64) -> Result<Hash, ServiceError> {
    let nodes = read(conn, jurisdiction, Tree::Root { size }).await?;
    root(size, &nodes).map_err(ServiceError::bug)
}

fn proved<T>(proof: Result<T, ProofError>) -> Result<T, ServiceError> {
    proof.map_err(|why| match why {
        ProofError::OutOfRange => Refusal::NotCovered.into(),
        ProofError::Missing | ProofError::Wrong => ServiceError::bug(why),
    })
}

async fn include(
    conn: &mut Conn,
    jurisdiction: &str,
    leaf: u64,
    size: u64,
) -> Result<Inclusion, ServiceError> {
    if leaf >= size {
        return Err(Refusal::NotCovered.into());
    }
    let nodes = read(conn, jurisdiction, Tree::Inclusion { size, leaf }).await?;
    let hashes = proved(inclusion(size, leaf, &nodes))?;
    let own = conn
        .leaf_hashes(jurisdiction, number(leaf), number(leaf.saturating_add(1)))
        .await?;
    Ok(Inclusion {
        leaf,
        leaf_hash: own
            .first()
            .copied()
            .ok_or_else(|| ServiceError::bug("a leaf is gone"))?,
        size,
        root: root_of(conn, jurisdiction, size).await?,
        hashes,
    })
}

pub(super) async fn consist(
    conn: &mut Conn,
    jurisdiction: &str,
    from: u64,
    to: u64,
) -> Result<Consistency, ServiceError> {
    if from == 0 || from > to {
        return Err(Refusal::NotCovered.into());
    }
    let nodes = read(
        conn,
        jurisdiction,
        Tree::Consistency {
            size: to,
            earlier: from,
        },
    )
    .await?;
    Ok(Consistency {
        from,
        from_root: root_of(conn, jurisdiction, from).await?,
        to,
        to_root: root_of(conn, jurisdiction, to).await?,
        hashes: proved(consistency(to, from, &nodes))?,
    })
}

/// Goes on with a tree from one size to another: the tree, and the kept nodes that were completed on the way.
async fn grow(
    conn: &mut Conn,
    jurisdiction: &str,
    began: u64,
    size: u64,
) -> Result<(Growing, Vec<(Node, Hash)>), ServiceError> {
    let peaks = read(conn, jurisdiction, Tree::Root { size: began }).await?;
    let mut tree = Growing::resume(began, &peaks).map_err(ServiceError::bug)?;
    let mut nodes = Vec::new();
    while tree.size() < size {
        let from = tree.size();
        let to = from.saturating_add(RUN).min(size);
        let leaves = conn.leaf_hashes(jurisdiction, number(from), number(to)).await?;
        for leaf in leaves {
            tree.push(leaf, |node, hash| nodes.push((node, hash)));
        }
        if tree.size() != to {
            return Err(ServiceError::bug("leaves are gone from the log"));
        }
    }
    Ok((tree, nodes))
}

fn node_rows(jurisdiction: &str, nodes: &[(Node, Hash)]) -> Vec<NodeRow> {
    let rows = nodes.iter().map(|(node, hash)| NodeRow {
        jurisdiction: jurisdiction.to_owned(),
        level: node.level.into(),
        number: number(node.number),
        hash: hash.0.to_vec(),
    });
    rows.collect()
}
