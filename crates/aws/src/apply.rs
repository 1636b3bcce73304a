//! Makes stacks as they are wanted, along their dependencies, independent ones in parallel.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mck_aws_stacks::{Stack, StackId, Stacks};
use tokio::{sync::Mutex, task::JoinSet};

use crate::{
    account::{Account, Clients},
    prefix_lists,
    progress::{Progress, Reporter},
    request::{Outputs, Request},
    schedule::{Schedule, ScheduleError},
    stack_failure::{StackFailure, Trouble},
    work::Work,
};

/// How an apply is carried out.
#[derive(Debug, Clone, Default)]
pub struct ApplyOptions {
    /// Who applies, such as `ann@laptop`: told to others who apply at the same time.
    pub who: String,
    /// Resources whose loss of data was accepted, as `STACK/NAME`.
    pub accepted_losses: BTreeSet<String>,
}

/// What came of an apply.
#[derive(Debug, Default)]
pub struct Applied {
    /// Stacks that were made or changed.
    pub changed: Vec<String>,
    /// Stacks that were as wanted.
    pub unchanged: Vec<String>,
    /// Stacks that failed.
    pub failed: Vec<StackFailure>,
    /// Stacks that were not touched, because one that they need failed.
    pub skipped: Vec<String>,
}

impl Account {
    /// Makes stacks as they are wanted. What failed is told in the result; whatever does not depend
    /// on it goes on.
    ///
    /// # Errors
    /// Where the stacks have no order.
    pub fn apply(
        &self,
        stacks: &Arc<Stacks>,
        options: &ApplyOptions,
        reporter: &Reporter,
    ) -> Result<Applied, ScheduleError> {
        let schedule = schedule(stacks)?;
        let scene = Arc::new(Scene {
            stacks: Arc::clone(stacks),
            clients: self.clients.clone(),
            options: options.clone(),
            reporter: reporter.clone(),
            outputs: Mutex::new(Outputs::new()),
        });
        Ok(self.runtime.block_on(run(schedule, &scene)))
    }
}

/// Which stack's turn it is, by id.
pub(crate) fn schedule(stacks: &Stacks) -> Result<Schedule, ScheduleError> {
    Schedule::new(stacks.stacks.iter().map(|stack| {
        let before = stack.dependencies().into_iter().map(StackId::name);
        (stack.id.name(), before.collect())
    }))
}

/// What an apply works with.
pub(crate) struct Scene {
    stacks: Arc<Stacks>,
    pub(crate) clients: Clients,
    pub(crate) options: ApplyOptions,
    pub(crate) reporter: Reporter,
    outputs: Mutex<Outputs>,
}

async fn run(mut schedule: Schedule, scene: &Arc<Scene>) -> Applied {
    let by_id: BTreeMap<String, usize> = scene
        .stacks
        .stacks
        .iter()
        .enumerate()
        .map(|(index, stack)| (stack.id.name(), index))
        .collect();
    let mut running = JoinSet::new();
    let mut applied = Applied::default();
    loop {
        for id in schedule.start() {
            let (scene, index) = (Arc::clone(scene), by_id[&id]);
            running.spawn(async move {
                let result = bring(&scene, &scene.stacks.stacks[index]).await;
                (id, result)
            });
        }
        let Some(joined) = running.join_next().await else {
            return applied;
        };
        let (id, result) = joined.expect("stacks are made without panics or aborts");
        match result {
            Ok(changed) => {
                schedule.complete(&id);
                let list = if changed {
                    &mut applied.changed
                } else {
                    &mut applied.unchanged
                };
                list.push(id.clone());
                scene.reporter.tell(Progress::Done { stack: id, changed });
            }
            Err(trouble) => {
                let failure = trouble.of(&id, &scene.stacks.stacks[by_id[&id]].name);
                scene.reporter.tell(Progress::Failed {
                    stack: id.clone(),
                    message: failure.message(),
                    reason: failure.reason.clone(),
                });
                applied.failed.push(failure);
                for stack in schedule.fail(&id) {
                    scene.reporter.tell(Progress::Skipped {
                        stack: stack.clone(),
                    });
                    applied.skipped.push(stack);
                }
            }
        }
    }
}

/// Brings a stack to what is wanted, and says whether anything was changed.
async fn bring(scene: &Scene, stack: &Stack) -> Result<bool, Trouble> {
    let lists = prefix_lists::look_up(&scene.clients, stack).await?;
    let request = {
        let outputs = scene.outputs.lock().await;
        Request::of(&scene.stacks, stack, &outputs, lists)?
    };
    let client = scene.clients.owned(&stack.region);
    let work = Work {
        scene,
        client,
        request,
        service_roles: stack.service_linked_roles(),
    };
    let changed = work.bring().await?;
    let there = work.client.describe(&work.request.name).await?;
    let there = there.unwrap_or_default();
    if there.is_protected != work.request.is_protected {
        work.client
            .protect(&work.request.name, work.request.is_protected)
            .await?;
    }
    let mut outputs = scene.outputs.lock().await;
    outputs.insert(stack.name.clone(), there.outputs);
    Ok(changed)
}
