//! Templates.

use std::io::{self, Write};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, json};

use crate::{
    Added, Document, Expression, Json, LogicalId, Render, Resource, ResourceProperties, Text,
};

/// Room for the text of most templates.
const USUAL_BYTES: usize = 128 * 1_024;

/// A CloudFormation template. Everything is written in the order in which it was added.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Template {
    /// What the stack is, at most 1,024 bytes.
    pub description: String,
    /// Where the template comes from.
    pub metadata: Map<String, Json>,
    parameters: Vec<Parameter>,
    conditions: Vec<(String, Expression)>,
    resources: Vec<(LogicalId, Resource)>,
    outputs: Vec<Output>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its type.
    pub kind: ParameterType,
    /// Its value when none is given.
    pub default: Option<String>,
}

/// A parameter's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    /// `String`.
    String,
    /// A string in Parameter Store; the parameter's value is its name there.
    SsmString,
    /// The id of an image in Parameter Store.
    SsmImageId,
}

impl ParameterType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::SsmString => "AWS::SSM::Parameter::Value<String>",
            Self::SsmImageId => "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
        }
    }
}

/// An output.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its value.
    pub value: Text,
    /// The condition under which there is one.
    pub condition: Option<String>,
}

impl Template {
    /// An empty template.
    pub fn new(description: impl Into<String>) -> Self {
        Self {
            description: description.into(),
            ..Self::default()
        }
    }

    /// Adds a resource; its description is one sentence for progress displays.
    ///
    /// Adding a logical id twice is a mistake of the caller that [`Self::problems`] reports.
    pub fn add<P: ResourceProperties>(
        &mut self,
        id: impl Into<LogicalId>,
        description: impl Into<String>,
        properties: &P,
    ) -> Added<'_> {
        let id = id.into();
        let resource = Resource::new(description.into(), properties);
        let position = self.resources.len();
        self.resources.push((id.clone(), resource));
        Added {
            id,
            resource: &mut self.resources[position].1,
        }
    }

    /// A reference to a parameter, which is declared at its first use.
    pub fn parameter(&mut self, parameter: Parameter) -> Text {
        let reference = Expression::reference(&parameter.name).into();
        if !self.parameters.contains(&parameter) {
            self.parameters.push(parameter);
        }
        reference
    }

    /// Declares a condition.
    pub fn condition(&mut self, name: &str, expression: Expression) {
        self.conditions.push((name.to_owned(), expression));
    }

    /// Adds an output.
    pub fn output(
        &mut self,
        name: impl Into<String>,
        description: impl Into<String>,
        value: impl Into<Text>,
    ) {
        self.outputs.push(Output {
            name: name.into(),
            description: description.into(),
            value: value.into(),
            condition: None,
        });
    }

    /// Its parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Its conditions.
    pub fn conditions(&self) -> &[(String, Expression)] {
        &self.conditions
    }

    /// Its resources.
    pub fn resources(&self) -> &[(LogicalId, Resource)] {
        &self.resources
    }

    /// Its outputs.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The template as JSON.
    pub fn json(&self) -> Json {
        serde_json::to_value(self).expect("names are strings, and numbers are finite")
    }

    /// The template's text, ending with a new line.
    pub fn text(&self) -> String {
        let mut text = Vec::with_capacity(USUAL_BYTES);
        serde_json::to_writer_pretty(&mut text, self)
            .expect("names are strings, and numbers are finite");
        text.push(b'\n');
        String::from_utf8(text).expect("JSON is UTF-8")
    }

    /// The template's text without white space, as it is sent.
    pub fn compact(&self) -> String {
        serde_json::to_string(self).expect("names are strings, and numbers are finite")
    }

    /// The length of [`Self::compact`], in bytes.
    pub fn size(&self) -> usize {
        let mut counted = Counted(0);
        serde_json::to_writer(&mut counted, self)
            .expect("names are strings, and numbers are finite");
        counted.0
    }
}

/// Counts bytes, and keeps none.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0 += bytes.len();
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("AWSTemplateFormatVersion", "2010-09-09")?;
        map.serialize_entry("Description", &self.description)?;
        if !self.metadata.is_empty() {
            map.serialize_entry("Metadata", &self.metadata)?;
        }
        section(&mut map, "Parameters", &self.parameters, parameter)?;
        section(&mut map, "Conditions", &self.conditions, |(name, it)| {
            (name, it.json())
        })?;
        section(&mut map, "Resources", &self.resources, |(id, it)| {
            (&id.0, it)
        })?;
        section(&mut map, "Outputs", &self.outputs, output)?;
        map.end()
    }
}

/// A section of a template; nothing where it is empty.
fn section<'a, M: SerializeMap, T, V: Serialize>(
    map: &mut M,
    name: &str,
    items: &'a [T],
    entry: impl Fn(&'a T) -> (&'a String, V),
) -> Result<(), M::Error> {
    if items.is_empty() {
        return Ok(());
    }
    map.serialize_entry(name, &Entries { items, entry })
}

/// Items as an object.
struct Entries<'a, T, F> {
    items: &'a [T],
    entry: F,
}

impl<'a, T, V, F> Serialize for Entries<'a, T, F>
where
    V: Serialize,
    F: Fn(&'a T) -> (&'a String, V),
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.items.iter().map(&self.entry))
    }
}

fn parameter(parameter: &Parameter) -> (&String, Json) {
    let mut json = json!({
        "Type": parameter.kind.as_str(),
        "Description": parameter.description,
    });
    if let Some(default) = &parameter.default {
        json["Default"] = default.as_str().into();
    }
    (&parameter.name, json)
}

fn output(output: &Output) -> (&String, Json) {
    let mut json = json!({
        "Description": output.description,
        "Value": output.value.render(),
    });
    if let Some(condition) = &output.condition {
        json["Condition"] = condition.as_str().into();
    }
    (&output.name, json)
}

impl Render for Json {
    fn render(&self) -> Option<Json> {
        Document::Literal(self.clone()).render()
    }
}
