//! Makes stacks as they are wanted, along their dependencies, independent ones in parallel.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mck_aws_stacks::{Stack, StackId, Stacks};
use mck_cloudformation::{MAXIMUM_BODY_BYTES, MAXIMUM_INLINE_BYTES};
use serde_json::Value;
use tokio::{sync::Mutex, task::JoinSet};

use crate::{
    account::{Account, Clients},
    bucket::Stored,
    change_set,
    client::{Body, ChangeKind, ChangeSet, Client, Described},
    error::AwsError,
    failure::Reason,
    follow::{Ended, Following, Since, Waits, is_start},
    progress::{Progress, Reporter},
    recovery::{Situation, Step, towards_wanted},
    request::{Outputs, Request, token},
    schedule::{Schedule, ScheduleError},
    status::{Phase, is_rollback},
};

/// How long CloudFormation may think about a change set.
const CHANGE_SET_DEADLINE: Duration = Duration::from_secs(600);
/// The most steps towards one stack: the longest way is to follow, delete, create, follow.
const MOST_STEPS: usize = 8;

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

/// Why a stack is not as wanted.
#[derive(Debug)]
pub struct StackFailure {
    /// The stack's id, such as `data`.
    pub stack: String,
    /// The stack's full name.
    pub name: String,
    /// What went wrong between us and AWS; none where CloudFormation itself gave up.
    pub error: Option<AwsError>,
    /// The status in which it ended; empty where an error kept us from knowing.
    pub status: String,
    /// The first resource that failed, and why.
    pub reason: Option<Reason>,
}

impl StackFailure {
    /// What happened, in one sentence.
    pub fn message(&self) -> String {
        match (&self.error, &self.reason) {
            (Some(error), _) => error.to_string(),
            (None, Some(reason)) => format!(
                "{} ended as {}: {} {}: {}",
                self.name, self.status, reason.logical_id, reason.status, reason.text
            ),
            (None, None) => format!("{} ended as {}", self.name, self.status),
        }
    }
}

/// Why a stack did not become what it should.
pub(crate) enum Trouble {
    Error(AwsError),
    Ended(Ended),
}

impl From<AwsError> for Trouble {
    fn from(error: AwsError) -> Self {
        Self::Error(error)
    }
}

impl Trouble {
    pub(crate) fn of(self, stack: &str, name: &str) -> StackFailure {
        let (error, status, reason) = match self {
            Self::Error(error) => (Some(error), String::new(), None),
            Self::Ended(ended) => (None, ended.status, ended.reason),
        };
        StackFailure {
            stack: stack.to_owned(),
            name: name.to_owned(),
            error,
            status,
            reason,
        }
    }
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

struct Scene {
    stacks: Arc<Stacks>,
    clients: Clients,
    options: ApplyOptions,
    reporter: Reporter,
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
    let request = {
        let outputs = scene.outputs.lock().await;
        Request::of(&scene.stacks, stack, &outputs)?
    };
    let client = scene.clients.owned(&stack.region);
    let work = Work {
        scene,
        client,
        request,
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

/// The work on one stack.
struct Work<'a> {
    scene: &'a Scene,
    client: Client,
    request: Request,
}

/// How far a change got.
enum Change {
    /// There was nothing to change.
    Nothing,
    /// It is done.
    Done,
    /// Somebody else was faster.
    Overtaken,
}

impl Work<'_> {
    async fn bring(&self) -> Result<bool, Trouble> {
        let name = &self.request.name;
        let mut changed = false;
        for _ in 0..MOST_STEPS {
            let there = self.client.describe(name).await?;
            match towards_wanted(self.situation(there.as_ref()).await?) {
                Step::Create => match self.change(ChangeKind::Create, there.as_ref()).await? {
                    Change::Nothing | Change::Done => return Ok(true),
                    Change::Overtaken => {}
                },
                Step::Update => {
                    let there = there.unwrap_or_default();
                    if self.is_as_wanted(&there).await? {
                        return Ok(changed);
                    }
                    match self.change(ChangeKind::Update, Some(&there)).await? {
                        Change::Nothing => return Ok(changed),
                        Change::Done => return Ok(true),
                        Change::Overtaken => {}
                    }
                }
                Step::Delete => self.delete(&there.unwrap_or_default()).await?,
                Step::ContinueRollback => {
                    self.continue_rollback(&there.unwrap_or_default()).await?;
                }
                Step::Follow => changed |= self.attach(&there.unwrap_or_default()).await?,
                Step::Refuse => return Err(self.busy(&there.unwrap_or_default()).await?.into()),
            }
        }
        let ended = self.client.describe(name).await?;
        let status = ended.map(|it| it.status).unwrap_or_default();
        Err(Trouble::Ended(Ended {
            status,
            reason: None,
        }))
    }

    async fn situation(&self, there: Option<&Described>) -> Result<Situation, AwsError> {
        let phase = there.map(|it| Phase::of(&it.status));
        let status = there.map_or("", |it| it.status.as_str());
        let in_progress = phase == Some(Phase::InProgress);
        let is_ours = match there {
            Some(there) if in_progress => self.request.is_own(&self.beginning(there).await?.by),
            _ => false,
        };
        Ok(Situation {
            phase,
            is_ours,
            is_winding_down: in_progress
                && (status == "DELETE_IN_PROGRESS"
                    || is_rollback(status)
                    || status.contains("CLEANUP")),
        })
    }

    async fn beginning(&self, there: &Described) -> Result<Beginning, AwsError> {
        beginning(&self.client, there).await
    }

    async fn busy(&self, there: &Described) -> Result<AwsError, AwsError> {
        Ok(self
            .beginning(there)
            .await?
            .busy(&self.request.name, &there.status))
    }

    /// Whether template, parameters and tags are those that are wanted.
    async fn is_as_wanted(&self, there: &Described) -> Result<bool, AwsError> {
        if !is_same_around(&self.request, there) {
            return Ok(false);
        }
        let text = self.client.template(&self.request.name).await?;
        Ok(is_same_template(&self.request.body, &text))
    }

    fn begun(&self, what: &'static str) {
        let stack = self.request.id.clone();
        self.scene.reporter.tell(Progress::Begun { stack, what });
    }

    fn following<'a>(&'a self, arn: &'a str) -> Following<'a> {
        Following {
            client: &self.client,
            reporter: &self.scene.reporter,
            label: &self.request.id,
            name: &self.request.name,
            arn,
        }
    }

    /// Follows what is in progress, and says whether it was our own change that succeeded.
    async fn attach(&self, there: &Described) -> Result<bool, Trouble> {
        self.begun("follow");
        let is_ours = self.request.is_own(&self.beginning(there).await?.by);
        let ended = self
            .following(&there.id)
            .follow(Since::OperationStart)
            .await?;
        if is_ours && !ended.is_success() {
            return Err(Trouble::Ended(ended));
        }
        Ok(is_ours)
    }

    async fn delete(&self, there: &Described) -> Result<(), Trouble> {
        self.begun("remove what failed");
        if there.is_protected {
            self.client.protect(&self.request.name, false).await?;
        }
        let since = Since::Event(newest(&self.client, &there.id).await?);
        let token = self.request.token(&self.scene.options.who);
        self.client.delete(&self.request.name, &[], &token).await?;
        let ended = self.following(&there.id).follow(since).await?;
        if ended.is_success() {
            Ok(())
        } else {
            Err(Trouble::Ended(ended))
        }
    }

    async fn continue_rollback(&self, there: &Described) -> Result<(), Trouble> {
        self.begun("go on with the rollback");
        let since = Since::Event(newest(&self.client, &there.id).await?);
        let token = self.request.token(&self.scene.options.who);
        self.client
            .continue_rollback(&self.request.name, &token)
            .await?;
        let ended = self.following(&there.id).follow(since).await?;
        if Phase::of(&ended.status) == Phase::Stuck {
            return Err(Trouble::Ended(ended));
        }
        Ok(())
    }

    async fn change(&self, kind: ChangeKind, there: Option<&Described>) -> Result<Change, Trouble> {
        self.begun(if kind == ChangeKind::Create {
            "create"
        } else {
            "update"
        });
        let (body, stored) = body(&self.scene.clients, &self.request).await?;
        let result = self.change_with(kind, there, &body).await;
        if let Some(stored) = stored {
            // S3 itself removes it a day later.
            let _ = self.scene.clients.buckets.remove(&stored).await;
        }
        result
    }

    async fn change_with(
        &self,
        kind: ChangeKind,
        there: Option<&Described>,
        body: &Body,
    ) -> Result<Change, Trouble> {
        let (client, request) = (&self.client, &self.request);
        let change = match make(client, request, kind, body, &self.scene.options.who).await {
            Ok(Made::Nothing) => return Ok(Change::Nothing),
            Ok(Made::Set(change)) => change,
            Err(error) if is_overtaken(&error) => return Ok(Change::Overtaken),
            Err(error) => {
                if there.is_none() {
                    // CloudFormation keeps an empty stack for a change set that was refused.
                    let token = request.token(&self.scene.options.who);
                    let _ = client.delete(&request.name, &[], &token).await;
                }
                return Err(error.into());
            }
        };
        if kind == ChangeKind::Update {
            self.refuse_losses(&change).await?;
        }
        let now = client.describe(&request.name).await?;
        let arn = now.map_or_else(|| request.name.clone(), |it| it.id);
        let since = Since::Event(newest(client, &arn).await?);
        let token = request.token(&self.scene.options.who);
        match client.execute(&request.name, &change.name, &token).await {
            Ok(()) => {}
            Err(error) if is_overtaken(&error) => return Ok(Change::Overtaken),
            Err(error) => return Err(error.into()),
        }
        let ended = self.following(&arn).follow(since).await?;
        if ended.is_success() {
            Ok(Change::Done)
        } else {
            Err(Trouble::Ended(ended))
        }
    }

    /// What the change set does may be more than what was foretold.
    async fn refuse_losses(&self, change: &NamedChangeSet) -> Result<(), AwsError> {
        let request = &self.request;
        let before = self.client.template(&request.name).await?;
        let before: Value = serde_json::from_str(&before).unwrap_or_default();
        let after: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let sides = change_set::Sides {
            before: &before,
            after: &after,
            foretold: &[],
        };
        let lost: Vec<String> = change_set::resources(&change.set.changes, &sides)
            .into_iter()
            .filter(|it| it.data.is_some_and(|data| data.is_lost()))
            .map(|it| format!("{}/{}", request.id, it.logical_id))
            .filter(|name| !self.scene.options.accepted_losses.contains(name))
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        self.client
            .delete_change_set(&request.name, &change.name)
            .await?;
        Err(AwsError::UnexpectedLoss {
            stack: request.name.clone(),
            resources: lost.join(", "),
        })
    }
}

/// Who began what is in progress, and when.
pub(crate) struct Beginning {
    /// The token of its request; empty where there is none, such as from the console.
    by: String,
    /// In RFC 3339; empty where it is not known.
    since: String,
}

impl Beginning {
    pub(crate) fn busy(self, stack: &str, status: &str) -> AwsError {
        AwsError::Busy {
            stack: stack.to_owned(),
            status: status.to_owned(),
            since: self.since,
            by: self.by,
        }
    }
}

/// Who began what is in progress, and when.
pub(crate) async fn beginning(client: &Client, there: &Described) -> Result<Beginning, AwsError> {
    let events = client.events(&there.id, &is_start).await?;
    let start = events.into_iter().find(is_start);
    let (by, since) = start.map(|it| (it.token, it.time)).unwrap_or_default();
    Ok(Beginning { by, since })
}

/// A change set and its name.
pub(crate) struct NamedChangeSet {
    pub(crate) name: String,
    pub(crate) set: ChangeSet,
}

/// What came of asking for a change set.
pub(crate) enum Made {
    Nothing,
    Set(NamedChangeSet),
}

/// Makes a change set and waits until it can be read.
pub(crate) async fn make(
    client: &Client,
    request: &Request,
    kind: ChangeKind,
    body: &Body,
    who: &str,
) -> Result<Made, AwsError> {
    let name = change_set_name(request, who);
    client.create_change_set(request, &name, kind, body).await?;
    let mut waits = Waits::until(CHANGE_SET_DEADLINE);
    loop {
        let set = client.change_set(&request.name, &name).await?;
        if change_set::is_empty(&set.status, &set.reason) {
            client.delete_change_set(&request.name, &name).await?;
            return Ok(Made::Nothing);
        }
        match set.status.as_str() {
            "CREATE_COMPLETE" => return Ok(Made::Set(NamedChangeSet { name, set })),
            "FAILED" => {
                client.delete_change_set(&request.name, &name).await?;
                return Err(AwsError::ChangeSet {
                    stack: request.name.clone(),
                    reason: set.reason,
                });
            }
            _ if waits.wait().await => {}
            _ => {
                return Err(AwsError::Deadline {
                    what: "the change set",
                    stack: request.name.clone(),
                    seconds: CHANGE_SET_DEADLINE.as_secs(),
                });
            }
        }
    }
}

/// Where the template is sent: in the request, or in a bucket.
pub(crate) async fn body(
    clients: &Clients,
    request: &Request,
) -> Result<(Body, Option<Stored>), AwsError> {
    let bytes = request.body.len();
    if bytes <= MAXIMUM_INLINE_BYTES {
        return Ok((Body::Inline(request.body.clone()), None));
    }
    if bytes > MAXIMUM_BODY_BYTES {
        return Err(AwsError::TooLarge {
            stack: request.name.clone(),
            bytes,
        });
    }
    let key = format!("{}/{}-{}.json", request.name, request.digest(), moment());
    let stored = clients
        .buckets
        .store(&request.region, &key, &request.body)
        .await?;
    Ok((Body::Url(stored.url.clone()), Some(stored)))
}

/// Another name each time, which tells in the console who is at work, as the token does.
fn change_set_name(request: &Request, who: &str) -> String {
    token(&request.digest(), &format!("{}-{who}", moment()))
}

/// Another text each time.
fn moment() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}-{}", now.as_nanos(), std::process::id())
}

/// The id of the stack's newest event.
pub(crate) async fn newest(client: &Client, arn: &str) -> Result<Option<String>, AwsError> {
    let events = client.events(arn, &|_| true).await?;
    Ok(events.into_iter().next().map(|event| event.id))
}

/// Whether a refusal only means that somebody else began first.
fn is_overtaken(error: &AwsError) -> bool {
    let AwsError::Call { message, .. } = error else {
        return false;
    };
    message.starts_with("InvalidChangeSetStatus")
        || message.starts_with("ChangeSetNotFound")
        || message.starts_with("OperationInProgressException")
        || (message.contains("_IN_PROGRESS") && message.starts_with("ValidationError"))
}

/// Whether parameters and tags are those that are wanted. Parameters with a default that we leave to
/// the template are not compared.
pub(crate) fn is_same_around(request: &Request, there: &Described) -> bool {
    let mut parameters = request.parameters.iter();
    let same = parameters.all(|(key, value)| there.parameters.get(key) == Some(value));
    same && request.tags == there.tags
}

/// Whether two texts are the same template.
pub(crate) fn is_same_template(wanted: &str, there: &str) -> bool {
    if wanted == there {
        return true;
    }
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    parse(wanted).is_some_and(|wanted| parse(there) == Some(wanted))
}
