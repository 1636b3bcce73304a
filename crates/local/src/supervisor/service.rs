//! Tasks of apps: started, registered with the load balancer, watched, drained, stopped. What to do
//! next is decided by the blueprint's `rollout` and `placement`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use mck_blueprint::{
    model::{App, HookStage, Tier},
    placement::{self, Demand, Server},
    rollout::{self, Health, Service, Step, StopReason},
};
use mck_server_config::haproxy::Target;

use super::{
    Supervisor,
    balancer::{self, Synchronised, TargetHealth, WantedGroup},
    component::{Condition, Kind},
    components::{install_name, upgrade_name},
    deployment,
    mailbox::Message,
    record::{Purpose, TaskRecord},
    work::WorkError,
};
use crate::{
    container::ContainerState,
    events::Level,
    servers::{
        edge,
        task::{self, TaskPlace},
    },
    text::{chain, exit},
};

/// How a recorded task is at the moment.
#[derive(Debug, Clone)]
pub(super) struct TaskState {
    pub(super) phase: Phase,
    pub(super) since: Instant,
    /// What its health check says, or how it failed.
    pub(super) detail: String,
    /// It took requests at some time.
    pub(super) was_healthy: bool,
    /// Since when its health check passes.
    pub(super) healthy_since: Option<Instant>,
    /// Since when its health check fails though it passed before or should by now.
    failing_since: Option<Instant>,
    pub(super) in_flight: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its containers are being started.
    Starting,
    /// Its containers run; the health check has not passed.
    Running,
    /// It takes requests.
    Healthy,
    /// Its health check fails.
    Unhealthy,
    /// It finishes its requests until this moment at the latest.
    Draining(Instant),
    /// Its containers are being stopped.
    Stopping,
}

/// A task whose health check fails is replaced only after this long: a database that fails over
/// makes every task's check fail for a moment, and new tasks would not help.
const REPLACE_AFTER: Duration = Duration::from_secs(10);

/// How often the load balancer's nodes are looked at when nothing changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl TaskState {
    fn new(phase: Phase) -> Self {
        Self {
            phase,
            since: Instant::now(),
            detail: String::new(),
            was_healthy: false,
            healthy_since: None,
            failing_since: None,
            in_flight: 0,
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    fn takes_requests(&self) -> bool {
        matches!(
            self.phase,
            Phase::Running | Phase::Healthy | Phase::Unhealthy
        )
    }
}

impl Supervisor {
    pub(super) fn app(&self, name: &str) -> Option<&App> {
        let apps = &self.context_of(name).blueprint.apps;
        apps.iter().find(|app| app.name == name)
    }

    /// The apps of the environment, each as it should be now.
    pub(super) fn apps(&self) -> Vec<App> {
        let names = self.blueprint().apps.iter().map(|app| &app.name);
        names.filter_map(|name| self.app(name).cloned()).collect()
    }

    /// Whether something changes that is worth looking at often.
    pub(super) fn is_changing(&self) -> bool {
        self.tasks.values().any(|task| {
            matches!(task.phase, Phase::Running | Phase::Draining(_))
                && task.since.elapsed() < Duration::from_secs(30)
        })
    }

    /// The mark of what an app's tasks should be; none before its release and images are known.
    /// The images' layers are in it, so that another image of the same name is another revision.
    pub(super) fn revision(&self, app: &App) -> Option<String> {
        let release = self.record.releases.get(&app.name);
        if app.source.is_some() && !app.live_source && release.is_none() {
            return None;
        }
        let images = self.image_ids(&app.name);
        let place = TaskPlace {
            id: String::new(),
            address: std::net::Ipv4Addr::UNSPECIFIED,
            server: String::new(),
            tree: None,
            revision: release
                .map(|release| release.id.clone())
                .unwrap_or_default(),
            images: self.workshop.images.of(&images).ok()?,
        };
        let plans = task::containers(self.context_of(&app.name), app, &place).ok()?;
        let marks: Vec<String> = plans
            .iter()
            .map(crate::container::ContainerPlan::mark)
            .collect();
        Some(crate::text::digest(&marks.concat()))
    }

    /// Decides for each app which tasks to start and stop.
    pub(super) fn look_at_tasks(&mut self) {
        self.finish_draining();
        for app in self.apps() {
            if !self.may_start_tasks(&app) {
                continue;
            }
            let Some(revision) = self.revision(&app) else {
                continue;
            };
            let service = self.service(&app, &revision);
            self.follow_deployment(&app, &revision, &service);
            if service.is_steady() {
                self.flush_after_rollout(&app, &revision);
            }
            for step in rollout::steps(&service) {
                match step {
                    Step::Start { count } => {
                        for _ in 0..count {
                            self.place_and_start(&app, &revision);
                        }
                    }
                    Step::Stop { id, reason } => self.drain(&app, &id, reason),
                }
            }
        }
    }

    /// Whether what tasks need to be started is there: the network, the newest release and images.
    fn may_start_tasks(&self, app: &App) -> bool {
        let ready = |name: &str| self.conditions.get(name) == Some(&Condition::Ready);
        let released = !super::components::has_release(app)
            || ready(&super::components::release_name(&app.name));
        let pulled = super::components::image_references(app).is_empty()
            || ready(&super::components::image_name(&app.name));
        ready(super::components::names::NETWORK) && released && pulled
    }

    /// An app as the rollout's rules see it.
    pub(super) fn service(&self, app: &App, revision: &str) -> Service {
        let tasks = self
            .record
            .service_tasks(&app.name)
            .filter_map(|(id, task)| {
                let state = self.tasks.get(id)?;
                let health = match state.phase {
                    Phase::Starting | Phase::Running => Health::Starting,
                    Phase::Healthy if self.is_held(app, id) => Health::Starting,
                    Phase::Healthy => Health::Healthy,
                    Phase::Unhealthy if !state.was_healthy => Health::Unhealthy,
                    Phase::Unhealthy => match state.failing_since {
                        Some(since) if since.elapsed() > REPLACE_AFTER => Health::Unhealthy,
                        _ => Health::Healthy,
                    },
                    Phase::Draining(_) | Phase::Stopping => Health::Draining,
                };
                Some(rollout::Task {
                    id: id.clone(),
                    // A task on a server that goes is replaced like one of an older revision.
                    current: task.revision == revision && self.has_place(app, &task.server),
                    zone: task.zone.clone(),
                    server: task.server.clone(),
                    started: u64::try_from(task.created.as_millisecond()).unwrap_or_default(),
                    health,
                })
            });
        let waits = self
            .throttles
            .get(&app.name)
            .and_then(|throttle| throttle.retry_at)
            .is_some_and(|retry_at| retry_at > Instant::now());
        let servers = self.servers(&app.cluster);
        let with_room = servers.iter().filter(|server| server.fits(demand(app)));
        Service {
            desired: self.desired_tasks(app),
            rules: app.deployment,
            placeable: placeable(&servers, demand(app)),
            zones_with_room: with_room.map(|server| server.zone.clone()).collect(),
            halted: waits || self.is_halted(&app.name, revision),
            tasks: tasks.collect(),
        }
    }

    /// Whether an App Server is there and stays.
    fn has_place(&self, app: &App, server: &str) -> bool {
        let mut servers = self.blueprint().clusters.iter();
        let cluster = servers.find(|cluster| cluster.name == app.cluster);
        let there =
            cluster.is_some_and(|cluster| cluster.servers.iter().any(|it| it.node.name == server));
        there && !self.is_draining_server(server)
    }

    /// The App Servers of a cluster with what is free on them.
    pub(super) fn servers(&self, cluster: &str) -> Vec<Server> {
        let Some(cluster) = self
            .blueprint()
            .clusters
            .iter()
            .find(|it| it.name == cluster)
        else {
            return Vec::new();
        };
        let mut servers: Vec<Server> = cluster
            .servers
            .iter()
            .filter(|server| !self.is_draining_server(&server.node.name))
            .filter(|server| !self.is_lost(&server.node.name))
            .map(|server| Server {
                name: server.node.name.clone(),
                zone: server.node.zone.clone(),
                free_cpu: cluster.capacity.cpu,
                free_memory: cluster.capacity.memory,
            })
            .collect();
        for task in self.record.tasks.values() {
            let place = servers.iter_mut().find(|server| server.name == task.server);
            if let Some((server, app)) = place.zip(self.app(&task.app)) {
                server.take(demand(app));
            }
        }
        servers
    }

    fn place_and_start(&mut self, app: &App, revision: &str) {
        let placed = self.service(app, revision).placed();
        let servers = self.servers(&app.cluster);
        let chosen = placement::place(&placed, &servers, demand(app)).cloned();
        let Some(server) = chosen else { return };
        let Some((id, task)) = self.new_task(app, &server, revision, Purpose::Service) else {
            return;
        };
        self.note(
            &id,
            Level::Info,
            format!("Starts on {} in {}.", server.name, server.zone),
        );
        self.tasks
            .insert(id.clone(), TaskState::new(Phase::Starting));
        let (workshop, sender, app) = (
            self.workshop_of(&app.name),
            self.mailbox.sender(),
            app.clone(),
        );
        thread::spawn(move || {
            let result = workshop.start_task(&app, &id, &task);
            sender.send(Message::TaskStarted { id, result });
        });
    }

    /// Records a new task on a server, with an address of its own; none when there is no address
    /// or the record can't be written.
    pub(super) fn new_task(
        &mut self,
        app: &App,
        server: &Server,
        revision: &str,
        purpose: Purpose,
    ) -> Option<(String, TaskRecord)> {
        let network = &self.blueprint().network;
        let range = network.subnet_in(Tier::App, &server.zone)?.task_addresses?;
        let taken: BTreeSet<_> = self
            .record
            .tasks
            .values()
            .map(|task| task.address)
            .collect();
        let address = placement::lowest_free(range, &taken)?;
        let random = crate::secrets::random_text(12).ok()?;
        let id = format!("{}-{}", app.name, &crate::text::digest(&random)[..8]);
        let task = TaskRecord {
            app: app.name.clone(),
            purpose,
            revision: revision.to_owned(),
            release: self.record.releases.get(&app.name).cloned(),
            images: self.image_ids(&app.name),
            server: server.name.clone(),
            zone: server.zone.clone(),
            address,
            created: Timestamp::now(),
            draining: false,
            was_healthy: false,
        };
        self.record.tasks.insert(id.clone(), task.clone());
        if self.save() {
            return Some((id, task));
        }
        self.record.tasks.remove(&id);
        None
    }

    pub(super) fn task_started(&mut self, id: &str, result: Result<Vec<(String, u32)>, WorkError>) {
        match result {
            Ok(containers) => {
                for (container, pid) in containers {
                    self.processes.watch(&container, pid);
                }
                if let Some(state) = self
                    .tasks
                    .get_mut(id)
                    .filter(|it| it.phase == Phase::Starting)
                {
                    state.enter(Phase::Running);
                }
                self.settle_internal(id);
                self.balancers_seen = None;
            }
            Err(error) => self.task_failed(id, &chain(&error)),
        }
    }

    /// A task without a target group is healthy when its containers run.
    fn settle_internal(&mut self, id: &str) {
        let task = self.record.tasks.get(id);
        let app = task.and_then(|task| self.app(&task.app));
        let internal = app.is_some_and(|app| app.target_group.is_none());
        if let Some(state) = self.tasks.get_mut(id).filter(|_| internal) {
            state.enter(Phase::Healthy);
            state.was_healthy = true;
        }
    }

    /// A task failed: it is stopped, and the next is not started at once.
    pub(super) fn task_failed(&mut self, id: &str, reason: &str) {
        self.note(id, Level::Warning, format!("Failed: {reason}"));
        self.count_task_failure(id, reason);
        self.stop_task(id);
    }

    /// A failed task slows the next one's start down and may be one too many for a deployment.
    fn count_task_failure(&mut self, id: &str, reason: &str) {
        let Some(task) = self.record.tasks.get(id).cloned() else {
            return;
        };
        if task.purpose != Purpose::Service {
            return;
        }
        let throttle = self.throttles.entry(task.app.clone()).or_default();
        throttle.failed(reason.to_owned());
        self.count_failure(&task.app, &task.revision, reason);
    }

    pub(super) fn container_ended(&mut self, container: &str) {
        let Some((id, name)) = container.split_once('.') else {
            return;
        };
        let going = self
            .tasks
            .get(id)
            .is_none_or(|task| task.phase == Phase::Stopping);
        if going {
            return;
        }
        let code = self.workshop.runtime.exit_code(container);
        let log = crate::logs::last_lines(&self.workshop.runtime.log(container), 2);
        let words = if log.is_empty() {
            String::new()
        } else {
            format!("; its last words: {}", log.replace('\n', " | "))
        };
        let reason = format!("its container {name} {}{words}", exit(code));
        let task = self.record.tasks.get(id);
        let definition = task
            .and_then(|task| self.app(&task.app))
            .map(|app| &app.task_definition);
        let essential = definition.is_none_or(|definition| {
            definition
                .containers
                .iter()
                .any(|it| it.name == name && it.essential)
        });
        if essential {
            self.task_failed(id, &reason);
        } else {
            self.note(
                id,
                Level::Warning,
                format!("Goes on without a container: {reason}"),
            );
        }
    }

    /// Takes a task out: no new requests, then, when it has none left or the deregistration delay is
    /// over, it is stopped.
    fn drain(&mut self, app: &App, id: &str, reason: StopReason) {
        let why = match reason {
            StopReason::Replaced => "a newer revision takes over",
            StopReason::Unhealthy => "its health check fails",
            StopReason::ScaledIn => "there are more tasks than wanted",
        };
        self.note(id, Level::Info, format!("Drains: {why}."));
        let never_healthy = self.tasks.get(id).is_some_and(|state| !state.was_healthy);
        if reason == StopReason::Unhealthy && never_healthy {
            let why = self.why_unhealthy(app, id);
            self.count_task_failure(id, &why);
        }
        let delay = app
            .target_group
            .as_ref()
            .map(|group| group.deregistration_delay);
        if let Some(task) = self.record.tasks.get_mut(id) {
            task.draining = true;
        }
        self.save();
        match (delay, self.tasks.get_mut(id)) {
            (Some(delay), Some(state)) if state.takes_requests() => {
                state.enter(Phase::Draining(Instant::now() + Duration::from(delay)));
                self.balancers_seen = None;
            }
            _ => self.stop_task(id),
        }
    }

    /// What a failing health check says, with the last that the app itself said.
    fn why_unhealthy(&self, app: &App, id: &str) -> String {
        let detail = self.tasks.get(id).map_or("", |state| state.detail.as_str());
        let containers = app.task_definition.containers.iter();
        let words = containers.filter(|it| it.name != "nginx").map(|container| {
            let path = self
                .workshop
                .runtime
                .log(&task::container_id(id, &container.name));
            (container.name.clone(), crate::logs::last_lines(&path, 2))
        });
        let words: Vec<String> = words
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| format!("{name}'s last words: {}", text.replace('\n', " | ")))
            .collect();
        std::iter::once(detail.to_owned())
            .chain(words)
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn finish_draining(&mut self) {
        let settled = Duration::from_millis(200);
        let finished: Vec<String> = self
            .tasks
            .iter()
            .filter(|(_, state)| match state.phase {
                Phase::Draining(until) => {
                    Instant::now() >= until
                        || (state.in_flight == 0 && state.since.elapsed() > settled)
                }
                _ => false,
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in finished {
            self.stop_task(&id);
        }
    }

    /// Stops a task's containers and takes it off the network.
    pub(super) fn stop_task(&mut self, id: &str) {
        let Some(task) = self.record.tasks.get(id).cloned() else {
            return;
        };
        match self.tasks.get_mut(id) {
            Some(state) if state.phase == Phase::Stopping => return,
            Some(state) => state.enter(Phase::Stopping),
            None => {
                self.tasks
                    .insert(id.to_owned(), TaskState::new(Phase::Stopping));
            }
        }
        self.balancers_seen = None;
        let (workshop, sender) = (self.workshop.clone(), self.mailbox.sender());
        let (id, app) = (id.to_owned(), self.app(&task.app).cloned());
        thread::spawn(move || {
            let result = workshop.stop_task(app.as_ref(), &id, &task);
            sender.send(Message::TaskStopped { id, result });
        });
    }

    pub(super) fn task_stopped(&mut self, id: &str, result: Result<(), WorkError>) {
        match result {
            Ok(()) => self.note(id, Level::Info, "Stopped."),
            Err(error) => self.note(
                id,
                Level::Warning,
                format!("Stopped, but {}.", chain(&error)),
            ),
        }
        self.tasks.remove(id);
        self.record.tasks.remove(id);
        self.save();
        let network = self.conditions.get(super::components::names::NETWORK);
        if matches!(network, Some(Condition::Working { .. })) {
            // What it wants the network to be was noted while the task was there.
            self.sweep_at = Some(Instant::now());
        }
    }

    /// Takes a task on that an earlier supervisor started, if it is whole.
    pub(super) fn adopt_task(&mut self, id: &str) {
        let task = self.record.tasks[id].clone();
        let Some(app) = self.app(&task.app).cloned() else {
            return self.stop_task(id);
        };
        let containers: Vec<String> = app
            .task_definition
            .containers
            .iter()
            .map(|container| task::container_id(id, &container.name))
            .collect();
        let states: Vec<_> = containers
            .iter()
            .map(|container| self.workshop.runtime.state(container))
            .collect();
        let whole = states
            .iter()
            .all(|state| matches!(state, ContainerState::Running { .. }));
        if !whole || task.draining {
            return self.stop_task(id);
        }
        for (container, state) in containers.iter().zip(states) {
            if let ContainerState::Running { pid } = state {
                self.processes.watch(container, pid);
            }
        }
        let mut state = TaskState::new(Phase::Running);
        state.was_healthy = task.was_healthy;
        self.tasks.insert(id.to_owned(), state);
        self.settle_internal(id);
    }

    /// Targets whose health check passes, by group.
    pub(super) fn healthy_targets(&self) -> Vec<(String, Vec<Target>)> {
        let groups = self.wanted_groups(|state| state.phase == Phase::Healthy && state.was_healthy);
        groups
            .into_iter()
            .map(|wanted| (wanted.group.name, wanted.group.targets))
            .collect()
    }

    /// What the load balancer's nodes should hold.
    fn wanted_groups(&self, which: impl Fn(&TaskState) -> bool) -> Vec<WantedGroup> {
        let mut groups = Vec::new();
        for mut group in edge::target_groups(&self.workshop.context, &[]) {
            let app = self.blueprint().apps.iter().find(|app| {
                app.target_group
                    .as_ref()
                    .is_some_and(|it| it.name == group.name)
            });
            let Some(app) = app else { continue };
            let port = app.target_group.as_ref().map_or(80, |it| it.port);
            let (mut draining, mut held) = (BTreeSet::new(), BTreeSet::new());
            for (id, task) in self.record.service_tasks(&app.name) {
                let Some(state) = self.tasks.get(id) else {
                    continue;
                };
                if matches!(state.phase, Phase::Draining(_)) {
                    draining.insert(id.clone());
                } else if state.takes_requests()
                    && which(state)
                    && (state.was_healthy || self.may_take_requests(app))
                {
                    if self.is_held(app, id) {
                        held.insert(id.clone());
                    }
                    let address = SocketAddr::new(task.address.into(), port);
                    group.targets.push(Target {
                        name: id.clone(),
                        address,
                    });
                }
            }
            groups.push(WantedGroup {
                group,
                draining,
                held,
            });
        }
        groups
    }

    /// Whether an app was installed and upgraded: before that, its tasks get no requests.
    fn may_take_requests(&self, app: &App) -> bool {
        // What was done for this release before need not be looked at again first.
        let done = |name: String, stage| {
            let wanted = self.components.iter().any(|it| it.name == name);
            !wanted
                || self.conditions.get(&name) == Some(&Condition::Ready)
                || self.record.done.get(&name) == Some(&self.hook_mark(app, stage))
        };
        done(install_name(&app.name), HookStage::Install)
            && done(upgrade_name(&app.name), HookStage::Upgrade)
    }

    /// Brings the load balancer's nodes to what is wanted, and learns how they find the tasks.
    pub(super) fn look_at_balancers(&mut self) {
        let often = self.is_changing();
        if !often
            && self
                .balancers_seen
                .is_some_and(|seen| seen.elapsed() < LOOK_EVERY)
        {
            return;
        }
        self.balancers_seen = Some(Instant::now());
        let wanted = self.wanted_groups(|_| true);
        let mut seen: BTreeMap<(String, String), Vec<TargetHealth>> = BTreeMap::new();
        let mut requests = BTreeMap::new();
        let nodes: Vec<String> = self.ready_balancers();
        for node in &nodes {
            let socket = self
                .workshop
                .context
                .layout
                .control(node)
                .join("haproxy.sock");
            match balancer::synchronise(&socket, &wanted) {
                Ok(Synchronised { health, refused }) => {
                    match refused {
                        None => drop(self.balancer_errors.remove(node)),
                        Some(error) => self.balancer_failed(node, &chain(&error)),
                    }
                    for (target, health) in health {
                        *requests.entry(target.clone()).or_default() += health.requests;
                        seen.entry(target).or_default().push(health);
                    }
                }
                Err(error) => self.balancer_failed(node, &chain(&error)),
            }
        }
        self.requests = requests;
        for group in &wanted {
            let names = group.group.targets.iter().map(|target| &target.name);
            for id in names.chain(&group.draining) {
                let key = (group.group.name.clone(), id.clone());
                self.take_health(id, seen.get(&key).map_or(&[], Vec::as_slice));
            }
        }
    }

    /// Tells once of a failure that repeats itself at each look.
    fn balancer_failed(&mut self, node: &str, reason: &str) {
        let before = self
            .balancer_errors
            .insert(node.to_owned(), reason.to_owned());
        if before.as_deref() != Some(reason) {
            self.note(node, Level::Warning, format!("Failed: {reason}"));
        }
    }

    fn ready_balancers(&self) -> Vec<String> {
        self.components
            .iter()
            .filter(|component| component.kind == Kind::LoadBalancer)
            .filter(|component| self.conditions.get(&component.name) == Some(&Condition::Ready))
            .map(|component| component.name.clone())
            .collect()
    }

    /// Takes on what the load balancer's nodes say of a task: healthy when all that know it say so.
    fn take_health(&mut self, id: &str, seen: &[TargetHealth]) {
        let grace = self.grace_period(id);
        let Some(state) = self.tasks.get_mut(id) else {
            return;
        };
        state.in_flight = seen.iter().map(|health| health.in_flight).sum();
        let by_worth = |health: &&TargetHealth| (health.healthy, !health.checked);
        let worst = seen.iter().min_by_key(by_worth);
        if let Some(detail) = worst.and_then(|health| health.detail.as_ref()) {
            state.detail.clone_from(detail);
        }
        // A node that has only just learnt of the task has nothing to say of it.
        let mut opinions = seen.iter().filter(|health| health.checked).peekable();
        if matches!(state.phase, Phase::Draining(_)) || opinions.peek().is_none() {
            return;
        }
        let healthy = opinions.all(|health| health.healthy);
        match (healthy, state.phase) {
            (true, Phase::Healthy) => {}
            (true, _) => {
                state.enter(Phase::Healthy);
                state.healthy_since = Some(Instant::now());
                state.failing_since = None;
                if state.was_healthy {
                    self.note(id, Level::Info, "Healthy again.");
                }
            }
            (false, Phase::Running) if state.since.elapsed() < grace => {}
            (false, Phase::Unhealthy) => {}
            (false, _) => {
                let detail = state.detail.clone();
                state.enter(Phase::Unhealthy);
                state.healthy_since = None;
                state.failing_since = Some(Instant::now());
                self.note(id, Level::Warning, format!("Unhealthy: {detail}."));
            }
        }
        self.watch_healthy(id);
    }

    /// A healthy task takes requests once nothing holds it back, and is trusted after a while.
    fn watch_healthy(&mut self, id: &str) {
        let Some((task, state)) = self.record.tasks.get(id).zip(self.tasks.get(id)) else {
            return;
        };
        let (app, revision) = (task.app.clone(), task.revision.clone());
        if state.phase != Phase::Healthy {
            return;
        }
        let was_healthy = state.was_healthy;
        if deployment::is_trusted(state.healthy_since) {
            self.count_success(&app, &revision);
        }
        let held = self.app(&app).is_some_and(|app| self.is_held(app, id));
        if was_healthy || held {
            return;
        }
        self.note(id, Level::Info, "Healthy: it takes requests.");
        if let Some(state) = self.tasks.get_mut(id) {
            state.was_healthy = true;
        }
        if let Some(task) = self.record.tasks.get_mut(id) {
            task.was_healthy = true;
        }
        self.save();
        self.throttles.entry(app).or_default().ready();
    }

    fn grace_period(&self, id: &str) -> Duration {
        let task = self.record.tasks.get(id);
        let app = task.and_then(|task| self.app(&task.app));
        let group = app.and_then(|app| app.target_group.as_ref());
        group.map_or(Duration::ZERO, |group| {
            group.health_check.grace_period.into()
        })
    }
}

/// How many more tasks the servers have room for.
fn placeable(servers: &[Server], demand: Demand) -> u32 {
    let fits = |server: &Server| {
        let by_cpu = server.free_cpu.checked_div(demand.cpu).unwrap_or(u32::MAX);
        let by_memory = server
            .free_memory
            .as_mib()
            .checked_div(demand.memory.as_mib());
        by_cpu.min(by_memory.map_or(u32::MAX, |count| u32::try_from(count).unwrap_or(u32::MAX)))
    };
    servers.iter().map(fits).fold(0, u32::saturating_add)
}

/// What a task of an app needs of a server.
pub(super) fn demand(app: &App) -> Demand {
    Demand {
        cpu: app.task_definition.cpu,
        memory: app.task_definition.memory,
    }
}
