//! The rights: every operation with its roles, a path of Yanhu's, and the answer to a client of
//! another county.
//!
//! The table is `operations.txt`, one line an operation:
//!
//! | column | holds |
//! |---|---|
//! | operation | method and path; `{id=…}` gives a path parameter its value, and the part after `?` does not belong to the operation |
//! | roles | names of roles, or of groups of them |
//! | elsewhere | an [`Elsewhere`] |
//! | body | JSON, if one is sent |
//!
//! `<claim>` stands for the value that [`Things`] has of that name.

use std::str::FromStr;

use serde_json::Value;
use service::Role;

use Role::{Admin, Approver, Auditor, Dealer, Platform, Retailer, Reviewer, Treasury};

const TABLE: &str = include_str!("operations.txt");

pub(super) const EVERYBODY: &[Role] = &[
    Retailer, Platform, Dealer, Reviewer, Approver, Treasury, Auditor, Admin,
];
const MERCHANTS: &[Role] = &[Retailer, Platform, Dealer];
const OFFICERS: &[Role] = &[Reviewer, Approver, Treasury, Auditor, Admin];

/// The answer to a client of another county.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Elsewhere {
    /// 403 other-jurisdiction.
    Refused,
    /// The operation belongs to no county, or a list shows only what the client may see.
    Served,
    /// An operation of the whole city: 403 other-jurisdiction for a client of some counties only,
    /// here too.
    City,
}

impl FromStr for Elsewhere {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "refused" => Ok(Self::Refused),
            "served" => Ok(Self::Served),
            "city" => Ok(Self::City),
            other => Err(format!("{other} is no answer elsewhere")),
        }
    }
}

pub(super) struct Row {
    /// As the OpenAPI document has it, such as `GET /v1/claims/{id}`.
    pub(super) operation: String,
    pub(super) roles: Vec<Role>,
    pub(super) elsewhere: Elsewhere,
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

/// The objects in the table's paths and bodies, all of Yanhu.
pub(super) struct Things {
    pub(super) claim: String,
    /// One of the retailer's that is clawed back.
    pub(super) due: String,
    pub(super) disbursement: String,
    pub(super) appropriation: String,
    pub(super) cap_change: String,
    /// The retailer's credit code.
    pub(super) merchant: String,
    /// The retailer's webhook endpoint.
    pub(super) webhook: String,
    pub(super) sent: Value,
}

impl Things {
    /// The text with values in place of their names.
    fn fill(&self, text: &str) -> String {
        // Well formed, of Yanhu, and without an object.
        let nothing = |prefix| self.disbursement.replace("dsb_", prefix);
        let values = [
            ("<claim>", self.claim.clone()),
            ("<due>", self.due.clone()),
            ("<disbursement>", self.disbursement.clone()),
            ("<appropriation>", self.appropriation.clone()),
            ("<cap_change>", self.cap_change.clone()),
            ("<merchant>", self.merchant.clone()),
            ("<webhook>", self.webhook.clone()),
            ("<sent>", self.sent.to_string()),
            ("<advance>", nothing("adv_")),
            ("<draft>", nothing("prd_")),
            ("<exception>", nothing("bke_")),
            ("<hold>", nothing("hld_")),
            ("<payment>", nothing("pay_")),
            ("<sample>", nothing("smp_")),
            ("<waiver>", nothing("wvr_")),
        ];
        let fill = |text: String, (name, value): &(&str, String)| text.replace(name, value);
        values.iter().fold(text.to_owned(), fill)
    }
}

/// The rows in the order of the file: those that change what others read come last.
pub(super) fn table(things: &Things) -> Vec<Row> {
    let lines = TABLE.lines().enumerate().skip(1);
    lines
        .map(|(i, line)| {
            read(line, things).unwrap_or_else(|fault| panic!("operations.txt:{}: {fault}", i + 1))
        })
        .collect()
}

fn read(line: &str, things: &Things) -> Result<Row, String> {
    let mut cells = line.splitn(5, ' ');
    let mut next = || cells.next().ok_or("a column is missing");
    let (method, path, named, elsewhere) = (next()?, next()?, next()?, next()?);
    let (template, path) = parameters(path)?;
    let path = things.fill(&path);
    if path.contains(['<', '{']) {
        return Err(format!("{path} has no value for a name"));
    }
    let mut roles = Vec::new();
    for name in named.split(',') {
        roles.extend_from_slice(&role(name)?);
    }
    let body = cells.next().map(|body| serde_json::from_str(&things.fill(body)));
    Ok(Row {
        operation: format!("{method} {template}"),
        roles,
        elsewhere: elsewhere.parse()?,
        path,
        body: body.transpose().map_err(|error| error.to_string())?,
    })
}

/// A role, or the roles of a group.
fn role(name: &str) -> Result<Vec<Role>, String> {
    match name {
        "everybody" => Ok(EVERYBODY.to_vec()),
        "merchants" => Ok(MERCHANTS.to_vec()),
        "officers" => Ok(OFFICERS.to_vec()),
        name => {
            let role = EVERYBODY.iter().find(|role| role.as_str() == name);
            role.map(|role| vec![*role]).ok_or(format!("{name} is no role"))
        }
    }
}

/// The path with names in place of its parameters, and the path with their values.
fn parameters(path: &str) -> Result<(String, String), String> {
    let (mut template, mut filled) = (String::new(), String::new());
    let (steps, query) = path
        .split_once('?')
        .map_or((path, None), |(steps, query)| (steps, Some(query)));
    for step in steps.split('/').skip(1) {
        let parameter = step.strip_prefix('{').and_then(|step| step.strip_suffix('}'));
        let (name, value) = match parameter {
            Some(parameter) => {
                let (name, value) = parameter.split_once('=').ok_or(format!("{step} has no value"))?;
                (format!("{{{name}}}"), value)
            }
            None => (step.to_owned(), step),
        };
        template.push_str(&format!("/{name}"));
        filled.push_str(&format!("/{value}"));
    }
    if let Some(query) = query {
        filled.push_str(&format!("?{query}"));
    }
    Ok((template, filled))
}

#[test]
fn a_line_has_its_parameters_roles_and_body() {
    let things = Things {
        claim: "clm_1".into(),
        due: String::new(),
        disbursement: "dsb_1".into(),
        appropriation: String::new(),
        cap_change: String::new(),
        merchant: String::new(),
        webhook: String::new(),
        sent: Value::Null,
    };
    let line =
        r#"PUT /v1/claims/{id=<claim>}/{part=1}?of=<payment> merchants,auditor city {"claim": "<claim>"}"#;
    let row = read(line, &things).unwrap();
    assert_eq!(row.operation, "PUT /v1/claims/{id}/{part}");
    assert_eq!(row.path, "/v1/claims/clm_1/1?of=pay_1");
    assert_eq!(row.roles, [Retailer, Platform, Dealer, Auditor]);
    assert_eq!(row.elsewhere, Elsewhere::City);
    assert_eq!(row.body, Some(serde_json::json!({"claim": "clm_1"})));
    for wrong in [
        "GET /v1/claims everybody",
        "GET /v1/claims/{id} everybody served",
        "GET /v1/claims/<nothing> everybody served",
        "GET /v1/claims no route served",
        "GET /v1/claims everybody there",
        "GET /v1/claims everybody served {",
    ] {
        assert!(read(wrong, &things).is_err(), "{wrong}");
    }
}
