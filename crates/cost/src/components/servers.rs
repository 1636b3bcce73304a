//! The Bastion and Jenkins.

use super::{Bill, Item, data};
use crate::{
    Component::ServerRoles,
    Rate,
    inventory::{Inventory, Server},
};

pub(super) fn add(bill: &mut Bill<'_>, inventory: &Inventory) {
    if let Some(bastion) = &inventory.bastion {
        server(bill, "Bastion", bastion);
    }
    if let Some(jenkins) = &inventory.jenkins {
        server(bill, "Jenkins", jenkins);
    }
    if let Some(home) = &inventory.jenkins_home {
        data::jenkins_home(bill, home);
    }
}

fn server(bill: &mut Bill<'_>, name: &str, server: &Server) {
    let instance_type = server.instance_type.as_str();
    let price = bill.prices.instance(instance_type);
    let hours = (bill.hours(), "instance-hours");
    bill.add(price, Item::new(ServerRoles, name, instance_type, hours));
    let size = server.volume_gb;
    bill.rate(
        Rate::VolumeGbMonth,
        Item::new(
            ServerRoles,
            format!("volume of {name}"),
            format!("{size} GB gp3"),
            (size, "GB-months"),
        ),
    );
}
