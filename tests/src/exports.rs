//! Ledgers and claims as files: every format has the same contents, pieces make the whole, a city
//! is its counties, personal data are masked, and other programs read the files.

mod accounting;
mod claims;
mod ledger;
mod others;

use testkit::{HttpApp, LINYI, Reply, Sale, Setup, YANHU, yuan};

const PROGRAMME: &str = "appliance-2026";

/// Two counties with some of everything: money granted, claims reserved, approved, paid and
/// returned.
async fn busy() -> HttpApp {
    let app = HttpApp::with(Setup::default()).await;
    app.appropriate(YANHU, PROGRAMME, yuan("100000.00")).await;
    app.appropriate(LINYI, PROGRAMME, yuan("5000.00")).await;
    for claim in app.many(4, &Sale::air_conditioner()).await {
        let id = app.submit(claim).await.id;
        app.approve(id).await;
    }
    app.pay_out(YANHU, PROGRAMME).await;
    for claim in app.many(3, &Sale::air_conditioner()).await {
        app.submit(claim).await;
    }
    let elsewhere = app.sale(&Sale::air_conditioner().in_county(LINYI)).await;
    app.submit(elsewhere).await;
    app
}

async fn export(app: &HttpApp, query: &str) -> Reply {
    let path = format!("/v1/ledgers/{query}");
    app.get(&app.cast.auditor, &path).await.expect(200)
}

/// Lines without the heading, cut at commas: none of the values has one.
fn lines(csv: &Reply) -> Vec<Vec<String>> {
    let text = csv.text();
    let lines = text.lines().skip(1);
    lines
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}
