//! What stands in the parentheses of `#[operation(…)]`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, LitInt, LitStr, Result, Token, Type, parenthesized};

/// The arguments, each given at most once.
pub(crate) struct Attribute {
    pub(crate) method: Ident,
    pub(crate) path: LitStr,
    pub(crate) tag: Ident,
    pub(crate) body: Option<Content>,
    pub(crate) answer: Content,
    pub(crate) location: Option<LitStr>,
    pub(crate) etag: Option<LitStr>,
    pub(crate) headers: Vec<Header>,
    pub(crate) problems: Vec<LitInt>,
    pub(crate) wrap: Option<Expr>,
    pub(crate) open: Option<Span>,
}

/// What a body or an answer is, and its schema by media type where no type of the signature has it.
pub(crate) struct Content {
    pub(crate) text: LitStr,
    pub(crate) media: Vec<Media>,
}

pub(crate) struct Media {
    pub(crate) media_type: LitStr,
    pub(crate) schema: Type,
}

pub(crate) struct Header {
    pub(crate) name: LitStr,
    pub(crate) text: LitStr,
}

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];
const KEYS: &str = "`tag`, `body`, `answer`, `location`, `etag`, `headers`, `problems`, `wrap` or `open`";

impl Parse for Attribute {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let expected = "an operation starts with its method and path, such as `get \"/v1/claims\"`";
        let method: Ident = input
            .parse()
            .map_err(|error| Error::new(error.span(), expected))?;
        if !METHODS.iter().any(|it| method == it) {
            return Err(Error::new(method.span(), expected));
        }
        let path: LitStr = input
            .parse()
            .map_err(|error| Error::new(error.span(), expected))?;
        check_path(&path)?;
        let mut rest = Rest::default();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            rest.argument(input)?;
        }
        let missing = |what: &str| Error::new(method.span(), format!("an operation needs {what}"));
        Ok(Attribute {
            tag: rest.tag.ok_or_else(|| missing("`tag = …`"))?,
            body: rest.body,
            answer: rest.answer.ok_or_else(|| missing("`answer = \"…\"`"))?,
            location: rest.location,
            etag: rest.etag,
            headers: rest.headers.unwrap_or_default(),
            problems: rest.problems.unwrap_or_default(),
            wrap: rest.wrap,
            open: rest.open,
            method,
            path,
        })
    }
}

/// The named arguments that were read so far.
#[derive(Default)]
struct Rest {
    tag: Option<Ident>,
    body: Option<Content>,
    answer: Option<Content>,
    location: Option<LitStr>,
    etag: Option<LitStr>,
    headers: Option<Vec<Header>>,
    problems: Option<Vec<LitInt>>,
    wrap: Option<Expr>,
    open: Option<Span>,
}

impl Rest {
    fn argument(&mut self, input: ParseStream<'_>) -> Result<()> {
        let key: Ident = input
            .parse()
            .map_err(|error| Error::new(error.span(), format!("an operation takes {KEYS}")))?;
        match key.to_string().as_str() {
            "tag" => once(&mut self.tag, &key, value(input)?),
            "body" => once(&mut self.body, &key, input.parse()?),
            "answer" => once(&mut self.answer, &key, input.parse()?),
            "location" => once(&mut self.location, &key, value(input)?),
            "etag" => once(&mut self.etag, &key, value(input)?),
            "headers" => once(&mut self.headers, &key, list(input)?),
            "problems" => once(&mut self.problems, &key, statuses(input)?),
            "wrap" => once(&mut self.wrap, &key, value(input)?),
            "open" => once(&mut self.open, &key, key.span()),
            other => {
                let message = format!("an operation takes {KEYS}, not `{other}`");
                Err(Error::new(key.span(), message))
            }
        }
    }
}

/// Keeps the value of an argument that was not given before.
fn once<T>(place: &mut Option<T>, key: &Ident, value: T) -> Result<()> {
    match place.replace(value) {
        Some(_) => Err(Error::new(key.span(), format!("`{key}` is given twice"))),
        None => Ok(()),
    }
}

/// `= value`
fn value<T: Parse>(input: ParseStream<'_>) -> Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

/// `(item, …)`
fn list<T: Parse>(input: ParseStream<'_>) -> Result<Vec<T>> {
    let content;
    parenthesized!(content in input);
    let items = Punctuated::<T, Token![,]>::parse_terminated(&content)?;
    Ok(items.into_iter().collect())
}

/// `(404, 409)`: statuses of problems, 400 to 599.
fn statuses(input: ParseStream<'_>) -> Result<Vec<LitInt>> {
    let statuses: Vec<LitInt> = list(input)?;
    for status in &statuses {
        if !(400..=599).contains(&status.base10_parse::<u16>()?) {
            return Err(Error::new(status.span(), "a problem's status is from 400 to 599"));
        }
    }
    Ok(statuses)
}

/// `= "text"` or `("text", "media/type" = Schema, …)`
impl Parse for Content {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![=]) {
            return Ok(Content {
                text: value(input)?,
                media: Vec::new(),
            });
        }
        let content;
        parenthesized!(content in input);
        let text: LitStr = content.parse()?;
        let expected = "media types with their schemas follow the text, such as `\"text/csv\" = Text`";
        content
            .parse::<Token![,]>()
            .map_err(|error| Error::new(error.span(), expected))?;
        let media = Punctuated::<Media, Token![,]>::parse_terminated(&content)?;
        if media.is_empty() {
            return Err(Error::new(text.span(), expected));
        }
        Ok(Content {
            text,
            media: media.into_iter().collect(),
        })
    }
}

impl Parse for Media {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Ok(Media {
            media_type: input.parse()?,
            schema: value(input)?,
        })
    }
}

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Ok(Header {
            name: input.parse()?,
            text: value(input)?,
        })
    }
}

/// A path starts with a slash and ends without one; a parameter is a whole segment, without a pattern of its own: what it
/// may hold is the extractor's to say.
fn check_path(path: &LitStr) -> Result<()> {
    let wrong = |what: &str| Err(Error::new(path.span(), what));
    let text = path.value();
    let Some(segments) = text.strip_prefix('/') else {
        return wrong("a path starts with `/`");
    };
    for segment in segments.split('/') {
        let name = segment
            .strip_prefix('{')
            .and_then(|it| it.strip_suffix('}'))
            .unwrap_or(segment);
        if name.is_empty() {
            return wrong("a path has no empty segment");
        }
        if name.contains(['{', '}', ':', '*', '?']) {
            return wrong("a parameter is a whole segment in braces, such as `{id}`");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Attribute> {
        syn::parse_str(text)
    }

    fn refusal(text: &str) -> String {
        parse(text).err().unwrap().to_string()
    }

    #[test]
    fn every_argument_is_read() {
        let read = parse(
            r#"put "/v1/a/{id}", tag = Funds, open, wrap = Compress::default(), problems(409, 404),
            body("Lines.", "text/csv" = Text, "application/json" = Form), answer = "Done.",
            location = "There.", etag = "Its revision.", headers("X-Parts" = "How many."),"#,
        )
        .unwrap();
        assert_eq!(read.method, "put");
        assert_eq!(read.path.value(), "/v1/a/{id}");
        assert_eq!(read.tag, "Funds");
        let body = read.body.unwrap();
        let types = body.media.iter().map(|it| it.media_type.value());
        assert_eq!(types.collect::<Vec<_>>(), ["text/csv", "application/json"]);
        assert!(read.answer.media.is_empty());
        assert_eq!(read.headers[0].name.value(), "X-Parts");
        assert_eq!(read.problems.len(), 2);
        assert!(read.wrap.is_some() && read.open.is_some());
        assert!(read.location.is_some() && read.etag.is_some());
    }

    #[test]
    fn a_wrong_argument_is_named() {
        for (text, expected) in [
            ("", "starts with its method and path"),
            (r#"patch "/v1/a""#, "starts with its method and path"),
            ("get", "starts with its method and path"),
            (r#"get "v1/a""#, "starts with `/`"),
            (r#"get "/v1/a/""#, "no empty segment"),
            (r#"get "/v1/{id:.*}""#, "a whole segment"),
            (r#"get "/v1/a""#, "needs `tag = …`"),
            (r#"get "/v1/a", tag = Funds"#, "needs `answer"),
            (r#"get "/v1/a", tag = Funds, tag = Funds"#, "`tag` is given twice"),
            (r#"get "/v1/a", role = Treasury"#, "not `role`"),
            (
                r#"get "/v1/a", answer("Text.")"#,
                "media types with their schemas",
            ),
            (r#"get "/v1/a", problems(200)"#, "from 400 to 599"),
        ] {
            let refusal = refusal(text);
            assert!(refusal.contains(expected), "{text}: {refusal}");
        }
    }
}
