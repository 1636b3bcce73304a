//! Making change sets, and what of them can be read without making any.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mck_cloudformation::{MAXIMUM_BODY_BYTES, MAXIMUM_INLINE_BYTES};
use serde_json::Value;

use crate::{
    account::Clients,
    bucket::Stored,
    change_set,
    client::{Body, ChangeKind, ChangeSet, Client, Described},
    error::AwsError,
    follow::Waits,
    request::{Request, token},
};

/// How long CloudFormation may think about a change set.
const CHANGE_SET_DEADLINE: Duration = Duration::from_secs(600);

/// A change set and its name.
pub(crate) struct NamedChangeSet {
    pub(crate) name: String,
    pub(crate) set: ChangeSet,
}

/// What came of asking for a change set.
pub(crate) enum Made {
    Nothing,
    Set(NamedChangeSet),
}

/// Makes a change set and waits until it can be read.
pub(crate) async fn make(
    client: &Client,
    request: &Request,
    kind: ChangeKind,
    body: &Body,
    who: &str,
) -> Result<Made, AwsError> {
    let name = change_set_name(request, who);
    client.create_change_set(request, &name, kind, body).await?;
    let mut waits = Waits::until(CHANGE_SET_DEADLINE);
    loop {
        let set = client.change_set(&request.name, &name).await?;
        if change_set::is_empty(&set.status, &set.reason) {
            client.delete_change_set(&request.name, &name).await?;
            return Ok(Made::Nothing);
        }
        match set.status.as_str() {
            "CREATE_COMPLETE" => return Ok(Made::Set(NamedChangeSet { name, set })),
            "FAILED" => {
                client.delete_change_set(&request.name, &name).await?;
                return Err(AwsError::ChangeSet {
                    stack: request.name.clone(),
                    reason: set.reason,
                });
            }
            _ if waits.wait().await => {}
            _ => {
                return Err(AwsError::Deadline {
                    what: "the change set",
                    stack: request.name.clone(),
                    seconds: CHANGE_SET_DEADLINE.as_secs(),
                });
            }
        }
    }
}

/// Where the template is sent: in the request, or in a bucket.
pub(crate) async fn body(
    clients: &Clients,
    request: &Request,
) -> Result<(Body, Option<Stored>), AwsError> {
    let bytes = request.body.len();
    if bytes <= MAXIMUM_INLINE_BYTES {
        return Ok((Body::Inline(request.body.clone()), None));
    }
    if bytes > MAXIMUM_BODY_BYTES {
        return Err(AwsError::TooLarge {
            stack: request.name.clone(),
            bytes,
        });
    }
    let key = format!("{}/{}-{}.json", request.name, request.digest(), moment());
    let stored = clients
        .buckets
        .store(&request.region, &key, &request.body)
        .await?;
    Ok((Body::Url(stored.url.clone()), Some(stored)))
}

/// Another name each time, which tells in the console who is at work, as the token does.
fn change_set_name(request: &Request, who: &str) -> String {
    token(&request.digest(), &format!("{}-{who}", moment()))
}

/// Another text each time.
fn moment() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}-{}", now.as_nanos(), std::process::id())
}

/// Whether parameters and tags are those that are wanted. Parameters with a default that we leave to
/// the template are not compared.
pub(crate) fn is_same_around(request: &Request, there: &Described) -> bool {
    let mut parameters = request.parameters.iter();
    let same = parameters.all(|(key, value)| there.parameters.get(key) == Some(value));
    same && request.tags == there.tags
}

/// Whether two texts are the same template.
pub(crate) fn is_same_template(wanted: &str, there: &str) -> bool {
    if wanted == there {
        return true;
    }
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    parse(wanted).is_some_and(|wanted| parse(there) == Some(wanted))
}
