//! The service and its partners: a bank that accepts files over a gateway or folders and merchants
//! with webhooks, with their faults. All of it over real HTTP and in real folders.

mod bank;
mod folders;
mod rekey;
mod server;
mod webhooks;

use server::{Act, Asked, Server};
