//! What an environment costs a month on AWS: a blueprint, a dated table of prices and assumptions
//! about its use make an estimate.
//!
//! ```text
//! Blueprint, or stacks that are there ─► Inventory ─┐
//! prices ───────────────────────────────────────────┼─► Estimate: lines, totals, what has no price
//! Usage ────────────────────────────────────────────┘
//! ```
//!
//! An estimate is exact where the architecture decides the cost (`fixed`), an assumption where
//! visitors decide it (`assumed`), and says so where there is no price (`unknown`). Nothing here
//! reads a file, a clock or the network.

mod components;
mod difference;
mod estimate;
mod inventory;
mod kept;
mod money;
mod prices;
mod usage;

pub use difference::{CostDifference, LineDifference};
pub use estimate::{Component, Estimate, Kind, Line, NOT_COUNTED};
pub use inventory::DeployedStack;
pub use kept::{KeptPrice, KeptUnit, kept};
pub use money::Money;
pub use prices::{Price, PriceTable, Rate, RegionPrices, Source};
pub use usage::{Usage, UsageError, UsageKey};
