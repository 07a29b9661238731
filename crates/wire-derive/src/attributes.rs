//! What `#[wire(…)]` says.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Result, Token, Type};

/// Of a struct or an enum.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) name: Option<LitStr>,
    pub(crate) what: Option<LitStr>,
    pub(crate) long: bool,
    pub(crate) may_be_empty: bool,
    /// The fields that the method `check` is given.
    pub(crate) check: Option<Vec<Ident>>,
    pub(crate) into: Option<Path>,
    pub(crate) value: Option<Type>,
    pub(crate) refine: Option<Type>,
    pub(crate) tag: Option<LitStr>,
}

/// Of a field.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) shape: Option<Expr>,
    pub(crate) example: Option<Expr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) what: Option<LitStr>,
    pub(crate) items: Option<Expr>,
    pub(crate) default: Option<Default_>,
    pub(crate) flatten: Option<Flatten>,
}

/// What a field is when it is left out.
pub(crate) enum Default_ {
    OfType,
    Of(Box<Expr>),
}

/// A group of fields that stands among the others.
pub(crate) enum Flatten {
    OfType,
    Of(Box<Type>),
}

/// One part of an attribute.
enum Part {
    Flag(Ident),
    Pair(Ident, Given),
    Shape(Expr),
}

/// What stands behind `=`. `into`, `value`, `refine` and `flatten` name a type, the others give an
/// expression.
enum Given {
    Type(Type),
    Expr(Expr),
}

const FLAGS: [&str; 4] = ["long", "may_be_empty", "default", "flatten"];
const TYPES: [&str; 4] = ["into", "value", "refine", "flatten"];

impl Parse for Part {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Ident) && input.peek2(Token![=]) {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            let given = if TYPES.contains(&key.to_string().as_str()) {
                Given::Type(input.parse()?)
            } else {
                Given::Expr(input.parse()?)
            };
            return Ok(Part::Pair(key, given));
        }
        let expr: Expr = input.parse()?;
        match &expr {
            Expr::Path(path) => match path.path.get_ident() {
                Some(ident) if FLAGS.contains(&ident.to_string().as_str()) => Ok(Part::Flag(ident.clone())),
                _ => Ok(Part::Shape(expr)),
            },
            _ => Ok(Part::Shape(expr)),
        }
    }
}

fn parts(attributes: &[Attribute]) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for attribute in attributes.iter().filter(|it| it.path().is_ident("wire")) {
        parts.extend(attribute.parse_args_with(Punctuated::<Part, Token![,]>::parse_terminated)?);
    }
    Ok(parts)
}

impl Container {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Container> {
        let mut found = Container::default();
        for part in parts(attributes)? {
            match part {
                Part::Flag(flag) if flag == "long" => found.long = true,
                Part::Flag(flag) if flag == "may_be_empty" => found.may_be_empty = true,
                Part::Pair(key, Given::Expr(expr)) if key == "name" => found.name = Some(text(expr)?),
                Part::Pair(key, Given::Expr(expr)) if key == "what" => found.what = Some(text(expr)?),
                Part::Pair(key, Given::Expr(expr)) if key == "tag" => found.tag = Some(text(expr)?),
                Part::Pair(key, Given::Type(ty)) if key == "into" => found.into = Some(path(ty)?),
                Part::Pair(key, Given::Type(ty)) if key == "value" => found.value = Some(ty),
                Part::Pair(key, Given::Type(ty)) if key == "refine" => found.refine = Some(ty),
                Part::Flag(key) | Part::Pair(key, _) => return Err(unknown(&key)),
                Part::Shape(expr) => found.check = Some(checked(&expr)?),
            }
        }
        Ok(found)
    }
}

impl Field {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Field> {
        let mut found = Field::default();
        for part in parts(attributes)? {
            match part {
                Part::Flag(flag) if flag == "default" => found.default = Some(Default_::OfType),
                Part::Flag(flag) if flag == "flatten" => found.flatten = Some(Flatten::OfType),
                Part::Pair(key, Given::Type(ty)) if key == "flatten" => {
                    found.flatten = Some(Flatten::Of(Box::new(ty)))
                }
                Part::Pair(key, Given::Expr(expr)) if key == "name" => found.name = Some(text(expr)?),
                Part::Pair(key, Given::Expr(expr)) if key == "what" => found.what = Some(text(expr)?),
                Part::Pair(key, Given::Expr(expr)) if key == "example" => found.example = Some(expr),
                Part::Pair(key, Given::Expr(expr)) if key == "items" => found.items = Some(expr),
                Part::Pair(key, Given::Expr(expr)) if key == "default" => {
                    found.default = Some(Default_::Of(Box::new(expr)));
                }
                Part::Flag(key) | Part::Pair(key, _) => return Err(unknown(&key)),
                Part::Shape(expr) => match found.shape {
                    Some(_) => return Err(Error::new_spanned(expr, "a field has one shape")),
                    None => found.shape = Some(expr),
                },
            }
        }
        Ok(found)
    }
}

/// The fields of `check(a, b)`.
fn checked(expr: &Expr) -> Result<Vec<Ident>> {
    let wrong = || Error::new_spanned(expr, "`check` names fields, such as `check(format, after)`");
    let ident = |expr: &Expr| match expr {
        Expr::Path(path) => path.path.get_ident().cloned(),
        _ => None,
    };
    match expr {
        Expr::Call(call) if ident(&call.func).is_some_and(|it| it == "check") => call
            .args
            .iter()
            .map(|field| ident(field).ok_or_else(wrong))
            .collect(),
        _ => Err(wrong()),
    }
}

fn unknown(key: &Ident) -> Error {
    Error::new(key.span(), format!("`{key}` is not an argument of `wire` here"))
}

fn text(expr: Expr) -> Result<LitStr> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text), ..
        }) => Ok(text),
        other => Err(Error::new_spanned(other, "a text in quotes")),
    }
}

fn path(ty: Type) -> Result<Path> {
    match ty {
        Type::Path(path) => Ok(path.path),
        other => Err(Error::new_spanned(other, "the path of a struct or of a variant")),
    }
}

/// The doc comment, as utoipa joins it.
pub(crate) fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => text(pair.value.clone()).ok(),
        _ => None,
    });
    let lines: Vec<String> = lines.map(|line| line.value().trim().to_owned()).collect();
    lines.join("\n").trim().to_owned()
}
