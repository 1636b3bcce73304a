//! What must be done to make a network as it is wanted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    Attachment, Inner, NamespaceState, NetworkPlan, Observed, PolicyRule, ROUTER, Router,
    RouterRoute, attachment::GATEWAY,
};

/// What must be done to make a network as it is wanted, in the order of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files under namespaces' names that are none; removed.
    pub broken_namespaces: Vec<String>,
    /// Namespaces that nobody wants any more.
    pub removed_namespaces: Vec<String>,
    /// Namespaces that are missing.
    pub added_namespaces: Vec<String>,
    /// Namespaces with an `eth0` that does not lead to the router; it is removed.
    pub stale_interfaces: Vec<String>,
    /// Interfaces of the router that lead nowhere, or to what nobody wants.
    pub removed_links: Vec<String>,
    /// Attachments whose veth pair is missing.
    pub added_links: Vec<Attachment>,
    /// Attachments that must be configured and connected; those of `added_links` among them.
    pub configured: Vec<Attachment>,
    /// Policy rules that nobody wants.
    pub removed_rules: Vec<PolicyRule>,
    /// Routes that nobody wants.
    pub removed_routes: Vec<RouterRoute>,
    /// Routes that are missing.
    pub added_routes: Vec<RouterRoute>,
    /// Policy rules that are missing.
    pub added_rules: Vec<PolicyRule>,
    /// Whether the router's ruleset is another than wanted.
    pub ruleset: bool,
}

impl Changes {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the router is made, and with it everything else.
    pub fn adds_router(&self) -> bool {
        self.added_namespaces.iter().any(|part| part == ROUTER)
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |attachments: &[Attachment]| {
            attachments
                .iter()
                .map(|attachment| attachment.name.clone())
                .collect::<Vec<_>>()
        };
        let lines = |routes: &[RouterRoute]| routes.iter().map(RouterRoute::to_string).collect();
        let rules = |rules: &[PolicyRule]| rules.iter().map(PolicyRule::to_string).collect();
        let parts: [(&str, Vec<String>); 11] = [
            ("remove broken namespace", self.broken_namespaces.clone()),
            ("remove namespace", self.removed_namespaces.clone()),
            ("add namespace", self.added_namespaces.clone()),
            ("remove stale interface of", self.stale_interfaces.clone()),
            ("remove link", self.removed_links.clone()),
            ("add link", names(&self.added_links)),
            ("configure", names(&self.configured)),
            ("remove rule", rules(&self.removed_rules)),
            ("remove route", lines(&self.removed_routes)),
            ("add route", lines(&self.added_routes)),
            ("add rule", rules(&self.added_rules)),
        ];
        for (what, items) in parts {
            for item in items {
                writeln!(out, "{what} {item}")?;
            }
        }
        if self.ruleset {
            writeln!(out, "replace the ruleset")
        } else {
            Ok(())
        }
    }
}

/// What must be done to come from what there is to what is wanted; nothing where they agree.
pub fn difference(plan: &NetworkPlan, observed: &Observed) -> Changes {
    let nothing = Router::default();
    let router = observed.router.as_ref().unwrap_or(&nothing);
    let mut changes = namespaces(plan, observed);
    links(plan, observed, router, &mut changes);
    routing(plan, router, &mut changes);
    changes.ruleset = router.comments != plan.firewall.comments()
        || router.sets != plan.firewall.sets(&plan.members(), &plan.isolated);
    changes
}

fn namespaces(plan: &NetworkPlan, observed: &Observed) -> Changes {
    let wanted: BTreeSet<&str> = plan
        .attachments
        .keys()
        .map(String::as_str)
        .chain([ROUTER])
        .collect();
    let mut changes = Changes::default();
    for (part, state) in &observed.namespaces {
        match state {
            NamespaceState::Broken => changes.broken_namespaces.push(part.clone()),
            NamespaceState::Whole(_) if !wanted.contains(part.as_str()) => {
                changes.removed_namespaces.push(part.clone());
            }
            NamespaceState::Whole(_) => {}
        }
    }
    let whole = |part: &str| whole(&observed.namespaces, part).is_some();
    let missing = wanted.into_iter().filter(|part| !whole(part));
    changes.added_namespaces = missing.map(str::to_owned).collect();
    changes
}

fn whole<'a>(namespaces: &'a BTreeMap<String, NamespaceState>, part: &str) -> Option<&'a Inner> {
    match namespaces.get(part) {
        Some(NamespaceState::Whole(inner)) => Some(inner),
        Some(NamespaceState::Broken) | None => None,
    }
}

fn links(plan: &NetworkPlan, observed: &Observed, router: &Router, changes: &mut Changes) {
    let wanted: BTreeSet<String> = plan
        .attachments
        .values()
        .map(Attachment::interface)
        .collect();
    changes.removed_links = router
        .interfaces
        .keys()
        .filter(|name| !wanted.contains(*name))
        .cloned()
        .collect();
    for attachment in plan.attachments.values() {
        let interface = attachment.interface();
        let connected = router.interfaces.get(&interface).copied();
        let inner = whole(&observed.namespaces, &attachment.name);
        match (connected, inner) {
            (Some(true), Some(inner)) if is_configured(attachment, inner) => continue,
            // Both ends are there; what is wrong with them can be set right.
            (Some(_), Some(inner)) if inner.interface => {}
            (Some(_), _) => {
                changes.removed_links.push(interface);
                changes.added_links.push(attachment.clone());
            }
            (None, inner) => {
                if inner.is_some_and(|inner| inner.interface) {
                    changes.stale_interfaces.push(attachment.name.clone());
                }
                changes.added_links.push(attachment.clone());
            }
        }
        changes.configured.push(attachment.clone());
    }
}

impl Observed {
    /// Whether all of an attachment is there: namespace, address, both ends, the way to it.
    pub fn has(&self, attachment: &Attachment) -> bool {
        let Some(router) = &self.router else {
            return false;
        };
        router.interfaces.get(&attachment.interface()) == Some(&true)
            && router.routes.contains(&RouterRoute::to(attachment))
            && whole(&self.namespaces, &attachment.name)
                .is_some_and(|inner| is_configured(attachment, inner))
    }
}

fn is_configured(attachment: &Attachment, inner: &Inner) -> bool {
    inner.addresses.contains(&attachment.address)
        && inner.routes.contains(&(attachment.reaches(), GATEWAY))
}

/// Routes over an interface that is removed, or set up anew, go away with it.
fn routing(plan: &NetworkPlan, router: &Router, changes: &mut Changes) {
    let added = changes.added_links.iter().map(Attachment::interface);
    let gone: BTreeSet<String> = changes.removed_links.iter().cloned().chain(added).collect();
    let stays = |route: &&RouterRoute| {
        route
            .target
            .interface()
            .is_none_or(|interface| !gone.contains(interface))
    };
    let there: BTreeSet<RouterRoute> = router.routes.iter().filter(stays).cloned().collect();
    changes.removed_routes = there.difference(&plan.routes).cloned().collect();
    changes.added_routes = plan.routes.difference(&there).cloned().collect();
    changes.removed_rules = router.rules.difference(&plan.rules).cloned().collect();
    changes.added_rules = plan.rules.difference(&router.rules).cloned().collect();
}
