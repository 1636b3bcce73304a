//! User data of the EC2 instances: what an App Server, the Bastion and Jenkins do at their first
//! start, read by cloud-init.
//!
//! The texts are the same for every account: no secret is in them, since whoever may describe an
//! instance reads its user data. What only CloudFormation knows comes in shell variables that are set
//! before (see [`jenkins::VARIABLES`]).

pub mod app_server;
pub mod bastion;
mod cloudwatch_agent;
pub mod hardening;
pub mod jenkins;
mod script;
mod security_updates;

/// The longest user data, in bytes before they are encoded (EC2 user guide, "Run commands when you
/// launch an EC2 instance with user data input").
pub const MAXIMUM_BYTES: usize = 16_384;
