//! Recorded claims of several counties in one order of arrival, each decided again on the way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZero;
use std::sync::Arc;

use claims::digest::Digest;
use claims::ids::ClaimId;
use claims::jurisdictions::JurisdictionCode;
use claims::replay::Arrival;
use policy::Programme;
use policy::replay::Recorded;
use store::programmes::replay::{RecordedRow, ReplayFilter};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::at_rest::packing;
use crate::operation::ServiceError;
use crate::programmes::Programmes;
use timing::shanghai;

/// Rows of a page.
const PAGE: i64 = 2_000;

/// Pages that are on their way at once: a replay leaves most of the pool to others.
const READERS: usize = 3;

/// What every page needs to decide its claims.
#[derive(Debug)]
struct Work {
    programmes: Programmes,
    programme: Arc<Programme>,
    /// What each version that decided asks for.
    asked: BTreeMap<u32, BTreeSet<&'static str>>,
    readers: Semaphore,
    threads: usize,
}

/// Claims of a page that are the filter's, decided again.
#[derive(Debug, Default)]
struct Page {
    arrivals: Vec<Arrival>,
    /// Versions that had decided them.
    versions: BTreeSet<u32>,
}

/// One county's claims: those at hand, and the next page on its way.
#[derive(Debug)]
struct County {
    code: JurisdictionCode,
    filter: ReplayFilter,
    /// The ids between which its claims lie.
    after: Uuid,
    last: Uuid,
    at_hand: VecDeque<Arrival>,
    coming: JoinSet<Result<(Page, Option<Uuid>), ServiceError>>,
}

/// Claims of all counties by arrival.
#[derive(Debug)]
pub(super) struct Arrivals {
    work: Arc<Work>,
    counties: Vec<County>,
    versions: BTreeSet<u32>,
}

impl Arrivals {
    pub(super) fn open(
        programmes: &Programmes,
        programme: &Arc<Programme>,
        versions: &[Arc<Programme>],
        filters: impl Iterator<Item = ReplayFilter>,
    ) -> Result<Self, ServiceError> {
        let work = Arc::new(Work {
            programmes: programmes.clone(),
            programme: Arc::clone(programme),
            asked: versions.iter().map(|it| (it.version(), it.asks_for())).collect(),
            readers: Semaphore::new(READERS),
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
        });
        let counties = filters.map(|filter| {
            let (after, last) = store::ids::between(filter.from, filter.until);
            let mut county = County {
                code: JurisdictionCode::parse(&filter.jurisdiction).map_err(ServiceError::bug)?,
                filter,
                after,
                last,
                at_hand: VecDeque::new(),
                coming: JoinSet::new(),
            };
            county.fetch(&work);
            Ok(county)
        });
        Ok(Arrivals {
            counties: counties.collect::<Result<_, ServiceError>>()?,
            work,
            versions: BTreeSet::new(),
        })
    }

    /// The next claim of all counties by arrival.
    pub(super) async fn next(&mut self) -> Result<Option<Arrival>, ServiceError> {
        let (mut first, mut place) = (Uuid::max(), None);
        for (index, county) in self.counties.iter_mut().enumerate() {
            while county.at_hand.is_empty() {
                let Some(page) = county.take(&self.work).await? else {
                    break;
                };
                self.versions.extend(page.versions);
                county.at_hand.extend(page.arrivals);
            }
            if let Some(arrival) = county.at_hand.front().filter(|it| it.id.uuid < first) {
                (first, place) = (arrival.id.uuid, Some(index));
            }
        }
        let county = place.and_then(|place| self.counties.get_mut(place));
        Ok(county.and_then(|county| county.at_hand.pop_front()))
    }

    /// Versions that had decided the claims so far.
    pub(super) fn decided_by(&self) -> &BTreeSet<u32> {
        &self.versions
    }
}

impl County {
    fn fetch(&mut self, work: &Arc<Work>) {
        let (work, filter) = (Arc::clone(work), self.filter.clone());
        let (code, after) = (self.code, self.after);
        self.coming
            .spawn(async move { work.page(code, &filter, after).await });
    }

    /// The page that was on its way, the one behind it sent for; `None` after the last.
    async fn take(&mut self, work: &Arc<Work>) -> Result<Option<Page>, ServiceError> {
        let Some(page) = self.coming.join_next().await else {
            return Ok(None);
        };
        let (page, more) = page??;
        if let Some(after) = more.filter(|after| *after < self.last) {
            self.after = after;
            self.fetch(work);
        }
        Ok(Some(page))
    }
}

impl Work {
    /// A page, and after which id the next one begins, if there is one.
    async fn page(
        self: &Arc<Self>,
        code: JurisdictionCode,
        filter: &ReplayFilter,
        after: Uuid,
    ) -> Result<(Page, Option<Uuid>), ServiceError> {
        let _reader = self.readers.acquire().await?;
        let rows = {
            let mut conn = self.programmes.op.read().await?;
            conn.recorded_after(filter, after, PAGE).await?
        };
        let full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= PAGE);
        let more = rows.last().filter(|_| full).map(|row| row.id);
        let rows = rows
            .into_iter()
            .filter(|row| row.receipt.is_some())
            .collect::<Vec<_>>();
        let share = rows.len().div_ceil(self.threads).max(1);
        let mut parts = Vec::with_capacity(self.threads);
        let mut rows = rows.into_iter();
        loop {
            let part = rows.by_ref().take(share).collect::<Vec<_>>();
            if part.is_empty() {
                break;
            }
            let work = Arc::clone(self);
            parts.push(tokio::task::spawn_blocking(move || work.decide(code, part)));
        }
        let mut page = Page::default();
        for part in parts {
            let part = part.await??;
            page.arrivals.extend(part.arrivals);
            page.versions.extend(part.versions);
        }
        Ok((page, more))
    }

    fn decide(&self, code: JurisdictionCode, rows: Vec<RecordedRow>) -> Result<Page, ServiceError> {
        let mut page = Page::default();
        for row in rows {
            let (Some(packing), Some(receipt)) = (row.packing, row.receipt) else {
                continue;
            };
            let text = packing::unpack(packing, receipt)?;
            let text = std::str::from_utf8(&text).map_err(|_| ServiceError::bug("unreadable receipt"))?;
            let recorded = Recorded::read(text).map_err(ServiceError::bug)?;
            let asked = self.asked.get(&recorded.version);
            let asked = asked.ok_or_else(|| ServiceError::bug("version gone"))?;
            let person: [u8; 16] = row
                .person
                .try_into()
                .map_err(|_| ServiceError::bug("digest of a wrong length"))?;
            page.versions.insert(recorded.version);
            page.arrivals.push(Arrival {
                id: ClaimId::new(code, row.id),
                day: shanghai::date(row.created_at),
                person: Digest::new(person),
                category: row.category,
                comparison: self.programme.compare(&recorded, asked),
            });
        }
        Ok(page)
    }
}
