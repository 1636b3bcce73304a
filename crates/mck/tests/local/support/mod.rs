//! An environment of a test's own, and what is asked of it.

mod http;
mod leftovers;
mod load;
mod process;
mod shop;
mod store;

pub use http::{Browser, HttpRequest};
pub use leftovers::{everything_of, processes, remove_cgroups, unmount_below};
pub use load::Load;
pub use process::{Finished, kill, run};
pub use shop::{
    add_media, add_token, log_in, place_order, read_session, storefront_source, tokens,
    write_session,
};
pub use store::{File, Slots, Store};
