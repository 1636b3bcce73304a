//! Which stack's turn it is: each after those that it depends on, independent ones together.

use std::collections::{BTreeMap, BTreeSet};

/// Why stacks can't be put in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Somebody depends on what is not there.
    #[error("{name} depends on {missing}, which is not there")]
    Missing {
        /// Who depends.
        name: String,
        /// On what.
        missing: String,
    },
    /// Some wait for each other.
    #[error("{0} wait for each other")]
    Cycle(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done,
    Failed,
    Skipped,
}

/// Which one's turn it is.
#[derive(Debug, Clone)]
pub struct Schedule {
    dependencies: BTreeMap<String, BTreeSet<String>>,
    states: BTreeMap<String, State>,
    order: Vec<String>,
}

impl Schedule {
    /// Names, each with those that must be done before.
    ///
    /// # Errors
    /// Where a dependency is not among the names, or some depend on each other in a circle.
    pub fn new(
        nodes: impl IntoIterator<Item = (String, BTreeSet<String>)>,
    ) -> Result<Self, ScheduleError> {
        let mut order = Vec::new();
        let mut dependencies = BTreeMap::new();
        for (name, before) in nodes {
            order.push(name.clone());
            dependencies.insert(name, before);
        }
        for (name, before) in &dependencies {
            if let Some(missing) = before.iter().find(|it| !dependencies.contains_key(*it)) {
                return Err(ScheduleError::Missing {
                    name: name.clone(),
                    missing: missing.clone(),
                });
            }
        }
        let states = order.iter().map(|name| (name.clone(), State::Waiting));
        let schedule = Self {
            states: states.collect(),
            dependencies,
            order,
        };
        schedule.check()?;
        Ok(schedule)
    }

    /// The same names in the opposite order: each after those that depend on it.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let mut dependencies: BTreeMap<String, BTreeSet<String>> = self
            .order
            .iter()
            .map(|name| (name.clone(), BTreeSet::new()))
            .collect();
        for (name, before) in &self.dependencies {
            for one in before {
                dependencies
                    .entry(one.clone())
                    .or_default()
                    .insert(name.clone());
            }
        }
        let states = self.order.iter().map(|name| (name.clone(), State::Waiting));
        Self {
            states: states.collect(),
            order: self.order.iter().rev().cloned().collect(),
            dependencies,
        }
    }

    fn check(&self) -> Result<(), ScheduleError> {
        let mut rehearsal = self.clone();
        loop {
            let ready = rehearsal.start();
            if ready.is_empty() {
                break;
            }
            for name in ready {
                rehearsal.complete(&name);
            }
        }
        let waiting = rehearsal.of(State::Waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        Err(ScheduleError::Cycle(waiting.join(", ")))
    }

    /// All whose turn it is; from now on they run.
    pub fn start(&mut self) -> Vec<String> {
        let is_done = |name: &String| self.states.get(name) == Some(&State::Done);
        let ready: Vec<String> = self
            .order
            .iter()
            .filter(|name| self.states.get(*name) == Some(&State::Waiting))
            .filter(|name| self.dependencies[*name].iter().all(is_done))
            .cloned()
            .collect();
        for name in &ready {
            self.states.insert(name.clone(), State::Running);
        }
        ready
    }

    /// One is done.
    pub fn complete(&mut self, name: &str) {
        self.states.insert(name.to_owned(), State::Done);
    }

    /// One failed: whoever depends on it, at any distance, is skipped. The answer names them.
    pub fn fail(&mut self, name: &str) -> Vec<String> {
        self.states.insert(name.to_owned(), State::Failed);
        let mut skipped = Vec::new();
        loop {
            let lost = |name: &String| {
                matches!(self.states.get(name), Some(State::Failed | State::Skipped))
            };
            let next = self.order.iter().find(|name| {
                self.states.get(*name) == Some(&State::Waiting)
                    && self.dependencies[*name].iter().any(lost)
            });
            let Some(next) = next.cloned() else {
                return skipped;
            };
            self.states.insert(next.clone(), State::Skipped);
            skipped.push(next);
        }
    }

    /// Whether all are done, failed or skipped.
    pub fn is_over(&self) -> bool {
        let mut states = self.states.values();
        !states.any(|state| matches!(state, State::Waiting | State::Running))
    }

    fn of(&self, wanted: State) -> Vec<String> {
        let names = self.order.iter();
        names
            .filter(|name| self.states[*name] == wanted)
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(nodes: &[(&str, &[&str])]) -> Result<Schedule, ScheduleError> {
        Schedule::new(nodes.iter().map(|(name, before)| {
            let before = before.iter().map(|it| (*it).to_owned()).collect();
            ((*name).to_owned(), before)
        }))
    }

    fn environment() -> Schedule {
        schedule(&[
            ("network", &[]),
            ("data", &["network"]),
            ("edge", &["network"]),
            ("releases", &[]),
            ("cluster", &["data", "edge"]),
            ("app", &["cluster", "releases"]),
        ])
        .expect("it has an order")
    }

    #[test]
    fn independent_ones_run_together() {
        let mut schedule = environment();
        assert_eq!(schedule.start(), ["network", "releases"]);
        assert!(schedule.start().is_empty());
        schedule.complete("network");
        assert_eq!(schedule.start(), ["data", "edge"]);
        schedule.complete("edge");
        assert!(schedule.start().is_empty());
        schedule.complete("data");
        assert_eq!(schedule.start(), ["cluster"]);
    }

    #[test]
    fn whoever_depends_on_a_failure_is_skipped_and_others_go_on() {
        let mut schedule = environment();
        schedule.start();
        schedule.complete("network");
        assert_eq!(schedule.start(), ["data", "edge"]);
        assert_eq!(schedule.fail("data"), ["cluster", "app"]);
        assert!(!schedule.is_over());
        schedule.complete("edge");
        schedule.complete("releases");
        assert!(schedule.is_over());
    }

    #[test]
    fn removal_goes_the_other_way() {
        let mut schedule = environment().reversed();
        assert_eq!(schedule.start(), ["app"]);
        schedule.complete("app");
        assert_eq!(schedule.start(), ["cluster", "releases"]);
    }

    #[test]
    fn what_has_no_order_is_refused() {
        assert_eq!(
            schedule(&[("a", &["b"]), ("b", &["a"]), ("c", &[])]).unwrap_err(),
            ScheduleError::Cycle("a, b".to_owned())
        );
        assert!(matches!(
            schedule(&[("a", &["x"])]).unwrap_err(),
            ScheduleError::Missing { .. }
        ));
    }

    /// Each node may depend on those before it.
    fn graphs() -> impl Strategy<Value = Vec<BTreeSet<usize>>> {
        prop::collection::vec(prop::collection::btree_set(0..30_usize, 0..5), 1..30).prop_map(
            |nodes| {
                let nodes = nodes.into_iter().enumerate();
                nodes
                    .map(|(own, before)| before.into_iter().filter(|it| *it < own).collect())
                    .collect()
            },
        )
    }

    proptest! {
        /// Whatever ends in whatever order and however: nothing starts before all that it depends
        /// on is complete, nothing whose turn it is waits, nothing starts twice, and it ends.
        #[test]
        fn nothing_starts_too_early_or_waits_in_vain(
            graph in graphs(),
            picks in prop::collection::vec((any::<prop::sample::Index>(), prop::bool::weighted(0.15)), 30),
        ) {
            let name = |number: &usize| format!("{number:02}");
            let mut schedule = Schedule::new(graph.iter().enumerate().map(|(own, before)| {
                (name(&own), before.iter().map(name).collect())
            })).expect("dependencies go backwards");
            let (mut running, mut started, mut done) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
            let mut lost = BTreeSet::new();
            let mut picks = picks.into_iter();
            loop {
                for one in schedule.start() {
                    let own: usize = one.parse().expect("names are numbers");
                    prop_assert!(graph[own].iter().all(|it| done.contains(&name(it))), "{one} is early");
                    prop_assert!(started.insert(one.clone()), "{one} starts twice");
                    running.push(one);
                }
                for (own, before) in graph.iter().enumerate() {
                    let may = before.iter().all(|it| done.contains(&name(it)));
                    prop_assert!(!may || started.contains(&name(&own)), "{own} waits in vain");
                }
                if running.is_empty() { break; }
                let (pick, fails) = picks.next().expect("there are at most 30 nodes");
                let one = running.swap_remove(pick.index(running.len()));
                if fails {
                    lost.extend(schedule.fail(&one));
                    lost.insert(one);
                } else {
                    schedule.complete(&one);
                    done.insert(one);
                }
            }
            prop_assert!(schedule.is_over());
            prop_assert_eq!(done.len() + lost.len(), graph.len());
        }
    }
}
