//! The doc comment of a handler: the summary and the description of its operation.

use syn::{Attribute, Error, Expr, ExprLit, ItemFn, Lit, Meta, Result};

/// What the OpenAPI document says of an operation in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Doc {
    /// The first line, in Chinese and English.
    pub(crate) summary: String,
    /// The other lines; may be empty.
    pub(crate) description: String,
}

impl Doc {
    pub(crate) fn of(function: &ItemFn) -> Result<Doc> {
        let wrong = |what: &str| Err(Error::new(function.sig.ident.span(), what));
        let lines: Vec<String> = function.attrs.iter().filter_map(line).collect();
        let text = lines.join("\n");
        let (summary, description) = text.split_once('\n').unwrap_or((&text, ""));
        if summary.is_empty() {
            return wrong("an operation needs a doc comment: its first line is the summary");
        }
        if !summary.contains(" · ") {
            return wrong("the summary has two languages, such as `申领列表 · List claims`");
        }
        Ok(Doc {
            summary: summary.to_owned(),
            description: description.trim().to_owned(),
        })
    }
}

/// A line of the comment, without the space behind its slashes.
fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text), ..
    }) = &pair.value
    else {
        return None;
    };
    let text = text.value();
    let line = text.strip_prefix(' ').unwrap_or(&text).trim_end();
    pair.path.is_ident("doc").then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn the_first_line_is_the_summary() {
        let doc = Doc::of(&parse_quote! {
            /// 撤回 · Withdraw a claim
            ///
            /// Before payment.
            /// Its reservation is free again.
            async fn withdraw_claim() {}
        });
        let expected = Doc {
            summary: "撤回 · Withdraw a claim".into(),
            description: "Before payment.\nIts reservation is free again.".into(),
        };
        assert_eq!(doc.unwrap(), expected);
    }

    #[test]
    fn a_summary_has_both_languages() {
        for function in [
            parse_quote! { async fn withdraw_claim() {} },
            parse_quote! {
                /// Withdraw a claim
                async fn withdraw_claim() {}
            },
        ] {
            assert!(Doc::of(&function).is_err());
        }
    }
}
