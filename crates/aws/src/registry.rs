//! The account's registry of images, ECR.

use aws_sdk_ecr::Client;

use crate::{Account, AwsError};

/// The way into a region's registry, for twelve hours. Its secret is never printed.
#[derive(Clone)]
pub struct RegistryLogin {
    /// The registry's host.
    pub host: String,
    /// `AWS:` and a password, in base64: what basic authentication sends.
    pub token: String,
}

impl std::fmt::Debug for RegistryLogin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RegistryLogin")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// Asks for the way into the registry of a region that the account was connected for.
    ///
    /// # Errors
    /// Where AWS does not answer or refuses.
    pub fn registry_login(&self, region: &str) -> Result<RegistryLogin, AwsError> {
        let client = Client::new(self.clients.config(region));
        let call = client.get_authorization_token().send();
        let answer = self
            .runtime
            .block_on(call)
            .map_err(|error| AwsError::call("GetAuthorizationToken", "the registry", &error))?;
        let data = answer.authorization_data.unwrap_or_default();
        let login = data.into_iter().next().and_then(|data| {
            let address = data.proxy_endpoint?;
            Some(RegistryLogin {
                host: host(&address).to_owned(),
                token: data.authorization_token?,
            })
        });
        login.ok_or_else(|| AwsError::Incomplete {
            operation: "GetAuthorizationToken",
            subject: "the registry".to_owned(),
            missing: "a token",
        })
    }
}

/// An address without its scheme and path.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_what_an_address_names() {
        let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        assert_eq!(host(&format!("https://{ecr}")), ecr);
        assert_eq!(host("http://127.0.0.1:5000/v2/"), "127.0.0.1:5000");
    }

    #[test]
    fn the_token_is_never_printed() {
        let login = RegistryLogin {
            host: "registry".to_owned(),
            token: "QVdTOnNlY3JldA==".to_owned(),
        };
        assert!(!format!("{login:?}").contains("QVdT"));
    }
}
