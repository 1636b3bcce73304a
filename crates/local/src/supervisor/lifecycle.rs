//! Components come up, fail, are tried again, and are adopted from an earlier supervisor.

use std::{thread, time::Instant};

use mck_blueprint::model::HookStage;
use mck_server_config::dnsmasq;

use super::{
    Supervisor,
    component::{self, Component, Condition, Kind},
    mailbox::Message,
    record::Purpose,
    work::{Done, Moment, WorkError},
};
use crate::{
    container::ContainerState,
    events::Level,
    servers::edge::{Endpoints, RESOLVER},
    text::{chain, exit},
};

impl Supervisor {
    /// Starts the work of all components that can be started.
    pub(super) fn start_components(&mut self) {
        let now = Instant::now();
        // Replication is looked after when it is known who the writer is.
        let waits = |kind: &Kind| *kind == Kind::Replication && self.record.failover.is_some();
        let startable: Vec<Component> =
            component::startable(&self.components, &self.conditions, now)
                .into_iter()
                .filter(|component| !waits(&component.kind))
                .cloned()
                .collect();
        for component in startable {
            self.conditions
                .insert(component.name.clone(), Condition::Working { since: now });
            let hook = match &component.kind {
                Kind::Install(app) => Some((app.clone(), HookStage::Install)),
                Kind::Upgrade(app) => Some((app.clone(), HookStage::Upgrade)),
                _ => None,
            };
            match hook {
                Some((app, stage)) => self.start_hook(&component.name, &app, stage),
                None if self.has_its_release(&component) => self.component_ready(&component),
                None => self.start_work(component),
            }
        }
    }

    /// Whether a component makes a release or pulls images that are there and that nobody asked to make again: a
    /// supervisor that comes back must not deploy what changed meanwhile.
    fn has_its_release(&self, component: &Component) -> bool {
        match &component.kind {
            Kind::Release(app) => {
                self.record.releases.contains_key(app) && !self.builds.contains(app)
            }
            Kind::Image(app) => self.keeps_its_images(app),
            _ => false,
        }
    }

    pub(super) fn start_work(&self, component: Component) {
        let (workshop, moment) = (self.workshop.clone(), self.moment());
        let sender = self.mailbox.sender();
        thread::spawn(move || {
            let result = workshop.bring_up(&component.name, &component.kind, &moment);
            sender.send(Message::Component {
                name: component.name,
                result,
            });
        });
    }

    /// What plans of servers depend on now.
    fn moment(&self) -> Moment {
        let attachments = self.record.tasks.iter().filter_map(|(id, task)| {
            let app = self.app(&task.app)?;
            Some(super::work::Workshop::attachment(app, id, task))
        });
        Moment {
            targets: self.healthy_targets(),
            endpoints: self.endpoints(),
            attachments: attachments.collect(),
            readers: self.running_readers(),
            record: self.record.clone(),
        }
    }

    /// What the private zone's records point at now.
    pub(super) fn endpoints(&self) -> Endpoints {
        let blueprint = self.blueprint();
        let writer = super::writer(blueprint, &self.record);
        let address = |name: &str| super::node(blueprint, name).map(|node| node.address.into());
        let readers = blueprint.database.members.iter().filter(|member| {
            member.name != writer
                && self.record.synced.contains(&member.name)
                && self.conditions.get(&member.name) == Some(&Condition::Ready)
        });
        let primaries = blueprint.redis.iter().filter_map(|cluster| {
            let primary = super::primary(cluster, &self.record);
            Some((cluster.name.clone(), address(primary)?))
        });
        Endpoints {
            writer: address(writer),
            readers: readers.map(|member| member.address.into()).collect(),
            primaries: primaries.collect(),
        }
    }

    pub(super) fn component_done(&mut self, name: &str, result: Result<Done, WorkError>) {
        let Some(component) = self.components.iter().find(|it| it.name == name).cloned() else {
            return;
        };
        match result {
            Ok(done) => {
                if component.kind.is_server() && self.kill_lost(name) {
                    return;
                }
                match done {
                    Done::Server(pid) => self.processes.watch(name, pid),
                    Done::Redis { pid, primary } => {
                        self.processes.watch(name, pid);
                        let Kind::Redis(cluster) = &component.kind else {
                            return;
                        };
                        if !self.redis_running(cluster, name, &primary) {
                            self.conditions.insert(name.to_owned(), Condition::Absent);
                            return;
                        }
                    }
                    Done::Replicating(outcome) => {
                        return self.replication_done(&component, outcome);
                    }
                    Done::Release(release) => self.release_made(&component, *release),
                    Done::Images(ids) => {
                        if let Kind::Image(app) = &component.kind {
                            self.images_pulled(app, ids);
                        }
                    }
                    Done::Step => {}
                }
                self.component_ready(&component);
            }
            Err(_) if component.kind.is_server() && self.kill_lost(name) => {}
            Err(WorkError::Database(error)) if component.kind == Kind::Replication => {
                self.replication_failed(&error);
            }
            Err(error) => {
                let reason = chain(&error);
                match &component.kind {
                    Kind::Release(app) => self.release_failed(&component, app, reason),
                    Kind::Image(app) => self.pull_failed(&component, app, reason),
                    _ => {
                        self.component_failed(name, reason);
                        self.not_started(&component);
                    }
                }
            }
        }
    }

    fn release_made(&mut self, component: &Component, release: crate::release::Release) {
        let Kind::Release(app) = &component.kind else {
            return;
        };
        self.builds.remove(app);
        if self.record.releases.get(app) != Some(&release) {
            self.note(
                app,
                Level::Info,
                format!("Release {} ({}).", release.id, release.revision),
            );
        }
        let pulls = self.pulls.contains(app);
        if self.waiting.iter().any(|it| it.app == *app) && !pulls {
            self.answer_waiting(app, &Ok(Some(release)));
        } else if self.record.releases.get(app) != Some(&release) {
            self.record.releases.insert(app.clone(), release);
            self.save();
            let app = app.clone();
            self.look_again(|it| it.kind == Kind::Upgrade(app.clone()));
        }
    }

    /// A release could not be made: those who wait hear it, and where there is an older one it
    /// goes on.
    fn release_failed(&mut self, component: &Component, app: &str, reason: String) {
        self.builds.remove(app);
        self.answer_waiting(app, &Err(reason.clone()));
        if self.record.releases.contains_key(app) {
            self.note(app, Level::Warning, format!("No new release: {reason}"));
            self.component_ready(component);
        } else {
            self.builds.insert(app.to_owned());
            self.component_failed(&component.name, reason);
        }
    }

    pub(super) fn component_ready(&mut self, component: &Component) {
        let name = &component.name;
        self.conditions.insert(name.clone(), Condition::Ready);
        self.restarts.entry(name.clone()).or_default().ready();
        if component.kind.is_server() {
            self.note(
                name,
                Level::Info,
                format!("{} is ready.", component.description),
            );
        }
        match component.kind {
            // A member that comes back must follow again.
            Kind::Database => self.look_again(|it| it.kind == Kind::Replication),
            Kind::LoadBalancer => self.balancers_seen = None,
            // Only a failover changes where a cluster's name points.
            Kind::Redis(ref cluster) if self.record.primaries.contains_key(cluster) => {
                self.publish_endpoints();
            }
            _ => {}
        }
        if component.kind == Kind::Database {
            self.publish_endpoints();
        }
    }

    pub(super) fn component_failed(&mut self, name: &str, reason: String) {
        self.note(name, Level::Warning, format!("Failed: {reason}"));
        let restarts = self.restarts.entry(name.to_owned()).or_default();
        let retry_at = restarts.failed(reason.clone());
        let attempts = restarts.attempts;
        self.conditions.insert(
            name.to_owned(),
            Condition::Failed {
                attempts,
                retry_at,
                reason,
            },
        );
    }

    /// Makes components be looked at again.
    pub(super) fn look_again(&mut self, which: impl Fn(&Component) -> bool) {
        for component in self.components.iter().filter(|component| which(component)) {
            if self.conditions.get(&component.name) == Some(&Condition::Ready) {
                self.conditions
                    .insert(component.name.clone(), Condition::Absent);
            }
        }
    }

    /// A person asks again: what failed is tried at once, and is no problem before it fails anew.
    pub(super) fn forget_failures(&mut self) {
        self.conditions
            .retain(|_, condition| !matches!(condition, Condition::Failed { .. }));
        for restarts in self.restarts.values_mut() {
            restarts.attempts = 0;
        }
        self.throttles.clear();
        if self.storage_problem.is_some() {
            self.save();
        }
    }

    /// Tells the resolver what its names point at now.
    pub(super) fn publish_endpoints(&mut self) {
        if let Err(error) = self.workshop.write_hosts(&self.endpoints()) {
            self.note(
                RESOLVER,
                Level::Warning,
                format!("Failed: {}", chain(&error)),
            );
            return;
        }
        self.workshop
            .runtime
            .signal(RESOLVER, dnsmasq::RELOAD_SIGNAL);
    }

    /// The first process of a component or a task's container has ended.
    pub(super) fn process_ended(&mut self, name: &str) {
        if name.contains('.') {
            self.container_ended(name);
            return;
        }
        let kind = self
            .components
            .iter()
            .find(|it| it.name == name)
            .map(|it| it.kind.clone());
        match self.conditions.get(name) {
            Some(Condition::Held { .. }) => return,
            // Whoever works on it ended it, or reports it.
            Some(Condition::Working { .. }) => {
                if kind == Some(Kind::Database) {
                    self.reader_gone(name);
                }
                return;
            }
            _ => {}
        }
        // What clients wait for comes before the reason is looked for.
        let taken_over = kind == Some(Kind::Database) && self.member_ended(name);
        let reason = self.why_ended(name);
        if taken_over {
            self.hold(name, "a reader takes over from it");
            self.note(name, Level::Warning, format!("Failed: {reason}"));
            return;
        }
        let redis_did = match &kind {
            Some(Kind::Redis(cluster)) => self.redis_ended(name, cluster, &reason),
            _ => false,
        };
        if !redis_did {
            self.component_failed(name, reason);
        }
    }

    /// How a server's first process ended, with its last words.
    fn why_ended(&self, name: &str) -> String {
        let code = match self.workshop.runtime.state(name) {
            ContainerState::Absent => None,
            _ => self.workshop.runtime.exit_code(name),
        };
        let log = crate::logs::last_lines(&self.workshop.runtime.log(name), 2);
        let mut reason = format!("it {}", exit(code));
        if !log.is_empty() {
            reason = format!("{reason}; its last words: {}", log.replace('\n', " | "));
        }
        reason
    }

    /// Stops what runs but is no longer a part of the environment.
    pub(super) fn stop_unwanted(&mut self) {
        for id in self.workshop.runtime.list() {
            let wanted = id.contains('.') || self.components.iter().any(|it| it.name == id);
            if !wanted {
                self.processes.forget(&id);
                let (runtime, sender) = (self.workshop.runtime.clone(), self.mailbox.sender());
                self.note(&id, Level::Info, "Stops: the environment no longer has it.");
                thread::spawn(move || {
                    let result = runtime.stop_as_planned(&id).map(|()| Done::Step);
                    sender.send(Message::Component {
                        name: id,
                        result: result.map_err(WorkError::from),
                    });
                });
            }
        }
    }

    /// Takes on what an earlier supervisor left: components find what runs by themselves; here
    /// tasks and what belongs to no one.
    pub(super) fn adopt(&mut self) {
        self.stop_unwanted();
        self.resume_failover();
        self.hold_what_is_lost();
        let known: Vec<String> = self.record.tasks.keys().cloned().collect();
        for id in self.workshop.runtime.list() {
            let task = id.split_once('.').map(|(task, _)| task.to_owned());
            if task.is_some_and(|task| !known.contains(&task)) {
                // Never recorded as a task, or recorded as gone.
                let _ = self.workshop.runtime.remove(&id);
            }
        }
        for id in known {
            match self.record.tasks[&id].purpose {
                Purpose::Service => self.adopt_task(&id),
                // Whoever waited for it is gone; a hook is run again, and is made for that.
                Purpose::Hook(_) | Purpose::Job(_) | Purpose::OneOff => self.stop_task(&id),
            }
        }
    }
}
