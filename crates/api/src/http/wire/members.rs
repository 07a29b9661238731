//! The fields of an object as the document has them: properties of a body, or parameters of a
//! query, a path or a header.

use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Schema};

use crate::http::wire::{AnySchema, Components, Object, Shape};

/// Fields in the order in which they are declared.
#[derive(Default)]
pub(crate) struct Members(Vec<Member>);

struct Member {
    name: &'static str,
    required: bool,
    description: &'static str,
    example: Option<Value>,
    /// Written out.
    schema: AnySchema,
    /// As it stands in a body.
    reference: AnySchema,
    components: Components,
}

impl Members {
    pub(crate) fn of<T: Object>() -> Members {
        let mut members = Members::default();
        T::describe(&mut members);
        members
    }

    pub(crate) fn add(
        &mut self,
        name: &'static str,
        required: bool,
        description: &'static str,
        example: Option<Value>,
        shape: &impl Shape,
    ) {
        let mut components = Vec::new();
        shape.components(&mut components);
        if let Some(name) = shape.name() {
            components.push((name.to_owned(), shape.schema()));
        }
        self.0.push(Member {
            name,
            required,
            description,
            example,
            schema: shape.schema(),
            reference: shape.reference(),
            components,
        });
    }

    /// The fields with the one that says which form the object has.
    pub(crate) fn tagged(mut self, tag: &'static str, word: &'static str) -> Members {
        let schema = RefOr::from(
            ObjectBuilder::new()
                .schema_type(string())
                .enum_values(Some([word])),
        );
        self.0.push(Member {
            name: tag,
            required: true,
            description: "",
            example: None,
            schema: schema.clone(),
            reference: schema,
            components: Vec::new(),
        });
        self
    }

    /// The schema of an object that has these fields and no other.
    pub(crate) fn object(self, description: &str) -> AnySchema {
        let mut object = ObjectBuilder::new().description(said(description));
        object = object.additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(
            false,
        )));
        for member in self.0 {
            if member.required {
                object = object.required(member.name);
            }
            let schema = explained(member.reference, member.description, member.example);
            object = object.property(member.name, schema);
        }
        object.into()
    }

    /// The parameters of a query, a path or a header. The example of a type stands beside its
    /// schema, as that of a field does.
    pub(crate) fn parameters(self, place: &ParameterIn) -> Vec<Parameter> {
        let parameter = |mut member: Member| {
            let example = member.example.or_else(|| own_example(&mut member.schema));
            ParameterBuilder::new()
                .name(member.name)
                .parameter_in(place.clone())
                .required(if member.required {
                    Required::True
                } else {
                    Required::False
                })
                .description(said(member.description))
                .schema(Some(member.schema))
                .example(example)
                .build()
        };
        self.0.into_iter().map(parameter).collect()
    }

    /// The schemas that they refer to.
    pub(crate) fn components(self, found: &mut Components) {
        found.extend(self.0.into_iter().flat_map(|member| member.components));
    }
}

/// One of several objects.
pub(crate) fn one_of<const N: usize>(description: &str, forms: [AnySchema; N]) -> AnySchema {
    let mut schema = OneOfBuilder::new().description(said(description));
    for form in forms {
        schema = schema.item(form);
    }
    RefOr::T(Schema::OneOf(schema.build()))
}

/// Takes the example out of a schema.
pub(crate) fn own_example(schema: &mut AnySchema) -> Option<Value> {
    match schema {
        RefOr::T(Schema::Object(object)) => object.example.take(),
        _ => None,
    }
}

/// A schema with the description and the example of the field that has it.
pub(crate) fn explained(schema: AnySchema, description: &str, example: Option<Value>) -> AnySchema {
    let mut schema = schema;
    match &mut schema {
        RefOr::Ref(reference) => description.clone_into(&mut reference.description),
        RefOr::T(Schema::Object(object)) => {
            object.description = said(description).or_else(|| object.description.take());
            object.example = example.or_else(|| object.example.take());
        }
        RefOr::T(Schema::Array(array)) => {
            array.description = said(description).or_else(|| array.description.take());
            array.example = example.or_else(|| array.example.take());
        }
        RefOr::T(_) => {}
    }
    schema
}

pub(crate) fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

pub(crate) fn string() -> SchemaType {
    SchemaType::Type(Type::String)
}

/// A schema with a description of its own.
pub(crate) fn described(schema: AnySchema, description: &str) -> AnySchema {
    explained(schema, description, None)
}
