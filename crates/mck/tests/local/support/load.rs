//! Visitors who ask all the time, and what they were answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use mck_local::wait;

use super::{
    http::{Browser, HttpRequest},
    store::Store,
};

/// Visitors at once.
const VISITORS: usize = 4;
/// A visitor's pause between two requests.
const PAUSE: Duration = Duration::from_millis(3);

/// A request that was not answered with 200.
#[derive(Debug, Clone)]
pub struct Failed {
    /// How long after the load's begin it was sent.
    pub sent: Duration,
    /// How long it took.
    #[expect(dead_code, reason = "read by `Debug` in what a failed test prints")]
    pub took: Duration,
    /// The status, or the error.
    pub why: String,
}

/// What came of the requests.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How many were answered with 200.
    pub good: usize,
    /// The others.
    pub failed: Vec<Failed>,
}

/// Visitors who ask all the time.
pub struct Load {
    begin: Instant,
    stop: Arc<AtomicBool>,
    visitors: Vec<JoinHandle<Report>>,
}

impl Load {
    /// Visitors of a page of the shop.
    pub fn on(store: &Store, path: &'static str) -> Self {
        let begin = Instant::now();
        let stop = Arc::new(AtomicBool::new(false));
        let visitors = (0..VISITORS).map(|_| {
            let (browser, stop) = (store.visitor("shop"), Arc::clone(&stop));
            thread::spawn(move || visit(browser, path, begin, &stop))
        });
        Self {
            begin,
            visitors: visitors.collect(),
            stop,
        }
    }

    /// How long it has been going on.
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Ends it.
    #[track_caller]
    pub fn stop(mut self) -> Report {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Report::default();
        for visitor in self.visitors.drain(..) {
            let report = visitor.join().unwrap();
            all.good += report.good;
            all.failed.extend(report.failed);
        }
        all.failed.sort_by_key(|failed| failed.sent);
        assert!(all.good > 20, "there was no load: {all:?}");
        all
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Report {
    /// Every request was answered.
    #[track_caller]
    pub fn assert_no_failure(&self) {
        assert!(
            self.failed.is_empty(),
            "{} good, failed: {:#?}",
            self.good,
            self.failed
        );
    }
}

fn visit(mut browser: Browser, path: &str, begin: Instant, stop: &AtomicBool) -> Report {
    let request = HttpRequest {
        method: "GET",
        path,
        ..HttpRequest::default()
    };
    let mut report = Report::default();
    while !stop.load(Ordering::Relaxed) {
        let sent = begin.elapsed();
        let why = match browser.attempt(&request) {
            Ok(answer) if answer.status == 200 => None,
            Ok(answer) => Some(format!("{}: {}", answer.status, answer.head)),
            Err(error) => Some(error.to_string()),
        };
        match why {
            None => report.good += 1,
            Some(why) => report.failed.push(Failed {
                sent,
                took: begin.elapsed() - sent,
                why,
            }),
        }
        wait::pause(PAUSE);
    }
    report
}
