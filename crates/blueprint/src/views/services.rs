//! Tables of what only AWS offers; without rows on the local target.

use mck_environment::settings::BrokerDeployment;

use super::{Table, dns_target, list, table};
use crate::model::{Blueprint, Front};

/// The search engine and the message broker.
pub(super) fn services(blueprint: &Blueprint) -> Table {
    let search = blueprint.search.iter().map(|search| {
        [
            search.name.clone(),
            format!("OpenSearch {}", search.version),
            format!("{} of {}", search.nodes, search.instance_type),
            search.subnets.join(", "),
            search.port.to_string(),
        ]
    });
    let broker = blueprint.message_broker.iter().map(|broker| {
        let nodes = match broker.deployment {
            BrokerDeployment::SingleInstance => 1,
            BrokerDeployment::Cluster => 3,
        };
        [
            broker.name.clone(),
            format!("RabbitMQ {}", broker.version),
            format!("{nodes} of {}", broker.instance_type),
            broker.subnets.join(", "),
            broker.port.to_string(),
        ]
    });
    table(
        "Services",
        ["Name", "What", "Nodes", "Subnets", "Port"],
        search.chain(broker),
    )
}

/// What is backed up by AWS, and for how long.
pub(super) fn backups(blueprint: &Blueprint) -> Table {
    let database = &blueprint.database;
    let files = blueprint.file_system.iter();
    let jenkins = blueprint.jenkins.iter();
    let plans = [("database", database.backup_plan.as_ref())]
        .into_iter()
        .chain(files.map(|it| ("shared file system", it.backup_plan.as_ref())))
        .chain(jenkins.map(|it| ("home of Jenkins", it.home.backup_plan.as_ref())));
    let continuous = [
        "database".to_owned(),
        format!("continuous, snapshot at {} UTC", database.backups.window),
        database.backups.retention.to_string(),
    ];
    let vault = plans.filter_map(|(what, plan)| {
        let plan = plan?;
        let row = [
            what.to_owned(),
            plan.schedule.clone(),
            plan.retention.to_string(),
        ];
        Some(row)
    });
    table(
        "Backups",
        ["What", "When", "Kept for"],
        [continuous].into_iter().chain(vault),
    )
}

/// What the web application firewall stops.
pub(super) fn firewall(blueprint: &Blueprint) -> Table {
    let rows = blueprint.web_acl.iter().flat_map(|acl| {
        let front = match acl.front {
            Front::ContentDelivery => "CloudFront",
            Front::LoadBalancer => "load balancer",
        };
        let action = if acl.count_only { "counted" } else { "blocked" };
        let rate = [
            front.to_owned(),
            format!(
                "more than {} requests of an address in {}",
                acl.rate_limit, acl.rate_window
            ),
            action.to_owned(),
            String::new(),
        ];
        let groups = acl.rule_groups.iter().map(move |group| {
            [
                front.to_owned(),
                group.name.clone(),
                action.to_owned(),
                list(&group.counted_rules, ""),
            ]
        });
        [rate].into_iter().chain(groups)
    });
    table(
        "Web application firewall",
        ["At", "What", "Is", "Only counted"],
        rows,
    )
}

/// How continuous integration comes into the account.
pub(super) fn continuous_integration(blueprint: &Blueprint) -> Table {
    let rows = blueprint.ci.iter().flat_map(|ci| {
        let github = ci.github.iter().map(|github| {
            let branches = github.branches.join(", ");
            [
                "GitHub Actions".to_owned(),
                format!("{} ({branches})", github.repository),
            ]
        });
        let circleci = ci.circleci.iter().map(|circleci| {
            let project = circleci.project_id.as_deref().unwrap_or("every project");
            [
                "CircleCI".to_owned(),
                format!("{} ({project})", circleci.organization_id),
            ]
        });
        let gitlab = ci.gitlab.iter().map(|gitlab| {
            let branches = gitlab.branches.join(", ");
            [
                "GitLab".to_owned(),
                format!("{}/{} ({branches})", gitlab.host, gitlab.project),
            ]
        });
        let user = ci
            .user
            .then(|| ["IAM user".to_owned(), "who has its access key".to_owned()]);
        github.chain(circleci).chain(gitlab).chain(user)
    });
    table("Continuous integration", ["By", "Who"], rows)
}

/// What runs once on every App Server.
pub(super) fn daemons(blueprint: &Blueprint) -> Table {
    let rows = blueprint.clusters.iter().flat_map(|cluster| {
        cluster.daemons.iter().map(|daemon| {
            [
                cluster.name.clone(),
                daemon.name.clone(),
                daemon.task_definition.cpu.to_string(),
                daemon.task_definition.memory.to_string(),
                daemon.description.clone(),
            ]
        })
    });
    table(
        "Daemons",
        ["Cluster", "Daemon", "CPU", "Memory", "What"],
        rows,
    )
}

/// Variables whose values AWS gives.
pub(super) fn endpoints(blueprint: &Blueprint) -> Table {
    let rows = blueprint.apps.iter().flat_map(|app| {
        app.task_definition.containers.iter().flat_map(|container| {
            container.endpoints.iter().map(|(name, variable)| {
                [
                    app.name.clone(),
                    container.name.clone(),
                    name.clone(),
                    format!("{}{}", variable.prefix, dns_target(&variable.endpoint)),
                ]
            })
        })
    });
    table("Endpoints", ["App", "Container", "Variable", "Value"], rows)
}
