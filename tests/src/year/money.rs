//! Money into the funds from four sources, and ceilings over them: each proposed by one person of
//! treasury and approved by another.

use ledger::{Fen, Source};
use service::Refusal;
use service::funds::{Fund as Shown, NewAppropriation};
use service::operation::Check;
use service::operation::access::{ManageFunds, ReadFunds};
use testkit::{YUNCHENG, new_key, numbers, permit};

use super::mirror::Grant;
use super::world::{APPLIANCE, COUNTIES, DIGITAL, Fund, Year, money};

impl Year {
    /// A rough sum of the year's claims of a fund, in fen.
    fn need(&self, fund: Fund) -> i64 {
        let of_city = COUNTIES.iter().find(|(code, _)| *code == fund.county);
        let percent = i64::from(of_city.unwrap().1);
        let claims = i64::try_from(self.size).unwrap();
        let subsidies = match fund.programme {
            APPLIANCE => 58 * 90_000,
            DIGITAL => 36 * 36_000,
            _ => 3 * 1_200_000,
        };
        (claims * percent * subsidies / 10_000).max(500_000)
    }

    /// January: every fund gets half of its expected need from central, and some or none from a
    /// local source.
    pub(super) async fn open_funds(&mut self) {
        for fund in Fund::all() {
            let need = self.need(fund);
            let central = self.fen(need * 50 / 100, need * 85 / 100);
            self.grant(fund, Source::Central, central).await;
            for (source, percent) in [(Source::County, 75), (Source::City, 25), (Source::Province, 25)] {
                if self.chance(percent) {
                    let local = self.fen(need * 2 / 100, need * 8 / 100);
                    self.grant(fund, source, local).await;
                }
            }
        }
    }

    /// The appropriations of a day: one now and then, more often towards the end; some funds stay
    /// short.
    pub(super) async fn grant_some(&mut self) {
        if !self.chance(18) {
            return;
        }
        let funds = Fund::all();
        let fund = funds[self.below(funds.len())];
        let source = Source::ALL[self.below(5) % 4];
        let percent = if source == Source::Central { 40 } else { 12 };
        let most = self.need(fund) * percent / 100;
        let amount = self.fen(most / 3, most);
        self.grant(fund, source, amount).await;
    }

    async fn grant(&mut self, fund: Fund, source: Source, amount: i64) {
        let new = NewAppropriation {
            programme: fund.programme.into(),
            jurisdiction: fund.county.into(),
            source,
            amount: money(amount),
            document: numbers::tag("晋财建-"),
        };
        let key = new_key();
        let made = self.insist("appropriate", async |world| {
            let maker = permit::<ManageFunds>(&world.cast.maker);
            world
                .service
                .funds()
                .appropriate(&maker, new.clone(), key.clone())
                .await
        });
        let id = made.await.done("an appropriation").value.id;
        let check = self.verdict(7);
        let checked = self.insist("check_appropriation", async |world| {
            let checker = permit::<ManageFunds>(&world.cast.checker);
            let why = (check == Check::Refuse).then(|| "文号有误".to_owned());
            world
                .service
                .funds()
                .check_appropriation(&checker, id, check, why)
                .await
        });
        checked.await.done_or_again("the check of an appropriation");
        if check == Check::Approve {
            let at = self.now();
            self.mirror.grants.push(Grant {
                fund,
                source,
                amount,
                at,
            });
        }
    }

    /// Refused in this many of a hundred.
    pub(super) fn verdict(&mut self, refused: u32) -> Check {
        match self.chance(refused) {
            true => Check::Refuse,
            false => Check::Approve,
        }
    }

    /// Ceilings change: over a county's fund, over one category, over a month, or over all counties
    /// together.
    pub(super) async fn cap_some(&mut self) {
        if !self.chance(6) {
            return;
        }
        let programme = if self.chance(70) { APPLIANCE } else { DIGITAL };
        let (place, committed) = if self.chance(25) {
            let mut all = 0;
            for (county, _) in COUNTIES {
                all += self.committed(Fund { county, programme }).await;
            }
            (YUNCHENG, all)
        } else {
            let county = COUNTIES[self.below(COUNTIES.len())].0;
            (county, self.committed(Fund { county, programme }).await)
        };
        let ceiling = |percent: i64| money(committed * percent / 100 + 800_000);
        let month = self.today().format("month:%Y-%m").to_string();
        let scopes: Vec<(String, Fen)> = match self.below(5) {
            0 => vec![("whole".into(), ceiling(110))],
            1 if programme == APPLIANCE => vec![
                ("category:air_conditioner".into(), ceiling(60)),
                ("category:television".into(), ceiling(60)),
            ],
            2 => vec![(month, ceiling(12)), ("whole".into(), ceiling(130))],
            // Perhaps below the committed sum: then it is refused.
            3 => vec![("whole".into(), ceiling(70))],
            _ => Vec::new(),
        };
        self.capped.insert((place, programme));
        self.cap(place, programme, scopes).await;
    }

    /// In the end no ceiling keeps a claim waiting.
    pub(super) async fn lift_caps(&mut self) {
        for (place, programme) in std::mem::take(&mut self.capped) {
            self.cap(place, programme, Vec::new()).await;
        }
    }

    async fn cap(&mut self, place: &'static str, programme: &'static str, caps: Vec<(String, Fen)>) {
        let made = self.insist("propose_caps", async |world| {
            let maker = permit::<ManageFunds>(&world.cast.maker);
            let caps = caps.clone();
            world
                .service
                .funds()
                .propose_caps(&maker, programme, place, caps, "运财〔2026〕1号")
                .await
        });
        let id = made.await.done("a change of caps").id;
        let check = self.verdict(10);
        let checked = self.insist("check_caps", async |world| {
            let checker = permit::<ManageFunds>(&world.cast.checker);
            let why = (check == Check::Refuse).then(|| "待研究".to_owned());
            world.service.funds().check_caps(&checker, id, check, why).await
        });
        let checked = checked.await;
        if !matches!(checked.result, Err(Refusal::CapBelowCommitted { .. })) {
            checked.done_or_again("the check of caps");
        }
    }

    async fn committed(&self, fund: Fund) -> i64 {
        self.shown(fund).await.balances.committed().get()
    }

    /// A fund as its readers see it.
    pub(super) async fn shown(&self, fund: Fund) -> Shown {
        let page = self
            .read(async |world| {
                let reader = permit::<ReadFunds>(&world.cast.auditor);
                world
                    .service
                    .funds()
                    .funds(&reader, Some(fund.county.into()), None, 200)
                    .await
            })
            .await;
        let shown = page.items.into_iter().find(|it| it.programme == fund.programme);
        shown.expect("the fund is open")
    }
}
