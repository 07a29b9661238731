//! Every route.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};

use crate::http::contract::Operation;
use crate::http::problem::Problem;
use crate::{audit, claims, funds, identity, operation, payments, programmes, webhooks};

/// The operations of each wing. One that is in no list is neither served nor documented.
const WINGS: [&[Operation]; 8] = [
    identity::OPERATIONS,
    claims::OPERATIONS,
    funds::OPERATIONS,
    payments::OPERATIONS,
    webhooks::OPERATIONS,
    audit::OPERATIONS,
    programmes::OPERATIONS,
    operation::OPERATIONS,
];

pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    WINGS.into_iter().flatten()
}

/// One resource for each path, which answers 405 to the methods that it does not take. In the order of their text a path
/// that is written out comes before one with a parameter in its place: `{` sorts behind letters.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let mut paths = BTreeMap::<&str, Vec<&Operation>>::new();
    for operation in operations() {
        paths.entry(operation.path).or_default().push(operation);
    }
    for (path, operations) in paths {
        let mut resource = web::resource(path);
        for operation in &operations {
            resource = resource.route((operation.route)());
        }
        let methods = allowed(&operations);
        let refuse = move || {
            let problem = Problem::MethodNotAllowed(methods.clone());
            async { Err::<HttpResponse, _>(problem) }
        };
        config.service(resource.default_service(web::to(refuse)));
    }
}

/// The methods of a path, for the header `Allow`.
fn allowed(operations: &[&Operation]) -> Vec<String> {
    let methods = operations.iter().map(|operation| operation.method.as_str());
    let mut methods: Vec<String> = methods.map(str::to_owned).collect();
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".into());
    }
    methods.sort();
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_answers_the_methods_of_its_operations() {
        let of = |path: &str| {
            let operations = operations().filter(|operation| operation.path == path);
            allowed(&operations.collect::<Vec<_>>())
        };
        assert_eq!(of("/v1/disbursements"), ["GET", "HEAD", "POST"]);
        assert_eq!(of("/v1/claims/check"), ["POST"]);
        assert_eq!(of("/v1/webhooks/{id}"), ["DELETE", "GET", "HEAD"]);
    }
}
