//! The lines of one container of one task.

use aws_sdk_cloudwatchlogs::types::OutputLogEvent;

use super::window::moment;
use crate::{Account, AwsError, LogEvent};

/// Where the lines of a task's container are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStream {
    /// The log group.
    pub group: String,
    /// The stream's name.
    pub name: String,
}

/// Reads one stream from where it was left. CloudWatch Logs gives a token for the place, so that no
/// line is read twice.
#[derive(Debug)]
pub struct StreamReader<'a> {
    account: &'a Account,
    client: aws_sdk_cloudwatchlogs::Client,
    stream: TaskStream,
    token: Option<String>,
}

impl Account {
    /// A reader of one stream from its beginning. Nothing is asked yet.
    pub fn stream(&self, region: &str, stream: TaskStream) -> StreamReader<'_> {
        StreamReader {
            account: self,
            client: aws_sdk_cloudwatchlogs::Client::new(self.clients.config(region)),
            stream,
            token: None,
        }
    }
}

impl StreamReader<'_> {
    /// The lines since the last call, oldest first. A stream that is not there yet has none: it is made
    /// with its first line.
    ///
    /// # Errors
    /// Where CloudWatch Logs can't be asked.
    pub fn read_new(&mut self) -> Result<Vec<LogEvent>, AwsError> {
        let mut found = Vec::new();
        loop {
            let (events, next) = self.account.runtime.block_on(self.page())?;
            // A page may be empty though there are more; the last one is told by its token.
            let is_last = next.is_none() || next == self.token;
            found.extend(events.into_iter().map(|it| self.event(it)));
            if next.is_some() {
                self.token = next;
            }
            if is_last {
                return Ok(found);
            }
        }
    }

    async fn page(&self) -> Result<(Vec<OutputLogEvent>, Option<String>), AwsError> {
        let call = self.client.get_log_events();
        let call = call.log_group_name(&self.stream.group);
        let call = call
            .log_stream_name(&self.stream.name)
            .start_from_head(true);
        let answer = call.set_next_token(self.token.clone()).send().await;
        let name = &self.stream.name;
        match answer.map_err(|error| AwsError::call("GetLogEvents", name, &error)) {
            Ok(answer) => Ok((answer.events.unwrap_or_default(), answer.next_forward_token)),
            Err(error) if error.is_not_found() => Ok((Vec::new(), None)),
            Err(error) => Err(error),
        }
    }

    fn event(&self, event: OutputLogEvent) -> LogEvent {
        let text = event.message.unwrap_or_default();
        LogEvent {
            time: moment(event.timestamp.unwrap_or_default()),
            group: self.stream.group.clone(),
            stream: self.stream.name.clone(),
            text: text.trim_end_matches(['\n', '\r']).to_owned(),
        }
    }
}
