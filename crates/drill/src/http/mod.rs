//! A small HTTP/1.1 client that says exactly how a request failed, and never tries one twice.

mod client;
mod connection;
mod cookies;
mod response;

pub(crate) use client::{Body, Client, Request};
pub(crate) use cookies::Cookies;
pub(crate) use response::Response;
