//! Proposals: what one person makes and another decides on, whatever it is about.
//!
//! What is proposed never changes; only its [`Signatures`] do, once.

use chrono::{DateTime, Utc};
use diesel::Queryable;

/// The two signatures of a proposal: of the person who made it, and of the one who decided on it, with the reason for
/// that. `S` says how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Signatures<S> {
    pub status: S,
    /// A person, as all persons here.
    pub maker: String,
    pub made_at: DateTime<Utc>,
    pub checker: Option<String>,
    pub checked_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

/// Declares the row of a proposal with its primary key, and which columns its signatures are.
macro_rules! proposal_row {
    (
        $(#[$meta:meta])* pub struct $name:ident in $table:ident = $table_name:literal
            by ($($key:ident: $key_ty:ty => $key_st:ty),+)
        {
            $($(#[$fmeta:meta])* $field:ident: $ty:ty => $st:ty,)*
        }
        signed $status_ty:ty: ($status:ident, $maker:ident, $made_at:ident, $checker:ident, $checked_at:ident, $reason:ident)
    ) => {
        $crate::operation::proposal_row! {
            $(#[$meta])* pub struct $name in $table = $table_name
                by ($($key: $key_ty => $key_st),+)
            {
                $($(#[$fmeta])* $field: $ty => $st,)*
            }
            in part, signed $status_ty: ($status, $maker, $made_at, $checker, $checked_at, $reason)
        }

        $crate::batch::insert_statement! {
            $name in $table_name (
                $($key = $key: $key_st,)+
                $($field = $field: $st,)*
                $status = signatures.status: $crate::columns::Word,
                $maker = signatures.maker: diesel::sql_types::Text,
                $made_at = signatures.made_at: diesel::sql_types::Timestamptz,
                $checker = signatures.checker: diesel::sql_types::Nullable<diesel::sql_types::Text>,
                $checked_at = signatures.checked_at: diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>,
                $reason = signatures.reason: diesel::sql_types::Nullable<diesel::sql_types::Text>
            )
        }
    };
    // A row that is inserted as part of a longer one.
    (
        $(#[$meta:meta])* pub struct $name:ident in $table:ident = $table_name:literal
            by ($($key:ident: $key_ty:ty => $key_st:ty),+)
        {
            $($(#[$fmeta:meta])* $field:ident: $ty:ty => $st:ty,)*
        }
        in part, signed $status_ty:ty: ($status:ident, $maker:ident, $made_at:ident, $checker:ident, $checked_at:ident, $reason:ident)
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable, diesel::Selectable)]
        #[diesel(table_name = $table, check_for_backend(diesel::pg::Pg))]
        pub struct $name {
            $(pub $key: $key_ty,)+
            $($(#[$fmeta])* pub $field: $ty,)*
            #[diesel(
                select_expression = (
                    $table::$status, $table::$maker, $table::$made_at,
                    $table::$checker, $table::$checked_at, $table::$reason,
                ),
                select_expression_type = (
                    $table::$status, $table::$maker, $table::$made_at,
                    $table::$checker, $table::$checked_at, $table::$reason,
                ),
            )]
            pub signatures: $crate::operation::Signatures<$status_ty>,
        }

        $crate::batch::update_statement! {
            $name in $table_name by ($($key: $key_st),+) (
                $status = signatures.status: $crate::columns::Word,
                $checker = signatures.checker: diesel::sql_types::Nullable<diesel::sql_types::Text>,
                $checked_at = signatures.checked_at: diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>,
                $reason = signatures.reason: diesel::sql_types::Nullable<diesel::sql_types::Text>
            )
        }
    };
}
pub(crate) use proposal_row;
