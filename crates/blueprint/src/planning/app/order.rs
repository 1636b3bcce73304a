//! The order in which a task's containers start.

use std::collections::BTreeSet;

use super::PlanningError;
use crate::model::Container;

/// Puts containers after those that they wait for, otherwise by name.
pub(super) fn by_dependency(
    app: &str,
    mut waiting: Vec<Container>,
) -> Result<Vec<Container>, PlanningError> {
    waiting.sort_by(|left, right| left.name.cmp(&right.name));
    let names: BTreeSet<String> = waiting.iter().map(|item| item.name.clone()).collect();
    for container in &waiting {
        for dependency in container.depends_on.keys() {
            if !names.contains(dependency) {
                return Err(PlanningError::UnknownContainer {
                    app: app.to_owned(),
                    what: format!("`depends-on` of container `{}`", container.name),
                    container: dependency.clone(),
                });
            }
        }
    }
    let mut started: BTreeSet<String> = BTreeSet::new();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let next = waiting.iter().position(|container| {
            container
                .depends_on
                .keys()
                .all(|dependency| started.contains(dependency))
        });
        let Some(next) = next else {
            let names: Vec<&str> = waiting.iter().map(|item| item.name.as_str()).collect();
            return Err(PlanningError::DependencyCycle {
                app: app.to_owned(),
                containers: names.join(", "),
            });
        };
        let container = waiting.remove(next);
        started.insert(container.name.clone());
        ordered.push(container);
    }
    Ok(ordered)
}
