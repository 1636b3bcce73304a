//! Properties that differ, and which of them replace their resource.

use mck_cloudformation::schema::TypeSchema;
use serde::Serialize;
use serde_json::Value;

use super::references::Cause;

/// A property that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PropertyChange {
    /// Where it is, its parts joined with `/`, items of lists by number: `Tags/0/Value`.
    pub path: String,
    /// Its value before; none where it is new.
    pub before: Option<Value>,
    /// Its value after; none where it is gone.
    pub after: Option<Value>,
    /// What its change does to the resource.
    pub requires: Requirement,
    /// Why it changes, where its own text stays the same.
    pub cause: Option<Cause>,
}

impl PropertyChange {
    /// Whether a path is the property's own, or within it.
    pub(super) fn covers(&self, path: &str) -> bool {
        path.strip_prefix(&self.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// What a property's change does to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// It changes in place.
    InPlace,
    /// AWS replaces it under conditions that its schema does not say.
    MayReplace,
    /// AWS replaces it.
    Replace,
}

/// The properties that differ between two values, deepest first where both have the same shape.
/// Lists whose length differs, and expressions, differ as a whole.
pub(super) fn compare(before: Option<&Value>, after: Option<&Value>) -> Vec<PropertyChange> {
    let mut changes = Vec::new();
    walk(&mut Vec::new(), before, after, &mut changes);
    changes
}

fn walk(
    path: &mut Vec<String>,
    before: Option<&Value>,
    after: Option<&Value>,
    changes: &mut Vec<PropertyChange>,
) {
    if before == after {
        return;
    }
    let within = |path: &mut Vec<String>, key: String, old, new, changes: &mut _| {
        path.push(key);
        walk(path, old, new, changes);
        path.pop();
    };
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new)))
            if !is_expression(old) && !is_expression(new) =>
        {
            let gone = old.keys().filter(|key| !new.contains_key(*key));
            for key in new.keys().chain(gone) {
                within(path, key.clone(), old.get(key), new.get(key), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                within(path, index.to_string(), Some(old), Some(new), changes);
            }
        }
        _ => changes.push(PropertyChange {
            path: path.join("/"),
            before: before.cloned(),
            after: after.cloned(),
            requires: Requirement::InPlace,
            cause: None,
        }),
    }
}

/// Whether an object is an intrinsic function rather than properties.
pub(super) fn is_expression(object: &serde_json::Map<String, Value>) -> bool {
    let mut keys = object.keys();
    matches!((keys.next(), keys.next()), (Some(key), None) if key == "Ref" || key.starts_with("Fn::"))
}

/// What a change requires of a resource of the type; `resource` is how it is wanted.
pub(super) fn requirement(
    schema: Option<&TypeSchema>,
    resource: &Value,
    change: &PropertyChange,
) -> Requirement {
    let Some(schema) = schema else {
        return Requirement::MayReplace;
    };
    let touches = |patterns: &[&str]| patterns.iter().any(|pattern| touches(pattern, change));
    if touches(schema.create_only) || is_held(schema.name, change) {
        Requirement::Replace
    } else if touches(schema.conditional_create_only) {
        known_condition(schema.name, resource, change).unwrap_or(Requirement::MayReplace)
    } else {
        Requirement::InPlace
    }
}

/// Subnets that a data store can't leave while it is in them, though the schema says that they can
/// change: AWS refuses to take subnets in use out of a subnet group (RDS and ElastiCache user
/// guides), and to move a domain to another VPC (OpenSearch Service developer guide).
const HELD: [(&str, &str); 3] = [
    ("AWS::ElastiCache::SubnetGroup", "SubnetIds"),
    ("AWS::OpenSearchService::Domain", "VPCOptions/SubnetIds"),
    ("AWS::RDS::DBSubnetGroup", "SubnetIds"),
];

/// Whether a change takes the subnets away that hold a data store: because they are replaced.
fn is_held(kind: &str, change: &PropertyChange) -> bool {
    let mut held = HELD.iter().filter(|(held, _)| *held == kind);
    change.cause.is_some() && held.any(|(_, pattern)| touches(pattern, change))
}

/// What comes of a conditional replacement whose condition is in the template.
///
/// An Auto Scaling group is replaced if its update policy says so (CloudFormation user guide,
/// "UpdatePolicy attribute"). An instance on EBS, as all of ours are, is stopped and started, but
/// for another volume, tenancy or kernel (its reference page, "Update requires").
fn known_condition(kind: &str, resource: &Value, change: &PropertyChange) -> Option<Requirement> {
    let property = change.path.split('/').next().unwrap_or_default();
    match kind {
        "AWS::AutoScaling::AutoScalingGroup" => {
            let will = resource.pointer("/UpdatePolicy/AutoScalingReplacingUpdate/WillReplace");
            Some(match will.and_then(Value::as_bool) {
                Some(true) => Requirement::Replace,
                _ => Requirement::InPlace,
            })
        }
        "AWS::EC2::Instance" => {
            let restarts = [
                "EbsOptimized",
                "InstanceType",
                "SecurityGroupIds",
                "UserData",
            ];
            restarts.contains(&property).then_some(Requirement::InPlace)
        }
        _ => None,
    }
}

/// Whether a change is at a schema's path, below it, or above it with the property within what
/// came or went.
fn touches(pattern: &str, change: &PropertyChange) -> bool {
    let mut wanted = pattern.split('/').filter(|part| *part != "*");
    let mut path = change.path.split('/').filter(|part| !is_index(part));
    loop {
        match (wanted.next(), path.next()) {
            // At the property, or below it.
            (None, _) => return true,
            (Some(wanted), Some(part)) if wanted == part => {}
            (Some(_), Some(_)) => return false,
            (Some(next), None) => {
                let rest: Vec<&str> = std::iter::once(next).chain(wanted).collect();
                let old = within(change.before.as_ref(), &rest);
                let new = within(change.after.as_ref(), &rest);
                return old != new;
            }
        }
    }
}

fn is_index(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The values at a path within a value, in any item of lists on the way.
fn within<'a>(value: Option<&'a Value>, path: &[&str]) -> Vec<&'a Value> {
    let Some(value) = value else {
        return Vec::new();
    };
    if let Value::Array(items) = value {
        return items
            .iter()
            .flat_map(|item| within(Some(item), path))
            .collect();
    }
    match path.split_first() {
        None => vec![value],
        Some((first, rest)) => within(value.get(*first), rest),
    }
}
