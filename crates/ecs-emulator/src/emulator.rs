//! Answers operations: knows the state, keeps it in a file, and lets the scheduler work.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use mck_local::{layout::write_atomically, supervisor::snapshot::Snapshot};
use serde_json::Value;

use crate::{
    fault::Fault, ids::Ids, input::Input, observe::observe, operations, scheduler::Scheduler,
    state::State, world::World,
};

/// What every operation's target begins with (`X-Amz-Target`).
pub const SERVICE: &str = "AmazonEC2ContainerServiceV20141113.";

/// Why the emulator can't begin.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Its file can't be used.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The emulator.
pub struct Emulator {
    pub(crate) world: World,
    pub(crate) scheduler: Box<dyn Scheduler>,
    state: Mutex<State>,
    path: PathBuf,
}

/// The state while an operation has it; what changed is kept in the file when it is given back.
pub(crate) struct Held<'a> {
    emulator: &'a Emulator,
    state: MutexGuard<'a, State>,
    before: State,
}

impl std::ops::Deref for Held<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl std::ops::DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Held<'_> {
    /// Keeps what changed.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn save(&mut self) -> Result<(), Fault> {
        if *self.state == self.before {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&*self.state).map_err(io::Error::from);
        text.and_then(|text| write_atomically(&self.emulator.path, &text))
            .map_err(|error| {
                let path = self.emulator.path.display();
                Fault::server(format!("{path} can't be written: {error}"))
            })?;
        self.before = self.state.clone();
        Ok(())
    }
}

impl Emulator {
    /// An emulator that goes on from what a file says, if there is one.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn new(
        world: World,
        scheduler: Box<dyn Scheduler>,
        path: &Path,
    ) -> Result<Arc<Self>, EmulatorError> {
        let at = |source| EmulatorError::File {
            path: path.to_owned(),
            source,
        };
        let now = Timestamp::now();
        let mut state = match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| at(error.into()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State {
                ids: Ids::new(mck_local::secrets::random_text(24).map_err(at)?),
                ..State::default()
            },
            Err(error) => return Err(at(error)),
        };
        state.end_orphans(now);
        Ok(Arc::new(Self {
            world,
            scheduler,
            state: Mutex::new(state),
            path: path.to_owned(),
        }))
    }

    /// Lets no service be there until it is created, as in an account before an app's first
    /// deployment.
    ///
    /// # Errors
    /// When that can't be kept.
    pub fn begin_without_services(&self) -> Result<(), Fault> {
        let mut state = self.state();
        let apps = self.world.apps.iter().map(|app| app.runs.name.clone());
        state.uncreated = apps.collect();
        state.save()
    }

    pub(crate) fn state(&self) -> Held<'_> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Held {
            emulator: self,
            before: state.clone(),
            state,
        }
    }

    /// Takes on how the environment is.
    ///
    /// # Errors
    /// When that can't be kept.
    pub fn take(&self, snapshot: &Snapshot) -> Result<(), Fault> {
        let mut state = self.state();
        self.take_on(&mut state, snapshot);
        state.save()
    }

    pub(crate) fn take_on(&self, state: &mut State, snapshot: &Snapshot) {
        let story = |task: &str| self.scheduler.story(task);
        observe(state, &self.world, snapshot, &story, Timestamp::now());
    }

    /// Asks the environment how it is, and takes that on.
    pub(crate) fn look(&self, state: &mut State) -> Result<Snapshot, Fault> {
        let snapshot = self.scheduler.snapshot().map_err(Fault::server)?;
        self.take_on(state, &snapshot);
        Ok(snapshot)
    }

    /// Answers the operation that `target` names.
    ///
    /// # Errors
    /// As ECS would refuse it, or because this emulator does not do it.
    pub fn call(self: &Arc<Self>, target: &str, body: &[u8]) -> Result<Value, Fault> {
        let unknown = || Fault::new("UnknownOperationException", "");
        let operation = target.strip_prefix(SERVICE).ok_or_else(unknown)?;
        operations::answer(self, operation, Input::parse(body)?)
    }
}
