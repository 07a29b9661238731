//! Nothing: the tests are the one binary `all`, whose modules start at `main.rs`.
