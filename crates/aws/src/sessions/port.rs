//! A port of this machine behind which one of the VPC's is, through an instance.

use serde_json::json;

use super::{PluginCall, endpoint, incomplete, of_start};
use crate::{Account, AwsError};

/// The document of a session that forwards a port to a host that the instance reaches (Systems
/// Manager's own).
const DOCUMENT: &str = "AWS-StartPortForwardingSessionToRemoteHost";
/// The local port that lets the plugin choose a free one, which it then tells.
const ANY_PORT: &str = "0";

/// Where a forwarded port leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedPort {
    /// The instance's id.
    pub instance: String,
    /// The host, as the instance knows it.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// A session that waits for the plugin to forward a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedPort {
    /// The session's id, which is no secret.
    pub session: String,
    /// How the plugin is called. It chooses a free port of this machine.
    pub call: PluginCall,
}

impl Account {
    /// Opens a session that forwards a port, which waits for the plugin.
    ///
    /// # Errors
    /// Where Session Manager refuses, such as for an instance whose agent is not connected.
    pub fn forward_port(&self, region: &str, to: &ForwardedPort) -> Result<OpenedPort, AwsError> {
        let ForwardedPort {
            instance,
            host,
            port,
        } = to;
        let port = port.to_string();
        let client = aws_sdk_ssm::Client::new(self.clients.config(region));
        let call = client.start_session().target(instance);
        let call = call
            .document_name(DOCUMENT)
            .parameters("host", vec![host.clone()])
            .parameters("portNumber", vec![port.clone()])
            .parameters("localPortNumber", vec![ANY_PORT.to_owned()]);
        let answer = self.runtime.block_on(call.send());
        let answer = answer.map_err(|error| AwsError::call("StartSession", instance, &error))?;
        let opened = of_start(answer).ok_or_else(|| incomplete("StartSession", instance))?;
        let request = json!({
            "Target": instance,
            "DocumentName": DOCUMENT,
            "Parameters": {
                "host": [host],
                "portNumber": [port],
                "localPortNumber": [ANY_PORT],
            },
        });
        Ok(OpenedPort {
            session: opened.session_id.clone(),
            call: PluginCall::for_request(&opened, region, &request, &endpoint(region)),
        })
    }

    /// Ends a session that the plugin did not end.
    ///
    /// # Errors
    /// Where Systems Manager refuses.
    pub fn end_session(&self, region: &str, session: &str) -> Result<(), AwsError> {
        let client = aws_sdk_ssm::Client::new(self.clients.config(region));
        let call = client.terminate_session().session_id(session);
        let answer = self.runtime.block_on(call.send());
        answer
            .map(drop)
            .map_err(|error| AwsError::call("TerminateSession", session, &error))
    }
}
