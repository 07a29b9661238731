//! The books in cala: one journal, and for each fund two accounts and a cap.

use anyhow::{Context, Result, ensure};
use cala_ledger::job::{JobSvcConfig, Jobs};
use cala_ledger::posting::{ApplyPostingRejection, PostingInput, PostingRejection};
use cala_ledger::velocity::error::EnforceVelocityRejection;
use cala_ledger::{account::*, errlanes::Fail, journal::*, tx_template::*, velocity::*, *};
use rust_decimal::Decimal;
use sqlx::postgres::PgPoolOptions;

pub const FUNDS: usize = 14;

/// The share of each fund in a hundred posts. The caps are in proportion.
pub const SHARES: [usize; FUNDS] = [50, 12, 8, 6, 5, 4, 3, 3, 2, 2, 2, 1, 1, 1];

/// Ten billion yuan for each hundredth: no run comes near, and cala checks the cap all the same.
const FEN_OF_A_SHARE: i64 = 1_000_000_000_000;

const TEMPLATE: &str = "RESERVE";

pub struct Book {
    cala: CalaLedger,
    journal: JournalId,
    currency: Currency,
    funds: Vec<Fund>,
    /// Never polled; cala needs it alive.
    _jobs: Jobs,
}

struct Fund {
    available: AccountId,
    reserved: AccountId,
    cap: i64,
}

impl Book {
    pub async fn open(url: &str) -> Result<Self> {
        // sqlx needs a host even where the query gives a socket, which then takes its place.
        let url = url.replacen("@/", "@localhost/", 1);
        let pool = PgPoolOptions::new().max_connections(16);
        let pool = pool.test_before_acquire(false).connect(&url).await?;
        let mut jobs = Jobs::init(JobSvcConfig::builder().pool(pool.clone()).build()?).await?;
        let config = CalaLedgerConfig::builder().pool(pool).exec_migrations(true);
        let cala = CalaLedger::init(config.build()?, &mut jobs).await?;
        let (journal, currency, funds) = (JournalId::new(), "CNY".parse()?, Vec::new());
        let new = NewJournal::builder().id(journal).name("Funds").build();
        cala.journals().create(new).await?;
        let mut book = Self {
            cala,
            journal,
            currency,
            funds,
            _jobs: jobs,
        };

        book.create_template().await.context("is the database empty?")?;
        let control = book.create_control().await?;
        for share in SHARES {
            let available = book.create_account(DebitOrCredit::Debit).await?;
            let reserved = book.create_account(DebitOrCredit::Credit).await?;
            let (cap, mut params) = (FEN_OF_A_SHARE * i64::try_from(share)?, Params::new());
            params.insert("cap", yuan(cap));
            let caps = book.cala.velocities();
            caps.attach_control_to_account(control, available, params).await?;
            book.funds.push(Fund {
                available,
                reserved,
                cap,
            });
        }
        Ok(book)
    }

    async fn create_account(&self, normal: DebitOrCredit) -> Result<AccountId> {
        let id = AccountId::new();
        let new = NewAccount::builder().id(id).code(id.to_string());
        let new = new.name("Of a fund").normal_balance_type(normal).build();
        self.cala.accounts().create(new).await?;
        Ok(id)
    }

    async fn create_template(&self) -> Result<()> {
        let entry = |kind: &str, account: &str, direction: &str| {
            NewTxTemplateEntry::builder()
                .entry_type(kind)
                .account_id(account)
                .layer("SETTLED")
                .direction(direction)
                .units("params.amount")
                .currency("'CNY'")
                .build()
        };
        let entries = vec![
            entry("'RESERVE_DR'", "params.available", "DEBIT")?,
            entry("'RESERVE_CR'", "params.reserved", "CREDIT")?,
        ];
        let params = vec![
            param("available", ParamDataType::Uuid)?,
            param("reserved", ParamDataType::Uuid)?,
            param("amount", ParamDataType::Decimal)?,
        ];
        let journal = format!("uuid('{}')", self.journal);
        let transaction = NewTxTemplateTransaction::builder().journal_id(journal);
        let template = NewTxTemplate::builder()
            .id(TxTemplateId::new())
            .code(TEMPLATE)
            .params(params)
            .transaction(transaction.effective("date()").build()?)
            .entries(entries)
            .build();
        self.cala.tx_templates().create(template).await?;
        Ok(())
    }

    /// One limit for all funds; its amount is given where the control is attached.
    async fn create_control(&self) -> Result<VelocityControlId> {
        let cap = NewBalanceLimit::builder()
            .layer("SETTLED")
            .amount("params.cap")
            .enforcement_direction("DEBIT")
            .always_active()
            .build()?;
        let limit = NewVelocityLimit::builder()
            .id(VelocityLimitId::new())
            .name("Cap")
            .description("What may leave a fund in all")
            .window(Vec::new())
            .currency(self.currency)
            .params(vec![param("cap", ParamDataType::Decimal)?])
            .limit(NewLimit::builder().balance(vec![cap]).build()?)
            .build()?;
        let control = NewVelocityControl::builder().id(VelocityControlId::new());
        let control = control.name("Cap").description("Of a fund").build()?;
        let velocities = self.cala.velocities();
        let limit = velocities.create_limit(limit).await?.id();
        let control = velocities.create_control(control).await?.id();
        velocities.add_limit_to_control(control, limit).await?;
        Ok(control)
    }

    fn fund(&self, fund: usize) -> Result<&Fund> {
        self.funds.get(fund).context("no such fund")
    }

    pub fn cap(&self, fund: usize) -> Result<i64> {
        Ok(self.fund(fund)?.cap)
    }

    fn posting(&self, fund: usize, fen: i64) -> Result<PostingInput> {
        let (fund, mut params) = (self.fund(fund)?, Params::new());
        params.insert("available", fund.available);
        params.insert("reserved", fund.reserved);
        params.insert("amount", yuan(fen));
        Ok(PostingInput::new(TransactionId::new(), TEMPLATE, params))
    }

    /// Posts in a database transaction of its own. `Some` is a refusal by the cap and by nothing
    /// else, with the sum that the fund's debits would have reached.
    pub async fn post(&self, fund: usize, fen: i64) -> Result<Option<Decimal>> {
        let post = self.posting(fund, fen)?;
        match self
            .cala
            .post_transaction(post.tx_id, TEMPLATE, post.params)
            .await
        {
            Ok(_) => Ok(None),
            Err(Fail::Rejected(PostingRejection::Apply(ApplyPostingRejection::Velocity(
                EnforceVelocityRejection::LimitExceeded(beyond),
            )))) => Ok(Some(beyond.requested)),
            Err(other) => Err(other.into()),
        }
    }

    /// Posts all in one database transaction.
    pub async fn post_all(&self, posts: &[(usize, i64)]) -> Result<()> {
        let batch = posts.iter().map(|(fund, fen)| self.posting(*fund, *fen));
        let posted = self.cala.post_transactions(batch.collect::<Result<_>>()?).await?;
        ensure!(posted.len() == posts.len(), "{} posts came back", posted.len());
        Ok(())
    }

    /// Fails unless both accounts of a fund equal the sum posted to it.
    pub async fn check(&self, fund: usize, posts: u64, fen: i64) -> Result<()> {
        let (fund, balances) = (self.fund(fund)?, self.cala.balances());
        for (account, debits, credits) in [(fund.available, fen, 0), (fund.reserved, 0, fen)] {
            let found = balances.find(self.journal, account, self.currency).await?.details;
            let same = found.settled.dr_balance == yuan(debits)
                && found.settled.cr_balance == yuan(credits)
                && u64::from(found.version) == posts;
            ensure!(same, "{posts} posts of {fen} fen in all, and cala has {found:?}");
        }
        Ok(())
    }

    pub async fn transactions(&self) -> Result<u64> {
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM cala_transactions");
        Ok(u64::try_from(count.fetch_one(self.cala.pool()).await?)?)
    }
}

fn param(name: &str, kind: ParamDataType) -> Result<NewParamDefinition> {
    Ok(NewParamDefinition::builder().name(name).r#type(kind).build()?)
}

pub fn yuan(fen: i64) -> Decimal {
    Decimal::new(fen, 2)
}
