//! Removes an environment's stacks, each before those that it depends on.

use std::{collections::BTreeSet, sync::Arc};

use mck_aws_stacks::{StackId, Stacks, difference::StackTemplate};
use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    account::{Account, Clients},
    apply::schedule,
    client::{ChangeKind, Client, Described, Held},
    error::AwsError,
    follow::{Ended, Following, Since, beginning, newest},
    making::{Made, body, make},
    plan::removal_rank,
    progress::{Progress, Reporter},
    recovery::{RemovalStep, Situation, towards_removed},
    request::{Request, token},
    schedule::{Schedule, ScheduleError},
    stack_failure::{StackFailure, Trouble},
    status::Phase,
};

/// The most steps towards no stack: two deletions that fail, and one that leaves what failed.
const MOST_STEPS: usize = 8;

/// What came of removing an environment.
#[derive(Debug, Default)]
pub struct Destroyed {
    /// Stacks that are gone.
    pub removed: Vec<String>,
    /// Stacks that failed.
    pub failed: Vec<StackFailure>,
    /// Stacks that were not touched, because one that needs them failed.
    pub skipped: Vec<String>,
    /// What stays in the account.
    pub kept: Vec<Keep>,
}

/// Something that stays in the account when its stack goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Keep {
    /// Its stack's id.
    pub stack: String,
    /// Its name in the template.
    pub logical_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its own id, such as a bucket's name; empty where it is not known.
    pub physical_id: String,
    /// What it is, in one sentence.
    pub description: String,
    /// Why it stays.
    pub why: KeepReason,
}

/// Why something stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeepReason {
    /// The template says so, since it holds data.
    Retained,
    /// Only a last snapshot stays.
    Snapshot,
    /// It could not be deleted.
    Undeletable,
}

/// What of a stack stays, by its template.
pub(crate) fn kept(stack: &StackTemplate, held: &[Held]) -> Vec<Keep> {
    let resources = stack.template.get("Resources").and_then(Value::as_object);
    let resources = resources.into_iter().flatten();
    resources
        .filter_map(|(id, resource)| {
            let why = match resource.get("DeletionPolicy").and_then(Value::as_str)? {
                "Retain" | "RetainExceptOnCreate" => KeepReason::Retained,
                "Snapshot" => KeepReason::Snapshot,
                _ => return None,
            };
            keep(stack, id, why, held)
        })
        .collect()
}

/// Something that stays, where the stack has it.
fn keep(stack: &StackTemplate, id: &str, why: KeepReason, held: &[Held]) -> Option<Keep> {
    let is_there = |it: &&Held| it.logical_id == id && it.status != "DELETE_COMPLETE";
    let own = held.iter().find(is_there)?;
    let resource = stack.template.get("Resources").and_then(|it| it.get(id));
    let description = resource
        .and_then(|it| {
            it.get("Metadata")?
                .get(mck_cloudformation::DESCRIPTION)?
                .as_str()
        })
        .unwrap_or_default();
    Some(Keep {
        stack: stack.id.clone(),
        logical_id: id.to_owned(),
        kind: own.kind.clone(),
        physical_id: own.physical_id.clone(),
        description: description.to_owned(),
        why,
    })
}

/// The template with its deletion guards off; none where it has none.
pub(crate) fn unguarded(template: &Value) -> Option<Value> {
    let mut open = template.clone();
    let resources = open.get_mut("Resources")?.as_object_mut()?;
    let mut is_changed = false;
    for resource in resources.values_mut() {
        let Some(properties) = resource.get_mut("Properties") else {
            continue;
        };
        for key in ["DeletionProtection", "DeletionProtectionEnabled"] {
            if let Some(guard) = properties
                .get_mut(key)
                .filter(|it| **it == Value::Bool(true))
            {
                *guard = Value::Bool(false);
                is_changed = true;
            }
        }
        let attributes = properties.get_mut("LoadBalancerAttributes");
        for attribute in attributes
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let is_guard = attribute["Key"] == "deletion_protection.enabled";
            if is_guard && attribute["Value"] == "true" {
                attribute["Value"] = "false".into();
                is_changed = true;
            }
        }
    }
    is_changed.then_some(open)
}

impl Account {
    /// The stacks that CloudFormation is told to protect, by id.
    pub fn protected(existing: &[StackTemplate]) -> BTreeSet<String> {
        let protected = existing.iter().filter(|it| it.termination_protection);
        protected.map(|it| it.id.clone()).collect()
    }

    /// Removes stacks that are there, protected ones too: who calls has asked. Wanted stacks give
    /// the order; those that are not among them go first.
    ///
    /// # Errors
    /// Where the stacks have no order.
    pub fn destroy(
        &self,
        stacks: &Stacks,
        existing: &[StackTemplate],
        who: &str,
        reporter: &Reporter,
    ) -> Result<Destroyed, ScheduleError> {
        let schedule = removal(stacks, existing)?;
        Ok(self
            .runtime
            .block_on(run(schedule, &self.clients, existing, who, reporter)))
    }
}

/// The order of removal: what the file does not have any more first, then against the dependencies.
fn removal(stacks: &Stacks, existing: &[StackTemplate]) -> Result<Schedule, ScheduleError> {
    // An order of the wanted ones must exist.
    schedule(stacks)?;
    let is_there = |id: &str| existing.iter().any(|it| it.id == id);
    let wanted: Vec<(String, BTreeSet<String>)> = stacks
        .stacks
        .iter()
        .map(|stack| {
            let before = stack.dependencies().into_iter().map(StackId::name);
            (stack.id.name(), before.filter(|id| is_there(id)).collect())
        })
        .filter(|(id, _): &(String, BTreeSet<String>)| is_there(id))
        .collect();
    let mut nodes = wanted.clone();
    let mut obsolete: Vec<&StackTemplate> = existing
        .iter()
        .filter(|it| wanted.iter().all(|(id, _)| *id != it.id))
        .collect();
    obsolete.sort_by_key(|it| std::cmp::Reverse(removal_rank(&it.id)));
    let mut before: BTreeSet<String> = wanted.into_iter().map(|(id, _)| id).collect();
    for stack in obsolete {
        nodes.push((stack.id.clone(), before.clone()));
        before.insert(stack.id.clone());
    }
    Ok(Schedule::new(nodes)?.reversed())
}

async fn run(
    mut schedule: Schedule,
    clients: &Clients,
    existing: &[StackTemplate],
    who: &str,
    reporter: &Reporter,
) -> Destroyed {
    let mut destroyed = Destroyed::default();
    let mut running = JoinSet::new();
    loop {
        for id in schedule.start() {
            let Some(stack) = existing.iter().find(|it| it.id == id) else {
                continue;
            };
            let removal = Removal {
                client: clients.owned(&stack.region),
                clients: clients.clone(),
                stack: Arc::new(stack.clone()),
                who: who.to_owned(),
                reporter: reporter.clone(),
            };
            running.spawn(async move {
                let result = removal.remove().await;
                (removal.stack, result)
            });
        }
        let Some(joined) = running.join_next().await else {
            return destroyed;
        };
        let (stack, result) = joined.expect("stacks are removed without panics or aborts");
        match result {
            Ok(kept) => {
                schedule.complete(&stack.id);
                destroyed.removed.push(stack.id.clone());
                destroyed.kept.extend(kept);
                reporter.tell(Progress::Done {
                    stack: stack.id.clone(),
                    changed: true,
                });
            }
            Err(trouble) => {
                let failure = trouble.of(&stack.id, &stack.name);
                reporter.tell(Progress::Failed {
                    stack: stack.id.clone(),
                    message: failure.message(),
                    reason: failure.reason.clone(),
                });
                destroyed.failed.push(failure);
                for stack in schedule.fail(&stack.id) {
                    reporter.tell(Progress::Skipped {
                        stack: stack.clone(),
                    });
                    destroyed.skipped.push(stack);
                }
            }
        }
    }
}

/// The removal of one stack.
struct Removal {
    client: Client,
    clients: Clients,
    stack: Arc<StackTemplate>,
    who: String,
    reporter: Reporter,
}

impl Removal {
    async fn remove(&self) -> Result<Vec<Keep>, Trouble> {
        let name = &self.stack.name;
        let mut kept_here = Vec::new();
        let mut failed = 0;
        for _ in 0..MOST_STEPS {
            let there = self.client.describe(name).await?;
            let step = towards_removed(situation(there.as_ref()), failed);
            let there = there.unwrap_or_default();
            match step {
                RemovalStep::Done => return Ok(kept_here),
                RemovalStep::Refuse => return Err(self.busy(&there).await?.into()),
                RemovalStep::Follow => {
                    self.following(&there.id)
                        .follow(Since::OperationStart)
                        .await?;
                }
                RemovalStep::Delete => {
                    let held = self.client.resources(name).await?;
                    kept_here = kept(&self.stack, &held);
                    self.open(&there, &held).await?;
                    let ended = self.delete(&there, &[]).await?;
                    failed += u32::from(!ended.is_success());
                }
                RemovalStep::DeleteRetaining => {
                    let held = self.client.resources(name).await?;
                    let stuck: Vec<String> = held
                        .iter()
                        .filter(|it| it.status == "DELETE_FAILED")
                        .map(|it| it.logical_id.clone())
                        .collect();
                    let why = KeepReason::Undeletable;
                    let all = stuck.iter();
                    kept_here.extend(all.filter_map(|id| keep(&self.stack, id, why, &held)));
                    let ended = self.delete(&there, &stuck).await?;
                    if !ended.is_success() {
                        return Err(Trouble::Ended(ended));
                    }
                }
            }
        }
        let there = self.client.describe(name).await?.unwrap_or_default();
        Err(Trouble::Ended(Ended {
            status: there.status,
            reason: None,
        }))
    }

    /// Takes away what keeps the stack from being deleted: its protection, its resources' own
    /// guards, objects in buckets that go with it.
    async fn open(&self, there: &Described, held: &[Held]) -> Result<(), Trouble> {
        let is_settled = Phase::of(&there.status) == Phase::Settled;
        if let Some(open) = unguarded(&self.stack.template).filter(|_| is_settled) {
            self.update(there, &open).await?;
        }
        if there.is_protected {
            self.client.protect(&self.stack.name, false).await?;
        }
        let stay = kept(&self.stack, held);
        let buckets = held.iter().filter(|it| {
            it.kind == "AWS::S3::Bucket" && stay.iter().all(|kept| kept.logical_id != it.logical_id)
        });
        for bucket in buckets.filter(|it| !it.physical_id.is_empty()) {
            let region = &self.stack.region;
            self.clients
                .buckets
                .empty(region, &bucket.physical_id)
                .await?;
        }
        Ok(())
    }

    /// Updates the stack to another template, with the parameters that it has.
    async fn update(&self, there: &Described, template: &Value) -> Result<(), Trouble> {
        self.begun("take guards off");
        let request = Request {
            id: self.stack.id.clone(),
            name: self.stack.name.clone(),
            region: self.stack.region.clone(),
            body: template.to_string(),
            parameters: there.parameters.clone(),
            tags: there.tags.clone(),
            capabilities: vec!["CAPABILITY_NAMED_IAM".to_owned()],
            is_protected: false,
        };
        let (body, stored) = body(&self.clients, &request).await?;
        let made = make(&self.client, &request, ChangeKind::Update, &body, &self.who).await;
        if let Some(stored) = stored {
            self.clients.buckets.remove(&stored).await?;
        }
        let Made::Set(change) = made? else {
            return Ok(());
        };
        let since = Since::Event(newest(&self.client, &there.id).await?);
        self.client
            .execute(&request.name, &change.name, &self.token())
            .await?;
        let ended = self.following(&there.id).follow(since).await?;
        if ended.is_success() {
            Ok(())
        } else {
            Err(Trouble::Ended(ended))
        }
    }

    async fn delete(&self, there: &Described, retain: &[String]) -> Result<Ended, AwsError> {
        self.begun("delete");
        let since = Since::Event(newest(&self.client, &there.id).await?);
        self.client
            .delete(&self.stack.name, retain, &self.token())
            .await?;
        self.following(&there.id).follow(since).await
    }

    async fn busy(&self, there: &Described) -> Result<AwsError, AwsError> {
        let beginning = beginning(&self.client, there).await?;
        Ok(beginning.busy(&self.stack.name, &there.status))
    }

    fn token(&self) -> String {
        token("destroy", &self.who)
    }

    fn begun(&self, what: &'static str) {
        let stack = self.stack.id.clone();
        self.reporter.tell(Progress::Begun { stack, what });
    }

    fn following<'a>(&'a self, arn: &'a str) -> Following<'a> {
        Following {
            client: &self.client,
            reporter: &self.reporter,
            label: &self.stack.id,
            name: &self.stack.name,
            arn,
        }
    }
}

fn situation(there: Option<&Described>) -> Situation {
    let status = there.map_or("", |it| it.status.as_str());
    Situation {
        phase: there.map(|it| Phase::of(&it.status)),
        is_ours: false,
        is_winding_down: status == "DELETE_IN_PROGRESS"
            || status.contains("ROLLBACK")
            || status.contains("CLEANUP"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn stack(id: &str, template: Value) -> StackTemplate {
        StackTemplate {
            id: id.to_owned(),
            name: format!("shop-production-{id}"),
            region: "us-east-1".to_owned(),
            termination_protection: id == "data",
            tags: BTreeMap::new(),
            parameters: BTreeMap::new(),
            template,
        }
    }

    #[test]
    fn guards_are_taken_off_and_nothing_else() {
        let template = |guard: bool| {
            json!({"Resources": {
                "Database": {"Properties": {"DeletionProtection": guard, "Port": 3306}},
                "Pool": {"Properties": {"DeletionProtectionEnabled": guard}},
                "LoadBalancer": {"Properties": {"LoadBalancerAttributes": [
                    {"Key": "deletion_protection.enabled", "Value": guard.to_string()},
                    {"Key": "routing.http2.enabled", "Value": "true"},
                ]}},
                "Topic": {},
            }})
        };
        assert_eq!(unguarded(&template(true)), Some(template(false)));
        assert_eq!(unguarded(&template(false)), None);
    }

    #[test]
    fn what_stays_is_told_where_it_is_there() {
        let stack = stack(
            "data",
            json!({"Resources": {
                "Files": {
                    "Type": "AWS::EFS::FileSystem",
                    "DeletionPolicy": "RetainExceptOnCreate",
                    "Metadata": {"mck:Description": "The media"},
                },
                "Database": {"Type": "AWS::RDS::DBCluster", "DeletionPolicy": "Snapshot"},
                "Cache": {"Type": "AWS::ElastiCache::ReplicationGroup"},
                "Never": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
            }}),
        );
        let held = |id: &str| Held {
            logical_id: id.to_owned(),
            physical_id: format!("{id}-1"),
            kind: "X".to_owned(),
            status: "CREATE_COMPLETE".to_owned(),
        };
        let kept = kept(&stack, &[held("Files"), held("Database"), held("Cache")]);
        let told: Vec<(&str, &str, KeepReason)> = kept
            .iter()
            .map(|it| (it.logical_id.as_str(), it.description.as_str(), it.why))
            .collect();
        assert_eq!(
            told,
            [
                ("Files", "The media", KeepReason::Retained),
                ("Database", "", KeepReason::Snapshot)
            ]
        );
        assert_eq!(
            Account::protected(&[stack]),
            BTreeSet::from(["data".to_owned()])
        );
    }

    #[test]
    fn what_the_file_has_no_more_goes_first() {
        let stacks = Stacks {
            project: "shop".to_owned(),
            environment: "production".to_owned(),
            stacks: Vec::new(),
        };
        let existing = ["network", "app-shop", "cluster-app"].map(|id| stack(id, json!({})));
        let mut schedule = removal(&stacks, &existing).expect("there is an order");
        for id in ["app-shop", "cluster-app", "network"] {
            assert_eq!(schedule.start(), [id]);
            schedule.complete(id);
        }
    }
}
