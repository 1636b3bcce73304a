//! Tags.

use serde_json::{Value, json};

use crate::{emulator::Emulator, fault::Fault, input::Input, state::State};

/// The most tags of one thing (ECS).
const MOST: usize = 50;

/// Gives a thing tags; one of the same key is replaced.
pub(super) fn put(state: &mut State, arn: &str, tags: &Value) -> Result<(), Fault> {
    let tags = tags.as_array().map_or(&[][..], Vec::as_slice);
    if tags.is_empty() {
        return Ok(());
    }
    let mut all = state.tags.get(arn).cloned().unwrap_or_default();
    for tag in tags {
        if tag["key"].as_str().is_none_or(str::is_empty) {
            return Err(Fault::parameter("Tag keys can not be blank."));
        }
        all.retain(|it| it["key"] != tag["key"]);
        all.push(tag.clone());
    }
    if all.len() > MOST {
        let message = "The maximum number of tags per resource has been exceeded.";
        return Err(Fault::parameter(message));
    }
    state.tags.insert(arn.to_owned(), all);
    Ok(())
}

pub(super) fn add(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let mut state = emulator.state();
    let tags = input.value("tags").cloned().unwrap_or_default();
    put(&mut state, input.required("resourceArn")?, &tags)?;
    state.save()?;
    Ok(json!({}))
}

pub(super) fn remove(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let keys = input.texts("tagKeys");
    let mut state = emulator.state();
    if let Some(tags) = state.tags.get_mut(input.required("resourceArn")?) {
        tags.retain(|it| !it["key"].as_str().is_some_and(|key| keys.contains(&key)));
    }
    state.save()?;
    Ok(json!({}))
}

pub(super) fn list(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let state = emulator.state();
    let tags = state.tags.get(input.required("resourceArn")?);
    Ok(json!({ "tags": tags.cloned().unwrap_or_default() }))
}
