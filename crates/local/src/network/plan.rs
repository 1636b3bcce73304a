//! What the network of an environment should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::Ipv4Addr,
};

use ipnet::Ipv4Net;
use mck_blueprint::{
    Blueprint,
    model::{Network, Route},
};

use super::{
    Attachment, Firewall, MAIN, Members, PlanError, PolicyRule, Role, RouteTarget, RouterRoute,
    attachment::{INTERNET_GATEWAY, INTERNET_GATEWAY_NAME, RESOLVER_NAME},
};
use crate::id::{EnvironmentId, is_name};

/// The name of the router's namespace in its environment.
pub const ROUTER: &str = "router";

/// The table of what may go straight to the internet gateway.
const INTERNET_TABLE: u32 = 100;
/// The table of what may go nowhere.
const NOWHERE_TABLE: u32 = 199;
/// The first priority of our policy rules: after `main` (32766), which knows the VPC's addresses
/// and nothing else, so that packets within the VPC never come to them.
const FIRST_PRIORITY: u32 = 40_000;
/// The priority of the last rule, which drops what no other decided.
const LAST_PRIORITY: u32 = 50_000;

/// What the network of an environment should be, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkPlan {
    /// The environment.
    pub environment: EnvironmentId,
    /// What is joined to the router, by name.
    pub attachments: BTreeMap<String, Attachment>,
    /// The router's routes.
    pub routes: BTreeSet<RouterRoute>,
    /// The router's policy rules.
    pub rules: BTreeSet<PolicyRule>,
    /// The rules about who may reach whom.
    pub firewall: Firewall,
    /// Addresses that are cut off from everything.
    pub isolated: BTreeSet<Ipv4Addr>,
}

impl NetworkPlan {
    /// The network of a blueprint without tasks.
    ///
    /// # Errors
    /// When the blueprint contradicts itself: names or addresses twice, addresses outside the
    /// VPC, routes to what does not exist, ranges that are none.
    pub fn new(blueprint: &Blueprint, environment: &EnvironmentId) -> Result<Self, PlanError> {
        let network = &blueprint.network;
        let (tables, rules) = policy(network)?;
        let mut plan = Self {
            environment: environment.clone(),
            attachments: BTreeMap::new(),
            routes: tables,
            rules,
            firewall: Firewall::new(blueprint)?,
            isolated: BTreeSet::new(),
        };
        plan.add(gateways(network))?;
        let members = blueprint
            .nodes()
            .map(|node| Attachment::member(&node.name, node.address, node.security_group.clone()));
        plan.add(members)?;
        Ok(plan)
    }

    /// The same network with further attachments: the tasks.
    ///
    /// # Errors
    /// When a name or an address is taken, a name is none, or an address is outside the VPC.
    pub fn with(
        mut self,
        attachments: impl IntoIterator<Item = Attachment>,
    ) -> Result<Self, PlanError> {
        self.add(attachments)?;
        Ok(self)
    }

    fn add(&mut self, attachments: impl IntoIterator<Item = Attachment>) -> Result<(), PlanError> {
        for attachment in attachments {
            self.validate(&attachment)?;
            self.routes.insert(RouterRoute::to(&attachment));
            self.attachments.insert(attachment.name.clone(), attachment);
        }
        Ok(())
    }

    fn validate(&self, attachment: &Attachment) -> Result<(), PlanError> {
        let (name, address) = (attachment.name.clone(), attachment.address);
        if !is_name(&name) {
            return Err(PlanError::Name(name));
        }
        if name == ROUTER || self.attachments.contains_key(&name) {
            return Err(PlanError::DuplicateName(name));
        }
        let gateway = matches!(attachment.role, Role::InternetGateway(_));
        if !gateway && !self.firewall.vpc.contains(&address) {
            return Err(PlanError::OutsideVpc { name, address });
        }
        match self
            .attachments
            .values()
            .find(|other| other.address == address)
        {
            Some(other) => Err(PlanError::DuplicateAddress {
                first: other.name.clone(),
                second: name,
                address,
            }),
            None => Ok(()),
        }
    }

    /// The members of each security group.
    pub fn members(&self) -> Members {
        let mut members = Members::new();
        for attachment in self.attachments.values() {
            if let Some(group) = attachment.security_group() {
                members
                    .entry(group.clone())
                    .or_default()
                    .insert(attachment.address);
            }
        }
        members
    }

    /// The router's whole ruleset, for `nft -f -`.
    pub fn ruleset(&self) -> String {
        self.firewall.ruleset(&self.members(), &self.isolated)
    }
}

impl fmt::Display for NetworkPlan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "attachments")?;
        for attachment in self.attachments.values() {
            let Attachment {
                name,
                address,
                role,
            } = attachment;
            let role = match role {
                Role::Member(group) => group.0.as_str(),
                Role::Resolver => "(resolver)",
                Role::NatGateway => "(NAT gateway)",
                Role::InternetGateway(_) => "(internet gateway)",
            };
            writeln!(out, "  {name:<20} {address:<15} {role}")?;
        }
        writeln!(out, "routes")?;
        for route in &self.routes {
            writeln!(out, "  {route}")?;
        }
        writeln!(out, "rules")?;
        for rule in &self.rules {
            writeln!(out, "  {rule}")?;
        }
        Ok(())
    }
}

/// What the VPC has by itself: resolver, internet gateway, NAT gateways.
fn gateways(network: &Network) -> Vec<Attachment> {
    let mut attachments = vec![
        Attachment {
            name: RESOLVER_NAME.to_owned(),
            address: network.resolver,
            role: Role::Resolver,
        },
        Attachment {
            name: INTERNET_GATEWAY_NAME.to_owned(),
            address: INTERNET_GATEWAY,
            role: Role::InternetGateway(network.cidr),
        },
    ];
    attachments.extend(network.nat_gateways.iter().map(|gateway| Attachment {
        name: gateway.name.clone(),
        address: gateway.address,
        role: Role::NatGateway,
    }));
    attachments
}

/// The tables and the rules that choose among them: each subnet's way out of the VPC.
fn policy(network: &Network) -> Result<(BTreeSet<RouterRoute>, BTreeSet<PolicyRule>), PlanError> {
    let default = |table, target| RouterRoute {
        table,
        destination: Ipv4Net::default(),
        target,
    };
    let gateway = |address, interface| RouteTarget::Gateway { address, interface };
    let mut routes = BTreeSet::from([
        // Addresses of the VPC that nobody has: nothing comes back, as in a VPC.
        RouterRoute {
            table: MAIN,
            destination: network.cidr,
            target: RouteTarget::Blackhole,
        },
        default(
            INTERNET_TABLE,
            gateway(INTERNET_GATEWAY, INTERNET_GATEWAY_NAME.to_owned()),
        ),
        default(NOWHERE_TABLE, RouteTarget::Blackhole),
    ]);
    let mut tables = BTreeMap::new();
    for (table, nat) in (INTERNET_TABLE + 1..).zip(&network.nat_gateways) {
        routes.insert(default(
            table,
            gateway(nat.address, nat.address.to_string()),
        ));
        tables.insert(nat.name.as_str(), table);
    }
    let mut sources: Vec<(Ipv4Net, u32)> = vec![(network.resolver.into(), INTERNET_TABLE)];
    for subnet in &network.subnets {
        let table = match &subnet.route {
            Route::InternetGateway => INTERNET_TABLE,
            Route::None => NOWHERE_TABLE,
            Route::NatGateway(name) => {
                *tables
                    .get(name.as_str())
                    .ok_or_else(|| PlanError::NoSuchNatGateway {
                        subnet: subnet.name.clone(),
                        gateway: name.clone(),
                    })?
            }
        };
        sources.push((subnet.cidr, table));
    }
    let mut rules: BTreeSet<PolicyRule> = (FIRST_PRIORITY..)
        .zip(sources)
        .map(|(priority, (from, table))| PolicyRule {
            priority,
            from: Some(from),
            table: Some(table),
        })
        .collect();
    rules.insert(PolicyRule {
        priority: LAST_PRIORITY,
        from: None,
        table: None,
    });
    Ok((routes, rules))
}
