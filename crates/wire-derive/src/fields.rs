//! The fields of a struct: each is read into a variable of its name, and described.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Fields, GenericArgument, Ident, LitStr, PathArguments, Result, Type};

use crate::attributes::{self, Default_, Flatten};

/// One field.
pub(crate) struct Member {
    pub(crate) ident: Ident,
    /// Reads it: an expression of type `Option<type of the field>`.
    pub(crate) read: TokenStream,
    /// A statement that describes it.
    pub(crate) describe: TokenStream,
    /// A part of a path: its name, and what it names.
    pub(crate) what: Option<(String, LitStr)>,
}

pub(crate) fn members(fields: &Fields) -> Result<Vec<Member>> {
    let Fields::Named(named) = fields else {
        return match fields {
            Fields::Unit => Ok(Vec::new()),
            other => Err(Error::new_spanned(other, "fields need names")),
        };
    };
    named.named.iter().map(member).collect()
}

fn member(field: &syn::Field) -> Result<Member> {
    let missing = || Error::new_spanned(field, "a field needs a name");
    let ident = field.ident.clone().ok_or_else(missing)?;
    let said = attributes::Field::of(&field.attrs)?;
    if let Some(flatten) = &said.flatten {
        let group = match flatten {
            Flatten::OfType => &field.ty,
            Flatten::Of(ty) => &**ty,
        };
        return Ok(Member {
            read: quote! { <#group as crate::http::wire::Object>::read(__fields) },
            describe: quote! { <#group as crate::http::wire::Object>::describe(__members); },
            what: None,
            ident,
        });
    }
    let name = said
        .name
        .as_ref()
        .map_or_else(|| ident.to_string(), |name| name.value());
    let (optional, inner) = match argument(&field.ty, "Option") {
        Some(inner) => (true, inner),
        None => (false, &field.ty),
    };
    let shape = shape(&said, inner);
    let read = match (&said.default, optional) {
        (Some(_), true) => return Err(Error::new_spanned(field, "an `Option` needs no default")),
        (Some(default), false) => {
            let default = match default {
                Default_::OfType => quote! { ::core::default::Default::default() },
                Default_::Of(expr) => quote! { #expr },
            };
            quote! { crate::http::wire::optional(__fields, #name, #shape).map(|it| it.unwrap_or_else(|| #default)) }
        }
        (None, true) => quote! { crate::http::wire::optional(__fields, #name, #shape) },
        (None, false) => quote! { crate::http::wire::required(__fields, #name, #shape) },
    };
    let required = !optional && said.default.is_none();
    let description = attributes::description(&field.attrs);
    let example = match &said.example {
        Some(expr) => quote! { ::core::option::Option::Some(::serde_json::json!(#expr)) },
        None => quote! { ::core::option::Option::None },
    };
    let describe = quote! { __members.add(#name, #required, #description, #example, &#shape); };
    Ok(Member {
        ident,
        read,
        describe,
        what: said.what.map(|what| (name, what)),
    })
}

/// The shape of a field, or of the items of its list.
fn shape(said: &attributes::Field, ty: &Type) -> TokenStream {
    let of_type = |ty: &Type| match &said.shape {
        Some(expr) => quote! { crate::http::wire::shaped::<#ty, _>(#expr) },
        None => quote! { crate::http::wire::shaped::<#ty, _>(crate::http::wire::Of::<#ty>::new()) },
    };
    match (&said.items, argument(ty, "Vec")) {
        (Some(items), Some(item)) => {
            let item = of_type(item);
            quote! { crate::http::wire::List::new(#items, #item) }
        }
        _ => of_type(ty),
    }
}

/// `T` of `Wrapper<T>`.
fn argument<'a>(ty: &'a Type, wrapper: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|it| it.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
