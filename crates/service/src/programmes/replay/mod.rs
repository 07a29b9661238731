//! Replay (试算重放): a draft of a programme, or another of its versions, over recorded claims. Nothing is written.
//!
//! Each county's claims are read in pages by arrival, their receipts decided again on several threads ([`pages`]), and merged into
//! one order of arrival, in which money and quotas are given out ([`claims::replay`]). Memory is two pages a county and what the
//! replay remembers of persons whom the document treats otherwise; of a slot that receipts did not count, of every person in it. A page is a statement of its own: claims that
//! arrive meanwhile are in the replay if they arrive before it gets there.

mod pages;
mod report;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use claims::allocate::{LimitKey, Scope};
use claims::identifiers::ProgrammeId;
use claims::jurisdictions::JurisdictionCode;
use claims::replay::Replay;
use ledger::Fen;
use policy::Programme;
use store::programmes::replay::ReplayFilter;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::catalogue;
use crate::funds::limits::{limit_key, parse_scope};
use crate::operation::access::ReplayProgrammes;
use crate::operation::convert::{distinct, fen};
use crate::operation::{Permit, Refusal, ServiceError};
use crate::programmes::Programmes;
pub use report::{Report, Summary};
use timing::shanghai;

/// Replays that run at once.
pub(crate) const AT_ONCE: usize = 2;

/// Claims between two words of progress.
const STRIDE: u64 = 10_000;

/// What is replayed.
#[derive(Debug, Clone)]
pub enum Document {
    /// The text of a document.
    Draft(String),
    /// A version that is in force or was.
    Version { programme: String, version: u32 },
}

/// A ceiling to replay with in place of the one that stands. Scopes are those of caps, and `fund`: all the fund's money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenCap {
    pub jurisdiction: String,
    pub scope: String,
    pub ceiling: Fen,
}

/// What is replayed over which claims; days are of arrival in Asia/Shanghai, both included.
#[derive(Debug, Clone)]
pub struct Question {
    pub document: Document,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// Empty: all that the caller may see. A city stands for its counties.
    pub counties: Vec<String>,
    pub caps: Vec<GivenCap>,
    /// Whether each claim that comes out otherwise is told.
    pub list: bool,
}

/// What is told on the way.
#[derive(Debug, Clone)]
pub enum Told {
    /// So many claims, up to this day of arrival.
    Progress { claims: u64, day: Option<NaiveDate> },
    /// A claim that comes out otherwise, as JSON.
    Claim(String),
}

/// A question that can be answered, and its turn to be.
#[derive(Debug)]
pub struct Asked {
    pub(crate) programme: Arc<Programme>,
    /// Whether it is a version in force.
    active: bool,
    counties: Vec<String>,
    /// Whether they are all of the city's.
    whole: bool,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    caps: Vec<(JurisdictionCode, Scope, Fen)>,
    list: bool,
    _turn: OwnedSemaphorePermit,
}

impl Programmes {
    /// Looks at a question before anything is replayed, and says what is wrong with it.
    pub async fn ask_replay(
        &self,
        permit: &Permit<ReplayProgrammes>,
        question: Question,
    ) -> Result<Asked, ServiceError> {
        self.catalogue.refresh().await?;
        let (programme, active) = match question.document {
            Document::Draft(source) => (Arc::new(catalogue::parse(source).await?), false),
            Document::Version { programme, version } => {
                let catalogue = self.catalogue.current();
                let found = catalogue.version(&programme, version).cloned();
                (found.ok_or(Refusal::NotFound("programme"))?, true)
            }
        };
        if question.from.zip(question.to).is_some_and(|(from, to)| from > to) {
            return Err(Refusal::field(
                "/to",
                "period.reversed",
                "截止日早于起始日",
                "it is before `from`",
            )
            .into());
        }
        let counties = self.replayed_counties(permit, &question.counties)?;
        let catalogue = self.catalogue.current();
        let whole = catalogue
            .cities_of(&counties)
            .iter()
            .all(|city| catalogue.counties_of(city).iter().all(|it| counties.contains(it)));
        let cities = if whole {
            catalogue.cities_of(&counties)
        } else {
            Vec::new()
        };
        let caps = question.caps.iter().enumerate();
        let caps = caps.map(|(index, cap)| given(index, cap, &counties, &cities));
        Ok(Asked {
            programme,
            active,
            caps: caps.collect::<Result<_, _>>()?,
            counties,
            whole,
            from: question.from,
            to: question.to,
            list: question.list,
            _turn: self.turn()?,
        })
    }

    /// Few replays run at once: each reads as fast as it is let.
    fn turn(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let turn = Arc::clone(&self.replays).try_acquire_owned();
        turn.map_err(|_| Refusal::LimitReached {
            what: "replays at once",
            limit: AT_ONCE,
        })
    }

    fn replayed_counties(
        &self,
        permit: &Permit<ReplayProgrammes>,
        named: &[String],
    ) -> Result<Vec<String>, Refusal> {
        let catalogue = self.catalogue.current();
        let own = &permit.actor().jurisdictions;
        let mut counties = Vec::new();
        for (index, code) in named.iter().enumerate() {
            if catalogue.jurisdiction(code).is_none() {
                return Err(Refusal::field(
                    format!("/counties/{index}"),
                    "jurisdiction.unknown",
                    "没有这个辖区",
                    "no such jurisdiction",
                ));
            }
            counties.extend(catalogue.counties_of(code));
        }
        if named.is_empty() {
            let all = catalogue.jurisdictions().map(|it| it.code.clone());
            counties = all
                .filter(|code| catalogue.county(code).is_some() && (own.is_empty() || own.contains(code)))
                .collect();
        }
        counties.iter().try_for_each(|county| permit.within(county))?;
        if counties.is_empty() {
            return Err(Refusal::OtherJurisdiction);
        }
        Ok(distinct(counties))
    }

    /// Replays recorded claims under another document. What is told goes to `tell`, if anybody listens.
    pub async fn replay(&self, asked: &Asked, tell: &mpsc::Sender<Told>) -> Result<Report, ServiceError> {
        let catalogue = self.catalogue.current();
        let programme = ProgrammeId::parse(asked.programme.id()).map_err(ServiceError::bug)?;
        let county = |code: &str| JurisdictionCode::parse(code).map_err(ServiceError::bug);
        let mut cities = BTreeMap::new();
        for code in &asked.counties {
            if let Some(city) = catalogue.jurisdiction(code).and_then(|it| it.parent.clone()) {
                cities.insert(county(code)?, county(&city)?);
            }
        }
        let limits = self.replayed_limits(asked).await?;
        let mut replay = Replay::new(programme, cities, limits);
        let filters = asked.counties.iter().map(|code| ReplayFilter {
            jurisdiction: code.clone(),
            programme: asked.programme.id().to_owned(),
            from: asked.from.map(shanghai::midnight),
            until: asked.to.and_then(|day| day.succ_opt()).map(shanghai::midnight),
        });
        let versions = catalogue.versions(asked.programme.id());
        let mut arrivals = pages::Arrivals::open(self, &asked.programme, versions, filters)?;
        say(tell, Told::Progress { claims: 0, day: None }).await?;
        let (mut claims, mut day) = (0_u64, None);
        while let Some(arrival) = arrivals.next().await? {
            day = Some(arrival.day);
            let replayed = replay.take(arrival)?;
            claims = claims.saturating_add(1);
            if asked.list && replayed.differs() {
                let line = report::claim_line(&replayed, &asked.programme, versions)?;
                say(tell, Told::Claim(line)).await?;
            }
            if claims.is_multiple_of(STRIDE) {
                say(tell, Told::Progress { claims, day }).await?;
            }
        }
        say(tell, Told::Progress { claims, day }).await?;
        report::report(asked, &replay, versions, arrivals.decided_by(), self.op.now())
    }

    /// Every limit that the claims count against: its ceiling, and what claims before the period hold of it.
    async fn replayed_limits(&self, asked: &Asked) -> Result<BTreeMap<LimitKey, (Fen, Fen)>, ServiceError> {
        let catalogue = self.catalogue.current();
        let programme = asked.programme.id();
        let mut places = asked.counties.clone();
        if asked.whole {
            places.extend(catalogue.cities_of(&asked.counties));
        }
        let mut conn = self.op.read().await?;
        let mut limits = BTreeMap::new();
        for fund in conn.funds(&asked.counties, None, 10_000).await? {
            if fund.programme == programme {
                let key = limit_key(&fund.jurisdiction, programme, "")?;
                limits.insert(key, (fen(fund.appropriated)?, Fen::ZERO));
            }
        }
        for cap in conn.caps(&places, &[programme.to_owned()]).await? {
            let key = limit_key(&cap.jurisdiction, programme, &cap.scope)?;
            limits.insert(key, (fen(cap.ceiling)?, Fen::ZERO));
        }
        for (jurisdiction, scope, ceiling) in &asked.caps {
            let key = LimitKey {
                jurisdiction: *jurisdiction,
                programme: ProgrammeId::parse(programme).map_err(ServiceError::bug)?,
                scope: scope.clone(),
            };
            limits.insert(key, (*ceiling, Fen::ZERO));
        }
        let Some(from) = asked.from else { return Ok(limits) };
        let before = shanghai::midnight(from);
        let mut held = Vec::new();
        for county in &asked.counties {
            held.extend(conn.held_before(county, programme, before).await?);
        }
        for held in held {
            let city = catalogue
                .jurisdiction(&held.jurisdiction)
                .and_then(|it| it.parent.clone());
            for place in std::iter::once(held.jurisdiction.clone()).chain(city) {
                let (category, month) = (
                    format!("category:{}", held.category),
                    format!("month:{}", held.month),
                );
                for scope in ["", "whole", &category, &month] {
                    if let Some(limit) = limits.get_mut(&limit_key(&place, programme, scope)?) {
                        limit.1 = limit.1.saturating_add(fen(held.amount)?);
                    }
                }
            }
        }
        Ok(limits)
    }
}

/// How long a replay waits for whoever reads it and does not.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tells whoever listens. Nobody has to, and progress may be lost; a list that is asked for and not read ends the replay, whose turn
/// others wait for.
async fn say(tell: &mpsc::Sender<Told>, told: Told) -> Result<(), ServiceError> {
    match tell.send_timeout(told, PATIENCE).await {
        Err(SendTimeoutError::Timeout(Told::Claim(_))) => Err(ServiceError::bug("nobody reads the replay")),
        _ => Ok(()),
    }
}

fn given(
    index: usize,
    cap: &GivenCap,
    counties: &[String],
    cities: &[String],
) -> Result<(JurisdictionCode, Scope, Fen), Refusal> {
    let county = counties.contains(&cap.jurisdiction);
    if !county && !cities.contains(&cap.jurisdiction) {
        return Err(Refusal::field(
            format!("/caps/{index}/jurisdiction"),
            "cap.jurisdiction",
            "不在重放的辖区内；市级上限须重放全市",
            "not among the counties that are replayed; a city's cap needs all of its counties",
        ));
    }
    let scope = match cap.scope.as_str() {
        "fund" if county => Some(Scope::Fund),
        text => parse_scope(text).filter(|scope| *scope != Scope::Fund),
    };
    let jurisdiction = JurisdictionCode::parse(&cap.jurisdiction).ok();
    scope.zip(jurisdiction).map_or_else(
        || {
            Err(Refusal::field(
                format!("/caps/{index}/scope"),
                "cap.scope",
                "范围应为 fund（仅县级）、whole、category:<类别> 或 month:<年-月>",
                "a scope is fund (of a county), whole, category:<category> or month:<yyyy-mm>",
            ))
        },
        |(scope, jurisdiction)| Ok((jurisdiction, scope, cap.ceiling)),
    )
}
