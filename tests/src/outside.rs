//! The world outside: a bank that takes files by itself and merchants who listen, on bad days. All of it over real HTTP and in real folders.

mod bank;
mod folders;
mod rekey;
mod server;
mod webhooks;

use server::{Act, Asked, Server};
