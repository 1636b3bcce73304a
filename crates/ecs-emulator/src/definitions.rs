//! Task definitions: families of numbered revisions that never change.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    fault::Fault,
    names::{Names, short},
    time::seconds,
};

/// The families, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Definitions(BTreeMap<String, Vec<Revision>>);

/// A revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// What `DescribeTaskDefinition` answers of it.
    pub definition: Map<String, Value>,
}

impl Revision {
    /// Its ARN.
    pub fn arn(&self) -> &str {
        self.text("taskDefinitionArn")
    }

    /// Whether tasks may be started of it.
    pub fn is_active(&self) -> bool {
        self.text("status") == "ACTIVE"
    }

    /// The definitions of its containers.
    pub fn containers(&self) -> &[Value] {
        let containers = self.definition.get("containerDefinitions");
        containers
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    fn text(&self, name: &str) -> &str {
        let value = self.definition.get(name);
        value.and_then(Value::as_str).unwrap_or_default()
    }

    /// The release that its containers are of: what the tag of an image from one of the app's
    /// repositories says, else the variable `REVISION`.
    pub fn release(&self, repositories: &[(String, String)]) -> Option<String> {
        let of_image = |container: &Value| {
            let image = container.get("image")?.as_str()?;
            let (repository, tag) = image.rsplit_once(':')?;
            let ours = |(_, name): &(String, String)| repository.ends_with(&format!("/{name}"));
            (repositories.iter().any(ours) && !repository.contains('@')).then(|| tag.to_owned())
        };
        let of_variable = |container: &Value| {
            let mut variables = container.get("environment")?.as_array()?.iter();
            let found = variables.find(|it| it["name"] == "REVISION")?;
            found["value"].as_str().map(str::to_owned)
        };
        let containers = self.containers();
        let tag = containers.iter().find_map(of_image);
        tag.or_else(|| containers.iter().find_map(of_variable))
    }
}

impl Definitions {
    /// Adds a revision to the family that `request` names, as `RegisterTaskDefinition` has it.
    ///
    /// # Errors
    /// When ECS would refuse it.
    pub fn register(
        &mut self,
        names: &Names,
        mut request: Map<String, Value>,
        now: Timestamp,
    ) -> Result<&Revision, Fault> {
        let family = check(&request)?;
        let revisions = self.0.entry(family.clone()).or_default();
        let number = revisions.len() + 1;
        for absent in ["volumes", "placementConstraints"] {
            request.entry(absent).or_insert_with(|| json!([]));
        }
        request.insert(
            "taskDefinitionArn".to_owned(),
            names.task_definition(&family, number).into(),
        );
        request.insert("revision".to_owned(), number.into());
        request.insert("status".to_owned(), "ACTIVE".into());
        request.insert("compatibilities".to_owned(), json!(["EXTERNAL", "EC2"]));
        request.insert("registeredAt".to_owned(), seconds(now));
        revisions.push(Revision {
            definition: request,
        });
        Ok(&revisions[number - 1])
    }

    /// A revision by ARN, by `family:revision`, or by its family alone for the newest active one.
    pub fn find(&self, name: &str) -> Option<&Revision> {
        let (family, number) = split(name);
        let revisions = self.0.get(family)?;
        match number {
            Some(number) => revisions.get(number.parse::<usize>().ok()?.checked_sub(1)?),
            None => revisions.iter().rev().find(|it| it.is_active()),
        }
    }

    /// Takes a revision out of use; one that is already is no error.
    ///
    /// # Errors
    /// When there is no such revision.
    pub fn deregister(&mut self, name: &str, now: Timestamp) -> Result<&Revision, Fault> {
        let unknown = || Fault::client("The specified task definition does not exist.");
        let (family, number) = split(name);
        let number: usize = number
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| Fault::client("Invalid revision number. Number: null"))?;
        let revisions = self.0.get_mut(family).ok_or_else(unknown)?;
        let index = number.checked_sub(1).ok_or_else(unknown)?;
        let revision = revisions.get_mut(index).ok_or_else(unknown)?;
        let definition = &mut revision.definition;
        definition.insert("status".to_owned(), "INACTIVE".into());
        definition
            .entry("deregisteredAt")
            .or_insert_with(|| seconds(now));
        Ok(revision)
    }

    /// All revisions, each family's oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Revision> {
        self.0.values().flatten()
    }

    /// The revisions of one family, oldest first.
    pub fn of_family(&self, family: &str) -> &[Revision] {
        self.0.get(family).map_or(&[], Vec::as_slice)
    }
}

/// The family and, where there is one, the revision that a name says.
pub fn split(name: &str) -> (&str, Option<&str>) {
    match short(name).split_once(':') {
        Some((family, number)) => (family, Some(number)),
        None => (short(name), None),
    }
}

/// Checks what ECS checks, and gives the family.
fn check(request: &Map<String, Value>) -> Result<String, Fault> {
    let family = request.get("family").and_then(Value::as_str);
    let family = family.ok_or_else(|| Fault::client("Family can not be blank."))?;
    let allowed = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_');
    if family.is_empty() || family.len() > 255 || !family.chars().all(allowed) {
        return Err(Fault::client(format!("Family '{family}' is invalid.")));
    }
    let containers = request
        .get("containerDefinitions")
        .and_then(Value::as_array);
    let containers = containers.filter(|containers| !containers.is_empty());
    let containers = containers.ok_or_else(|| Fault::client("Container list cannot be empty."))?;
    let of_task = request.contains_key("memory");
    for container in containers {
        let name = container["name"].as_str().unwrap_or_default();
        if name.is_empty() || container["image"].as_str().is_none_or(str::is_empty) {
            return Err(Fault::client(
                "Container.name and Container.image should not be null or empty.",
            ));
        }
        let memory = ["memory", "memoryReservation"];
        if !of_task && memory.iter().all(|it| container[it].is_null()) {
            return Err(Fault::client(format!(
                "Invalid setting for container '{name}'. At least one of 'memory' or \
                 'memoryReservation' must be specified."
            )));
        }
    }
    Ok(family.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(image: &str) -> Map<String, Value> {
        let request = json!({
            "family": "shop",
            "containerDefinitions": [{
                "name": "php-fpm", "image": image, "memory": 256,
                "environment": [{ "name": "REVISION", "value": "of-the-variable" }],
            }],
        });
        request.as_object().unwrap().clone()
    }

    #[test]
    fn a_family_s_newest_active_revision_is_found_by_its_name_alone() {
        let names = Names::new("eu-central-1");
        let (mut all, now) = (Definitions::default(), Timestamp::UNIX_EPOCH);
        for number in 1..=3 {
            let revision = all.register(&names, request("a"), now).unwrap();
            assert!(
                revision
                    .arn()
                    .ends_with(&format!(":task-definition/shop:{number}"))
            );
        }
        let arn = |name: &str| all.find(name).map(|it| it.arn().to_owned());
        assert_eq!(arn("shop"), arn("shop:3"));
        assert_eq!(arn(&arn("shop:2").unwrap()), arn("shop:2"));
        assert_eq!(
            (arn("shop:4"), arn("shop:0"), arn("store")),
            (None, None, None)
        );
        all.deregister("shop:3", now).unwrap();
        all.deregister("shop:3", now).unwrap();
        assert!(all.find("shop").unwrap().arn().ends_with("shop:2"));
        assert!(!all.find("shop:3").unwrap().is_active());
        assert!(all.deregister("shop", now).is_err());
        assert!(all.deregister("shop:9", now).is_err());
    }

    #[test]
    fn the_release_is_that_of_the_app_s_own_image_else_of_the_variable() {
        let repositories = [(
            "php-fpm".to_owned(),
            "shop/production/shop/php-fpm".to_owned(),
        )];
        let names = Names::new("eu-central-1");
        let of = |image: &str| {
            let mut all = Definitions::default();
            let revision = all.register(&names, request(image), Timestamp::UNIX_EPOCH);
            revision.unwrap().release(&repositories).unwrap()
        };
        let registry = names.registry();
        assert_eq!(
            of(&format!("{registry}/shop/production/shop/php-fpm:1a2b")),
            "1a2b"
        );
        for other in [
            format!("{registry}/shop/production/shop/php-fpm@sha256:1a2b"),
            "example/tool:1".to_owned(),
            "localhost:5000/tool".to_owned(),
        ] {
            assert_eq!(of(&other), "of-the-variable", "{other}");
        }
    }

    #[test]
    fn what_ecs_refuses_is_refused() {
        let names = Names::new("eu-central-1");
        let mut all = Definitions::default();
        let mut said = |change: &dyn Fn(&mut Value)| {
            let mut request = Value::Object(request("a"));
            change(&mut request);
            let request = request.as_object().unwrap().clone();
            let answer = all.register(&names, request, Timestamp::UNIX_EPOCH);
            answer.unwrap_err().message
        };
        assert!(said(&|it| it["family"] = json!("a b")).contains("is invalid"));
        assert!(said(&|it| it["containerDefinitions"] = json!([])).contains("cannot be empty"));
        assert!(
            said(&|it| it["containerDefinitions"][0]["image"] = json!(""))
                .contains("null or empty")
        );
        let no_memory = |it: &mut Value| it["containerDefinitions"][0]["memory"] = Value::Null;
        assert!(said(&no_memory).contains("'memoryReservation' must be specified"));
    }
}
