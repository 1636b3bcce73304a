//! Scheduled jobs: a task definition, a role and a schedule each (EventBridge Scheduler).
//!
//! ECS neither ends a task after some time nor keeps two of one kind apart, so the task sees to both.
//! In the kit's own images, which are Debian's, the command runs under `timeout` and `flock`. Other
//! images get a guard beside them: an essential container that takes the lock before the job starts,
//! and ends with the time, and the task with it. The lock is a file of the shared file system, which
//! gives it back when its holder is gone.

use std::collections::BTreeMap;

use mck_blueprint::model::{Container, Image, ScheduledJob};
use mck_cloudformation::{
    LogicalId, PolicyDocument, Principal, Statement, Text, pseudo,
    resources::{
        iam::{self, role},
        scheduler::{
            Schedule, ScheduleGroup,
            schedule::{
                AwsVpcConfiguration, CapacityProviderStrategyItem, EcsParameters,
                FlexibleTimeWindow, NetworkConfiguration, RetryPolicy, Target,
            },
        },
    },
};
use mck_environment::{
    settings::{ContainerHealthCheck, DependencyCondition},
    units::{Duration, Size},
};

use super::{Parts, RELEASED, access_points, alone};
use crate::{
    names, roles,
    stack::Stack,
    task_definition::{self, LOCKS, NetworkMode, Task},
    units::seconds,
};

/// A command that goes on after its time gets this long to end before it is killed.
const KILL_AFTER_SECONDS: u32 = 30;
/// A start that fails is tried again for this long, in seconds: less than what lies between two runs
/// of most jobs. A run that is missed altogether is followed by the next one, so nothing collects it.
const RETRY_SECONDS: i32 = 300;
const RETRIES: i32 = 5;
/// What guards run: `flock`, `sleep` and a shell.
const GUARD_IMAGE: &str = "public.ecr.aws/docker/library/busybox:stable-musl";
const GUARD: &str = "guard";
/// Where a guard says that it holds the lock.
const HELD: &str = "/tmp/held";

pub(super) fn add(stack: &mut Stack, parts: &Parts<'_>) {
    if parts.app.jobs.is_empty() {
        return;
    }
    let app = &parts.app.name;
    let full_name = format!("{}-schedules", parts.app.task_definition.family);
    let group = ScheduleGroup {
        name: full_name.as_str().into(),
        ..Default::default()
    };
    let description = format!("Groups the schedules of the app {app}");
    let group = stack.add("ScheduleGroup", description, &group).id();
    let mut task_roles = Vec::new();
    for job in &parts.app.jobs {
        task_roles.push(add_task_definition(stack, parts, job));
    }
    let role = add_scheduler_role(stack, parts, &full_name, &task_roles);
    for job in &parts.app.jobs {
        add_schedule(stack, parts, job, &group, &role);
    }
}

/// Adds the task definition of a job; gives the role of its containers.
fn add_task_definition(stack: &mut Stack, parts: &Parts<'_>, job: &ScheduledJob) -> LogicalId {
    let app = parts.app;
    let lock = parts.media.locks.as_ref().filter(|_| !job.overlap);
    let containers = containers(parts, job, lock.is_some());
    let file_systems = access_points::access(parts.media, &containers, lock.is_some());
    let task_role = roles::add_task_role(
        stack,
        parts.scene,
        LogicalId::of(&["job", &job.name, "task-role"]),
        &format!("tasks of the job {} of the app {}", job.name, app.name),
        &file_systems,
        parts.cluster.exec.then_some(parts.cluster),
    );
    let task = Task {
        id: LogicalId::of(&["job", &job.name, "task-definition"]),
        description: format!("What a run of the job {} is made of", job.name),
        family: names::job_family(app, &job.name),
        containers: &containers,
        network: NetworkMode::AwsVpc,
        log_prefix: format!("job-{}", job.name),
        common: &parts.common,
        task_role: task_role.clone(),
        // The guard, where there is one.
        locker: lock.and(containers.first()).map(|it| it.name.as_str()),
    };
    let id = task_definition::add(stack, parts.scene, &task);
    stack.template.output(
        LogicalId::of(&["task-definition-job", &job.name]).as_str(),
        format!("The task definition of the job {}", job.name),
        id.reference(),
    );
    task_role
}

/// The job's container, watched by itself or by a guard. Without a way to public images there is no
/// guard: the images then come from the account, and the app keeps time and order itself.
fn containers(parts: &Parts<'_>, job: &ScheduledJob, is_locked: bool) -> Vec<Container> {
    let mut container = alone(parts.app, &job.container, job.command.clone());
    if matches!(container.image, Image::Base(_)) {
        container.command = watched(job, is_locked);
        return vec![container];
    }
    if parts.scene.blueprint.network.endpoints.is_some() {
        return vec![container];
    }
    container.depends_on = BTreeMap::from([(GUARD.to_owned(), DependencyCondition::Healthy)]);
    vec![guard(job, is_locked), container]
}

/// The command with its time and its lock. A run that finds the lock taken ends well: the run before
/// does its work.
fn watched(job: &ScheduledJob, is_locked: bool) -> Vec<String> {
    let mut command = Vec::new();
    if is_locked {
        command.extend(["flock", "--nonblock", "--conflict-exit-code", "0"].map(str::to_owned));
        command.push(lock_file(job));
    }
    command.push("timeout".to_owned());
    command.push(format!("--kill-after={KILL_AFTER_SECONDS}"));
    command.push(seconds(job.timeout).to_string());
    command.extend(job.command.iter().cloned());
    command
}

fn guard(job: &ScheduledJob, is_locked: bool) -> Container {
    let wait = format!("touch {HELD} && exec sleep {}", seconds(job.timeout));
    let shell = |line: String| ["sh", "-c"].map(str::to_owned).into_iter().chain([line]);
    let command = if is_locked {
        let flock = ["flock", "-n"].map(str::to_owned).into_iter();
        flock.chain([lock_file(job)]).chain(shell(wait)).collect()
    } else {
        shell(wait).collect()
    };
    Container {
        name: GUARD.to_owned(),
        description: format!("Ends the job {} after its time", job.name),
        image: Image::Oci(GUARD_IMAGE.to_owned()),
        command,
        working_directory: String::new(),
        user: String::new(),
        environment: BTreeMap::new(),
        secrets: BTreeMap::new(),
        endpoints: BTreeMap::new(),
        port: None,
        cpu: 0,
        memory_reservation: Size::from_mib(8),
        memory: Some(Size::from_mib(32)),
        essential: true,
        read_only_root: false,
        capabilities: Vec::new(),
        mounts: Vec::new(),
        files: Vec::new(),
        depends_on: BTreeMap::new(),
        health_check: Some(ContainerHealthCheck {
            command: ["test", "-e", HELD].map(str::to_owned).into(),
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            retries: 10,
            start_period: Duration::from_secs(0),
        }),
        stop_signal: String::new(),
        stop_timeout: Duration::from_secs(2),
    }
}

fn lock_file(job: &ScheduledJob) -> String {
    format!("{LOCKS}/{}", job.name)
}

/// The scheduler may run the app's jobs, on its cluster, with their roles, and nothing else.
fn add_scheduler_role(
    stack: &mut Stack,
    parts: &Parts<'_>,
    group: &str,
    task_roles: &[LogicalId],
) -> LogicalId {
    let app = parts.app;
    let group = pseudo::arn("scheduler", format!("schedule-group/{group}"));
    let trust = Statement::allow(["sts:AssumeRole"])
        .to(Principal::service("scheduler.amazonaws.com"))
        .when("StringEquals", "aws:SourceAccount", [pseudo::account()])
        .when("StringEquals", "aws:SourceArn", [group]);
    let statements = scheduler_statements(parts, task_roles);
    let description = format!(
        "Lets EventBridge Scheduler run the jobs of the app {}",
        app.name
    );
    let properties = iam::Role {
        description: description.as_str().into(),
        assume_role_policy_document: PolicyDocument::new([trust]).into(),
        policies: vec![role::Policy {
            policy_name: "RunJobs".into(),
            policy_document: PolicyDocument::new(statements).into(),
        }],
        ..Default::default()
    };
    stack.add("SchedulerRole", description, &properties).id()
}

fn scheduler_statements(parts: &Parts<'_>, task_roles: &[LogicalId]) -> [Statement; 3] {
    let cluster = names::ecs_cluster(parts.scene.blueprint, &parts.app.cluster);
    let families = parts.app.jobs.iter();
    let families = families.map(|job| names::job_family(parts.app, &job.name));
    let definitions = families.flat_map(|family| {
        [family.clone(), format!("{family}:*")]
            .map(|name| pseudo::arn("ecs", format!("task-definition/{name}")))
    });
    let execution = parts.common.execution_role.attribute("Arn");
    let roles = task_roles.iter().map(|role| role.attribute("Arn"));
    [
        Statement::allow(["ecs:RunTask"])
            .named("Jobs")
            .on(definitions)
            .when(
                "ArnEquals",
                "ecs:cluster",
                [pseudo::arn("ecs", format!("cluster/{cluster}"))],
            ),
        Statement::allow(["ecs:TagResource"])
            .named("Tags")
            .on([pseudo::arn("ecs", format!("task/{cluster}/*"))])
            .when("StringEquals", "ecs:CreateAction", ["RunTask"]),
        Statement::allow(["iam:PassRole"])
            .named("TaskRoles")
            .on(roles.chain([execution]))
            .when(
                "StringEquals",
                "iam:PassedToService",
                ["ecs-tasks.amazonaws.com"],
            ),
    ]
}

/// The newest revision is run, so that a deployment need not touch the schedule.
fn add_schedule(
    stack: &mut Stack,
    parts: &Parts<'_>,
    job: &ScheduledJob,
    group: &LogicalId,
    role: &LogicalId,
) {
    let app = parts.app;
    let cluster = names::ecs_cluster(parts.scene.blueprint, &app.cluster);
    let family = names::job_family(app, &job.name);
    let properties = Schedule {
        name: job.name.as_str().into(),
        description: format!("The job {} of the app {}", job.name, app.name).into(),
        group_name: group.reference(),
        schedule_expression: job.schedule.as_str().into(),
        schedule_expression_timezone: "UTC".into(),
        flexible_time_window: Some(FlexibleTimeWindow {
            mode: "OFF".into(),
            ..Default::default()
        }),
        state: "ENABLED".into(),
        target: Some(Target {
            arn: pseudo::arn("ecs", format!("cluster/{cluster}")),
            role_arn: role.attribute("Arn"),
            ecs_parameters: Some(ecs_parameters(parts, &family)),
            retry_policy: Some(RetryPolicy {
                maximum_event_age_in_seconds: RETRY_SECONDS.into(),
                maximum_retry_attempts: RETRIES.into(),
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let definition = LogicalId::of(&["job", &job.name, "task-definition"]);
    stack
        .add(
            LogicalId::of(&["job", &job.name, "schedule"]),
            format!("When the job {} of the app {} runs", job.name, app.name),
            &properties,
        )
        .after([&definition])
        .on_condition(RELEASED);
}

fn ecs_parameters(parts: &Parts<'_>, family: &str) -> EcsParameters {
    let network = &parts.network;
    EcsParameters {
        task_definition_arn: pseudo::arn("ecs", format!("task-definition/{family}")),
        task_count: 1.into(),
        capacity_provider_strategy: vec![CapacityProviderStrategyItem {
            capacity_provider: parts.capacity_provider.clone(),
            weight: 1.into(),
            ..Default::default()
        }],
        network_configuration: Some(NetworkConfiguration {
            awsvpc_configuration: Some(AwsVpcConfiguration {
                assign_public_ip: "DISABLED".into(),
                subnets: network.subnets.iter().map(Text::from).collect(),
                security_groups: vec![network.security_group.clone()],
            }),
        }),
        enable_ecs_managed_tags: true.into(),
        enable_execute_command: parts.cluster.exec.into(),
        propagate_tags: "TASK_DEFINITION".into(),
        ..Default::default()
    }
}
