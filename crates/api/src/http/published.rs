//! The finished contract, as the routes that serve it and the fallback read it.
//!
//! It is made once, where the application is put together: the document comes from the routes, so
//! that a handler which made it would depend on the list of all handlers.

use actix_web::dev::ResourceDef;
use sha2::{Digest, Sha256};

/// The text of the OpenAPI document, and the methods of each path.
pub(crate) struct Published {
    pub(crate) openapi: String,
    pub(crate) etag: String,
    routes: Vec<(ResourceDef, Vec<String>)>,
}

impl Published {
    /// Of the document's text, and every path with its methods in upper case.
    pub(crate) fn new(openapi: String, operations: Vec<(String, Vec<String>)>) -> Published {
        let get = || vec!["GET".to_owned()];
        let pages = [("/docs".to_owned(), get()), ("/docs/{_:.*}".to_owned(), get())];
        let route = |(pattern, methods): (String, Vec<String>)| (ResourceDef::new(pattern), methods);
        Published {
            etag: format!("\"{}\"", hex::encode(Sha256::digest(openapi.as_bytes()))),
            openapi,
            routes: operations.into_iter().chain(pages).map(route).collect(),
        }
    }

    /// The methods that a path takes; none if there is no such path.
    pub(crate) fn allowed(&self, path: &str) -> Vec<String> {
        // A path that is written out, such as `/v1/claims/check`, is not also an id.
        let written = self
            .routes
            .iter()
            .find(|(pattern, _)| pattern.pattern() == Some(path));
        let matching = self.routes.iter().filter(|(pattern, _)| pattern.is_match(path));
        let mut methods: Vec<String> = match written {
            Some((_, methods)) => methods.clone(),
            None => matching.flat_map(|(_, methods)| methods.clone()).collect(),
        };
        methods.sort();
        methods.dedup();
        methods
    }
}
