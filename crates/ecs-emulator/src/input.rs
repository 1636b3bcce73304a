//! What a request says.

use serde_json::{Map, Value};

use crate::fault::Fault;

/// The most things on a page, where a request names no number (ECS).
const PAGE: usize = 100;

/// The members of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Input(Map<String, Value>);

impl Input {
    /// A request's body; an empty one says nothing.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        if body.is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            _ => Err(Fault::new(
                "SerializationException",
                "The request is no JSON object.",
            )),
        }
    }

    /// All members.
    pub fn members(self) -> Map<String, Value> {
        self.0
    }

    /// What is said but for one member.
    pub fn without(&self, name: &str) -> Value {
        let mut members = self.0.clone();
        members.remove(name);
        Value::Object(members)
    }

    /// The names of the members that say something.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let said = self.0.iter().filter(|(_, value)| !value.is_null());
        said.map(|(name, _)| name.as_str())
    }

    /// A member.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str()
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn required(&self, name: &str) -> Result<&str, Fault> {
        let text = self.text(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| Fault::parameter(format!("{name} can not be blank.")))
    }

    /// A number from 0.
    ///
    /// # Errors
    /// When it is another one, or none at all.
    pub fn count(&self, name: &str) -> Result<Option<u32>, Fault> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|it| u32::try_from(it).ok());
        let number = number.ok_or_else(|| Fault::parameter(format!("{name} is invalid.")))?;
        Ok(Some(number))
    }

    /// Whether something is asked for.
    pub fn is_set(&self, name: &str) -> bool {
        self.value(name).and_then(Value::as_bool) == Some(true)
    }

    /// Texts.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let list = self.value(name).and_then(Value::as_array);
        let list = list.map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(Value::as_str).collect()
    }

    /// The page of `all` that is asked for by `maxResults` and `nextToken`, and the next one's token.
    ///
    /// # Errors
    /// When the token is none of ours.
    pub fn page<T>(&self, all: Vec<T>) -> Result<(Vec<T>, Option<String>), Fault> {
        let most = self.count("maxResults")?.map_or(PAGE, |it| it as usize);
        let most = most.clamp(1, PAGE);
        let first = match self.text("nextToken") {
            None => 0,
            Some(token) => token
                .parse::<usize>()
                .map_err(|_| Fault::parameter("Invalid token."))?,
        };
        let more = all.len() > first.saturating_add(most);
        let next = more.then(|| (first + most).to_string());
        Ok((all.into_iter().skip(first).take(most).collect(), next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_told_page_by_page() {
        let all = vec![1, 2, 3, 4, 5];
        let page = |body: &str| Input::parse(body.as_bytes()).unwrap().page(all.clone());
        assert_eq!(page("").unwrap(), (all.clone(), None));
        let (first, token) = page(r#"{"maxResults":2}"#).unwrap();
        assert_eq!((first, token.as_deref()), (vec![1, 2], Some("2")));
        let last = page(r#"{"maxResults":2,"nextToken":"4"}"#).unwrap();
        assert_eq!(last, (vec![5], None));
        assert_eq!(page(r#"{"nextToken":"99"}"#).unwrap(), (vec![], None));
        assert!(page(r#"{"nextToken":"x"}"#).is_err());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        assert_eq!(
            Input::parse(b"[]").unwrap_err().kind,
            "SerializationException"
        );
        let input = Input::parse(br#"{"desiredCount":-1,"service":"","x":null}"#).unwrap();
        assert!(input.count("desiredCount").is_err());
        assert!(input.required("service").is_err());
        assert_eq!(
            input.names().collect::<Vec<_>>(),
            ["desiredCount", "service"]
        );
    }
}
