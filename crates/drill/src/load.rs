//! The load itself: an open loop over threads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;
use std::time::{Duration, Instant};

use crate::error::DrillError;
use crate::histogram::Histogram;
use crate::record::Record;
use crate::schedule::Schedule;
use crate::shop::Shop;
use crate::stop::StopFlag;

/// Threads that wait for answers. When a server holds them all, further requests wait in a queue, and
/// that time is part of their latency.
const MAXIMUM_WORKERS: usize = 768;
const FIRST_WORKERS: usize = 8;
const STACK_SIZE: usize = 256 * 1024;

/// How hard and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadLimits {
    pub(crate) requests_per_second: u32,
    pub(crate) duration: Duration,
    /// From the instant that a request is due.
    pub(crate) request_limit: Duration,
}

/// A load on a shop: one thread that issues requests when they are due, others that send them.
#[derive(Debug)]
pub(crate) struct Load<'a> {
    shop: &'a Shop,
    start: Instant,
    limits: LoadLimits,
    stop: StopFlag,
    queue: Mutex<Queue>,
    is_filled: Condvar,
    records: Mutex<Vec<Record>>,
    lateness: Mutex<Histogram>,
    sent: AtomicU64,
    failed: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    due: VecDeque<(u64, Duration)>,
    idle: usize,
    workers: usize,
    is_closed: bool,
}

/// All that a load leaves behind.
#[derive(Debug)]
pub(crate) struct LoadResult {
    pub(crate) records: Vec<Record>,
    /// By how many microseconds requests were issued later than they were due.
    pub(crate) lateness: Histogram,
}

impl<'a> Load<'a> {
    /// A load that begins at `start` and ends when `stop` is set or its duration is over.
    pub(crate) fn new(shop: &'a Shop, start: Instant, limits: LoadLimits, stop: StopFlag) -> Self {
        Self {
            shop,
            start,
            limits,
            stop,
            queue: Mutex::default(),
            is_filled: Condvar::new(),
            records: Mutex::default(),
            lateness: Mutex::default(),
            sent: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Starts the threads. They end by themselves, each with its last answer.
    pub(crate) fn begin<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<(), DrillError> {
        let started = (0..FIRST_WORKERS)
            .try_for_each(|_| self.add_worker(scope))
            .and_then(|()| self.spawn(scope, move || self.issue(scope)));
        started.map_err(|error| {
            self.close();
            DrillError::Thread(error)
        })
    }

    /// Requests sent and failed so far.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (
            self.sent.load(Ordering::Relaxed),
            self.failed.load(Ordering::Relaxed),
        )
    }

    pub(crate) fn into_result(self) -> LoadResult {
        let mut records = self
            .records
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        records.sort_by_key(|record| (record.due, record.finished));
        let lateness = self
            .lateness
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        LoadResult { records, lateness }
    }

    fn issue<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let schedule = Schedule::new(self.limits.requests_per_second);
        for index in 0.. {
            let due = schedule.due(index);
            if due >= self.limits.duration || self.stop.wait_until(self.start + due) {
                break;
            }
            let lateness = self.start.elapsed().saturating_sub(due);
            lock(&self.lateness).record(microseconds(lateness));
            let mut queue = lock(&self.queue);
            queue.due.push_back((index, due));
            let needs_worker = queue.due.len() > queue.idle && queue.workers < MAXIMUM_WORKERS;
            drop(queue);
            self.is_filled.notify_one();
            if needs_worker {
                // One thread more would help, and its lack is seen in the latency.
                let _ = self.add_worker(scope);
            }
        }
        self.close();
    }

    fn add_worker<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) -> std::io::Result<()> {
        self.spawn(scope, || self.work())?;
        lock(&self.queue).workers += 1;
        Ok(())
    }

    fn spawn<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        work: impl FnOnce() + Send + 'scope,
    ) -> std::io::Result<()> {
        let builder = std::thread::Builder::new().name("drill-load".to_owned());
        builder
            .stack_size(STACK_SIZE)
            .spawn_scoped(scope, work)
            .map(drop)
    }

    fn work(&self) {
        while let Some((index, due)) = self.next_due() {
            self.sent.fetch_add(1, Ordering::Relaxed);
            let sent = self.start.elapsed();
            let deadline = self.start + due + self.limits.request_limit;
            let performed = self.shop.perform(index, deadline);
            if performed.outcome.is_err() {
                self.failed.fetch_add(1, Ordering::Relaxed);
            }
            lock(&self.records).push(Record {
                kind: performed.kind,
                due: microseconds(due),
                sent: microseconds(sent),
                finished: microseconds(self.start.elapsed()),
                outcome: performed.outcome,
                answerer: performed.answerer,
            });
        }
    }

    fn next_due(&self) -> Option<(u64, Duration)> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(next) = queue.due.pop_front() {
                return Some(next);
            }
            if queue.is_closed {
                return None;
            }
            queue.idle += 1;
            queue = self
                .is_filled
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    fn close(&self) {
        lock(&self.queue).is_closed = true;
        self.is_filled.notify_all();
    }
}

pub(crate) fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
