//! Lines of log groups from CloudWatch Logs, in the order of their time.
//!
//! `window` remembers what of a group was read, `merge` puts groups in order; both are pure. This
//! module asks for pages, of all groups at the same time.

mod merge;
mod stream;
mod window;

use std::time::SystemTime;

use tokio::task::JoinSet;

pub use merge::LogEvent;
pub use stream::{StreamReader, TaskStream};

use self::{
    merge::{Part, merge},
    window::{Read, Window, milliseconds},
};
use crate::{Account, AwsError};

/// Reads log groups from where it was left.
#[derive(Debug)]
pub struct LogReader<'a> {
    account: &'a Account,
    client: aws_sdk_cloudwatchlogs::Client,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    name: String,
    window: Window,
    /// What was read and may not be told yet, since other groups may have earlier lines.
    held: Vec<LogEvent>,
    pass: Pass,
    is_missing: bool,
}

/// How far one look at a group has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pass {
    /// Another page is to be asked for, with this token.
    Page(Option<String>),
    /// All that there was has been read.
    Done,
}

/// A page of a group; none where there is no such group.
type Page = Option<(Vec<Read>, Option<String>)>;

impl Account {
    /// A reader of these log groups of a region, from a moment on. Nothing is asked yet.
    pub fn logs(
        &self,
        region: &str,
        groups: impl IntoIterator<Item = String>,
        since: SystemTime,
    ) -> LogReader<'_> {
        let group = |name| Group {
            name,
            window: Window::new(milliseconds(since)),
            held: Vec::new(),
            pass: Pass::Page(None),
            is_missing: false,
        };
        LogReader {
            account: self,
            client: aws_sdk_cloudwatchlogs::Client::new(self.clients.config(region)),
            groups: groups.into_iter().map(group).collect(),
        }
    }
}

impl LogReader<'_> {
    /// The next lines, in the order of their time; may be empty though there are more. None where all
    /// that there is now has been told; a later call looks again, and hands on what has come since.
    ///
    /// # Errors
    /// Where CloudWatch Logs can't be asked.
    pub fn read_new(&mut self) -> Result<Option<Vec<LogEvent>>, AwsError> {
        if self.groups.iter().all(|it| it.pass == Pass::Done) {
            for group in &mut self.groups {
                group.pass = Pass::Page(None);
            }
            return Ok(None);
        }
        let runtime = &self.account.runtime;
        let pages = runtime.block_on(pages(&self.client, &self.groups))?;
        for (index, page) in pages {
            self.groups[index].take(page);
        }
        let parts = self.groups.iter_mut().map(|group| Part {
            held: &mut group.held,
            has_more: group.pass != Pass::Done,
        });
        Ok(Some(merge(&mut parts.collect::<Vec<_>>())))
    }

    /// Whether none of the groups is there.
    pub fn has_no_group(&self) -> bool {
        self.groups.iter().all(|it| it.is_missing)
    }
}

impl Group {
    fn take(&mut self, page: Page) {
        self.is_missing = page.is_none();
        let (read, next) = page.unwrap_or_default();
        let held = self.window.take(read).into_iter();
        self.held.extend(held.map(|it| it.event(&self.name)));
        self.pass = match next {
            Some(token) => Pass::Page(Some(token)),
            None => {
                self.window.close();
                Pass::Done
            }
        };
    }
}

/// The next page of each group that has one.
async fn pages(
    client: &aws_sdk_cloudwatchlogs::Client,
    groups: &[Group],
) -> Result<Vec<(usize, Page)>, AwsError> {
    let mut running = JoinSet::new();
    for (index, group) in groups.iter().enumerate() {
        let Pass::Page(token) = &group.pass else {
            continue;
        };
        let (client, name) = (client.clone(), group.name.clone());
        let (from, token) = (group.window.from(), token.clone());
        running.spawn(async move { Ok((index, page(&client, &name, from, token).await?)) });
    }
    running.join_all().await.into_iter().collect()
}

async fn page(
    client: &aws_sdk_cloudwatchlogs::Client,
    group: &str,
    from: i64,
    token: Option<String>,
) -> Result<Page, AwsError> {
    let call = client.filter_log_events().log_group_name(group);
    let call = call.start_time(from).set_next_token(token).send();
    let answer = call.await;
    match answer.map_err(|error| AwsError::call("FilterLogEvents", group, &error)) {
        Ok(answer) => {
            let events = answer.events.unwrap_or_default();
            let next = answer.next_token.filter(|token| !token.is_empty());
            Ok(Some((events.into_iter().map(Read::from).collect(), next)))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
