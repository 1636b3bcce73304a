//! How the session-manager-plugin is called. Pure.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

/// The variable that holds the session, so that its token is in no argument list: the plugin is given
/// the variable's name in the place of the session (since [`PluginVersion::WITH_VARIABLE`]).
const VARIABLE: &str = "AWS_SSM_START_SESSION_RESPONSE";

/// A session that waits for the plugin, as the plugin reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Opened {
    pub(super) session_id: String,
    pub(super) stream_url: String,
    pub(super) token_value: Token,
}

/// The token of a session: who has it has the session.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Token(pub(super) String);

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(…)")
    }
}

/// A call of the session-manager-plugin.
#[derive(Clone, PartialEq, Eq)]
pub struct PluginCall {
    /// Its arguments.
    pub arguments: Vec<String>,
    /// A variable of its environment, which holds a secret: its name and value.
    pub variable: (&'static str, String),
}

impl fmt::Debug for PluginCall {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PluginCall")
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

impl PluginCall {
    /// The program's name.
    pub const PROGRAM: &'static str = "session-manager-plugin";

    /// The plugin's arguments are the session, region, operation, the AWS command line's profile, the
    /// request and Systems Manager's address. It needs no profile: it resumes with the session's token.
    pub(super) fn new(opened: &Opened, region: &str, target: &str, endpoint: &str) -> Self {
        Self::for_request(opened, region, &json!({ "Target": target }), endpoint)
    }

    /// The same with the whole request that the session was opened by.
    pub(super) fn for_request(
        opened: &Opened,
        region: &str,
        request: &Value,
        endpoint: &str,
    ) -> Self {
        let session = serde_json::to_string(opened).expect("texts can be written as JSON");
        let request = request.to_string();
        let arguments = [VARIABLE, region, "StartSession", "", &request, endpoint];
        Self {
            arguments: arguments.map(str::to_owned).to_vec(),
            variable: (VARIABLE, session),
        }
    }
}

/// A version of the plugin, such as `1.2.707.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginVersion(Vec<u32>);

impl PluginVersion {
    /// The first version that takes the session from a variable, in words.
    pub const WITH_VARIABLE: &'static str = "1.2.497.0";

    /// Reads what `session-manager-plugin --version` prints; none where it is something else.
    pub fn read(text: &str) -> Option<Self> {
        let parts = text.trim().split('.').map(str::parse);
        parts.collect::<Result<Vec<u32>, _>>().ok().map(Self)
    }

    /// Whether it takes the session from a variable rather than from its argument list.
    pub fn takes_variable(&self) -> bool {
        Self::read(Self::WITH_VARIABLE).is_some_and(|first| *self >= first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> PluginCall {
        let opened = Opened {
            session_id: "ann-0123".to_owned(),
            stream_url: "wss://ssmmessages.eu-central-1.amazonaws.com/v1/data-channel/ann-0123"
                .to_owned(),
            token_value: Token("SECRET".to_owned()),
        };
        let target = "ecs:shop-production-app_0123_0123-1";
        let endpoint = "https://ssm.eu-central-1.amazonaws.com";
        PluginCall::new(&opened, "eu-central-1", target, endpoint)
    }

    #[test]
    fn the_plugin_is_called_as_it_expects() {
        let call = call();
        assert_eq!(
            call.arguments,
            [
                "AWS_SSM_START_SESSION_RESPONSE",
                "eu-central-1",
                "StartSession",
                "",
                r#"{"Target":"ecs:shop-production-app_0123_0123-1"}"#,
                "https://ssm.eu-central-1.amazonaws.com",
            ]
        );
        let session: serde_json::Value = serde_json::from_str(&call.variable.1).expect("JSON");
        assert_eq!(session["SessionId"], "ann-0123");
        assert_eq!(session["TokenValue"], "SECRET");
        assert!(
            session["StreamUrl"]
                .as_str()
                .is_some_and(|it| it.starts_with("wss://"))
        );
    }

    #[test]
    fn the_token_is_in_no_argument_and_no_message() {
        let call = call();
        assert!(!call.arguments.concat().contains("SECRET"));
        assert!(!format!("{call:?}").contains("SECRET"));
        assert!(!format!("{:?}", Token("SECRET".to_owned())).contains("SECRET"));
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let takes = |text: &str| PluginVersion::read(text).map(|it| it.takes_variable());
        assert_eq!(takes("1.2.497.0\n"), Some(true));
        assert_eq!(takes("1.2.707.0"), Some(true));
        assert_eq!(takes("1.10.0.0"), Some(true));
        assert_eq!(takes("1.2.463.0"), Some(false));
        assert_eq!(takes("1.2.99.0"), Some(false));
        assert_eq!(takes("The Session Manager plugin was installed"), None);
    }
}
