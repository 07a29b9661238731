//! The initial data of a city: its jurisdictions, the programmes, and, for a demo, registers with a
//! few real-looking entries.
//!
//! The files stand in `seeds/` and are compiled in, so that the binary needs nothing beside it.
//! Everything goes through the service, never by raw INSERT, and seeding again changes nothing.

use anyhow::{Context, anyhow};
use bytes::Bytes;
use claims::registers::Register;
use service::operation::access::KeepRegisters;
use service::programmes::registers::{LoadReport, RegisterFormat};
use service::{Actor, Jurisdiction, JurisdictionKind, Permit, Service};

const JURISDICTIONS: &str = include_str!("../../../seeds/jurisdictions.csv");

/// Every programme document that is shipped, oldest first.
pub const PROGRAMMES: [(&str, &str); 11] = [
    (
        "vehicle-scrap-2024a",
        include_str!("../../../seeds/programmes/vehicle-scrap-2024a.toml"),
    ),
    (
        "vehicle-scrap-2024b",
        include_str!("../../../seeds/programmes/vehicle-scrap-2024b.toml"),
    ),
    (
        "appliance-2024",
        include_str!("../../../seeds/programmes/appliance-2024.toml"),
    ),
    (
        "vehicle-scrap-2025",
        include_str!("../../../seeds/programmes/vehicle-scrap-2025.toml"),
    ),
    (
        "vehicle-replacement-2025",
        include_str!("../../../seeds/programmes/vehicle-replacement-2025.toml"),
    ),
    (
        "appliance-2025",
        include_str!("../../../seeds/programmes/appliance-2025.toml"),
    ),
    (
        "digital-2025",
        include_str!("../../../seeds/programmes/digital-2025.toml"),
    ),
    (
        "vehicle-scrap-2026",
        include_str!("../../../seeds/programmes/vehicle-scrap-2026.toml"),
    ),
    (
        "vehicle-replacement-2026",
        include_str!("../../../seeds/programmes/vehicle-replacement-2026.toml"),
    ),
    (
        "appliance-2026",
        include_str!("../../../seeds/programmes/appliance-2026.toml"),
    ),
    (
        "digital-2026",
        include_str!("../../../seeds/programmes/digital-2026.toml"),
    ),
];

const REGISTERS: [(Register, &str); 6] = [
    (
        Register::Merchants,
        include_str!("../../../seeds/registers/merchants.csv"),
    ),
    (
        Register::Collectors,
        include_str!("../../../seeds/registers/collectors.csv"),
    ),
    (
        Register::Dismantlers,
        include_str!("../../../seeds/registers/dismantlers.csv"),
    ),
    (
        Register::EfficiencyLabels,
        include_str!("../../../seeds/registers/efficiency-labels.csv"),
    ),
    (
        Register::FiledPrices,
        include_str!("../../../seeds/registers/filed-prices.csv"),
    ),
    (
        Register::VehicleModels,
        include_str!("../../../seeds/registers/vehicle-models.csv"),
    ),
];

/// Jurisdictions with their ledgers, and every programme with its fund in each county.
pub async fn reference(service: &Service) -> anyhow::Result<()> {
    service
        .catalogue()
        .seed_jurisdictions(&jurisdictions()?)
        .await
        .context("jurisdictions")?;
    let system = Actor::system();
    for (id, source) in PROGRAMMES {
        service
            .catalogue()
            .seed_programme(&system, source)
            .await
            .with_context(|| {
                format!("programme {id} (a version other than the first is proposed and activated in pairs)")
            })?;
    }
    Ok(())
}

/// The demo's registers.
pub async fn registers(service: &Service, permit: &Permit<KeepRegisters>) -> anyhow::Result<Vec<LoadReport>> {
    let mut reports = Vec::with_capacity(REGISTERS.len());
    for (register, csv) in REGISTERS {
        let body = futures::stream::once(async move {
            Ok::<_, std::convert::Infallible>(Bytes::from_static(csv.as_bytes()))
        });
        let report = service
            .programmes()
            .load_register(permit, register, RegisterFormat::Csv, body)
            .await?;
        if report.refused > 0 {
            return Err(anyhow!(
                "seeds/registers/{}.csv: {} lines refused",
                register.as_str(),
                report.refused
            ));
        }
        reports.push(report);
    }
    Ok(reports)
}

/// The jurisdictions of `seeds/jurisdictions.csv`.
pub fn jurisdictions() -> anyhow::Result<Vec<Jurisdiction>> {
    let mut reader = csv::Reader::from_reader(JURISDICTIONS.as_bytes());
    let rows = reader.deserialize::<(String, String, String, String, Option<String>)>();
    let parse = |row: Result<(String, String, String, String, Option<String>), csv::Error>| {
        let (code, name_zh, name_en, kind, parent) = row?;
        let kind = match kind.as_str() {
            "city" => JurisdictionKind::City,
            "county" => JurisdictionKind::County,
            "development_zone" => JurisdictionKind::DevelopmentZone,
            other => return Err(anyhow!("unknown kind of jurisdiction {other}")),
        };
        Ok(Jurisdiction {
            code,
            name_zh,
            name_en,
            kind,
            parent: parent.filter(|parent| !parent.is_empty()),
        })
    };
    rows.map(parse)
        .collect::<anyhow::Result<_>>()
        .context("seeds/jurisdictions.csv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_that_is_shipped_is_seeded() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../seeds/programmes");
        let mut files: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut seeded: Vec<String> = PROGRAMMES.iter().map(|(id, _)| format!("{id}.toml")).collect();
        files.sort();
        seeded.sort();
        assert_eq!(files, seeded);
    }

    #[test]
    fn yuncheng_has_thirteen_counties_and_a_zone() {
        let all = jurisdictions().unwrap();
        let count = |kind| all.iter().filter(|it| it.kind == kind).count();
        assert_eq!(count(JurisdictionKind::City), 1);
        assert_eq!(count(JurisdictionKind::County), 13);
        assert_eq!(count(JurisdictionKind::DevelopmentZone), 1);
    }
}
