//! What making one set of stacks out of another does to each resource, told without an account.
//!
//! [`StackTemplate`] is a stack as it is written to a folder and read back. [`Difference::between`]
//! is pure: it goes by AWS's resource schemas (create-only properties), follows references from
//! what is replaced to what refers to it, and names the data that goes with what is replaced or
//! deleted.

mod losses;
mod paths;
mod references;
mod renaming;
mod resources;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

pub use losses::{DataFate, Fate, of as data_fate};
pub use paths::{PropertyChange, Requirement};
pub use references::Cause;
pub use renaming::Renaming;
pub use template::StackTemplate;

use references::Upheaval;

/// What differs between two sets of stacks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Difference {
    /// Stacks that differ, in the order in which they are made; what is deleted comes last, each
    /// before those that it depends on.
    pub stacks: Vec<StackDifference>,
}

/// What happens to a stack.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StackDifference {
    /// Its name within the environment, such as `data`.
    pub id: String,
    /// Its full name.
    pub name: String,
    /// The region that it is made in.
    pub region: String,
    /// What happens to it as a whole.
    pub action: StackAction,
    /// Its resources that differ, in the template's order; what is deleted comes last.
    pub resources: Vec<ResourceDifference>,
    /// What else differs, such as outputs and termination protection.
    pub settings: Vec<PropertyChange>,
}

/// What happens to a stack as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackAction {
    /// It is new.
    Create,
    /// It is updated.
    Update,
    /// It goes.
    Delete,
    /// Its region is another: all of it is made anew there and deleted here.
    Move,
}

/// What happens to a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResourceDifference {
    /// Its name in the template.
    pub logical_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is, in one sentence.
    pub description: String,
    /// What happens to it.
    pub action: Action,
    /// Its properties that differ.
    pub properties: Vec<PropertyChange>,
    /// What becomes of the data in it; none where it holds none, or nothing becomes of it.
    pub data: Option<DataFate>,
}

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is new.
    Create,
    /// It stays, and some of its properties change.
    Update,
    /// AWS decides whether it stays.
    MayReplace,
    /// A new one takes its place.
    Replace,
    /// It goes.
    Delete,
}

/// How many resources there are of each action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// New ones.
    pub create: usize,
    /// Changed in place.
    pub update: usize,
    /// Perhaps replaced.
    pub may_replace: usize,
    /// Replaced.
    pub replace: usize,
    /// Deleted.
    pub delete: usize,
}

impl Difference {
    /// What making `after` out of `before` does; both in the order in which they are made.
    pub fn between(before: &[StackTemplate], after: &[StackTemplate]) -> Self {
        let old: BTreeMap<&str, &StackTemplate> = before
            .iter()
            .map(|stack| (stack.id.as_str(), stack))
            .collect();
        let mut upheaval = Upheaval::default();
        let mut stacks: Vec<StackDifference> = after
            .iter()
            .filter_map(|stack| match old.get(stack.id.as_str()) {
                None => Some(whole(stack, StackAction::Create, Action::Create)),
                Some(old) if old.region != stack.region => {
                    upheaval.all_of(stack);
                    Some(whole(old, StackAction::Move, Action::Replace))
                }
                Some(old) => resources::compare_stacks(old, stack, &mut upheaval),
            })
            .collect();
        let gone = before
            .iter()
            .rev()
            .filter(|stack| after.iter().all(|other| other.id != stack.id));
        stacks.extend(gone.map(|stack| whole(stack, StackAction::Delete, Action::Delete)));
        Self { stacks }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }

    /// All resources that differ, with their stacks.
    pub fn resources(&self) -> impl Iterator<Item = (&StackDifference, &ResourceDifference)> {
        self.stacks.iter().flat_map(|stack| {
            stack
                .resources
                .iter()
                .map(move |resource| (stack, resource))
        })
    }

    /// How many resources there are of each action.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, resource) in self.resources() {
            let count = match resource.action {
                Action::Create => &mut counts.create,
                Action::Update => &mut counts.update,
                Action::MayReplace => &mut counts.may_replace,
                Action::Replace => &mut counts.replace,
                Action::Delete => &mut counts.delete,
            };
            *count += 1;
        }
        counts
    }

    /// Resources whose data would be lost and that `allowed` does not name: by logical id, or by
    /// stack and logical id, `data/Database`.
    pub fn refused<'a>(
        &'a self,
        allowed: &'a [String],
    ) -> impl Iterator<Item = (&'a StackDifference, &'a ResourceDifference)> {
        self.resources().filter(|(stack, resource)| {
            let full = format!("{}/{}", stack.id, resource.logical_id);
            let named = allowed
                .iter()
                .any(|name| *name == resource.logical_id || *name == full);
            resource.data.is_some_and(|data| data.is_lost()) && !named
        })
    }
}

/// A stack all of whose resources share one fate.
fn whole(stack: &StackTemplate, action: StackAction, of_each: Action) -> StackDifference {
    let resources = stack.resources().map(|(id, resource)| ResourceDifference {
        logical_id: id.to_owned(),
        kind: template::kind(resource).to_owned(),
        description: template::description(resource).to_owned(),
        action: of_each,
        properties: Vec::new(),
        data: losses::of(resource, of_each),
    });
    StackDifference {
        id: stack.id.clone(),
        name: stack.name.clone(),
        region: stack.region.clone(),
        action,
        resources: resources.collect(),
        settings: Vec::new(),
    }
}
