//! Deployments: an app's tasks are replaced by those of another revision. Each is recorded from its
//! start to its end; which tasks start and stop meanwhile is decided by the blueprint's `rollout`,
//! when to give up by its circuit breaker.
//!
//! What an app was when a deployment completed is kept with it, so that a rollback goes back to the
//! release and to the definition: after one, the app is planned from the older version of the
//! environment until the next is applied.

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, mpsc::SyncSender},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use mck_blueprint::{
    model::App,
    rollout::{self, CircuitBreaker},
};
use serde::{Deserialize, Serialize};

use super::{
    Supervisor,
    component::{Condition, Kind},
    components::{self, image_name, release_name, upgrade_name},
    service::Phase,
    work::Workshop,
};
use crate::{
    events::Level,
    layout::{Layout, write_atomically},
    origin::{self, Origin},
    release::{Release, ReleaseStore},
    servers::Context,
    text::chain,
};

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Deployment {
    /// Its number, from 1, in the app's history.
    pub number: u64,
    /// The mark of the tasks that it wants.
    pub revision: String,
    /// The release, for an app with code of its own.
    pub release: Option<Release>,
    /// The ids of its images, by reference.
    #[serde(default)]
    pub images: BTreeMap<String, String>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Who asked for it.
    pub by: String,
    /// How it is.
    pub state: DeploymentState,
    /// What its failed tasks say.
    pub breaker: CircuitBreaker,
}

impl Deployment {
    /// Whether a rollback may go back to it, or it may still end well.
    pub(super) fn may_come_back(&self) -> bool {
        matches!(
            self.state,
            DeploymentState::Completed | DeploymentState::InProgress
        )
    }
}

/// How a deployment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "reason")]
pub enum DeploymentState {
    /// Tasks are being replaced.
    InProgress,
    /// All tasks are of its revision and healthy.
    Completed,
    /// Given up, for this reason; the app went back to the deployment before.
    RolledBack(String),
    /// Given up, for this reason, with nothing to go back to.
    Failed(String),
    /// Another deployment began before it ended.
    Superseded,
}

/// What was done with a request for a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Begun {
    /// A deployment began.
    Deployment {
        /// Its number.
        number: u64,
        /// Its release.
        release: Option<Release>,
    },
    /// The app's tasks are of that release already.
    Unchanged {
        /// The release.
        release: Option<Release>,
    },
}

/// Where the answer to a request for a deployment goes.
pub type Reply = SyncSender<Result<Begun, String>>;

/// Who waits for a release that is being made.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) app: String,
    pub(super) by: String,
    pub(super) reply: Reply,
}

/// How many deployments of an app are kept in the record.
const KEPT_DEPLOYMENTS: usize = 20;

/// How many releases of an app are kept, besides those that tasks or kept deployments need.
const KEPT_RELEASES: usize = 5;

/// The file with the version of the environment that a deployment was made from.
fn definition_path(layout: &Layout, app: &str, number: u64) -> PathBuf {
    layout
        .top()
        .join("deployments")
        .join(app)
        .join(format!("{number}.json"))
}

fn save_definition(layout: &Layout, app: &str, number: u64, origin: &Origin) -> io::Result<()> {
    let path = definition_path(layout, app, number);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    write_atomically(&path, &serde_json::to_vec(origin)?)
}

/// What servers are planned from in the version of the environment that a deployment was made from.
pub(super) fn load_definition(layout: &Layout, app: &str, number: u64) -> Option<Arc<Context>> {
    let text = fs::read(definition_path(layout, app, number)).ok()?;
    let origin: Origin = serde_json::from_slice(&text).ok()?;
    let environment = origin.environment().ok()?;
    origin::prepare(&environment, origin.folder(), layout)
        .ok()
        .map(Arc::new)
}

impl Supervisor {
    /// What an app is planned from: the newest version of the environment, or the older one that it
    /// was rolled back to.
    pub(super) fn context_of(&self, app: &str) -> &Arc<Context> {
        self.pinned.get(app).unwrap_or(&self.workshop.context)
    }

    /// What work for an app shares.
    pub(super) fn workshop_of(&self, app: &str) -> Workshop {
        Workshop {
            context: Arc::clone(self.context_of(app)),
            ..self.workshop.clone()
        }
    }

    /// The deployment of an app that began last.
    pub(super) fn last_deployment(&self, app: &str) -> Option<&Deployment> {
        self.record.deployments.get(app)?.last()
    }

    /// Whether a deployment of an app is in progress that has one to go back to.
    pub(super) fn is_in_progress(&self, app: &str) -> bool {
        self.last_deployment(app).is_some_and(|last| {
            last.state == DeploymentState::InProgress
                && self.deployment_before(app, &last.revision).is_some()
        })
    }

    fn last_deployment_mut(&mut self, app: &str) -> Option<&mut Deployment> {
        self.record.deployments.get_mut(app)?.last_mut()
    }

    /// The newest deployment that completed and was of another revision.
    fn deployment_before(&self, app: &str, revision: &str) -> Option<&Deployment> {
        let all = self.record.deployments.get(app)?;
        all.iter()
            .rev()
            .find(|it| it.state == DeploymentState::Completed && it.revision != revision)
    }

    /// Whether an app's last deployment was given up with nothing to go back to.
    pub(super) fn is_halted(&self, app: &str, revision: &str) -> bool {
        self.last_deployment(app).is_some_and(|it| {
            matches!(it.state, DeploymentState::Failed(_)) && it.revision == revision
        })
    }

    /// Begins a deployment where an app's tasks should be of another revision than before, and ends
    /// one whose tasks are as wanted.
    pub(super) fn follow_deployment(
        &mut self,
        app: &App,
        revision: &str,
        service: &rollout::Service,
    ) {
        match self.last_deployment(&app.name) {
            Some(last) if last.revision == revision => {
                if last.state == DeploymentState::InProgress && service.is_steady() {
                    self.complete_deployment(app);
                }
            }
            _ => {
                let by = self
                    .deployers
                    .remove(&app.name)
                    .unwrap_or_else(|| "mck up".to_owned());
                self.begin_deployment(app, revision, by);
            }
        }
    }

    fn begin_deployment(&mut self, app: &App, revision: &str, by: String) -> u64 {
        let number = self
            .last_deployment(&app.name)
            .map_or(1, |last| last.number + 1);
        self.end_deployment(&app.name, DeploymentState::Superseded);
        let release = self.record.releases.get(&app.name).cloned();
        let what = release
            .as_ref()
            .map_or_else(String::new, |it| format!(" of release {}", it.id));
        self.note(
            &app.name,
            Level::Info,
            format!("Deployment {number}{what} begins ({by})."),
        );
        let deployment = Deployment {
            number,
            revision: revision.to_owned(),
            release,
            images: self.image_ids(&app.name),
            started: Timestamp::now(),
            ended: None,
            by,
            state: DeploymentState::InProgress,
            breaker: CircuitBreaker::new(&app.deployment),
        };
        let all = self.record.deployments.entry(app.name.clone()).or_default();
        all.push(deployment);
        let surplus = all.len().saturating_sub(KEPT_DEPLOYMENTS);
        let old: Vec<u64> = all.drain(..surplus).map(|it| it.number).collect();
        let origin = match self.record.pinned.get(&app.name) {
            // The definition of a rollback is that of the deployment that it goes back to.
            Some(source) => fs::read(definition_path(
                &self.workshop.context.layout,
                &app.name,
                *source,
            ))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_else(|| self.origin.clone()),
            None => self.origin.clone(),
        };
        let layout = self.workshop.context.layout.clone();
        for number in old {
            // Left over at worst.
            let _ = fs::remove_file(definition_path(&layout, &app.name, number));
        }
        if let Err(error) = save_definition(&layout, &app.name, number, &origin) {
            self.storage_problem = Some(format!("could not write the deployment: {error}"));
        }
        self.throttles.remove(&app.name);
        self.save();
        number
    }

    /// Begins again where the last deployment failed: somebody applies the environment once more.
    pub(super) fn retry_failed(&mut self) {
        for app in self.apps() {
            let Some(revision) = self.revision(&app) else {
                continue;
            };
            if self.is_halted(&app.name, &revision) {
                self.begin_deployment(&app, &revision, "mck up".to_owned());
            }
        }
    }

    /// Ends the deployment that is in progress, if one is.
    fn end_deployment(&mut self, app: &str, state: DeploymentState) {
        let last = self.last_deployment_mut(app);
        if let Some(last) = last.filter(|last| last.state == DeploymentState::InProgress) {
            last.state = state;
            last.ended = Some(Timestamp::now());
        }
    }

    fn complete_deployment(&mut self, app: &App) {
        self.end_deployment(&app.name, DeploymentState::Completed);
        let number = self
            .last_deployment(&app.name)
            .map_or(0, |last| last.number);
        self.save();
        self.note(
            &app.name,
            Level::Info,
            format!("Deployment {number} is complete."),
        );
        self.prune_releases(&app.name);
        self.prune_images();
    }

    fn prune_releases(&mut self, app: &str) {
        let deployments = self.record.deployments.get(app).into_iter().flatten();
        let needed: Vec<String> = deployments
            .filter(|it| it.state == DeploymentState::Completed)
            .filter_map(|it| it.release.as_ref())
            .chain(
                self.record
                    .tasks
                    .values()
                    .filter_map(|task| task.release.as_ref()),
            )
            .map(|release| release.id.clone())
            .collect();
        let store = ReleaseStore::new(&self.workshop.context.layout.releases(), app);
        if let Err(error) = store.prune(&needed, KEPT_RELEASES) {
            self.note(
                app,
                Level::Warning,
                format!("Old releases stay: {}", chain(&error)),
            );
        }
    }

    /// A task of an app failed; the deployment in progress may have to be given up.
    pub(super) fn count_failure(&mut self, app: &str, revision: &str, reason: &str) {
        let last = self.last_deployment_mut(app);
        let current =
            last.filter(|it| it.state == DeploymentState::InProgress && it.revision == revision);
        let Some(deployment) = current else { return };
        deployment.breaker.task_failed();
        let (failures, tripped) = (
            deployment.breaker.failures(),
            deployment.breaker.is_tripped(),
        );
        if tripped {
            self.give_up(
                app,
                &format!("{failures} tasks failed in a row; the last one: {reason}"),
            );
        } else {
            self.save();
        }
    }

    /// A task of an app has been healthy for long enough to trust its revision.
    pub(super) fn count_success(&mut self, app: &str, revision: &str) {
        let last = self.last_deployment_mut(app);
        let current =
            last.filter(|it| it.state == DeploymentState::InProgress && it.revision == revision);
        if let Some(deployment) = current {
            deployment.breaker.task_became_healthy();
        }
    }

    /// Gives the deployment in progress up: back to the one before, where there is one and the app
    /// wants that.
    pub(super) fn give_up(&mut self, app: &str, reason: &str) {
        let Some(last) = self.last_deployment(app).cloned() else {
            return;
        };
        if last.state != DeploymentState::InProgress {
            return;
        }
        let wants_rollback = self.app(app).is_some_and(|app| app.deployment.rollback);
        let before = self
            .deployment_before(app, &last.revision)
            .cloned()
            .filter(|_| wants_rollback);
        let Some(before) = before else {
            self.end_deployment(app, DeploymentState::Failed(reason.to_owned()));
            self.save();
            let message = format!("Deployment {} failed: {reason}", last.number);
            self.note(app, Level::Error, message);
            return;
        };
        self.end_deployment(app, DeploymentState::RolledBack(reason.to_owned()));
        let message = format!("Deployment {} is rolled back: {reason}", last.number);
        self.note(app, Level::Error, message);
        self.go_back(
            app,
            &before,
            format!("rollback of deployment {}", last.number),
        );
    }

    /// Makes an app what it was in an earlier deployment.
    fn go_back(&mut self, app: &str, to: &Deployment, by: String) -> Option<u64> {
        let layout = self.workshop.context.layout.clone();
        self.record.pinned.insert(app.to_owned(), to.number);
        match load_definition(&layout, app, to.number) {
            Some(context) => self.pinned.insert(app.to_owned(), context),
            // Without its definition only the release goes back.
            None => self.pinned.remove(app),
        };
        if let Some(release) = &to.release {
            self.record.releases.insert(app.to_owned(), release.clone());
        }
        if !to.images.is_empty() {
            self.record.images.insert(app.to_owned(), to.images.clone());
        }
        // Its data is of the newer release, and is not taken back.
        self.record
            .done
            .insert(upgrade_name(app), self.release_mark(app));
        self.save();
        self.ready_by_name(&upgrade_name(app));
        let definition = self.app(app).cloned()?;
        let revision = self.revision(&definition)?;
        let number = self.begin_deployment(&definition, &revision, by);
        self.balancers_seen = None;
        Some(number)
    }

    /// Somebody asks for a deployment: of a release that there is, or of one made of the source.
    pub(super) fn deploy(&mut self, app: &str, release: Option<&str>, by: String, reply: Reply) {
        let Some(definition) = self.app(app).cloned() else {
            let _ = reply.send(Err(format!("there is no app {app}")));
            return;
        };
        let Some(id) = release else {
            let has_release = components::has_release(&definition);
            let has_images = !components::image_references(&definition).is_empty();
            if !has_release && !has_images {
                let _ = reply.send(Err(format!(
                    "{app} has no source that a release could be made of, and no image"
                )));
                return;
            }
            self.waiting.push(Waiting {
                app: app.to_owned(),
                by,
                reply,
            });
            if has_release {
                self.builds.insert(app.to_owned());
                self.make_absent(&release_name(app));
            }
            if has_images {
                self.pulls.insert(app.to_owned());
                self.make_absent(&image_name(app));
            }
            return;
        };
        let store = ReleaseStore::new(&self.workshop.context.layout.releases(), app);
        let answer = match store.find(id) {
            Some(release) => Ok(self.begin_release(app, Some(release), by)),
            None => Err(format!(
                "{app} has no release {id}; it has {}",
                store.list().into_iter().collect::<Vec<_>>().join(", ")
            )),
        };
        self.answer(&reply, answer);
    }

    /// Makes a release the one that an app's tasks should be of, with the images pulled last.
    fn begin_release(&mut self, app: &str, release: Option<Release>, by: String) -> Begun {
        let same_release = self.record.releases.get(app) == release.as_ref();
        let images = self.image_ids(app);
        let serving = self
            .last_deployment(app)
            .is_some_and(|it| it.state == DeploymentState::Completed && it.images == images);
        if same_release && serving {
            return Begun::Unchanged { release };
        }
        self.unpin(app);
        if let Some(release) = &release {
            self.record.releases.insert(app.to_owned(), release.clone());
        }
        self.save();
        let name = app.to_owned();
        self.look_again(|it| it.kind == Kind::Upgrade(name.clone()));
        let number = self.app(app).cloned().and_then(|definition| {
            let revision = self.revision(&definition)?;
            Some(self.begin_deployment(&definition, &revision, by))
        });
        Begun::Deployment {
            number: number.unwrap_or(0),
            release,
        }
    }

    /// An app is planned from the newest version of the environment again.
    pub(super) fn unpin(&mut self, app: &str) {
        self.pinned.remove(app);
        self.record.pinned.remove(app);
    }

    /// Somebody asks to go back to the deployment before.
    pub(super) fn roll_back(&mut self, app: &str, by: String) -> Result<Begun, String> {
        let current = self
            .last_deployment(app)
            .ok_or_else(|| format!("{app} was never deployed"))?;
        let before = self.deployment_before(app, &current.revision).cloned();
        let before =
            before.ok_or_else(|| format!("{app} has no earlier deployment that completed"))?;
        let why = "stopped for a rollback".to_owned();
        self.end_deployment(app, DeploymentState::RolledBack(why));
        let number = self.go_back(app, &before, by);
        Ok(Begun::Deployment {
            number: number.unwrap_or(0),
            release: before.release,
        })
    }

    /// Somebody asks to stop the deployment in progress and go back.
    pub(super) fn stop_deployment(&mut self, app: &str, by: &str) -> Result<Begun, String> {
        let running = self
            .last_deployment(app)
            .filter(|it| it.state == DeploymentState::InProgress);
        if running.is_none() {
            return Err(format!("no deployment of {app} is in progress"));
        }
        self.give_up(app, &format!("stopped by {by}"));
        let last = self.last_deployment(app);
        Ok(Begun::Deployment {
            number: last.map_or(0, |last| last.number),
            release: last.and_then(|last| last.release.clone()),
        })
    }

    fn make_absent(&mut self, name: &str) {
        let working = matches!(self.conditions.get(name), Some(Condition::Working { .. }));
        if !working {
            self.conditions.insert(name.to_owned(), Condition::Absent);
        }
    }

    /// Tells those who wait for an app's release or images what came of it.
    pub(super) fn answer_waiting(&mut self, app: &str, result: &Result<Option<Release>, String>) {
        let (mine, others) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|it| it.app == app);
        self.waiting = others;
        let mine: Vec<Waiting> = mine;
        for waiting in mine {
            let answer = match result {
                Ok(release) => Ok(self.begin_release(app, release.clone(), waiting.by)),
                Err(reason) => Err(reason.clone()),
            };
            self.answer(&waiting.reply, answer);
        }
    }

    /// Whether a task gets no requests yet though its checks may pass: while others serve, a new
    /// revision is watched first, so that one that dies soon harms nobody.
    pub(super) fn is_held(&self, app: &App, id: &str) -> bool {
        let Some((task, state)) = self.record.tasks.get(id).zip(self.tasks.get(id)) else {
            return false;
        };
        let in_progress = self.last_deployment(&app.name).is_some_and(|it| {
            it.state == DeploymentState::InProgress && it.revision == task.revision
        });
        let watched = state
            .healthy_since
            .is_some_and(|since| since.elapsed() >= watch_time(app));
        in_progress && !watched && self.is_served_by_others(app, &task.revision)
    }

    fn is_served_by_others(&self, app: &App, revision: &str) -> bool {
        let mut tasks = self.record.service_tasks(&app.name);
        tasks.any(|(id, task)| {
            let serves = self
                .tasks
                .get(id)
                .is_some_and(|state| state.phase == Phase::Healthy);
            serves && task.revision != revision
        })
    }
}

/// How long a new revision's task must be healthy before it gets requests while others serve: as
/// long as the health check takes to find out, and one check more.
fn watch_time(app: &App) -> Duration {
    app.target_group.as_ref().map_or(Duration::ZERO, |group| {
        let check = &group.health_check;
        Duration::from(check.interval) * (u32::from(check.unhealthy_threshold) + 1)
    })
}

/// What has been healthy this long has not failed at its start.
pub(super) fn is_trusted(since: Option<Instant>) -> bool {
    since.is_some_and(|since| since.elapsed() >= super::STABLE_AFTER)
}
