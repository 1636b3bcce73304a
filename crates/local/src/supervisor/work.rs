//! What is done to bring a component up, each in a thread of its own.

use std::{
    collections::BTreeMap,
    fs, io,
    net::{IpAddr, SocketAddr},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    time::Duration,
};

use mck_blueprint::model::{Node, RedisCluster};
use mck_server_config::{haproxy::Target, mariadb, sshd::Forwarding};
use rustix::net::{AddressFamily, SocketType, sockopt};

use super::{
    component::Kind,
    components::image_references,
    database::{self, Replicating},
    faults,
    record::Record,
    redis_failover,
};
use crate::{
    container::{ContainerPlan, ContainerState, Runtime, RuntimeError},
    image::{ImageError, ImageLibrary, Reference, ReferenceError},
    listening,
    network::{self, Attachment, NetworkError, NetworkPlan, PlanError},
    release::{Release, ReleaseError, ReleaseStore},
    servers::{
        self, Context, Readiness, ServerError, ServerPlan,
        edge::{self, Endpoints},
        shell,
    },
    wait,
};

/// How long a server may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long a load balancer whose ports listen may take until its socket answers.
const TAKES_COMMANDS_WITHIN: Duration = Duration::from_secs(5);

/// Why a component could not be brought up.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The network contradicts itself.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A server's plan.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A container.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The database.
    #[error(transparent)]
    Database(#[from] database::DatabaseError),
    /// Redis.
    #[error(transparent)]
    Redis(#[from] redis_failover::RedisError),
    /// A release.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// An image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// What is written as an image names none.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A file.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A host port is taken.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A server does not listen.
    #[error("it did not listen on port {port} within {seconds} s{}", said(log))]
    NotReady {
        /// The port.
        port: u16,
        /// How long it was waited for.
        seconds: u64,
        /// The last that it logged.
        log: String,
    },
    /// A server ended at once.
    #[error("it {how}{}", said(log))]
    Ended {
        /// How.
        how: String,
        /// The last that it logged.
        log: String,
    },
    /// The blueprint has no such node.
    #[error("the blueprint has no node {0}")]
    NoSuchNode(String),
}

fn said(log: &str) -> String {
    if log.is_empty() {
        String::new()
    } else {
        format!("; its last words: {}", log.replace('\n', " | "))
    }
}

/// What came out of a component's work.
#[derive(Debug)]
pub enum Done {
    /// It was done.
    Step,
    /// A server runs; its first process.
    Server(u32),
    /// A Redis server runs.
    Redis {
        /// Its first process.
        pid: u32,
        /// The primary that it is or follows.
        primary: String,
    },
    /// The database's readers were looked after.
    Replicating(Replicating),
    /// A release was made.
    Release(Box<Release>),
    /// Images were pulled; their ids by reference.
    Images(BTreeMap<String, String>),
}

/// What all work shares.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// What servers are planned from.
    pub context: std::sync::Arc<Context>,
    /// Containers.
    pub runtime: Runtime,
    /// Images.
    pub images: ImageLibrary,
    /// Host addresses of the load balancer: HTTP and HTTPS.
    pub listen: (SocketAddr, SocketAddr),
    /// Whether there is a way to the internet.
    pub internet: bool,
}

/// What a server's plan depends on besides the blueprint.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// What was recorded.
    pub record: Record,
    /// Targets that take requests now, by group.
    pub targets: Vec<(String, Vec<Target>)>,
    /// What the private zone's records point at.
    pub endpoints: Endpoints,
    /// Attachments of tasks.
    pub attachments: Vec<Attachment>,
    /// Readers of the database that run.
    pub readers: Vec<String>,
}

impl Workshop {
    /// Brings a component up.
    ///
    /// # Errors
    /// When it can't be.
    pub fn bring_up(&self, name: &str, kind: &Kind, moment: &Moment) -> Result<Done, WorkError> {
        match kind {
            Kind::Network => self.network(moment),
            Kind::Internet => self.internet(),
            Kind::DatabaseTemplate => {
                database::make_template(&self.context)?;
                Ok(Done::Step)
            }
            Kind::Schemas => {
                let cluster = &self.context.blueprint.database;
                database::make_schemas(&self.context, cluster, self.writer(moment))?;
                Ok(Done::Step)
            }
            Kind::Replication => {
                let cluster = &self.context.blueprint.database;
                let writer = self.node(self.writer(moment))?;
                let readers = moment.readers.iter().map(|name| self.node(name));
                let readers = readers.collect::<Result<Vec<_>, _>>()?;
                let synced = &moment.record.synced;
                let replicating =
                    database::replicate(&self.context, cluster, writer, &readers, synced)?;
                Ok(Done::Replicating(replicating))
            }
            Kind::Release(app) => self.release(app),
            Kind::Image(app) => self.pull_images(app),
            // Done by hooks, which the supervisor starts as tasks.
            Kind::Install(_) | Kind::Upgrade(_) => Ok(Done::Step),
            _ => self.server(name, kind, moment),
        }
    }

    fn writer<'a>(&'a self, moment: &'a Moment) -> &'a str {
        super::writer(&self.context.blueprint, &moment.record)
    }

    fn node(&self, name: &str) -> Result<&Node, WorkError> {
        super::node(&self.context.blueprint, name)
            .ok_or_else(|| WorkError::NoSuchNode(name.to_owned()))
    }

    fn network(&self, moment: &Moment) -> Result<Done, WorkError> {
        let plan = NetworkPlan::new(&self.context.blueprint, self.context.layout.id())?;
        let mut plan = plan.with(moment.attachments.clone())?;
        plan.isolated = faults::lost_addresses(&self.context.blueprint, &moment.record);
        network::apply(&plan)?;
        Ok(Done::Step)
    }

    fn internet(&self) -> Result<Done, WorkError> {
        let environment = self.context.layout.id();
        if let Some(pid) = network::internet_processes(environment)?.first() {
            return Ok(Done::Server(pid.as_raw_nonzero().get().cast_unsigned()));
        }
        let path = self.runtime.log("internet-gateway");
        let log = fs::File::options()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|source| WorkError::File { path, source })?;
        let child = network::start_internet(environment, &log)?;
        Ok(Done::Server(child.id()))
    }

    fn release(&self, app: &str) -> Result<Done, WorkError> {
        let apps = &self.context.blueprint.apps;
        let source = apps
            .iter()
            .find(|candidate| candidate.name == app)
            .and_then(|app| app.source.as_ref());
        let Some(source) = source else {
            return Ok(Done::Step);
        };
        let store = ReleaseStore::new(&self.context.layout.releases(), app);
        let release = store.build(
            &self.context.folder.join(source),
            &["REVISION.txt".to_owned()],
        )?;
        Ok(Done::Release(Box::new(release)))
    }

    fn pull_images(&self, app: &str) -> Result<Done, WorkError> {
        let apps = &self.context.blueprint.apps;
        let app = apps.iter().find(|candidate| candidate.name == app);
        let mut ids = BTreeMap::new();
        for text in app.map(image_references).unwrap_or_default() {
            let reference = Reference::parse(text, &self.context.folder)?;
            let image = self.images.store().pull(&reference)?;
            ids.insert(text.to_owned(), image.id);
        }
        Ok(Done::Images(ids))
    }

    /// The plan of a server as it should run now, and the mark of what it should be: it does not
    /// hold what changes while a server runs on, such as a load balancer's targets.
    ///
    /// # Errors
    /// When no plan can be made.
    pub fn plan(&self, name: &str, kind: &Kind, moment: &Moment) -> Result<ServerPlan, WorkError> {
        let context = &*self.context;
        let blueprint = &context.blueprint;
        Ok(match kind {
            Kind::Resolver => edge::resolver(context, self.internet)?,
            Kind::LoadBalancer => {
                let https_port = self.listen.1.port();
                edge::load_balancer(context, self.node(name)?, https_port, &moment.targets)?
            }
            Kind::Shell => {
                let is_bastion = blueprint
                    .bastion
                    .as_ref()
                    .is_some_and(|it| it.node.name == name);
                let forwarding = if is_bastion {
                    Forwarding::WhereTheNetworkAllows
                } else {
                    Forwarding::Only(Vec::new())
                };
                shell::shell_server(context, self.node(name)?, forwarding)?
            }
            Kind::Database => {
                let (role, start) = if name == self.writer(moment) {
                    let wait_for_reader = !moment.record.synced.is_empty();
                    let role = mariadb::Role::Writer { wait_for_reader };
                    (role, mariadb::Start::Normal)
                } else {
                    // It may have been the writer before.
                    (mariadb::Role::Reader, mariadb::Start::Rejoin)
                };
                servers::data::database(
                    context,
                    &blueprint.database,
                    self.node(name)?,
                    role,
                    start,
                )?
            }
            Kind::Redis(cluster) => {
                let cluster = self.redis(cluster)?;
                let primary = super::primary(cluster, &moment.record);
                servers::data::redis(context, cluster, self.node(name)?, self.node(primary)?)?
            }
            Kind::Memcached => {
                let cluster = blueprint.memcached.as_ref();
                let cluster = cluster.ok_or_else(|| WorkError::NoSuchNode(name.to_owned()))?;
                servers::data::memcached(context, cluster, self.node(name)?)?
            }
            _ => return Err(WorkError::NoSuchNode(name.to_owned())),
        })
    }

    fn redis(&self, name: &str) -> Result<&RedisCluster, WorkError> {
        let clusters = &self.context.blueprint.redis;
        clusters
            .iter()
            .find(|cluster| cluster.name == name)
            .ok_or_else(|| WorkError::NoSuchNode(name.to_owned()))
    }

    /// Starts a server, or finds it running as it should.
    fn server(&self, name: &str, kind: &Kind, moment: &Moment) -> Result<Done, WorkError> {
        let neutral = Self::without_roles(name, kind);
        let mark = self.plan(name, kind, &neutral)?.container.mark();
        self.runtime
            .wait_for_launcher(name, Duration::from_secs(10));
        if let ContainerState::Running { pid } = self.runtime.state(name) {
            if self.runtime.mark(name).as_deref() == Some(&mark) {
                return self.running(name, kind, moment, pid);
            }
            let old = self.plan(name, kind, &neutral)?.container;
            self.runtime
                .stop(name, &old.stop_signal, old.stop_timeout)?;
        }
        let plan = self.plan(name, kind, moment)?;
        let mut descriptors = Vec::new();
        match kind {
            Kind::Database => database::make_data(&self.context, self.node(name)?)?,
            Kind::LoadBalancer => {
                descriptors = vec![listen(self.listen.0)?, listen(self.listen.1)?];
            }
            Kind::Resolver => self.write_hosts(&moment.endpoints)?,
            _ => {}
        }
        let pid = self.runtime.start(&plan.container, &mark, descriptors)?;
        self.wait_until_ready(&plan.container, pid, plan.readiness)?;
        if matches!(kind, Kind::LoadBalancer) {
            self.wait_until_it_takes_commands(name);
        }
        self.running(name, kind, moment, pid)
    }

    /// A load balancer's ports listened before it began, so that they do not tell when it can be
    /// asked. One that never can is told of by whoever asks.
    fn wait_until_it_takes_commands(&self, node: &str) {
        let socket = self.context.layout.control(node).join("haproxy.sock");
        let answers = || UnixStream::connect(&socket).ok();
        wait::until(TAKES_COMMANDS_WITHIN, answers);
    }

    /// A server runs; a Redis server then takes the role that it now has.
    fn running(
        &self,
        name: &str,
        kind: &Kind,
        moment: &Moment,
        pid: u32,
    ) -> Result<Done, WorkError> {
        let Kind::Redis(cluster) = kind else {
            return Ok(Done::Server(pid));
        };
        let cluster = self.redis(cluster)?;
        let primary = super::primary(cluster, &moment.record);
        redis_failover::assume_role(
            &self.context,
            cluster,
            self.node(name)?,
            self.node(primary)?,
        )?;
        Ok(Done::Redis {
            pid,
            primary: primary.to_owned(),
        })
    }

    /// What a server's mark is made from: roles and targets change while it runs on.
    fn without_roles(name: &str, kind: &Kind) -> Moment {
        let mut record = Record {
            writer: Some(name.to_owned()),
            ..Record::default()
        };
        if let Kind::Redis(cluster) = kind {
            record.primaries.insert(cluster.clone(), name.to_owned());
        }
        Moment {
            record,
            ..Moment::default()
        }
    }

    /// Waits until a container listens.
    ///
    /// # Errors
    /// When it ends or takes too long.
    pub fn wait_until_ready(
        &self,
        plan: &ContainerPlan,
        pid: u32,
        readiness: Readiness,
    ) -> Result<(), WorkError> {
        let port = match readiness {
            Readiness::Tcp(port) | Readiness::Udp(port) => port,
        };
        let log = || crate::logs::last_lines(&self.runtime.log(&plan.id), 3);
        let seen = wait::until(READY_WITHIN, || {
            if listening::is_ready(pid, readiness) {
                return Some(Ok(()));
            }
            match self.runtime.state(&plan.id) {
                ContainerState::Running { .. } => None,
                ContainerState::Exited(code) => Some(Err(WorkError::Ended {
                    how: crate::text::exit(code),
                    log: log(),
                })),
                _ => Some(Err(WorkError::Ended {
                    how: "vanished".to_owned(),
                    log: String::new(),
                })),
            }
        });
        seen.unwrap_or_else(|| {
            let seconds = READY_WITHIN.as_secs();
            Err(WorkError::NotReady {
                port,
                seconds,
                log: log(),
            })
        })
    }

    /// Writes what the resolver answers; it reads it when it starts and when it is told to.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write_hosts(&self, endpoints: &Endpoints) -> Result<(), WorkError> {
        let folder = self.context.layout.control(edge::RESOLVER);
        let path = folder.join(edge::HOSTS_FILE);
        let text = edge::hosts(&self.context, endpoints)?;
        write_readable(&folder, &path, &text).map_err(|source| WorkError::File { path, source })
    }
}

/// Writes a file, whole or not at all, that a server may read though it is not root.
fn write_readable(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(folder)?;
    let fresh = path.with_extension("new");
    fs::write(&fresh, text)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o644))?;
    fs::rename(&fresh, path)
}

/// A listening socket in the host's namespace, one of several on the same port, so that the loss of
/// one load-balancer node is not the loss of the port.
fn listen(address: SocketAddr) -> Result<OwnedFd, WorkError> {
    let socket = || -> rustix::io::Result<OwnedFd> {
        let family = match address.ip() {
            IpAddr::V4(_) => AddressFamily::INET,
            IpAddr::V6(_) => AddressFamily::INET6,
        };
        let socket = rustix::net::socket_with(
            family,
            SocketType::STREAM,
            rustix::net::SocketFlags::CLOEXEC,
            None,
        )?;
        sockopt::set_socket_reuseport(&socket, true)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        rustix::net::bind(&socket, &address)?;
        rustix::net::listen(&socket, 1_024)?;
        Ok(socket)
    };
    socket().map_err(|error| WorkError::Listen {
        address,
        source: error.into(),
    })
}
