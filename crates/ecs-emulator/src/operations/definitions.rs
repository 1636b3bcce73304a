//! Task definitions.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{page, tags};
use crate::{definitions::Revision, emulator::Emulator, fault::Fault, input::Input, state::State};

pub(super) fn register(emulator: &Emulator, input: Input) -> Result<Value, Fault> {
    let mut request = input.members();
    let tags = request.remove("tags").unwrap_or_else(|| json!([]));
    let mut state = emulator.state();
    let now = Timestamp::now();
    let names = &emulator.world.names;
    let revision = state.definitions.register(names, request, now)?.clone();
    tags::put(&mut state, revision.arn(), &tags)?;
    state.save()?;
    Ok(json!({ "taskDefinition": revision.definition, "tags": tags }))
}

pub(super) fn describe(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let mut state = emulator.state();
    if state.services.is_empty() {
        emulator.look(&mut state)?;
    }
    let found = state.definitions.find(input.required("taskDefinition")?);
    let found = found.ok_or_else(|| Fault::client("Unable to describe task definition."))?;
    let mut answer = json!({ "taskDefinition": found.definition });
    if input.texts("include").contains(&"TAGS") {
        answer["tags"] = tags_of(&state, found);
    }
    state.save()?;
    Ok(answer)
}

fn tags_of(state: &State, revision: &Revision) -> Value {
    json!(state.tags.get(revision.arn()).cloned().unwrap_or_default())
}

pub(super) fn list(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let wanted = input.text("status").unwrap_or("ACTIVE");
    let family = input.text("familyPrefix").unwrap_or_default();
    let state = emulator.state();
    let revisions: Vec<&Revision> = match family {
        "" => state.definitions.all().collect(),
        family => state.definitions.of_family(family).iter().collect(),
    };
    let listed = revisions.into_iter();
    let listed = listed.filter(|it| it.is_active() == (wanted == "ACTIVE"));
    let mut arns: Vec<String> = listed.map(|it| it.arn().to_owned()).collect();
    if input.text("sort") == Some("DESC") {
        arns.reverse();
    }
    page(input, "taskDefinitionArns", arns)
}

pub(super) fn deregister(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let mut state = emulator.state();
    let name = input.required("taskDefinition")?;
    let revision = state.definitions.deregister(name, Timestamp::now())?;
    let answer = json!({ "taskDefinition": revision.definition });
    state.save()?;
    Ok(answer)
}
