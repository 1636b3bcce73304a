//! What an apply would do, read from the account.

use std::collections::{BTreeMap, BTreeSet};

use mck_aws_stacks::{
    Stacks,
    difference::{Difference, StackAction, StackDifference, StackTemplate},
};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    account::{Account, Clients},
    change_set,
    client::{ChangeKind, Client, Described},
    error::AwsError,
    making::{Made, body, is_same_around, is_same_template, make},
    prefix_lists,
    request::{Outputs, Request},
    status::Phase,
};

/// The key of a template's metadata that says what it belongs to.
const METADATA: &str = "mck";

/// Who makes change sets that are only read.
const PLANNER: &str = "plan";

/// What an apply would do.
#[derive(Debug)]
pub struct AccountPlan {
    /// The difference between what is there and what is wanted.
    pub difference: Difference,
    /// Stacks, by id, whose changes are told by their templates alone: what they need of others is
    /// not there yet.
    pub foretold: BTreeSet<String>,
    /// Stacks, by id, that are in a state from which an apply first finds the way out.
    pub unsettled: BTreeMap<String, String>,
    /// Stacks of the environment that the file does not have any more.
    pub obsolete: Vec<StackTemplate>,
    /// All the environment's stacks that have resources, wanted or not, in the order of their names.
    pub existing: Vec<StackTemplate>,
    /// Stacks, by id, that were changed behind their back when that was last looked for, and when
    /// that was, in RFC 3339.
    pub drifted: BTreeMap<String, String>,
}

/// What is there of an environment.
struct There {
    described: BTreeMap<String, Described>,
    templates: BTreeMap<String, StackTemplate>,
}

impl There {
    /// Whether a stack has resources to compare with: under review it has none yet, and after a
    /// failed creation none that stay.
    fn has_something(&self, name: &str) -> bool {
        let phase = self.described.get(name).map(|it| Phase::of(&it.status));
        !matches!(phase, None | Some(Phase::Review | Phase::CreationFailed))
    }
}

impl Account {
    /// Reads what is there, and asks CloudFormation what would change. Nothing is changed; change
    /// sets are removed again.
    ///
    /// # Errors
    /// Where AWS does not answer or refuses a change.
    pub fn plan(&self, stacks: &Stacks) -> Result<AccountPlan, AwsError> {
        self.runtime.block_on(plan(&self.clients, stacks))
    }

    /// The environment's stacks that are there: wanted ones and obsolete ones.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub fn existing(&self, stacks: &Stacks) -> Result<Vec<StackTemplate>, AwsError> {
        let there = self.runtime.block_on(read(&self.clients, stacks))?;
        Ok(there.templates.into_values().collect())
    }
}

async fn plan(clients: &Clients, stacks: &Stacks) -> Result<AccountPlan, AwsError> {
    let there = read(clients, stacks).await?;
    let wanted: Vec<StackTemplate> = stacks.stacks.iter().map(StackTemplate::of).collect();
    let is_wanted = |name: &str| stacks.stacks.iter().any(|stack| stack.name == name);
    let known: Vec<StackTemplate> = wanted
        .iter()
        .filter(|wanted| there.has_something(&wanted.name))
        .filter_map(|wanted| {
            let mut known = there.templates.get(&wanted.name)?.clone();
            // Where a parameter comes from is not kept by CloudFormation; its value is compared.
            known.parameters.clone_from(&wanted.parameters);
            Some(known)
        })
        .collect();
    let mut obsolete: Vec<StackTemplate> = there
        .templates
        .values()
        .filter(|it| !is_wanted(&it.name))
        .cloned()
        .collect();
    obsolete.sort_by_key(|it| removal_rank(&it.id));
    // In the order in which they are made, as a difference has it.
    let before: Vec<StackTemplate> = known
        .into_iter()
        .chain(obsolete.iter().rev().cloned())
        .collect();
    let foretold = Difference::between(&before, &wanted);
    let outputs: Outputs = there
        .described
        .iter()
        .map(|(name, it)| (name.clone(), it.outputs.clone()))
        .collect();
    let asked = ask(clients, stacks, &there, &foretold, &outputs).await?;
    Ok(assemble(stacks, there, foretold, asked, obsolete))
}

/// What CloudFormation says of each stack that is there; none where it can't be asked yet.
type Asked = BTreeMap<String, Option<StackDifference>>;

fn assemble(
    stacks: &Stacks,
    there: There,
    foretold: Difference,
    mut asked: Asked,
    obsolete: Vec<StackTemplate>,
) -> AccountPlan {
    let mut by_texts = BTreeSet::new();
    let mut differences = Vec::new();
    let mut rest: BTreeMap<String, StackDifference> = foretold
        .stacks
        .into_iter()
        .map(|it| (it.id.clone(), it))
        .collect();
    for stack in &stacks.stacks {
        let id = stack.id.name();
        let told = rest.remove(&id);
        match asked.remove(&id) {
            Some(Some(difference)) => differences.push(difference),
            // CloudFormation sees nothing to do, whatever the texts say.
            Some(None) => {}
            None => {
                if told
                    .as_ref()
                    .is_some_and(|it| it.action == StackAction::Update)
                {
                    by_texts.insert(id);
                }
                differences.extend(told);
            }
        }
    }
    for old in &obsolete {
        differences.extend(rest.remove(&old.id));
    }
    let unsettled = stacks.stacks.iter().filter_map(|stack| {
        let status = &there.described.get(&stack.name)?.status;
        (Phase::of(status) != Phase::Settled).then(|| (stack.id.name(), status.clone()))
    });
    let drifted = stacks.stacks.iter().filter_map(|stack| {
        let found = there.described.get(&stack.name)?.drifted.clone()?;
        Some((stack.id.name(), found))
    });
    let (unsettled, drifted) = (unsettled.collect(), drifted.collect());
    let names = there.templates.keys();
    let empty: BTreeSet<String> = names
        .filter(|name| !there.has_something(name))
        .cloned()
        .collect();
    let existing = there.templates.into_iter();
    let existing = existing.filter(|(name, _)| !empty.contains(name));
    AccountPlan {
        drifted,
        difference: Difference {
            stacks: differences,
        },
        foretold: by_texts,
        unsettled,
        obsolete,
        existing: existing.map(|(_, it)| it).collect(),
    }
}

/// Asks for a change set of each stack that is there and differs, all in parallel.
async fn ask(
    clients: &Clients,
    stacks: &Stacks,
    there: &There,
    foretold: &Difference,
    outputs: &Outputs,
) -> Result<Asked, AwsError> {
    let mut asked = Asked::new();
    let mut running = JoinSet::new();
    for stack in &stacks.stacks {
        let id = stack.id.name();
        let Some(described) = there.described.get(&stack.name) else {
            continue;
        };
        let Some(before) = there.templates.get(&stack.name) else {
            continue;
        };
        if Phase::of(&described.status) != Phase::Settled {
            continue;
        }
        let lists = prefix_lists::look_up(clients, stack).await?;
        let request = match Request::of(stacks, stack, outputs, lists) {
            Ok(request) => request,
            Err(AwsError::OutputMissing { .. }) => continue,
            Err(error) => return Err(error),
        };
        let told = foretold.stacks.iter().find(|it| it.id == id).cloned();
        let text = before.template.to_string();
        if is_same_around(&request, described) && is_same_template(&request.body, &text) {
            asked.insert(id, told.filter(|it| it.resources.is_empty()));
            continue;
        }
        let (clients, before) = (clients.clone(), before.template.clone());
        running.spawn(async move { (id, difference(&clients, &request, &before, told).await) });
    }
    while let Some(joined) = running.join_next().await {
        let (id, difference) = joined.expect("change sets are read without panics or aborts");
        asked.insert(id, difference?);
    }
    Ok(asked)
}

async fn difference(
    clients: &Clients,
    request: &Request,
    before: &Value,
    told: Option<StackDifference>,
) -> Result<Option<StackDifference>, AwsError> {
    let client = clients.of(&request.region);
    let (body, stored) = body(clients, request).await?;
    let made = make(client, request, ChangeKind::Update, &body, PLANNER).await;
    if let Some(stored) = stored {
        clients.buckets.remove(&stored).await?;
    }
    let settings = told
        .as_ref()
        .map(|it| it.settings.clone())
        .unwrap_or_default();
    let of = |resources| StackDifference {
        id: request.id.clone(),
        name: request.name.clone(),
        region: request.region.clone(),
        action: StackAction::Update,
        resources,
        settings: settings.clone(),
    };
    let Made::Set(change) = made? else {
        return Ok((!settings.is_empty()).then(|| of(Vec::new())));
    };
    client
        .delete_change_set(&request.name, &change.name)
        .await?;
    let after: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let foretold = told
        .as_ref()
        .map(|it| it.resources.as_slice())
        .unwrap_or_default();
    let sides = change_set::Sides {
        before,
        after: &after,
        foretold,
    };
    Ok(Some(of(change_set::resources(&change.set.changes, &sides))))
}

/// Reads what is there of an environment: all its stacks with their templates.
async fn read(clients: &Clients, stacks: &Stacks) -> Result<There, AwsError> {
    let prefix = format!("{}-{}-", stacks.project, stacks.environment);
    let wanted: BTreeMap<&str, String> = stacks
        .stacks
        .iter()
        .map(|it| (it.name.as_str(), it.id.name()))
        .collect();
    let regions: BTreeSet<&str> = stacks.stacks.iter().map(|it| it.region.as_str()).collect();
    let mut there = There {
        described: BTreeMap::new(),
        templates: BTreeMap::new(),
    };
    let mut running = JoinSet::new();
    for region in regions {
        let client = clients.owned(region);
        for (name, described) in client.list().await? {
            let id = match wanted.get(name.as_str()) {
                Some(id) => Some(id.clone()),
                None => name.strip_prefix(&prefix).map(str::to_owned),
            };
            let Some(id) = id else { continue };
            there.described.insert(name.clone(), described.clone());
            let (client, region) = (client.clone(), region.to_owned());
            running.spawn(async move { read_one(&client, id, name, region, &described).await });
        }
    }
    while let Some(joined) = running.join_next().await {
        let template = joined.expect("templates are read without panics or aborts")?;
        if wanted.contains_key(template.name.as_str()) || is_of(&template.template, stacks) {
            there.templates.insert(template.name.clone(), template);
        }
    }
    let kept: BTreeSet<String> = there.templates.keys().cloned().collect();
    there
        .described
        .retain(|name, _| wanted.contains_key(name.as_str()) || kept.contains(name));
    Ok(there)
}

pub(crate) async fn read_one(
    client: &Client,
    id: String,
    name: String,
    region: String,
    described: &Described,
) -> Result<StackTemplate, AwsError> {
    // A stack under review has no template of its own yet.
    let template: Value = if Phase::of(&described.status) == Phase::Review {
        Value::default()
    } else {
        serde_json::from_str(&client.template(&name).await?).unwrap_or_default()
    };
    Ok(StackTemplate {
        parameters: BTreeMap::new(),
        termination_protection: described.is_protected,
        tags: described.tags.clone(),
        template,
        region,
        name,
        id,
    })
}

/// Whether a template says that it belongs to the environment: `shop-a` with `b` and `shop` with
/// `a-b` have stacks of the same prefix.
fn is_of(template: &Value, stacks: &Stacks) -> bool {
    belonging(template) == (Some(&stacks.project), Some(&stacks.environment))
}

/// The project and the environment that a template says it is of; what all environments of a project
/// share names none.
pub(crate) fn belonging(template: &Value) -> (Option<&str>, Option<&str>) {
    let told = template.get("Metadata").and_then(|it| it.get(METADATA));
    let says = |key: &str| told.and_then(|it| it.get(key)).and_then(Value::as_str);
    (says("Project"), says("Environment"))
}

/// The order in which stacks that are not wanted any more are removed: what uses others first.
pub(crate) fn removal_rank(id: &str) -> (u8, String) {
    let ranks = [
        "app-",
        "jenkins",
        "cluster-",
        "observability",
        "edge-global",
        "edge",
        "data",
        "releases",
        "network",
    ];
    let rank = ranks
        .iter()
        .position(|prefix| id.starts_with(prefix))
        .unwrap_or(ranks.len());
    (u8::try_from(rank).unwrap_or(u8::MAX), id.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stacks() -> Stacks {
        Stacks {
            project: "shop".to_owned(),
            environment: "production".to_owned(),
            stacks: Vec::new(),
        }
    }

    #[test]
    fn stacks_of_others_with_the_same_prefix_are_left_alone() {
        let of = |project: &str, environment: &str| json!({"Metadata": {"mck": {"Project": project, "Environment": environment}}});
        assert!(is_of(&of("shop", "production"), &stacks()));
        assert!(!is_of(&of("shop-production", "eu"), &stacks()));
        assert!(!is_of(&json!({}), &stacks()));
    }

    #[test]
    fn users_go_before_what_they_use() {
        let mut ids = [
            "network",
            "edge",
            "app-shop",
            "cluster-app",
            "edge-global",
            "data",
        ];
        ids.sort_by_key(|id| removal_rank(id));
        assert_eq!(
            ids,
            [
                "app-shop",
                "cluster-app",
                "edge-global",
                "edge",
                "data",
                "network"
            ]
        );
    }
}
