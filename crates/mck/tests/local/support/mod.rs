//! An environment of a test's own, and what is asked of it.

mod http;
mod leftovers;
mod load;
mod process;
mod shop;
mod store;

pub use http::{Answer, Browser, HttpRequest};
pub use leftovers::{Leftovers, everything_of};
pub use load::{Failed, Load, Report};
pub use process::{Finished, Running, kill, run};
pub use shop::{
    add_media, add_token, place_order, read_session, storefront_source, tokens, write_session,
};
pub use store::{File, Slots, Store};
