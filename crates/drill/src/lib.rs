//! Breaks something on purpose under load, and reports what it did to the users.
//!
//! [`run`] holds a drill on a storefront: a steady load of reads, sessions, database writes, uploads and
//! logins; in the midst of it a [`Fault`]; an [`Observer`] who says when everything is whole again. What
//! the store acknowledged is looked up afterwards. The [`DrillReport`] holds the figures against the
//! bars of the drill, and becomes JSON ([`DrillReport::to_json`]), text ([`render_text`]) or one HTML
//! file ([`render_html`]).
//!
//! The way of a drill through the modules: `plan` → `prepare` → `load` (with `schedule`, `shop`, `http`)
//! → `verify` → `measure` → `verdict` → `report`. Only `prepare`, `load`, `verify` and `http` touch the
//! network; the rest is pure. What is broken, and where, is for the target to know: local and AWS hand
//! in their own faults and observers.

mod customer;
mod error;
mod fault;
mod histogram;
mod http;
mod injecting;
mod kind;
mod ledger;
mod load;
mod measure;
mod outcome;
mod plan;
mod png;
mod pool;
mod prepare;
mod random;
mod record;
mod report;
mod run;
#[cfg(test)]
mod sample;
mod schedule;
mod shop;
mod steps;
mod stop;
mod timeline;
mod units;
mod verdict;
mod verify;
mod visitor;

pub use error::{DrillError, FaultError};
pub use fault::{Fault, FaultFn, Observation, Observer};
pub use kind::DrillKind;
pub use plan::{DrillPlan, MAXIMUM_DURATION, MAXIMUM_RATE, Mix};
pub use report::{
    DrillReport, FailureFigures, Figures, Kept, KindFigures, Latency, PhaseFigures, REPORT_VERSION,
    SecondFigures, Settings, Step, TaskFigures, Timing, Writes, render_html, render_text,
};
pub use run::{DrillPhase, Progress, run};
pub use stop::StopFlag;
pub use verdict::{Bar, Verdict, judge, judge_db_failovers};
