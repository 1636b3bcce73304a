//! Why a request is refused, in ECS's words.

use serde_json::{Value, json};

/// Why a request is refused: the name of ECS's exception and what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Fault {
    /// The exception's name.
    pub kind: &'static str,
    /// What it says.
    pub message: String,
}

impl Fault {
    /// A mistake of the caller that has no exception of its own.
    pub fn client(message: impl Into<String>) -> Self {
        Self::new("ClientException", message)
    }

    /// A parameter that can't be.
    pub fn parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    /// Something that this emulator does not do.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new("UnsupportedFeatureException", message)
    }

    /// The environment behind it does not answer.
    pub fn server(message: impl Into<String>) -> Self {
        Self::new("ServerException", message)
    }

    /// A cluster that there is not.
    pub fn no_cluster() -> Self {
        Self::new("ClusterNotFoundException", "Cluster not found.")
    }

    /// A service that there is not.
    pub fn no_service() -> Self {
        Self::new("ServiceNotFoundException", "Service not found.")
    }

    /// An exception by its name.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The HTTP status that it comes with.
    pub fn status(&self) -> u16 {
        match self.kind {
            "ServerException" => 500,
            _ => 400,
        }
    }

    /// The body that it comes with (AWS JSON 1.1).
    pub fn body(&self) -> Value {
        json!({ "__type": self.kind, "message": self.message })
    }
}
