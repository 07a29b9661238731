//! What a bundle for auditors is made of: the log's rows in order, and the tables as they stood at one instant.
//!
//! A statement here runs as long as the ledger is large, on a connection whose limit allows that; a row at a time.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel_async::RunQueryDsl;
use futures::{Stream, StreamExt, TryStreamExt};

use crate::batch::{Bind, Sql};
use crate::claims::DecisionRow;
use crate::funds::transfers::TransferRow;
use crate::operation::EventRow;
use crate::{Conn, StoreError};

/// One row of a county's tables. `part` says of which: see [`Conn::tables`].
#[derive(Debug, Clone, QueryableByName)]
pub struct TableLine {
    #[diesel(sql_type = Integer)]
    pub part: i32,
    /// JSON.
    #[diesel(sql_type = Text)]
    pub line: String,
}

/// The tables of a county. One statement sees one instant, and so the tables fit the number of leaves that stands beside them.
const TABLES: &str = "\
    SELECT part, line FROM ( \
    SELECT 0 AS part, '' AS key, 0 AS sub, leaves::text AS line FROM ledgers WHERE jurisdiction = $1 \
    UNION ALL \
    SELECT 1, programme, 0, json_build_object('programme', programme, 'appropriated', appropriated, 'available', available, \
        'reserved', reserved, 'payable', payable, 'in_payment', in_payment, 'disbursed', disbursed, 'recoverable', recoverable, \
        'advanced', advanced)::text FROM funds WHERE jurisdiction = $1 \
        AND greatest(appropriated, available, reserved, payable, in_payment, disbursed, recoverable, advanced) > 0 \
    UNION ALL \
    SELECT 2, programme || ' ' || scope, 0, json_build_object('programme', programme, 'scope', scope, 'ceiling', ceiling, \
        'committed', committed)::text FROM caps WHERE jurisdiction = $1 \
    UNION ALL \
    SELECT 3, id::text, 0, json_build_object('id', id, 'programme', programme, 'source', source, 'amount', amount, \
        'document', document, 'status', status, 'maker', maker, 'checker', checker)::text FROM appropriations WHERE jurisdiction = $1 \
    UNION ALL \
    SELECT 4, d.id::text, 0, json_build_object('id', d.id, 'programme', d.programme, 'status', d.status, 'claims', d.claims, \
        'total', d.total, 'payments', (SELECT coalesce(json_agg(json_build_object('id', p.id, 'amount', p.amount - p.netted, \
            'netted', p.netted - s.set_off, 'set_off', s.set_off) ORDER BY p.id), '[]') FROM payments p CROSS JOIN LATERAL \
            (SELECT coalesce(sum(a.amount), 0)::bigint AS set_off FROM advance_set_offs a \
                WHERE a.jurisdiction = p.jurisdiction AND a.payment = p.id) AS s \
            WHERE p.jurisdiction = d.jurisdiction AND p.disbursement = d.id), 'digest', encode(d.digest, 'hex'))::text \
        FROM disbursements d WHERE d.jurisdiction = $1 \
    UNION ALL \
    SELECT 5, id::text, 0, json_build_object('claim', id, 'programme', programme, 'status', status, 'revision', revision, \
        'category', category, 'amount', amount, 'committed', committed, 'keys', '[]'::json)::text \
        FROM claims WHERE jurisdiction = $1 \
    UNION ALL \
    SELECT 5, claim::text, 1, json_agg(json_build_array(kind, encode(digest, 'hex')))::text \
        FROM unique_keys WHERE jurisdiction = $1 GROUP BY claim \
    ) AS t ORDER BY part, key COLLATE \"C\", sub";

type Rows<'c, T> = std::pin::Pin<Box<dyn Stream<Item = Result<T, StoreError>> + Send + 'c>>;

fn rows<'c, T: Send + 'c>(stream: impl Stream<Item = QueryResult<T>> + Send + 'c) -> Rows<'c, T> {
    stream.map_err(StoreError::from).boxed()
}

impl Conn {
    /// How many leaves a county's log has (part 0), then its funds (1), caps (2), grants (3), payouts (4) and claims (5), each claim followed
    /// by the keys it holds, all as they stood at one instant.
    pub async fn tables(&mut self, jurisdiction: &str) -> Result<Rows<'_, TableLine>, StoreError> {
        let statement = Sql(TABLES).bind::<Text, _>(jurisdiction.to_owned());
        Ok(rows(statement.load_stream::<TableLine>(self.pg()).await?))
    }

    /// A county's transfers below a leaf, in the order of the log.
    pub async fn logged_transfers(
        &mut self,
        jurisdiction: &str,
        below: i64,
    ) -> Result<Rows<'_, TransferRow>, StoreError> {
        let statement = Sql("SELECT * FROM transfers WHERE jurisdiction = $1 AND leaf < $2 ORDER BY height")
            .bind::<Text, _>(jurisdiction.to_owned())
            .bind::<BigInt, _>(below);
        Ok(rows(statement.load_stream::<TransferRow>(self.pg()).await?))
    }

    /// A county's decisions below a leaf, in the order of the log.
    pub async fn logged_decisions(
        &mut self,
        jurisdiction: &str,
        below: i64,
    ) -> Result<Rows<'_, DecisionRow>, StoreError> {
        let statement = Sql("SELECT * FROM decisions WHERE jurisdiction = $1 AND leaf < $2 ORDER BY leaf")
            .bind::<Text, _>(jurisdiction.to_owned())
            .bind::<BigInt, _>(below);
        Ok(rows(statement.load_stream::<DecisionRow>(self.pg()).await?))
    }

    /// A county's events below a leaf, in the order of the log.
    pub async fn logged_events(
        &mut self,
        jurisdiction: &str,
        below: i64,
    ) -> Result<Rows<'_, EventRow>, StoreError> {
        let statement = Sql("SELECT * FROM events WHERE jurisdiction = $1 AND leaf < $2 ORDER BY leaf")
            .bind::<Text, _>(jurisdiction.to_owned())
            .bind::<BigInt, _>(below);
        Ok(rows(statement.load_stream::<EventRow>(self.pg()).await?))
    }
}
