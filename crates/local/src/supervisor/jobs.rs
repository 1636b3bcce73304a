//! Scheduled jobs: each run is a task of its own, started once.

use std::time::Duration;

use jiff::Timestamp;
use mck_blueprint::{
    model::{App, ScheduledJob},
    schedule::Schedule,
};

use super::{
    Supervisor,
    component::Condition,
    components::install_name,
    record::{JobRecord, Purpose, TaskRecord},
};
use crate::events::Level;

fn key(app: &App, job: &ScheduledJob) -> String {
    format!("{}/{}", app.name, job.name)
}

impl Supervisor {
    /// When a job is due next; none when its schedule has no more runs.
    pub(super) fn next_run(&self, app: &App, job: &ScheduledJob) -> Option<Timestamp> {
        let schedule = Schedule::parse(&job.schedule).ok()?;
        let last = self
            .record
            .jobs
            .get(&key(app, job))
            .map(|record| record.started);
        // Runs that came due while nothing could run them are not made up for, as on AWS.
        let after = last.map_or(self.jobs_seen, |last| last.max(self.jobs_seen));
        schedule.next_after(after, last.unwrap_or(self.jobs_seen))
    }

    /// Starts the jobs that are due.
    pub(super) fn start_due_jobs(&mut self) {
        let now = Timestamp::now();
        let due: Vec<(App, ScheduledJob)> = self
            .blueprint()
            .apps
            .iter()
            .flat_map(|app| app.jobs.iter().map(move |job| (app, job)))
            .filter(|(app, job)| {
                self.is_installed(app) && self.next_run(app, job).is_some_and(|next| next <= now)
            })
            .map(|(app, job)| (app.clone(), job.clone()))
            .collect();
        for (app, job) in due {
            self.start_job(&app, &job, now);
        }
    }

    fn is_installed(&self, app: &App) -> bool {
        let name = install_name(&app.name);
        let wanted = self
            .components
            .iter()
            .any(|component| component.name == name);
        (!wanted || self.conditions.get(&name) == Some(&Condition::Ready))
            && self.revision(app).is_some()
    }

    fn start_job(&mut self, app: &App, job: &ScheduledJob, now: Timestamp) {
        let key = key(app, job);
        let running = self
            .record
            .tasks
            .values()
            .any(|task| task.purpose == Purpose::Job(key.clone()));
        if running && !job.overlap {
            self.note(
                &key,
                Level::Warning,
                "Not started: the run before has not ended.",
            );
            if let Some(record) = self.record.jobs.get_mut(&key) {
                record.started = now;
            }
            self.save();
            return;
        }
        let containers = &app.task_definition.containers;
        let Some(container) = containers
            .iter()
            .find(|it| it.name == job.container)
            .cloned()
        else {
            return;
        };
        // Written down first: a supervisor that is killed now does not start it twice.
        let record = JobRecord {
            started: now,
            task: String::new(),
            ended: None,
            exit_code: None,
        };
        self.record.jobs.insert(key.clone(), record);
        let Some((id, task)) = self.place_one_off(app, Purpose::Job(key.clone())) else {
            self.note(
                &key,
                Level::Warning,
                "Not started: there is no room for its task.",
            );
            return;
        };
        if let Some(record) = self.record.jobs.get_mut(&key) {
            record.task.clone_from(&id);
        }
        self.save();
        let limit = Duration::from(job.timeout);
        self.run_one_off(app, container, job.command.clone(), id, task, limit);
    }

    pub(super) fn job_ended(
        &mut self,
        key: &str,
        task: &TaskRecord,
        id: &str,
        code: Option<i32>,
        outcome: Result<(), String>,
        words: &str,
    ) {
        if let Some(record) = self
            .record
            .jobs
            .get_mut(key)
            .filter(|record| record.task == id)
        {
            record.ended = Some(Timestamp::now());
            record.exit_code = code;
        }
        self.save();
        if let Err(how) = outcome {
            let words = words.replace('\n', " | ");
            self.note(
                key,
                Level::Warning,
                format!("The job of {} {how}; its last words: {words}", task.app),
            );
        }
    }
}
