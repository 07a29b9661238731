//! Programmes and jurisdictions, compiled once and kept in memory.
//!
//! Active versions are immutable, so a compiled one is kept for good; what another instance activates is seen at the next
//! refresh ([`Catalogues::refresh`], called every few seconds by `serve`, and whenever a claim names a version not known here).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::NaiveDate;
use claims::ids::DraftId;
pub use claims::jurisdictions::JurisdictionKind;
use policy::{Programme, VersionStatus};
use store::programmes::reference::{JurisdictionRow, ProgrammeRow};

use crate::operation::access::ReadProgrammes;
use crate::operation::{Actor, FieldError, Op, Permit, Recorded, Refusal, Runner, ServiceError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jurisdiction {
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub kind: JurisdictionKind,
    pub parent: Option<String>,
}

/// Everything the service knows that seldom changes.
#[derive(Debug, Default)]
pub struct Catalogue {
    programmes: BTreeMap<String, Vec<Arc<Programme>>>,
    jurisdictions: BTreeMap<String, Jurisdiction>,
}

impl Catalogue {
    /// All active versions of a programme, oldest first; empty if there is none.
    pub fn versions(&self, id: &str) -> &[Arc<Programme>] {
        self.programmes.get(id).map_or(&[], Vec::as_slice)
    }

    /// Every active version of every programme, by id.
    pub fn all_versions(&self) -> impl Iterator<Item = &Arc<Programme>> {
        self.programmes.values().flatten()
    }

    pub fn version(&self, id: &str, version: u32) -> Option<&Arc<Programme>> {
        self.versions(id)
            .iter()
            .find(|programme| programme.version() == version)
    }

    /// The newest version of each programme.
    pub fn newest(&self) -> impl Iterator<Item = &Arc<Programme>> {
        self.programmes.values().filter_map(|versions| versions.last())
    }

    /// The version in force on a date.
    pub fn in_force(&self, id: &str, date: NaiveDate) -> Option<&Arc<Programme>> {
        let versions = self.versions(id);
        let plain = versions.iter().map(Arc::as_ref).collect::<Vec<_>>();
        let found = policy::in_force(&plain, date)?;
        versions
            .iter()
            .find(|programme| std::ptr::eq(programme.as_ref(), found))
    }

    pub fn jurisdiction(&self, code: &str) -> Option<&Jurisdiction> {
        self.jurisdictions.get(code)
    }

    pub fn jurisdictions(&self) -> impl Iterator<Item = &Jurisdiction> {
        self.jurisdictions.values()
    }

    /// A county or zone: something with a fund of its own.
    pub fn county(&self, code: &str) -> Option<&Jurisdiction> {
        self.jurisdiction(code)
            .filter(|it| it.kind != JurisdictionKind::City)
    }

    /// The cities above these counties.
    pub fn cities_of(&self, counties: &[String]) -> Vec<String> {
        let parents = counties
            .iter()
            .filter_map(|code| self.jurisdiction(code)?.parent.clone());
        parents.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The counties of a city, or the county itself.
    pub fn counties_of(&self, code: &str) -> Vec<String> {
        let children = self
            .jurisdictions
            .values()
            .filter(|it| it.parent.as_deref() == Some(code));
        let children = children.map(|it| it.code.clone()).collect::<Vec<_>>();
        if children.is_empty() {
            vec![code.to_owned()]
        } else {
            children
        }
    }

    pub(crate) fn city(&self) -> Option<&Jurisdiction> {
        self.jurisdictions
            .values()
            .find(|it| it.kind == JurisdictionKind::City)
    }
}

/// A version of a programme as it stands in the database.
#[derive(Debug, Clone)]
pub struct ProgrammeVersion {
    pub programme: Arc<Programme>,
    /// Every version there is, oldest first.
    pub versions: Vec<u32>,
}

/// The catalogue as it was last read, and how it is read again.
#[derive(Debug)]
pub struct Catalogues {
    op: Arc<Runner>,
    last: RwLock<Arc<Catalogue>>,
}

impl Catalogues {
    pub(crate) fn new(op: &Arc<Runner>) -> Self {
        Self {
            op: Arc::clone(op),
            last: RwLock::default(),
        }
    }

    /// Programmes and jurisdictions as last read.
    pub fn current(&self) -> Arc<Catalogue> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&last)
    }

    /// Reads programmes and jurisdictions again; compiled versions are kept.
    pub async fn refresh(&self) -> Result<(), ServiceError> {
        let (programmes, jurisdictions) = {
            let mut conn = self.op.read().await?;
            (conn.active_programmes().await?, conn.jurisdictions().await?)
        };
        let known = self.current();
        let mut catalogue = Catalogue::default();
        for row in programmes {
            let programme = match known.versions(&row.id).iter().find(|it| it.hash() == row.hash) {
                Some(programme) => Arc::clone(programme),
                None => compile(row).await?,
            };
            catalogue
                .programmes
                .entry(programme.id().to_owned())
                .or_default()
                .push(programme);
        }
        catalogue.jurisdictions = jurisdictions
            .into_iter()
            .map(|row| (row.code.clone(), Jurisdiction::from(row)))
            .collect();
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
        Ok(())
    }

    /// The newest version of every programme.
    pub fn programmes(&self, _permit: &Permit<ReadProgrammes>) -> Vec<ProgrammeVersion> {
        let catalogue = self.current();
        let version = |programme: &Arc<Programme>| ProgrammeVersion {
            versions: catalogue
                .versions(programme.id())
                .iter()
                .map(|it| it.version())
                .collect(),
            programme: Arc::clone(programme),
        };
        catalogue.newest().map(version).collect()
    }

    /// One version of a programme; the newest if none is named.
    pub fn programme(
        &self,
        _permit: &Permit<ReadProgrammes>,
        id: &str,
        version: Option<u32>,
    ) -> Result<ProgrammeVersion, ServiceError> {
        let catalogue = self.current();
        let found = match version {
            Some(version) => catalogue.version(id, version),
            None => catalogue.versions(id).last(),
        };
        let programme = Arc::clone(found.ok_or(Refusal::NotFound("programme"))?);
        let versions = catalogue.versions(id).iter().map(|it| it.version()).collect();
        Ok(ProgrammeVersion { programme, versions })
    }

    /// Puts the first version of a programme in force; the same document again changes nothing. A later version comes from a
    /// draft that two persons agreed on (`programmes::drafts`): alone it is refused.
    pub async fn seed_programme(&self, actor: &Actor, source: &str) -> Result<(), ServiceError> {
        let programme = parse(source.to_owned()).await?;
        let versions = self.current().versions(programme.id()).to_vec();
        if versions.iter().any(|it| it.hash() == programme.hash()) {
            return Ok(());
        }
        if !versions.is_empty() {
            return Err(Refusal::FourEyes.into());
        }
        let unit = async |mut op: Op<'_>| {
            let recorded = self.put_in_force(&mut op, &programme, None).await?;
            Ok(op.done(recorded, ()))
        };
        self.op.by(actor).run(unit).await?;
        self.refresh().await
    }

    /// Stores a version with its fund in every county.
    pub(crate) async fn put_in_force(
        &self,
        op: &mut Op<'_>,
        programme: &Programme,
        draft: Option<DraftId>,
    ) -> Result<Recorded, ServiceError> {
        let row = ProgrammeRow {
            id: programme.id().to_owned(),
            version: i32::try_from(programme.version())?,
            hash: programme.hash().to_owned(),
            source: programme.source().to_owned(),
            effective_from: programme.effective_from(),
            status: VersionStatus::Active,
            created_at: op.now,
            activated_at: Some(op.now),
            draft_jurisdiction: draft.map(|draft| draft.jurisdiction.to_string()),
            draft: draft.map(|draft| draft.uuid),
        };
        let catalogue = self.current();
        let counties = catalogue
            .jurisdictions()
            .filter(|it| it.kind != JurisdictionKind::City)
            .map(|it| it.code.clone())
            .collect::<Vec<_>>();
        let subject = format!("programme:{}", row.id);
        let event = op.event(&self.city()?, &subject, "activate_programme");
        op.tx.add_programme(&row).await?;
        op.tx.open_funds(&row.id, &counties).await?;
        op.record(&[event]).await
    }

    /// Adds jurisdictions with their ledgers, cities first, and their funds in every programme.
    pub async fn seed_jurisdictions(&self, jurisdictions: &[Jurisdiction]) -> Result<(), ServiceError> {
        let mut rows = jurisdictions
            .iter()
            .map(JurisdictionRow::from)
            .collect::<Vec<_>>();
        rows.sort_by(|a, b| (&a.parent, &a.code).cmp(&(&b.parent, &b.code)));
        let counties = jurisdictions
            .iter()
            .filter(|it| it.kind != JurisdictionKind::City);
        let counties = counties.map(|it| it.code.clone()).collect::<Vec<_>>();
        let programmes = self
            .current()
            .newest()
            .map(|it| it.id().to_owned())
            .collect::<Vec<_>>();
        self.op
            .transaction(async |mut tx| {
                tx.save_jurisdictions(&rows).await?;
                for programme in &programmes {
                    tx.open_funds(programme, &counties).await?;
                }
                Ok(tx.done(()))
            })
            .await?;
        self.refresh().await
    }

    /// The code of the city.
    pub(crate) fn city(&self) -> Result<String, ServiceError> {
        let catalogue = self.current();
        let city = catalogue.city().map(|it| it.code.clone());
        city.ok_or_else(|| ServiceError::bug("no city"))
    }
}

/// Compiles a document, or says what is wrong with it.
pub(crate) async fn parse(source: String) -> Result<Programme, ServiceError> {
    let compiled = tokio::task::spawn_blocking(move || Programme::parse(&source));
    let compiled = compiled.await?;
    compiled.map_err(|diagnostics| {
        let errors = diagnostics.into_iter().map(|d| {
            let at = format!("{}:{}: {}", d.line, d.column, d.message);
            FieldError::new("/document", "programme.invalid", at.clone(), at)
        });
        Refusal::Invalid(errors.collect()).into()
    })
}

/// Compiles a version that is in force.
pub(crate) async fn compile(row: ProgrammeRow) -> Result<Arc<Programme>, ServiceError> {
    let compiled = tokio::task::spawn_blocking(move || {
        Programme::parse(&row.source)
            .map_err(|_| format!("programme {} version {} no longer compiles", row.id, row.version))
    });
    Ok(Arc::new(compiled.await?.map_err(ServiceError::Bug)?))
}

impl From<JurisdictionRow> for Jurisdiction {
    fn from(row: JurisdictionRow) -> Self {
        Self {
            code: row.code,
            name_zh: row.name_zh,
            name_en: row.name_en,
            kind: row.kind,
            parent: row.parent,
        }
    }
}

impl From<&Jurisdiction> for JurisdictionRow {
    fn from(it: &Jurisdiction) -> Self {
        Self {
            code: it.code.clone(),
            name_zh: it.name_zh.clone(),
            name_en: it.name_en.clone(),
            kind: it.kind,
            parent: it.parent.clone(),
        }
    }
}
