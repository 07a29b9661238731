//! A struct: the object of a body, the parameters of a query, or the parts of a path.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Error, Result};

use crate::attributes::{Container, description};
use crate::fields::{Member, members};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Body,
    Query,
    Path,
}

pub(crate) fn derive(input: &DeriveInput, kind: Kind) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(input, "a struct"));
    };
    let said = Container::of(&input.attrs)?;
    let members = members(&data.fields)?;
    let object = object(input, &said, &members);
    let rest = match kind {
        Kind::Body => body(input, &said),
        Kind::Query => query(input, &said),
        Kind::Path => path(input, &said, &members)?,
    };
    Ok(quote! { #object #rest })
}

/// The reader, and the description of each field.
fn object(input: &DeriveInput, said: &Container, members: &[Member]) -> TokenStream {
    let ident = &input.ident;
    let idents: Vec<_> = members.iter().map(|member| &member.ident).collect();
    let reads = members.iter().map(|member| &member.read);
    let describes = members.iter().map(|member| &member.describe);
    let target = match &said.into {
        Some(path) => quote! { #path },
        None => quote! { #ident },
    };
    let built = quote! { #target { #(#idents: #idents?),* } };
    let value = value(input, said);
    let end = if said.refine.is_some() {
        quote_spanned! { ident.span() => #ident::refine(#built, __fields) }
    } else {
        quote! { ::core::option::Option::Some(#built) }
    };
    let check = said.check.as_ref().map(|fields| {
        quote_spanned! { ident.span() =>
            let __checked = match (#(&#fields,)*) {
                (#(::core::option::Option::Some(#fields),)*) => #ident::check(#(#fields,)* __fields),
                _ => ::core::option::Option::None,
            };
            __checked?;
        }
    });
    quote! {
        impl crate::http::wire::Object for #ident {
            type Value = #value;

            // Every field is read, and the rule is asked, before the first `?`, so that all faults
            // are found.
            fn read(__fields: &mut crate::http::fields::Fields<'_>) -> ::core::option::Option<Self::Value> {
                #(let #idents = #reads;)*
                #check
                #end
            }

            fn describe(__members: &mut crate::http::wire::Members) {
                #(#describes)*
            }
        }
    }
}

/// The type that is read.
fn value(input: &DeriveInput, said: &Container) -> TokenStream {
    let ident = &input.ident;
    match (&said.value, &said.into, &said.refine) {
        (Some(value), _, _) => quote! { #value },
        (None, Some(path), _) => quote! { #path },
        (None, None, Some(ty)) => quote! { #ty },
        (None, None, None) => quote! { #ident },
    }
}

fn body(input: &DeriveInput, said: &Container) -> TokenStream {
    let ident = &input.ident;
    let name = said
        .name
        .as_ref()
        .map_or_else(|| ident.to_string(), |name| name.value());
    let description = description(&input.attrs);
    let limit = said.long.then(|| {
        quote! {
            fn limit(limits: &crate::http::state::Limits) -> usize {
                limits.long_body
            }
        }
    });
    let may_be_empty = said.may_be_empty;
    let value = value(input, said);
    let schema = schema_impls(input, &name);
    quote! {
        impl crate::http::wire::Field for #ident {
            type Value = #value;
            const NAME: ::core::option::Option<&'static str> = ::core::option::Option::Some(#name);

            fn read(slot: &crate::http::fields::Slot<'_>) -> ::core::option::Option<Self::Value> {
                slot.object(<Self as crate::http::wire::Object>::read)
            }

            fn schema() -> crate::http::wire::AnySchema {
                crate::http::wire::Members::of::<Self>().object(#description)
            }

            fn components(found: &mut crate::http::wire::Components) {
                crate::http::wire::Members::of::<Self>().components(found);
            }
        }

        impl crate::http::extract::Wire for #ident {
            type Value = #value;
            const MAY_BE_EMPTY: bool = #may_be_empty;

            #limit

            fn read(fields: &mut crate::http::fields::Fields<'_>) -> ::core::option::Option<Self::Value> {
                <Self as crate::http::wire::Object>::read(fields)
            }
        }

        #schema
    }
}

/// utoipa's traits, by those of `http::wire`.
pub(crate) fn schema_impls(input: &DeriveInput, name: &str) -> TokenStream {
    let ident = &input.ident;
    quote! {
        impl ::utoipa::PartialSchema for #ident {
            fn schema() -> crate::http::wire::AnySchema {
                <Self as crate::http::wire::Field>::schema()
            }
        }

        impl ::utoipa::ToSchema for #ident {
            fn name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(#name)
            }

            fn schemas(found: &mut crate::http::wire::Components) {
                <Self as crate::http::wire::Field>::components(found);
            }
        }
    }
}

fn query(input: &DeriveInput, said: &Container) -> TokenStream {
    let ident = &input.ident;
    let value = value(input, said);
    quote! {
        impl crate::http::extract::Params for #ident {
            type Value = #value;

            fn read(fields: &mut crate::http::fields::Fields<'_>) -> ::core::option::Option<Self::Value> {
                <Self as crate::http::wire::Object>::read(fields)
            }
        }
    }
}

fn path(input: &DeriveInput, said: &Container, members: &[Member]) -> Result<TokenStream> {
    let ident = &input.ident;
    let missing = || Error::new_spanned(ident, "a path names something: `what = …`");
    let what = said.what.as_ref().ok_or_else(missing)?;
    let parts = members.iter().filter_map(|member| member.what.as_ref());
    let arms = parts.map(|(name, what)| quote! { #name => #what, });
    Ok(quote! {
        impl crate::http::extract::PathParts for #ident {
            fn what(part: &str) -> &'static str {
                match part {
                    #(#arms)*
                    _ => #what,
                }
            }

            fn read(fields: &mut crate::http::fields::Fields<'_>) -> ::core::option::Option<Self> {
                <Self as crate::http::wire::Object>::read(fields)
            }
        }
    })
}
