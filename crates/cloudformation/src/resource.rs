//! Resources of a template.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, json};

use crate::{Expression, Json, ResourceProperties, Text};

/// The metadata key of a resource's description, one sentence for progress displays.
pub const DESCRIPTION: &str = "mck:Description";

/// The name of a resource in its template: letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogicalId(pub(crate) String);

impl LogicalId {
    /// Words run together: `public-a` and `subnet` become `PublicASubnet`.
    pub fn of(words: &[&str]) -> Self {
        let mut id = String::new();
        let letters = |letter: char| !letter.is_ascii_alphanumeric();
        for part in words.iter().flat_map(|word| word.split(letters)) {
            let mut characters = part.chars();
            id.extend(characters.next().map(|first| first.to_ascii_uppercase()));
            id.push_str(characters.as_str());
        }
        Self(id)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `Ref`: mostly the physical id.
    pub fn reference(&self) -> Text {
        Expression::reference(&self.0).into()
    }

    /// `Fn::GetAtt`: one of the attributes that [`crate::schema`] lists.
    pub fn attribute(&self, name: &str) -> Text {
        Expression::attribute(self, name).into()
    }
}

impl From<&str> for LogicalId {
    fn from(id: &str) -> Self {
        Self::of(&[id])
    }
}

impl fmt::Display for LogicalId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What becomes of a resource when its stack is deleted or it is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It stays, but for one whose stack failed to be made: that is empty, and its name would be in
    /// the way of the next try.
    Retain,
    /// A last snapshot is made; only of what has snapshots.
    Snapshot,
}

impl DeletionPolicy {
    const fn on_deletion(self) -> &'static str {
        match self {
            Self::Retain => "RetainExceptOnCreate",
            Self::Snapshot => "Snapshot",
        }
    }

    const fn on_replacement(self) -> &'static str {
        match self {
            Self::Retain => "Retain",
            Self::Snapshot => "Snapshot",
        }
    }
}

/// A resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its type, such as `AWS::EC2::VPC`.
    pub kind: &'static str,
    /// What it is, in one sentence.
    pub description: String,
    /// Its properties.
    pub properties: Json,
    /// What becomes of it when it goes; none: it is deleted.
    pub deletion_policy: Option<DeletionPolicy>,
    /// The condition under which there is one.
    pub condition: Option<String>,
    /// What must be there before, beside what its properties refer to.
    pub depends_on: Vec<LogicalId>,
    /// `CreationPolicy`.
    pub creation_policy: Option<Json>,
    /// `UpdatePolicy`.
    pub update_policy: Option<Json>,
    /// More metadata, such as a checker's exceptions.
    pub metadata: Map<String, Json>,
}

impl Resource {
    pub(crate) fn new<P: ResourceProperties>(description: String, properties: &P) -> Self {
        Self {
            kind: P::TYPE,
            description,
            properties: properties.render().unwrap_or_else(|| json!({})),
            deletion_policy: None,
            condition: None,
            depends_on: Vec::new(),
            creation_policy: None,
            update_policy: None,
            metadata: Map::new(),
        }
    }
}

/// What is written into the template; straight from the properties, which are most of it.
impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Type", self.kind)?;
        map.serialize_entry("Metadata", &Metadata(self))?;
        if let Some(condition) = &self.condition {
            map.serialize_entry("Condition", condition)?;
        }
        if !self.depends_on.is_empty() {
            let ids: Vec<&str> = self.depends_on.iter().map(LogicalId::as_str).collect();
            map.serialize_entry("DependsOn", &ids)?;
        }
        if let Some(policy) = self.deletion_policy {
            map.serialize_entry("DeletionPolicy", policy.on_deletion())?;
            map.serialize_entry("UpdateReplacePolicy", policy.on_replacement())?;
        }
        if let Some(policy) = &self.creation_policy {
            map.serialize_entry("CreationPolicy", policy)?;
        }
        if let Some(policy) = &self.update_policy {
            map.serialize_entry("UpdatePolicy", policy)?;
        }
        if self.properties.as_object().is_some_and(|it| !it.is_empty()) {
            map.serialize_entry("Properties", &self.properties)?;
        }
        map.end()
    }
}

/// A resource's metadata: its description, and more.
struct Metadata<'a>(&'a Resource);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(DESCRIPTION, &self.0.description)?;
        for (key, value) in &self.0.metadata {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A resource that was just added: says more of it.
#[derive(Debug)]
pub struct Added<'a> {
    pub(crate) id: LogicalId,
    pub(crate) resource: &'a mut Resource,
}

impl Added<'_> {
    /// Its name in the template, for references.
    pub fn id(self) -> LogicalId {
        self.id
    }

    /// It stays when its stack is deleted or it is replaced.
    pub fn retained(self) -> Self {
        self.resource.deletion_policy = Some(DeletionPolicy::Retain);
        self
    }

    /// A last snapshot is made when it goes.
    pub fn snapshotted(self) -> Self {
        self.resource.deletion_policy = Some(DeletionPolicy::Snapshot);
        self
    }

    /// There is one under this condition only.
    pub fn on_condition(self, condition: &str) -> Self {
        self.resource.condition = Some(condition.to_owned());
        self
    }

    /// It comes after these.
    pub fn after<'i>(self, ids: impl IntoIterator<Item = &'i LogicalId>) -> Self {
        self.resource.depends_on.extend(ids.into_iter().cloned());
        self
    }

    /// `CreationPolicy`.
    pub fn creation_policy(self, policy: Json) -> Self {
        self.resource.creation_policy = Some(policy);
        self
    }

    /// `UpdatePolicy`.
    pub fn update_policy(self, policy: Json) -> Self {
        self.resource.update_policy = Some(policy);
        self
    }

    /// More metadata.
    pub fn metadata(self, key: &str, value: Json) -> Self {
        self.resource.metadata.insert(key.to_owned(), value);
        self
    }
}
