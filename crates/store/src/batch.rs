//! Statements with a constant text, so that PostgreSQL parses each of them once a connection.
//!
//! diesel never caches `sql_query`; these forms are cached by their text. [`Sql`] is written by hand; [`batch_insert!`] and
//! [`keyed_row!`] declare a row together with the statements that write it. Rows bind domain types as they are, see
//! [`columns`](crate::columns).

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

/// A statement written by hand; `$1`, `$2`, … are bound in order by [`Bind::bind`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql(pub &'static str);

/// A statement and one more bound value.
#[derive(Debug)]
pub(crate) struct Bound<Q, V, ST>(Q, V, PhantomData<ST>);

pub(crate) trait Bind: Sized {
    fn bind<ST, V>(self, value: V) -> Bound<Self, V, ST> {
        Bound(self, value, PhantomData)
    }
}
impl Bind for Sql {}
impl<Q, V, ST> Bind for Bound<Q, V, ST> {}

impl QueryFragment<Pg> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}
impl<Q, V, ST> QueryFragment<Pg> for Bound<Q, V, ST>
where
    Q: QueryFragment<Pg>,
    V: ToSql<ST, Pg>,
    Pg: HasSqlType<ST>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_bind_param_value_only(&self.1)
    }
}
impl QueryId for Sql {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<Q, V, ST> QueryId for Bound<Q, V, ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for Sql {
    type SqlType = Untyped;
}
impl<Q, V, ST> Query for Bound<Q, V, ST> {
    type SqlType = Untyped;
}

/// Declares a row of a table that is written in sets, and its `insert`: one statement for any number of rows,
/// `INSERT … SELECT * FROM UNNEST(…)`.
macro_rules! batch_insert {
    (
        $(#[$meta:meta])* pub struct $name:ident in $table:literal {
            $($(#[$fmeta:meta])* $field:ident: $ty:ty => $st:ty,)*
        }
        $(on conflict $conflict:literal)?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty,)* }

        const _: () = {
            struct Insert<'a> { $($field: Vec<&'a $ty>,)* }
            impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for Insert<'_> {
                fn walk_ast<'b>(
                    &'b self,
                    mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
                ) -> diesel::QueryResult<()> {
                    let mut separator = concat!("INSERT INTO ", $table, " (");
                    $(
                        out.push_sql(separator);
                        out.push_sql(stringify!($field));
                        separator = ", ";
                    )*
                    let _ = separator;
                    separator = ") SELECT * FROM UNNEST(";
                    $(
                        out.push_sql(separator);
                        out.push_bind_param::<diesel::sql_types::Array<$st>, _>(&self.$field)?;
                        separator = ", ";
                    )*
                    let _ = separator;
                    out.push_sql(")");
                    $(out.push_sql($conflict);)?
                    Ok(())
                }
            }
            impl diesel::query_builder::QueryId for Insert<'_> {
                type QueryId = ();
                const HAS_STATIC_QUERY_ID: bool = false;
            }
            impl $name {
                /// Inserts all rows in one statement and says how many were new.
                pub async fn insert(tx: &mut $crate::Tx, rows: &[Self]) -> Result<usize, $crate::StoreError> {
                    Self::insert_on(tx.pg(), rows).await
                }

                /// The same as one of several statements that are on their way at once.
                pub(crate) async fn insert_on(
                    mut pg: &diesel_async::AsyncPgConnection,
                    rows: &[Self],
                ) -> Result<usize, $crate::StoreError> {
                    if rows.is_empty() {
                        return Ok(0);
                    }
                    let statement = Insert { $($field: rows.iter().map(|row| &row.$field).collect(),)* };
                    Ok(diesel_async::RunQueryDsl::execute(statement, &mut pg).await?)
                }
            }
        };
    };
}
pub(crate) use batch_insert;

/// The statement that adds a row: `insert_on`.
macro_rules! insert_statement {
    ($name:ident in $table:literal ($($column:ident = $($from:ident).+: $st:ty),+)) => {
        const _: () = {
            struct Insert<'r>(&'r $name);
            impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for Insert<'_> {
                fn walk_ast<'b>(
                    &'b self,
                    mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
                ) -> diesel::QueryResult<()> {
                    out.push_sql(concat!("INSERT INTO ", $table, " ("));
                    out.push_sql(&[$(stringify!($column)),+].join(", "));
                    let mut separator = ") VALUES (";
                    $(
                        out.push_sql(separator);
                        out.push_bind_param::<$st, _>(&self.0.$($from).+)?;
                        separator = ", ";
                    )+
                    let _ = separator;
                    out.push_sql(")");
                    Ok(())
                }
            }
            impl diesel::query_builder::QueryId for Insert<'_> {
                type QueryId = ();
                const HAS_STATIC_QUERY_ID: bool = false;
            }

            impl $name {
                pub(crate) async fn insert_on(
                    &self,
                    mut pg: &diesel_async::AsyncPgConnection,
                ) -> Result<(), $crate::StoreError> {
                    diesel_async::RunQueryDsl::execute(Insert(self), &mut pg).await?;
                    Ok(())
                }
            }
        };
    };
}
pub(crate) use insert_statement;

/// The statement that writes what changes of a row over the row of its key, and fails if that is not there: `update_on`.
macro_rules! update_statement {
    ($name:ident in $table:literal by ($($key:ident: $key_st:ty),+) ($($column:ident = $($from:ident).+: $st:ty),+)) => {
        const _: () = {
            struct Update<'r>(&'r $name);
            impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for Update<'_> {
                fn walk_ast<'b>(
                    &'b self,
                    mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
                ) -> diesel::QueryResult<()> {
                    let mut separator = concat!("UPDATE ", $table, " SET ");
                    $(
                        out.push_sql(separator);
                        out.push_sql(concat!(stringify!($column), " = "));
                        out.push_bind_param::<$st, _>(&self.0.$($from).+)?;
                        separator = ", ";
                    )+
                    let _ = separator;
                    separator = " WHERE ";
                    $(
                        out.push_sql(separator);
                        out.push_sql(concat!(stringify!($key), " = "));
                        out.push_bind_param::<$key_st, _>(&self.0.$key)?;
                        separator = " AND ";
                    )+
                    let _ = separator;
                    Ok(())
                }
            }
            impl diesel::query_builder::QueryId for Update<'_> {
                type QueryId = ();
                const HAS_STATIC_QUERY_ID: bool = false;
            }

            impl $name {
                pub(crate) async fn update_on(
                    &self,
                    mut pg: &diesel_async::AsyncPgConnection,
                ) -> Result<(), $crate::StoreError> {
                    match diesel_async::RunQueryDsl::execute(Update(self), &mut pg).await? {
                        1 => Ok(()),
                        _ => Err($crate::StoreError::Stale($table)),
                    }
                }
            }
        };
    };
}
pub(crate) use update_statement;

/// Declares a row that is written by itself and changes, with its primary key; all but the key may change.
macro_rules! keyed_row {
    (
        $(#[$meta:meta])* pub struct $name:ident in $table:literal
            by ($($key:ident: $key_ty:ty => $key_st:ty),+)
        {
            $($(#[$fmeta:meta])* $field:ident: $ty:ty => $st:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $(pub $key: $key_ty,)+ $($(#[$fmeta])* pub $field: $ty,)* }

        $crate::batch::insert_statement! { $name in $table ($($key = $key: $key_st,)+ $($field = $field: $st),*) }
        $crate::batch::update_statement! { $name in $table by ($($key: $key_st),+) ($($field = $field: $st),*) }
    };
}
pub(crate) use keyed_row;
