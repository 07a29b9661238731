//! Claims of one county, or of several one after another, as lines: masked as a list has them, or in clear for whoever may look.

use std::collections::VecDeque;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use claims::ids::ClaimId;
use claims::life_cycle::Status;
use policy::Lang;
use store::claims::{ClaimFilter, ClaimRow};

use super::pages::{Source, stream};
use super::table::{Cell, Column, Kind, Row, Words};
use super::{Chunks, Format, file, no_such_place};
use crate::at_rest::document::Person;
use crate::audit::Audit;
use crate::operation::access::{ReadLedger, RevealClaims};
use crate::operation::checks::reason;
use crate::operation::{Op, Permit, ServiceError};
use timing::shanghai;

/// Claims of a page: what was sent with each is opened.
const PAGE: usize = 1_000;

/// Which claims, by their day of arrival in Asia/Shanghai, both included.
#[derive(Debug, Clone, Default)]
pub struct ClaimsExport {
    pub programme: Option<String>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// The last claim of a file that broke off, which this one goes on behind.
    pub after: Option<ClaimId>,
}

/// Why somebody who may looks at what is personal.
#[derive(Debug)]
pub struct Reveal {
    pub permit: Permit<RevealClaims>,
    pub reason: Option<String>,
}

impl Audit {
    /// The claims of a county, or of all counties of a city, by county and arrival. To have them in clear leaves an event in each
    /// county, before the first of them is sent: who, which claims, how many, and why.
    pub async fn export_claims(
        &self,
        permit: &Permit<ReadLedger>,
        jurisdiction: &str,
        query: &ClaimsExport,
        reveal: Option<Reveal>,
        format: Format,
        lang: Lang,
    ) -> Result<Chunks, ServiceError> {
        let mut counties = VecDeque::from(self.counties(permit, jurisdiction)?);
        if let Some(after) = query.after {
            let county = after.jurisdiction.as_str();
            if !counties.iter().any(|it| it == county) {
                return Err(no_such_place().into());
            }
            counties.retain(|it| it.as_str() >= county);
        }
        let filter = ClaimFilter {
            created_from: query.from.map(shanghai::midnight),
            created_before: query.to.and_then(|day| day.succ_opt()).map(shanghai::midnight),
            after: query.after.map(|after| after.uuid),
            oldest_first: true,
            programmes: query.programme.iter().cloned().collect(),
            // One programme's claims are read as the merge of its queues.
            statuses: match query.programme {
                Some(_) => Status::ALL.to_vec(),
                None => Vec::new(),
            },
            ..ClaimFilter::default()
        };
        let mut claims = Claims {
            audit: self.clone(),
            revealed: reveal.is_some(),
            filter,
            counties,
        };
        if let Some(reveal) = reveal {
            claims.filter.created_before = Some(self.revealing(&claims, query, &reveal).await?);
        }
        claims.turn();
        let file = file(format, lang, query.after.is_some())?;
        Ok(Box::pin(stream(claims, file)))
    }

    /// Puts on record who is about to see what, and says up to when claims count: those that arrive from now on are not among them.
    async fn revealing(
        &self,
        claims: &Claims,
        query: &ClaimsExport,
        reveal: &Reveal,
    ) -> Result<DateTime<Utc>, ServiceError> {
        for county in &claims.counties {
            reveal.permit.within(county)?;
        }
        let why = reason(reveal.reason.clone(), true)?.unwrap_or_default();
        // What arrived in this very instant is there already.
        let now = self.op.now();
        let from_now_on = now.checked_add_signed(Duration::microseconds(1)).unwrap_or(now);
        let before = claims
            .filter
            .created_before
            .map_or(from_now_on, |before| before.min(from_now_on));
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let period = format!("{}/{}", day(query.from), day(query.to));
        let programme = query.programme.as_deref().unwrap_or("*");
        let unit = async |mut op: Op<'_>| {
            let mut events = Vec::with_capacity(claims.counties.len());
            let mut filter = claims.filter.clone();
            filter.created_before = Some(before);
            for county in &claims.counties {
                filter.jurisdictions = vec![county.clone()];
                let count = op.tx.count_claims(&filter).await?;
                let behind = filter.after.take().and(query.after);
                let behind = behind.map(|it| format!(" behind {it}")).unwrap_or_default();
                let mut event = op.event(county, &format!("ledger:{county}"), "export_claims");
                event.reason = Some(format!("{count} claims{behind}, {programme}, {period}: {why}"));
                events.push(event);
            }
            let recorded = op.record_inside(&events).await?;
            Ok(op.done(recorded, ()))
        };
        self.op.of(&reveal.permit).everywhere().run(unit).await?;
        Ok(before)
    }
}

/// Claims by county and arrival.
struct Claims {
    audit: Audit,
    revealed: bool,
    filter: ClaimFilter,
    /// Those that are still to be read, the one that is being read no longer among them.
    counties: VecDeque<String>,
}

impl Claims {
    /// Goes on with the next county, if there is one.
    fn turn(&mut self) -> bool {
        let next = self.counties.pop_front();
        let found = next.is_some();
        if let Some(county) = next {
            self.filter.jurisdictions = vec![county];
        }
        found
    }
}

impl Source for Claims {
    type Row = Line;

    async fn page(mut self) -> Result<(Vec<Line>, Option<Self>), ServiceError> {
        let limit = i64::try_from(PAGE)?;
        let mut conn = self.audit.op.read().await?;
        let rows = conn.list_claims(&self.filter, limit).await?;
        self.filter.after = rows.last().map(|row| row.id).filter(|_| rows.len() >= PAGE);
        let mut sent = self.audit.claims.sent_claims(&mut conn, &rows).await?;
        drop(conn);
        let lines = rows.into_iter().map(|row| {
            let claim = sent
                .remove(&row.id)
                .ok_or_else(|| ServiceError::bug("a claim has no document"))?;
            let person = crate::at_rest::document::person(&claim, self.revealed);
            Ok(Line { row, person })
        });
        let lines = lines.collect::<Result<Vec<_>, ServiceError>>()?;
        let more = self.filter.after.is_some() || self.turn();
        Ok((lines, more.then_some(self)))
    }
}

/// A claim and what it says of its person.
struct Line {
    row: ClaimRow,
    person: Person,
}

const COLUMNS: [Column; 19] = [
    Column::new("申请编号", "id", Kind::Text),
    Column::new("辖区", "jurisdiction", Kind::Text),
    Column::new("项目", "programme", Kind::Text),
    Column::new("项目版本", "programme_version", Kind::Whole),
    Column::new("状态", "status", Kind::Text),
    Column::new("品类", "category", Kind::Text),
    Column::optional("补贴金额（元）", "amount", Kind::Money),
    Column::optional("政策适用日期", "governing_date", Kind::Day),
    Column::new("受理时间", "created_at", Kind::Instant),
    Column::new("变更时间", "changed_at", Kind::Instant),
    Column::new("商户", "merchant", Kind::Text),
    Column::new("商户单号", "merchant_reference", Kind::Text),
    Column::new("申请人", "applicant_name", Kind::Text),
    Column::new("身份证号", "identity_number", Kind::Text),
    Column::new("手机号", "phone", Kind::Text),
    Column::optional("购买方名称", "buyer_name", Kind::Text),
    Column::new("收款方", "payee", Kind::Text),
    Column::optional("收款账号", "bank_account", Kind::Text),
    Column::optional("开户行", "bank_name", Kind::Text),
];

impl Row<19> for Line {
    const TITLE: (&'static str, &'static str) = ("申请", "Claims");
    const COLUMNS: [Column; 19] = COLUMNS;
    /// Jurisdiction, programme, status, category.
    const SUMMED_BY: &'static [usize] = &[1, 2, 4, 5];

    fn cells(&self, words: Words) -> Result<[Cell<'_>; 19], ServiceError> {
        let Self { row, person } = self;
        let (county, status) = (row.jurisdiction.as_str(), row.status);
        Ok([
            Cell::Id("clm", county, row.id),
            Cell::Text(county),
            Cell::Text(&row.programme),
            Cell::Whole(row.programme_version.into()),
            Cell::Text(words.pick(status.as_str(), status.title_zh())),
            Cell::Text(&row.category),
            row.amount.map_or(Cell::Nothing, Cell::Money),
            row.governing_date.map_or(Cell::Nothing, Cell::Day),
            Cell::Instant(row.created_at),
            Cell::Instant(row.changed_at),
            Cell::Text(&row.merchant),
            Cell::Written(&row.merchant_reference),
            Cell::Written(&person.name),
            Cell::Text(&person.identity_number),
            Cell::Text(&person.phone),
            person.buyer_name.as_deref().map_or(Cell::Nothing, Cell::Written),
            Cell::Text(match person.account {
                Some(_) => words.pick("applicant", "申请人"),
                None => words.pick("merchant", "商户"),
            }),
            person
                .account
                .as_ref()
                .map_or(Cell::Nothing, |(number, _)| Cell::Text(number)),
            person
                .account
                .as_ref()
                .map_or(Cell::Nothing, |(_, bank)| Cell::Written(bank)),
        ])
    }
}
