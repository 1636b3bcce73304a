//! Values of properties.

use std::collections::BTreeMap;

use serde_json::Map;

use crate::{Expression, Json, PolicyDocument};

/// A property's value: nothing, a literal, or an expression that CloudFormation works out.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value<T> {
    /// The property is not written.
    #[default]
    Absent,
    /// Known now.
    Literal(T),
    /// Known when the stack is made.
    Expression(Expression),
}

/// A string.
pub type Text = Value<String>;
/// A boolean.
pub type Flag = Value<bool>;
/// An integer.
pub type Integer = Value<i64>;
/// A number.
pub type Number = Value<f64>;
/// JSON of any shape, such as a policy.
pub type Document = Value<Json>;

impl<T> Value<T> {
    /// Whether the property is not written.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl Text {
    /// Texts, one after the other; neighbouring literals become one.
    pub fn concat<I>(parts: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Self>,
    {
        let mut joined: Vec<Self> = Vec::new();
        for part in parts {
            match (joined.last_mut(), part.into()) {
                (_, Self::Absent) => {}
                (Some(Self::Literal(before)), Self::Literal(text)) => before.push_str(&text),
                (_, part) => joined.push(part),
            }
        }
        match joined.len() {
            0 => Self::Literal(String::new()),
            1 => joined.remove(0),
            _ => Expression::join("", joined).into(),
        }
    }

    /// The text, where it is known now.
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            _ => None,
        }
    }
}

/// What can be written into a template.
pub trait Render {
    /// Its JSON; none when there is nothing to write.
    fn render(&self) -> Option<Json>;
}

impl<T: Into<Json> + Clone> Render for Value<T> {
    fn render(&self) -> Option<Json> {
        match self {
            Self::Absent => None,
            Self::Literal(value) => Some(shortest(value.clone().into())),
            Self::Expression(expression) => Some(expression.json().clone()),
        }
    }
}

/// Whole numbers are written without a point: where AWS's schemas say `number`, its services often
/// mean whole ones.
fn shortest(json: Json) -> Json {
    /// Up to here every whole number is a 64-bit float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match json.as_f64() {
        Some(number) if json.is_f64() && number.fract() == 0.0 && number.abs() < EXACT => {
            // Whole and in range, by the guard.
            #[expect(clippy::cast_possible_truncation)]
            let whole = number as i64;
            whole.into()
        }
        _ => json,
    }
}

impl<T: Render> Render for Option<T> {
    fn render(&self) -> Option<Json> {
        self.as_ref().and_then(Render::render)
    }
}

impl<T: Render> Render for Box<T> {
    fn render(&self) -> Option<Json> {
        (**self).render()
    }
}

impl<T: Render> Render for Vec<T> {
    fn render(&self) -> Option<Json> {
        let items: Vec<Json> = self.iter().filter_map(Render::render).collect();
        (!items.is_empty()).then_some(Json::Array(items))
    }
}

impl<T: Render> Render for BTreeMap<String, T> {
    fn render(&self) -> Option<Json> {
        let mut object = Map::with_capacity(self.len());
        for (key, value) in self {
            if let Some(value) = value.render() {
                object.insert(key.clone(), value);
            }
        }
        (!object.is_empty()).then_some(Json::Object(object))
    }
}

impl<T> From<Expression> for Value<T> {
    fn from(expression: Expression) -> Self {
        Self::Expression(expression)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Literal(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Literal(text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::Literal(text.clone())
    }
}

impl From<&Self> for Text {
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

impl From<bool> for Flag {
    fn from(flag: bool) -> Self {
        Self::Literal(flag)
    }
}

macro_rules! integers {
    ($($kind:ty),*) => { $(
        impl From<$kind> for Integer {
            fn from(number: $kind) -> Self {
                Self::Literal(i64::from(number))
            }
        }
    )* };
}

integers!(i32, i64, u8, u16, u32);

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Literal(number)
    }
}

impl From<i32> for Number {
    fn from(number: i32) -> Self {
        Self::Literal(f64::from(number))
    }
}

impl From<Json> for Document {
    fn from(json: Json) -> Self {
        Self::Literal(json)
    }
}

impl From<PolicyDocument> for Document {
    fn from(policy: PolicyDocument) -> Self {
        policy.render().map_or(Self::Absent, Self::Literal)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pseudo;

    #[test]
    fn neighbouring_literals_become_one() {
        assert_eq!(Text::concat(["a", "b"]), Text::from("ab"));
        let mixed = Text::concat([
            Text::from("arn:"),
            pseudo::partition(),
            Text::from(":s3:"),
            Text::from("::x"),
        ]);
        assert_eq!(
            mixed.render(),
            Some(json!({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::x"]]}))
        );
    }

    #[test]
    fn what_is_absent_is_not_written() {
        assert_eq!(Text::Absent.render(), None);
        assert_eq!(Vec::<Text>::new().render(), None);
        assert_eq!(
            BTreeMap::from([("a".to_owned(), Text::Absent)]).render(),
            None
        );
        assert_eq!(Flag::from(false).render(), Some(json!(false)));
    }

    #[test]
    fn whole_numbers_have_no_point() {
        assert_eq!(Number::from(60.0).render(), Some(json!(60)));
        assert_eq!(Number::from(0.5).render(), Some(json!(0.5)));
    }
}
