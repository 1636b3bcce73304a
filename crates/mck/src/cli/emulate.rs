//! Arguments of `mck emulate`.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

/// `mck emulate`
#[derive(Debug, Subcommand)]
pub enum EmulateCommand {
    /// Answer as Amazon ECS does; the environment on this machine does the work
    ///
    /// A test double: `aws ecs …`, or any client that takes AWS_ENDPOINT_URL_ECS, deploys to, scales
    /// and looks at the environment that `mck up` runs. It does not ask who calls.
    Ecs(EmulateEcsOptions),
}

/// `mck emulate ecs`
#[derive(Debug, Args)]
pub struct EmulateEcsOptions {
    /// Where to listen; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4510")]
    pub listen: SocketAddr,
    /// Have the names that another environment of the file has on AWS [default: the environment's own]
    #[arg(long = "as", value_name = "NAME")]
    pub named: Option<String>,
    /// Have no services until they are created, as an account has before an app's first deployment
    #[arg(long)]
    pub without_services: bool,
    /// Listen at an address that other machines reach; all that do may run commands
    #[arg(long)]
    pub open: bool,
}
