//! Categories, quota, price gate, funding and subsidy tiers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rust_decimal::Decimal;
use toml::Spanned;

use super::Loader;
use crate::document::{CategoryTable, FundingTable, PriceGateTable, QuotaTable, SubsidyTable, TierTable};
use crate::expression::Wanted;
use crate::programme::{Category, Funding, FundingShares, PriceGate, QuotaRule, Share, Tier};
use crate::schema::FactType;

impl Loader<'_> {
    pub(super) fn categories(&mut self, tables: Vec<CategoryTable>) -> Vec<Category> {
        let mut codes: BTreeSet<String> = BTreeSet::new();
        for code in tables
            .iter()
            .flat_map(|table| std::iter::once(&table.code).chain(&table.aliases))
        {
            if !codes.insert(code.get_ref().clone()) {
                self.report.at(
                    code.span().start,
                    format!("`{}` stands for two categories", code.get_ref()),
                );
            }
        }
        for table in &tables {
            if table.names.get_ref().is_empty() {
                self.report
                    .at(table.names.span().start, "give at least one name of such goods");
            }
        }
        self.categories = tables.iter().map(|table| table.code.get_ref().clone()).collect();
        tables
            .into_iter()
            .map(|table| Category {
                code: table.code.into_inner(),
                title: table.title,
                names: table.names.into_inner(),
                not_names: table.not_names,
                aliases: table.aliases.into_iter().map(toml::Spanned::into_inner).collect(),
            })
            .collect()
    }

    pub(super) fn quota(&mut self, table: QuotaTable) -> QuotaRule {
        self.identifier(&table.group);
        if *table.limit.get_ref() == 0 {
            self.report
                .at(table.limit.span().start, "a quota of 0 admits nobody");
        }
        for category in table.limits.keys() {
            if !self.categories.contains(category.get_ref()) {
                self.report.at(
                    category.span().start,
                    format!("unknown category `{}`", category.get_ref()),
                );
            } else if !table.per_category {
                self.report.at(
                    category.span().start,
                    "a limit by category needs `per_category = true`",
                );
            }
        }
        QuotaRule {
            group: table.group.into_inner(),
            per_category: table.per_category,
            limit: table.limit.into_inner(),
            limits: table
                .limits
                .into_iter()
                .map(|(category, limit)| (category.into_inner(), limit))
                .collect(),
        }
    }

    pub(super) fn price_gate(&mut self, table: &PriceGateTable) -> Option<PriceGate> {
        let fact = self.fact(&table.field);
        let at_most = self.money(&table.at_most);
        let fact = fact?;
        if fact.kind != FactType::Money || fact.computed {
            self.report.at(
                table.field.span().start,
                format!("`{}` is not a price that a claim gives", fact.path),
            );
        }
        Some(PriceGate {
            field: fact,
            at_most: at_most?,
        })
    }

    pub(super) fn funding(&mut self, table: &FundingTable) -> Option<Funding> {
        let (central, local) = (self.decimal(&table.central), self.decimal(&table.local));
        let (central, local) = (central?, local?);
        if central.checked_add(local) != Some(Decimal::ONE) {
            self.report.at(table.local.span().start, "the shares add up to 1");
        }
        let parts = (
            self.ten_thousandths(&table.central, central)?,
            self.ten_thousandths(&table.local, local)?,
        );
        let shares = self.shares(parts, (table.province.as_ref(), table.city.as_ref()))?;
        let mut counties = BTreeMap::new();
        for (county, table) in &table.counties {
            let own = (table.province.as_ref(), table.city.as_ref());
            counties.insert(county.clone(), self.shares(parts, own)?);
        }
        Some(Funding {
            central,
            local,
            shares,
            counties,
        })
    }

    /// The split: the county bears the part of the local share that province and city do not.
    fn shares(
        &mut self,
        (central, local): (u16, u16),
        (province, city): (Option<&Spanned<String>>, Option<&Spanned<String>>),
    ) -> Option<FundingShares> {
        let last = city.or(province).map(|share| share.span().start);
        let province = province.map_or(Some(0), |share| self.share(share))?;
        let city = city.map_or(Some(0), |share| self.share(share))?;
        let county = local
            .checked_sub(province)
            .and_then(|rest| rest.checked_sub(city));
        let Some(county) = county else {
            self.report.at(
                last.unwrap_or(0),
                "province and city bear no more than the local share",
            );
            return None;
        };
        Some(FundingShares {
            central,
            province,
            city,
            county,
        })
    }

    fn share(&mut self, value: &Spanned<String>) -> Option<u16> {
        let number = self.decimal(value)?;
        self.ten_thousandths(value, number)
    }

    fn ten_thousandths(&mut self, value: &Spanned<String>, number: Decimal) -> Option<u16> {
        let parts = number
            .checked_mul(Decimal::from(10_000))
            .filter(Decimal::is_integer);
        let parts = parts
            .and_then(|parts| u16::try_from(parts).ok())
            .filter(|parts| *parts <= 10_000);
        if parts.is_none() {
            self.report.at(
                value.span().start,
                "a share is between 0 and 1, with at most four decimals",
            );
        }
        parts
    }

    pub(super) fn tiers(&mut self, subsidy: &SubsidyTable) -> Vec<(Range<usize>, Tier)> {
        if subsidy.tiers.is_empty() {
            self.report.at(
                subsidy.clause.span().start,
                "a subsidy has at least one `[[subsidy.tier]]`",
            );
        }
        let mut tiers = Vec::new();
        for table in &subsidy.tiers {
            if let Some(tier) = self.tier(table) {
                let place = table.when.as_ref().unwrap_or(&table.base).span();
                tiers.push((place, tier));
            }
        }
        if tiers.len() == subsidy.tiers.len() {
            self.dead_tiers(&tiers);
        }
        tiers
    }

    fn tier(&mut self, table: &TierTable) -> Option<Tier> {
        let when = table
            .when
            .as_ref()
            .map(|when| self.expression(when, Wanted::Bool));
        let base = self.expression(&table.base, Wanted::Number);
        let cap = table.cap.as_ref().map(|cap| self.money(cap));
        let share = match (&table.rate, &table.amount) {
            (Some(rate), None) => {
                let share = self.decimal(rate);
                if share.is_some_and(|share| share.is_zero() || share > Decimal::ONE) {
                    self.report
                        .at(rate.span().start, "a rate is above 0 and at most 1");
                }
                share.map(Share::Rate)
            }
            (None, Some(amount)) => self.money(amount).map(Share::Fixed),
            _ => {
                self.report
                    .at(table.base.span().start, "a tier has either `rate` or `amount`");
                None
            }
        };
        Some(Tier {
            when: all_or_none(when)?,
            base: base?,
            share: share?,
            cap: all_or_none(cap)?,
        })
    }
}

/// `None` where a value was given and refused.
fn all_or_none<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}
