//! The drill itself: prepare, load, break, wait, verify, report.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Scope;
use std::time::{Duration, Instant};

use crate::error::DrillError;
use crate::fault::{Fault, Observer};
use crate::injecting::Injecting;
use crate::load::{Load, LoadLimits, LoadResult, microseconds};
use crate::measure::Recorded;
use crate::plan::{DrillPlan, MAXIMUM_DURATION};
use crate::prepare::{Prepared, prepare};
use crate::report::{DrillReport, REPORT_VERSION, Settings};
use crate::shop::Shop;
use crate::steps;
use crate::stop::StopFlag;
use crate::timeline::{Injection, Timeline};
use crate::verdict::judge;
use crate::verify::{Acknowledged, Verified, verify};

const OBSERVATION_INTERVAL: Duration = Duration::from_millis(100);
const TICK: Duration = Duration::from_millis(50);
const VERIFY_LIMIT: Duration = Duration::from_secs(120);
/// Whoever stopped the drill does not want to wait long.
const VERIFY_LIMIT_STOPPED: Duration = Duration::from_secs(10);

/// What a drill is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrillPhase {
    /// Tries the store, registers customers.
    Preparing,
    /// Load, before the fault.
    Before,
    /// Load, until everything is whole again.
    During,
    /// Load, afterwards.
    After,
    /// Waits for the last answers, then looks up what was acknowledged.
    Verifying,
}

/// How far a drill is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What it is doing.
    pub phase: DrillPhase,
    /// Since the load began.
    pub elapsed: Duration,
    /// Requests sent so far.
    pub sent: u64,
    /// Those that have failed so far.
    pub failed: u64,
    /// Requests sent per second, lately.
    pub requests_per_second: f64,
    /// What the observer saw last, in its words.
    pub detail: String,
}

/// Holds a drill. It ends by itself, at the latest when the limits of the plan are over and `fault` has
/// returned, or early and with a report when `stop` is set. `progress` is called about twenty times a
/// second.
///
/// # Errors
///
/// When there can't be a report: a plan out of its ranges, something broken before the drill, a store
/// that can't be drilled, a fault that could not be injected.
pub fn run(
    plan: &DrillPlan,
    fault: &mut dyn Fault,
    observer: &mut dyn Observer,
    stop: &StopFlag,
    progress: &mut dyn FnMut(&Progress),
) -> Result<DrillReport, DrillError> {
    plan.validate()?;
    progress(&preparing());
    let before = observer.observe();
    if !before.is_whole {
        return Err(DrillError::NotWhole {
            detail: before.detail,
        });
    }
    let Prepared { shop, first_id } = prepare(plan)?;
    if stop.is_set() {
        return Err(DrillError::Stopped);
    }
    let description = fault.describe();
    let started_at = jiff::Timestamp::now();
    let held = hold(plan, &shop, fault, observer, stop, progress)?;
    let limit = if stop.is_set() {
        VERIFY_LIMIT_STOPPED
    } else {
        VERIFY_LIMIT
    };
    let Shop {
        client,
        visitors,
        customers,
        ledger,
        ..
    } = shop;
    let acknowledged = Acknowledged {
        client,
        entries: ledger.into_entries(),
        visitors: visitors.into_members(),
        customers: customers.into_members(),
        first_id,
    };
    let verified = verify(acknowledged, Instant::now() + limit);
    Ok(report(plan, &description, &started_at, &held, verified))
}

/// What is left when the load has ended.
struct Held {
    result: LoadResult,
    timeline: Timeline,
    injection: Option<Injection>,
    load_end: u64,
    was_interrupted: bool,
}

fn hold(
    plan: &DrillPlan,
    shop: &Shop,
    fault: &mut dyn Fault,
    observer: &mut dyn Observer,
    stop: &StopFlag,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Held, DrillError> {
    let start = Instant::now();
    let end_of_load = StopFlag::new();
    let limits = LoadLimits {
        requests_per_second: plan.requests_per_second,
        duration: MAXIMUM_DURATION,
        request_limit: plan.request_limit,
    };
    let load = Load::new(shop, start, limits, end_of_load.clone());
    let timeline = Mutex::new(Timeline::default());
    let description = fault.describe();
    let driven = std::thread::scope(|scope| {
        let observing = || watch(observer, &timeline, start, &end_of_load);
        scope.spawn(observing);
        let mut driver = Driver {
            plan,
            load: &load,
            timeline: &timeline,
            start,
            stop,
            progress,
            injection: Injecting::NotBegun,
            description: &description,
            meter: Meter::default(),
        };
        let driven = load.begin(scope).and_then(|()| driver.drive(scope, fault));
        let load_end = start.elapsed();
        end_of_load.set();
        let was_interrupted = stop.is_set();
        if driven.is_ok() {
            driver.tell(DrillPhase::Verifying);
        }
        driven?;
        let injection = driver.injection.finish(start, &description)?;
        Ok::<_, DrillError>((load_end, was_interrupted, injection))
    });
    let (load_end, was_interrupted, injection) = driven?;
    Ok(Held {
        result: load.into_result(),
        timeline: timeline
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner),
        injection,
        load_end: microseconds(load_end),
        was_interrupted,
    })
}

fn watch(observer: &mut dyn Observer, timeline: &Mutex<Timeline>, start: Instant, end: &StopFlag) {
    loop {
        let seen = observer.observe();
        lock(timeline).note(microseconds(start.elapsed()), seen);
        if end.wait_for(OBSERVATION_INTERVAL) {
            return;
        }
    }
}

struct Driver<'a, 'scope> {
    plan: &'a DrillPlan,
    load: &'a Load<'a>,
    timeline: &'a Mutex<Timeline>,
    start: Instant,
    stop: &'a StopFlag,
    progress: &'a mut dyn FnMut(&Progress),
    injection: Injecting<'scope>,
    description: &'a str,
    meter: Meter,
}

impl<'scope> Driver<'_, 'scope> {
    /// Goes through the phases of the load. Ends early when the drill is stopped.
    fn drive(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        fault: &'scope mut dyn Fault,
    ) -> Result<(), DrillError> {
        if self.load_until(DrillPhase::Before, self.plan.before) {
            return Ok(());
        }
        let started = self.start.elapsed();
        self.injection = Injecting::begin(scope, fault, self.start)?;
        self.wait_until_whole(started)?;
        let end = self
            .plan
            .duration
            .max(self.start.elapsed() + self.plan.after);
        self.load_until(DrillPhase::After, end.min(MAXIMUM_DURATION));
        Ok(())
    }

    fn load_until(&mut self, phase: DrillPhase, end: Duration) -> bool {
        loop {
            self.tell(phase);
            let now = self.start.elapsed();
            if now >= end || self.stop.is_set() {
                return self.stop.is_set();
            }
            self.stop.wait_for(TICK.min(end - now));
        }
    }

    fn wait_until_whole(&mut self, started: Duration) -> Result<(), DrillError> {
        let limit = started + self.plan.recovery_limit;
        loop {
            self.tell(DrillPhase::During);
            let injecting = std::mem::replace(&mut self.injection, Injecting::NotBegun);
            self.injection = injecting.look(self.start, self.description)?;
            let is_over = self.start.elapsed() >= limit || self.is_whole_again();
            if is_over || self.stop.wait_for(TICK) {
                return Ok(());
            }
        }
    }

    /// Whole after having been broken, or whole for so long that the fault would have shown.
    fn is_whole_again(&self) -> bool {
        let Injecting::Done(injection) = &self.injection else {
            return false;
        };
        let timeline = lock(self.timeline);
        let is_whole = timeline.last().is_some_and(|seen| seen.is_whole);
        let was_broken = timeline.first_broken(injection.started).is_some();
        let would_show = injection.ended + microseconds(self.plan.onset);
        is_whole && (was_broken || microseconds(self.start.elapsed()) >= would_show)
    }

    fn tell(&mut self, phase: DrillPhase) {
        let elapsed = self.start.elapsed();
        let (sent, failed) = self.load.counts();
        let detail = lock(self.timeline).last().map(|seen| seen.detail.clone());
        let requests_per_second = self.meter.rate(elapsed, sent);
        let detail = detail.unwrap_or_default();
        (self.progress)(&Progress {
            phase,
            elapsed,
            sent,
            failed,
            requests_per_second,
            detail,
        });
    }
}

/// The rate over the last second or so.
#[derive(Debug, Default)]
struct Meter {
    since: Duration,
    sent: u64,
    rate: f64,
}

impl Meter {
    fn rate(&mut self, now: Duration, sent: u64) -> f64 {
        let passed = now.saturating_sub(self.since);
        if passed >= Duration::from_secs(1) {
            self.rate = (sent - self.sent) as f64 / passed.as_secs_f64();
            self.since = now;
            self.sent = sent;
        }
        self.rate
    }
}

fn preparing() -> Progress {
    Progress {
        phase: DrillPhase::Preparing,
        elapsed: Duration::ZERO,
        sent: 0,
        failed: 0,
        requests_per_second: 0.0,
        detail: String::new(),
    }
}

fn report(
    plan: &DrillPlan,
    fault: &str,
    started_at: &jiff::Timestamp,
    held: &Held,
    verified: Verified,
) -> DrillReport {
    let recorded = Recorded {
        records: &held.result.records,
        timeline: &held.timeline,
        injection: held.injection.as_ref(),
        load_end: held.load_end,
        onset: microseconds(plan.onset),
        lateness: &held.result.lateness,
        was_interrupted: held.was_interrupted,
    };
    let figures = recorded.figures(verified);
    let settings = Settings {
        requests_per_second: plan.requests_per_second,
        mix: plan.mix,
        seed: plan.seed,
        request_limit_microseconds: microseconds(plan.request_limit),
        health_check_interval_microseconds: microseconds(plan.health_check_interval),
    };
    let steps = steps::tell(
        &settings,
        fault,
        held.injection.as_ref(),
        held.timeline.sightings(),
        &figures,
    );
    DrillReport {
        version: REPORT_VERSION,
        kind: plan.kind,
        environment: plan.environment.clone(),
        target: format!("http://{} as {}", plan.address, plan.host),
        started_at: started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        versions: plan.versions.clone(),
        verdict: judge(plan.kind, &figures, &settings),
        settings,
        fault: fault.to_owned(),
        steps,
        figures,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
