//! An enum: a field of the object says which of its forms it has.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, DeriveInput, Error, Expr, Fields, Ident, LitStr, Result, Type, Variant};

use crate::attributes::{self, Container, description};
use crate::body::schema_impls;

pub(crate) fn derive(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let said = Container::of(&input.attrs)?;
    let missing = |what: &str| Error::new_spanned(&input.ident, format!("an enum needs `{what} = …`"));
    let tag = said.tag.as_ref().ok_or_else(|| missing("tag"))?;
    let value = said.value.as_ref().ok_or_else(|| missing("value"))?;
    let ident = &input.ident;
    let name = said
        .name
        .as_ref()
        .map_or_else(|| ident.to_string(), |name| name.value());
    let text = description(&input.attrs);
    let forms = data.variants.iter().map(form).collect::<Result<Vec<_>>>()?;
    let readers = forms.iter().map(|form| form.reader(value));
    let descriptions = forms.iter().map(|form| form.description(tag));
    let components = forms.iter().filter_map(|form| form.ty.as_ref());
    let schema = schema_impls(input, &name);
    Ok(quote! {
        impl crate::http::wire::Field for #ident {
            type Value = #value;
            const NAME: ::core::option::Option<&'static str> = ::core::option::Option::Some(#name);

            fn read(slot: &crate::http::fields::Slot<'_>) -> ::core::option::Option<Self::Value> {
                slot.object(|fields| fields.tagged(#tag, &[#(#readers),*]))
            }

            fn schema() -> crate::http::wire::AnySchema {
                crate::http::wire::one_of(#text, [#(#descriptions),*])
            }

            fn components(found: &mut crate::http::wire::Components) {
                #(crate::http::wire::Members::of::<#components>().components(found);)*
            }
        }

        #schema
    })
}

/// A variant: the word of its tag, the object that goes with it, and what the object's value
/// becomes.
struct Form {
    word: String,
    text: String,
    ty: Option<Type>,
    becomes: Option<Expr>,
}

fn form(variant: &Variant) -> Result<Form> {
    let ty = match &variant.fields {
        Fields::Unit => None,
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            fields.unnamed.first().map(|it| it.ty.clone())
        }
        other => return Err(Error::new_spanned(other, "a variant holds one form, or nothing")),
    };
    Ok(Form {
        word: snake_case(&variant.ident),
        text: description(&variant.attrs),
        ty,
        becomes: attributes::Field::of(&variant.attrs)?.shape,
    })
}

impl Form {
    /// The word and its reader.
    fn reader(&self, value: &Type) -> TokenStream {
        let word = &self.word;
        let read = match (&self.ty, &self.becomes) {
            (Some(ty), Some(becomes)) => {
                quote! { <#ty as crate::http::wire::Object>::read(fields).map(#becomes) }
            }
            (Some(ty), None) => quote! { <#ty as crate::http::wire::Object>::read(fields) },
            (None, Some(becomes)) => quote! { ::core::option::Option::Some(#becomes) },
            (None, None) => quote! { ::core::compile_error!("say what it becomes") },
        };
        let parameter = match &self.ty {
            Some(_) => quote! { fields },
            None => quote! { _ },
        };
        quote! {
            (#word, |#parameter: &mut crate::http::fields::Fields<'_>| -> ::core::option::Option<#value> { #read })
        }
    }

    fn description(&self, tag: &LitStr) -> TokenStream {
        let (word, text) = (&self.word, &self.text);
        let members = match &self.ty {
            Some(ty) => quote! { crate::http::wire::Members::of::<#ty>() },
            None => quote! { crate::http::wire::Members::default() },
        };
        quote! { #members.tagged(#tag, #word).object(#text) }
    }
}

/// `InStore` as `in_store`.
fn snake_case(ident: &Ident) -> String {
    let mut word = String::new();
    for (i, letter) in ident.to_string().chars().enumerate() {
        if letter.is_uppercase() && i > 0 {
            word.push('_');
        }
        word.extend(letter.to_lowercase());
    }
    word
}
