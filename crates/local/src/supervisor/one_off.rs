//! Tasks that run one command and end: hooks, jobs, and what a person runs.

use std::{net::Ipv4Addr, thread, time::Duration};

use mck_blueprint::{
    model::{App, HookStage},
    placement,
};
use serde::{Deserialize, Serialize};

use super::{
    Supervisor,
    component::{Component, Condition},
    components,
    mailbox::Message,
    record::{Purpose, TaskRecord},
    service::demand,
    work::WorkError,
};
use crate::{events::Level, servers::task, text};

/// A place for a task that a client runs itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Lease {
    /// The task's id; the network namespace is joined already.
    pub id: String,
    /// What was recorded of it.
    pub task: TaskRecord,
    /// Its address.
    pub address: Ipv4Addr,
}

/// How long a hook may take: an upgrade of a large store takes its time.
const HOOK_WITHIN: Duration = Duration::from_secs(3_600);

impl Supervisor {
    /// Places a task for one command; none when no server has room or an address.
    pub(super) fn place_one_off(
        &mut self,
        app: &App,
        purpose: Purpose,
    ) -> Option<(String, TaskRecord)> {
        let servers = self.servers(&app.cluster);
        // A command must run even where the servers are full of the app's own tasks.
        let server = placement::place(&[], &servers, demand(app))
            .or_else(|| servers.first())
            .cloned()?;
        self.new_task(app, &server, "one-off", purpose)
    }

    /// Starts an app's hook for a component, unless it was done for this release already.
    pub(super) fn start_hook(&mut self, component: &str, app: &str, stage: HookStage) {
        let Some(app) = self.app(app).cloned() else {
            return;
        };
        let mark = self.hook_mark(&app, stage);
        // A fresh installation is up to date by itself.
        if self.record.done.get(component) == Some(&mark) {
            self.ready_by_name(component);
            return;
        }
        let Some((container, command)) = task::hook(&app, stage) else {
            self.component_failed(component, "the app has no such hook".to_owned());
            return;
        };
        let (container, limit) = (container.clone(), HOOK_WITHIN);
        match self.place_one_off(&app, Purpose::Hook(component.to_owned())) {
            Some((id, record)) => {
                self.note(
                    &app.name,
                    Level::Info,
                    format!("Runs the {} hook.", name_of(stage)),
                );
                self.run_one_off(&app, container, command, id, record, limit);
            }
            None => self.component_failed(component, "there is no room for its task".to_owned()),
        }
    }

    /// Runs a command in a recorded task, in a thread.
    pub(super) fn run_one_off(
        &self,
        app: &App,
        container: mck_blueprint::model::Container,
        command: Vec<String>,
        id: String,
        record: TaskRecord,
        limit: Duration,
    ) {
        let (workshop, sender, app) = (
            self.workshop_of(&app.name),
            self.mailbox.sender(),
            app.clone(),
        );
        thread::spawn(move || {
            let result = workshop.run_one_off(&app, &container, command, &id, &record, limit);
            sender.send(Message::OneOffEnded { id, result });
        });
    }

    /// What tells whether a hook must run again.
    pub(super) fn hook_mark(&self, app: &App, stage: HookStage) -> String {
        match stage {
            HookStage::Install => "done".to_owned(),
            HookStage::Upgrade | HookStage::CacheFlush => self.release_mark(&app.name),
        }
    }

    /// What tells one release of an app from another: its code's, or its images'.
    pub(super) fn release_mark(&self, app: &str) -> String {
        let release = self.record.releases.get(app).map(|it| it.id.clone());
        let images = self.image_ids(app);
        match (release, images.is_empty()) {
            (Some(release), true) => release,
            (None, true) => "no release".to_owned(),
            (release, false) => {
                let ids: Vec<String> = release.into_iter().chain(images.into_values()).collect();
                text::digest(&ids.concat())
            }
        }
    }

    pub(super) fn one_off_ended(&mut self, id: &str, result: Result<Option<i32>, WorkError>) {
        let Some(task) = self.record.tasks.get(id).cloned() else {
            return;
        };
        let outcome = match &result {
            Ok(Some(0)) => Ok(()),
            Ok(code) => Err(text::exit(*code)),
            Err(error) => Err(text::chain(error)),
        };
        let logs = self.workshop.runtime.list();
        let container = logs
            .iter()
            .find(|container| container.starts_with(&format!("{id}.")));
        let words = container
            .map(|container| crate::logs::last_lines(&self.workshop.runtime.log(container), 3))
            .unwrap_or_default();
        match &task.purpose {
            Purpose::Hook(component) => self.hook_ended(component, &task, outcome, &words),
            Purpose::Job(job) => {
                self.job_ended(job, &task, id, result.ok().flatten(), outcome, &words);
            }
            Purpose::Service | Purpose::OneOff => {}
        }
        self.stop_task(id);
    }

    fn hook_ended(
        &mut self,
        name: &str,
        task: &TaskRecord,
        outcome: Result<(), String>,
        words: &str,
    ) {
        if let Err(how) = outcome {
            let words = words.replace('\n', " | ");
            let reason = format!("its command {how}; its last words: {words}");
            if name == components::cache_flush_name(&task.app) {
                self.note(
                    &task.app,
                    Level::Warning,
                    format!("The cache flush failed: {reason}"),
                );
            } else {
                self.upgrade_failed(name, &task.app, reason);
            }
            return;
        }
        let Some(app) = self.app(&task.app).cloned() else {
            return;
        };
        let release = self.hook_mark(&app, HookStage::Upgrade);
        if name == components::install_name(&app.name) {
            self.record
                .done
                .insert(name.to_owned(), self.hook_mark(&app, HookStage::Install));
            // A fresh installation is of the newest release.
            self.record
                .done
                .insert(components::upgrade_name(&app.name), release);
        } else if name == components::upgrade_name(&app.name) {
            self.record.done.insert(name.to_owned(), release);
        }
        self.save();
        self.ready_by_name(name);
    }

    /// A hook failed: where others serve, the deployment that needs it is given up; else it is
    /// tried again.
    fn upgrade_failed(&mut self, name: &str, app: &str, reason: String) {
        let is_upgrade = name == components::upgrade_name(app);
        if is_upgrade && self.is_in_progress(app) {
            self.give_up(app, &format!("its upgrade hook failed: {reason}"));
        }
        // After a rollback the component is ready: the older release needs no upgrade.
        if self.conditions.get(name) != Some(&Condition::Ready) {
            self.component_failed(name, reason);
        }
    }

    /// Flushes an app's caches once its tasks are all of another revision than before.
    pub(super) fn flush_after_rollout(&mut self, app: &App, revision: &str) {
        let name = components::cache_flush_name(&app.name);
        let before = self.record.done.insert(name.clone(), revision.to_owned());
        if before.as_deref() == Some(revision) {
            return;
        }
        self.save();
        // The first revision of all found empty caches.
        let hook = before.and_then(|_| task::hook(app, HookStage::CacheFlush));
        let Some((container, command)) = hook else {
            return;
        };
        let container = container.clone();
        if let Some((id, record)) = self.place_one_off(app, Purpose::Hook(name)) {
            self.note(&app.name, Level::Info, "Runs the cache flush hook.");
            self.run_one_off(app, container, command, id, record, HOOK_WITHIN);
        }
    }

    pub(super) fn ready_by_name(&mut self, name: &str) {
        let component: Option<Component> =
            self.components.iter().find(|it| it.name == name).cloned();
        if let Some(component) = component {
            self.component_ready(&component);
        }
    }

    /// Makes a place for a task that a client runs itself.
    pub(super) fn lease(&mut self, app: &str) -> Result<Lease, String> {
        let app = self
            .app(app)
            .cloned()
            .ok_or_else(|| format!("there is no app {app}"))?;
        let placed = self.place_one_off(&app, Purpose::OneOff);
        let (id, task) = placed.ok_or("there is no room for its task")?;
        let attachment = super::work::Workshop::attachment(&app, &id, &task);
        if let Err(error) = crate::network::attach(self.workshop.context.layout.id(), &attachment) {
            self.stop_task(&id);
            return Err(text::chain(&error));
        }
        let address = task.address;
        Ok(Lease { id, task, address })
    }

    /// Takes back the place of a client's task, when the client has ended or gone.
    pub(super) fn give_back(&mut self, id: &str) {
        self.stop_task(id);
    }
}

fn name_of(stage: HookStage) -> &'static str {
    match stage {
        HookStage::Install => "install",
        HookStage::Upgrade => "upgrade",
        HookStage::CacheFlush => "cache flush",
    }
}
