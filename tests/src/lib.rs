//! The black-box tests live in `main.rs`.
