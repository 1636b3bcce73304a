//! The Bastion and Jenkins.

use mck_blueprint::Blueprint;
use mck_environment::units::Size;

use super::{Bill, Item, data, gigabytes};
use crate::{Component::ServerRoles, Rate};

pub(super) fn add(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    if let Some(bastion) = &blueprint.bastion {
        server(bill, "Bastion", &bastion.instance_type, bastion.volume_size);
    }
    if let Some(jenkins) = &blueprint.jenkins {
        server(bill, "Jenkins", &jenkins.instance_type, jenkins.volume_size);
        data::jenkins_home(bill, jenkins.home.backup_plan.as_ref());
    }
}

fn server(bill: &mut Bill<'_>, name: &str, instance_type: &str, volume: Size) {
    let price = bill.prices.instance(instance_type);
    let hours = (bill.hours(), "instance-hours");
    bill.add(price, Item::new(ServerRoles, name, instance_type, hours));
    let size = gigabytes(volume);
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
