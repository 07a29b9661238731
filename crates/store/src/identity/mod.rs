//! Who may ask for a token.
//!
//! A client's secret is kept as an argon2id PHC string; its row does not print it. The roles and what a client is bound to
//! (a merchant, jurisdictions) are proved by CHECK. One row a client, read by key.

pub mod clients;
