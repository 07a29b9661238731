//! Pages, results of many, registers, programmes, events, tokens.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;
use service::Page;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, RefBuilder, Schema, SchemaFormat, SchemaType,
    Type,
};
use utoipa::{PartialSchema, ToSchema};

use crate::http::problem::ProblemView;

/// A page of a list. `next_cursor` is null on the last one.
#[derive(Debug, Clone, Serialize)]
pub struct PageView<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

/// A derived schema has one name whatever `T` is.
impl<T: ToSchema> ToSchema for PageView<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Page_{}", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for PageView<T> {
    fn schema() -> RefOr<Schema> {
        let cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .max_length(Some(400));
        ObjectBuilder::new()
            .description(Some("A page of a list. `next_cursor` is null on the last one."))
            .property(
                "items",
                ArrayBuilder::new().items(T::schema()).max_items(Some(200)),
            )
            .required("items")
            .property("next_cursor", cursor)
            .into()
    }
}

impl<T> PageView<T> {
    pub fn of<S>(page: Page<S>, view: impl Fn(S) -> T) -> PageView<T> {
        PageView {
            items: page.items.into_iter().map(view).collect(),
            next_cursor: page.next_cursor,
        }
    }
}

/// A result for each item, in the order in which they were sent.
#[derive(Debug, Clone, Serialize)]
pub struct ResultsView<T> {
    pub items: Vec<T>,
}

impl<T: ToSchema> ToSchema for ResultsView<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Results_{}", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for ResultsView<T> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some(
                "A result for each item, in the order in which they were sent.",
            ))
            .property(
                "items",
                ArrayBuilder::new().items(T::schema()).max_items(Some(1000)),
            )
            .required("items")
            .into()
    }
}

/// What became of one item.
#[derive(Debug, Clone, Serialize)]
pub struct ItemResultView<T> {
    /// The status that a call of its own would have had.
    pub status: u16,
    /// The record as it stands now; absent if it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<T>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemView>,
}

impl<T: ToSchema> ToSchema for ItemResultView<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("ItemResult_{}", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
        ProblemView::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for ItemResultView<T> {
    fn schema() -> RefOr<Schema> {
        let status = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .description(Some("The status that a call of its own would have had."))
            .minimum(Some(200))
            .maximum(Some(599))
            .examples([json!(200)]);
        let problem = RefBuilder::new()
            .ref_location_from_schema_name(ProblemView::name())
            .description(Some("Why it was refused."));
        let problem = OneOfBuilder::new()
            .item(problem)
            .item(ObjectBuilder::new().schema_type(Type::Null));
        ObjectBuilder::new()
            .description(Some("What became of one item."))
            .property("status", status)
            .required("status")
            .property("item", T::schema())
            .property("problem", problem)
            .into()
    }
}
