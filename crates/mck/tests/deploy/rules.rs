//! Looks at every step whether the rules of a deployment hold.

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mck_local::wait::pause;
use serde_json::Value;

use crate::store::Store;

pub struct Sampler {
    end: Arc<AtomicBool>,
    thread: JoinHandle<Sampled>,
}

/// What was seen.
#[derive(Default)]
pub struct Sampled {
    samples: u64,
    /// Whether the supervisor knows how the tasks are: one that has just come back asks first.
    knows: bool,
    broken: Vec<String>,
}

impl Sampler {
    pub fn begin(store: &Store) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&end);
        let mut command = store.command(&["status", "--json"]);
        let thread = thread::spawn(move || {
            let mut sampled = Sampled::default();
            while !flag.load(Ordering::Relaxed) {
                sampled.look(&mut command);
                pause(Duration::from_millis(50));
            }
            sampled
        });
        Self { end, thread }
    }

    pub fn end(self) -> Sampled {
        self.end.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

impl Sampled {
    fn look(&mut self, command: &mut Command) {
        let output = command.stderr(Stdio::null()).output().unwrap();
        let Ok(snapshot) = serde_json::from_slice::<Value>(&output.stdout) else {
            // A supervisor that was killed does not answer.
            self.knows = false;
            return;
        };
        let app = &snapshot["apps"][0];
        let desired = app["desired"].as_u64().unwrap();
        let tasks: Vec<&Value> = app["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|task| task["purpose"].is_null())
            .collect();
        let active = tasks
            .iter()
            .filter(|task| task["state"] != "draining")
            .count() as u64;
        self.samples += 1;
        // 200 percent at most, as the preset has it.
        if active > 2 * desired {
            self.broken
                .push(format!("{active} tasks for {desired}: {tasks:?}"));
        }
        let healthy = app["healthy"].as_u64().unwrap();
        self.knows |= healthy >= desired;
        if self.knows && healthy < desired {
            self.broken
                .push(format!("{healthy} of {desired} healthy: {tasks:?}"));
        }
    }

    pub fn expect_the_rules_held(&self) {
        assert!(self.samples > 5, "only {} samples", self.samples);
        assert!(self.broken.is_empty(), "{:#?}", self.broken);
    }
}
