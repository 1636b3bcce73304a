//! A container's last words, from CloudWatch Logs.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ecs::types::{LogDriver, TaskDefinition};
use tokio::time::sleep;

use crate::TaskStream;

/// How many lines are told.
const LINES: i32 = 3;
/// Lines reach CloudWatch Logs a few seconds after they were written.
const TRIES: u8 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// CloudWatch Logs in one region.
#[derive(Debug, Clone)]
pub(super) struct Logs {
    client: aws_sdk_cloudwatchlogs::Client,
}

impl Logs {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: aws_sdk_cloudwatchlogs::Client::new(config),
        }
    }

    /// A container's last lines; none where there are none or they can't be read: they only tell more
    /// of a failure that is told anyway.
    pub(super) async fn last_words(
        &self,
        definition: &TaskDefinition,
        container: &str,
        task: &str,
    ) -> Vec<String> {
        let Some(stream) = stream(definition, container, task) else {
            return Vec::new();
        };
        for attempt in 1..=TRIES {
            let words = self.read(&stream).await;
            if !words.is_empty() || attempt == TRIES {
                return words;
            }
            sleep(PAUSE).await;
        }
        Vec::new()
    }

    /// The last lines of a task that was unhealthy, for long enough to be there at once: of the
    /// container that answers for the app, on which the others depend.
    pub(super) async fn of_app(&self, definition: &TaskDefinition, task: &str) -> Vec<String> {
        let mut containers: Vec<_> = definition.container_definitions().iter().collect();
        containers.sort_by_key(|it| !it.depends_on().is_empty());
        for name in containers.iter().filter_map(|it| it.name()) {
            let Some(stream) = stream(definition, name, task) else {
                continue;
            };
            let words = self.read(&stream).await;
            if !words.is_empty() {
                return words;
            }
        }
        Vec::new()
    }

    async fn read(&self, stream: &TaskStream) -> Vec<String> {
        let call = self.client.get_log_events().log_group_name(&stream.group);
        let call = call.log_stream_name(&stream.name).limit(LINES);
        let answer = call.start_from_head(false).send().await;
        let events = answer.ok().and_then(|it| it.events).unwrap_or_default();
        let lines = events.into_iter().filter_map(|it| it.message);
        let lines = lines.map(|it| it.trim_end().to_owned());
        lines.filter(|it| !it.is_empty()).collect()
    }
}

/// Where a container's lines are: `awslogs` names a stream `<prefix>/<container>/<task id>`.
pub(super) fn stream(
    definition: &TaskDefinition,
    container: &str,
    task: &str,
) -> Option<TaskStream> {
    let mut containers = definition.container_definitions().iter();
    let container = containers.find(|it| it.name() == Some(container))?;
    let logs = container.log_configuration()?;
    if *logs.log_driver() != LogDriver::Awslogs {
        return None;
    }
    let option = |name: &str| logs.options()?.get(name);
    let prefix = option("awslogs-stream-prefix")?;
    Some(TaskStream {
        group: option("awslogs-group")?.clone(),
        name: format!("{prefix}/{}/{task}", container.name()?),
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::{ContainerDefinition, LogConfiguration};

    use super::*;

    #[test]
    fn a_stream_is_named_by_prefix_container_and_task() {
        let definition = |driver: LogDriver| {
            let logs = LogConfiguration::builder()
                .log_driver(driver)
                .options("awslogs-group", "/mck/shop/production/apps/shop")
                .options("awslogs-stream-prefix", "hook-upgrade")
                .build()
                .expect("the driver is set");
            let container = ContainerDefinition::builder()
                .name("php-fpm")
                .log_configuration(logs);
            TaskDefinition::builder()
                .container_definitions(container.build())
                .build()
        };
        let found = stream(&definition(LogDriver::Awslogs), "php-fpm", "0123").expect("it has one");
        assert_eq!(found.group, "/mck/shop/production/apps/shop");
        assert_eq!(found.name, "hook-upgrade/php-fpm/0123");
        assert_eq!(
            stream(&definition(LogDriver::Awslogs), "nginx", "0123"),
            None
        );
        assert_eq!(
            stream(&definition(LogDriver::JsonFile), "php-fpm", "0123"),
            None
        );
    }
}
