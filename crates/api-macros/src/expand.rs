//! From the attribute and its function to the operation.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, Ident, ItemFn, Result, ReturnType, Type, parse2};

use crate::attribute::{Attribute, Content};
use crate::doc::Doc;

/// The function, its operation, and what is checked of both; after a mistake the function and the error, so that other
/// code which names the function does not fail too.
pub(crate) fn operation(attribute: TokenStream, item: TokenStream) -> TokenStream {
    match expand(attribute, item.clone()) {
        Ok(expanded) => expanded,
        Err(error) => {
            let error = error.into_compile_error();
            quote! { #item #error }
        }
    }
}

fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function: ItemFn = parse2(item)?;
    let attribute: Attribute = parse2(attribute)?;
    let doc = Doc::of(&function)?;
    let (arguments, answer) = signature(&function)?;
    let constant = constant(&attribute, &function, &doc, &arguments, answer);
    let checks = checks(&attribute, &function.sig.ident, &arguments, answer);
    let (visibility, name) = (&function.vis, &function.sig.ident);
    let about = format!("The operation whose handler is [`{name}`](fn@{name}).");
    Ok(quote! {
        #function

        #[doc = #about]
        #[allow(non_camel_case_types, reason = "an operation is named like its handler")]
        #visibility enum #name {}

        impl #name {
            #visibility const OPERATION: crate::http::contract::Operation = #constant;
        }

        #checks
    })
}

/// The types of a handler's arguments and of its result.
fn signature(function: &ItemFn) -> Result<(Vec<&Type>, &Type)> {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        return Err(Error::new(signature.fn_token.span, "a handler is an `async fn`"));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new(signature.generics.span(), "a handler has no generics"));
    }
    let types = signature.inputs.iter().map(|argument| match argument {
        FnArg::Typed(argument) => Ok(&*argument.ty),
        FnArg::Receiver(receiver) => Err(Error::new(receiver.span(), "a handler is a free function")),
    });
    let ReturnType::Type(_, answer) = &signature.output else {
        return Err(Error::new(
            signature.ident.span(),
            "a handler returns an `Answer<…>`",
        ));
    };
    Ok((types.collect::<Result<_>>()?, answer))
}

fn constant(
    attribute: &Attribute,
    function: &ItemFn,
    doc: &Doc,
    arguments: &[&Type],
    answer: &Type,
) -> TokenStream {
    let name = &function.sig.ident;
    let Attribute {
        path, tag, problems, ..
    } = attribute;
    let (id, method) = (name.to_string(), method(&attribute.method));
    let (summary, description) = (&doc.summary, &doc.description);
    let body = optional(attribute.body.as_ref().map(content));
    let said = content(&attribute.answer);
    let location = optional(attribute.location.as_ref());
    let etag = optional(attribute.etag.as_ref());
    let headers = attribute.headers.iter().map(|header| {
        let (name, text) = (&header.name, &header.text);
        quote! { (#name, #text) }
    });
    let wrap = attribute
        .wrap
        .iter()
        .map(|middleware| quote! { .wrap(#middleware) });
    let arguments = arguments.iter().map(|argument| {
        quote_spanned! { argument.span() =>
            <#argument as crate::http::contract::Argument>::describe(contract);
        }
    });
    let answer = quote_spanned! { answer.span() =>
        <#answer as crate::http::contract::Outcome>::describe(contract);
    };
    quote! {
        crate::http::contract::Operation {
            id: #id,
            method: #method,
            path: #path,
            tag: crate::http::contract::Tag::#tag,
            summary: #summary,
            description: #description,
            body: #body,
            answer: #said,
            location: #location,
            etag: #etag,
            headers: &[#(#headers),*],
            problems: &[#(#problems),*],
            route: || #method.route().to(#name) #(#wrap)*,
            describe: |contract| {
                #(#arguments)*
                #answer
            },
        }
    }
}

fn method(method: &Ident) -> TokenStream {
    let variant = match method.to_string().as_str() {
        "get" => "Get",
        "post" => "Post",
        "put" => "Put",
        _ => "Delete",
    };
    let variant = Ident::new(variant, method.span());
    quote! { crate::http::contract::Method::#variant }
}

fn optional(value: Option<impl quote::ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote! { ::core::option::Option::Some(#value) },
        None => quote! { ::core::option::Option::None },
    }
}

fn content(content: &Content) -> TokenStream {
    let text = &content.text;
    let media = content.media.iter().map(|media| {
        let (media_type, schema) = (&media.media_type, &media.schema);
        quote_spanned! { schema.span() =>
            (#media_type, <#schema as crate::http::contract::Media>::schema)
        }
    });
    quote! {
        crate::http::contract::Content { text: #text, media: &[#(#media),*] }
    }
}

/// What only the types know is asserted of them where the handler stands.
fn checks(attribute: &Attribute, name: &Ident, arguments: &[&Type], answer: &Type) -> TokenStream {
    let count = |constant: &str| {
        let constant = Ident::new(constant, Span::call_site());
        quote! { 0 #( + <#arguments as crate::http::contract::Argument>::#constant )* }
    };
    let (rights, bodies) = (count("RIGHTS"), count("BODIES"));
    let right = match attribute.open {
        Some(open) => quote_spanned! { open =>
            assert!(#rights == 0, "an operation that is `open` takes no `Authenticated<Right>`");
        },
        None => quote_spanned! { name.span() =>
            assert!(#rights == 1, "an operation takes one `Authenticated<Right>`, or is `open`");
        },
    };
    let body = match &attribute.body {
        None => quote_spanned! { name.span() =>
            assert!(#bodies == 0, "an argument reads a body: say what it is, `body = \"…\"`");
        },
        Some(body) if body.media.is_empty() => quote_spanned! { body.text.span() =>
            assert!(#bodies == 1, "no argument reads a body: give its media types and schemas");
        },
        Some(body) => quote_spanned! { body.text.span() =>
            assert!(#bodies == 0, "an argument reads a body, and its type has the schema");
        },
    };
    let outcome = quote! { <#answer as crate::http::contract::Outcome> };
    let answered = match attribute.answer.media.is_empty() {
        true => quote_spanned! { attribute.answer.text.span() =>
            assert!(#outcome::TYPED, "this answer has no schema: give its media types and schemas");
        },
        false => quote_spanned! { attribute.answer.text.span() =>
            assert!(!#outcome::TYPED, "the answer's type has its schema");
        },
    };
    let location = attribute.location.iter().map(|text| {
        quote_spanned! { text.span() =>
            assert!(#outcome::LOCATION, "this answer has no header `Location`");
        }
    });
    let etag = attribute.etag.iter().map(|text| {
        quote_spanned! { text.span() =>
            assert!(#outcome::ETAG, "this answer has no header `ETag`");
        }
    });
    quote! {
        const _: () = {
            #right
            #body
            #answered
            #(#location)*
            #(#etag)*
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(attribute: &str, item: &str) -> String {
        let (attribute, item) = (attribute.parse().unwrap(), item.parse().unwrap());
        operation(attribute, item).to_string()
    }

    const CHECK: &str = r#"post "/v1/appropriations/{id}/decision", tag = Funds, body = "The verdict.",
        answer = "Approved or refused.""#;
    const HANDLER: &str = r#"
        /// 复核拨款 · Check an appropriation
        pub(crate) async fn check_appropriation(
            caller: Authenticated<ManageFunds>, _: Body<Check>,
        ) -> Answer<Json<AppropriationView>> { todo() }"#;

    #[test]
    fn the_function_stays_and_the_operation_has_its_name() {
        let expanded = expanded(CHECK, HANDLER);
        let file = syn::parse_str::<syn::File>(&expanded).unwrap();
        let kinds = file.items.iter().map(|item| match item {
            syn::Item::Fn(it) => format!("fn {}", it.sig.ident),
            syn::Item::Enum(it) => format!("enum {}", it.ident),
            syn::Item::Impl(_) => "impl".to_owned(),
            syn::Item::Const(_) => "const".to_owned(),
            _ => "another".to_owned(),
        });
        assert_eq!(
            kinds.collect::<Vec<_>>(),
            [
                "fn check_appropriation",
                "enum check_appropriation",
                "impl",
                "const"
            ]
        );
    }

    #[test]
    fn every_type_of_the_signature_describes_itself() {
        let expanded = expanded(CHECK, HANDLER);
        for described in [
            "< Authenticated < ManageFunds > as crate :: http :: contract :: Argument > :: describe (contract)",
            "< Body < Check > as crate :: http :: contract :: Argument > :: describe (contract)",
            "< Answer < Json < AppropriationView > > as crate :: http :: contract :: Outcome > :: describe (contract)",
        ] {
            assert!(expanded.contains(described), "{described}\n{expanded}");
        }
    }

    #[test]
    fn a_mistake_leaves_the_function() {
        for (attribute, item, expected) in [
            ("get", HANDLER, "starts with its method and path"),
            (
                CHECK,
                "/// 一 · A\nfn a() -> Answer {}",
                "a handler is an `async fn`",
            ),
            (CHECK, "/// 一 · A\nasync fn a<T>() -> Answer {}", "no generics"),
            (CHECK, "/// 一 · A\nasync fn a() {}", "returns an `Answer<…>`"),
            (
                CHECK,
                "/// 一 · A\nasync fn a(&self) -> Answer {}",
                "a free function",
            ),
            (CHECK, "/// A\nasync fn a() -> Answer {}", "two languages"),
        ] {
            let expanded = expanded(attribute, item);
            assert!(expanded.contains(expected), "{expected}\n{expanded}");
            assert!(expanded.contains("fn "), "{expanded}");
            assert!(!expanded.contains("OPERATION"), "{expanded}");
        }
    }
}
