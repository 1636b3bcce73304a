//! The lines of an estimate, one module a group of components.

mod clusters;
mod data;
mod edge;
mod network;
mod operations;
mod servers;

use crate::{Component, Kind, Line, Money, Price, Rate, RegionPrices, Usage, inventory::Inventory};

/// All lines, component by component.
pub(crate) fn lines(inventory: &Inventory, prices: &RegionPrices<'_>, usage: &Usage) -> Vec<Line> {
    let mut bill = Bill {
        prices,
        usage,
        lines: Vec::new(),
    };
    clusters::add(&mut bill, inventory);
    data::add(&mut bill, inventory);
    network::add(&mut bill, inventory);
    edge::add(&mut bill, inventory);
    servers::add(&mut bill, inventory);
    operations::add(&mut bill, inventory);
    let mut lines = bill.lines;
    lines.sort_by_key(|line| line.component);
    lines
}

/// Lines as they are written.
struct Bill<'a> {
    prices: &'a RegionPrices<'a>,
    usage: &'a Usage,
    lines: Vec<Line>,
}

/// A line without its price.
struct Item {
    component: Component,
    what: String,
    detail: String,
    quantity: f64,
    /// The quantity that scaling may reach.
    at_most: Option<f64>,
    unit: &'static str,
    assumed: bool,
}

impl Item {
    fn new(
        component: Component,
        what: impl Into<String>,
        detail: impl Into<String>,
        (quantity, unit): (f64, &'static str),
    ) -> Self {
        Self {
            component,
            what: what.into(),
            detail: detail.into(),
            quantity,
            at_most: None,
            unit,
            assumed: false,
        }
    }

    fn assumed(mut self) -> Self {
        self.assumed = true;
        self
    }

    fn up_to(mut self, quantity: f64) -> Self {
        self.at_most = Some(quantity);
        self
    }
}

impl Bill<'_> {
    fn hours(&self) -> f64 {
        self.prices.table().hours_per_month
    }

    /// Adds a line that costs by a rate.
    fn rate(&mut self, rate: Rate, item: Item) {
        let price = self.prices.rate(rate);
        self.add(Some(price), item);
    }

    /// Adds a line. What there is none of has no line.
    fn add(&mut self, price: Option<Price>, item: Item) {
        if item.at_most.unwrap_or(item.quantity) <= 0.0 {
            return;
        }
        let cost = |quantity: f64| price.map(|it| Money::from_dollars(quantity * it.dollars));
        self.lines.push(Line {
            monthly: cost(item.quantity),
            up_to: item.at_most.and_then(cost),
            unit_price: price.map(|it| it.dollars),
            kind: match price {
                None => Kind::Unknown,
                Some(_) if item.assumed => Kind::Assumed,
                Some(_) => Kind::Fixed,
            },
            approximate: price.is_some_and(|it| it.approximate),
            component: item.component,
            what: item.what,
            detail: item.detail,
            quantity: item.quantity,
            unit: item.unit,
        });
    }
}

/// A count as a quantity; counts here are of servers, zones and the like, far below 2^32.
fn many(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
