//! Calls of EC2 and IAM, of which two or three are needed: crates of several hundred calls each are
//! not linked for them. Both speak AWS's query protocol, a form in and XML out. Credentials,
//! signature, retries, deadlines and HTTP are the SDK's.

use aws_config::SdkConfig;
use aws_runtime::{
    auth::{
        SigV4OperationSigningConfig,
        sigv4::{SCHEME_ID, SigV4AuthScheme},
    },
    retries::classifiers::AwsErrorCodeClassifier,
};
use aws_sdk_cloudformation::error::ErrorMetadata;
use aws_smithy_runtime::client::{
    orchestrator::operation::{Operation, OperationBuilder},
    retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier},
};
use aws_smithy_runtime_api::client::{
    auth::{
        AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
        static_resolver::StaticAuthSchemeOptionResolver,
    },
    behavior_version::BehaviorVersion,
    orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
    runtime_components::RuntimeComponentsBuilder,
    runtime_plugin::StaticRuntimePlugin,
};
use aws_smithy_types::{body::SdkBody, config_bag::Layer};
use aws_smithy_xml::decode::{Document, try_data};
use aws_types::{SigningName, region::SigningRegion, service_config::ServiceConfigKey};

use crate::error::AwsError;

/// Bytes of a form that stand for themselves (RFC 3986, section 2.3).
const UNRESERVED: &[u8] = b"-._~";

/// A service that speaks the query protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// One endpoint a region.
    Ec2,
    /// One endpoint for all regions.
    Iam,
}

/// Where a service is, and for which region its calls are signed.
#[derive(Debug, PartialEq, Eq)]
struct Endpoint {
    url: String,
    region: String,
}

impl Service {
    /// Its id, as in `AWS_ENDPOINT_URL_EC2`.
    const fn id(self) -> &'static str {
        match self {
            Self::Ec2 => "EC2",
            Self::Iam => "IAM",
        }
    }

    /// Its name in signatures.
    const fn signing_name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
        }
    }

    /// The version of its API.
    const fn version(self) -> &'static str {
        match self {
            Self::Ec2 => "2016-11-15",
            Self::Iam => "2010-05-08",
        }
    }

    /// Where it is in AWS (AWS General Reference, "Service endpoints").
    fn endpoint(self, region: &str) -> Endpoint {
        let is_china = region.starts_with("cn-");
        let suffix = if is_china {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        let (host, region) = match (self, is_china) {
            (Self::Ec2, _) => (format!("ec2.{region}"), region),
            (Self::Iam, false) => ("iam".to_owned(), "us-east-1"),
            (Self::Iam, true) => ("iam.cn-north-1".to_owned(), "cn-north-1"),
        };
        Endpoint {
            url: format!("https://{host}.{suffix}"),
            region: region.to_owned(),
        }
    }
}

/// Makes a call, and gives its answer's XML.
///
/// # Errors
/// Where AWS does not answer or refuses; `subject` is what the call is about.
pub(crate) async fn call(
    config: &SdkConfig,
    service: Service,
    operation: &'static str,
    subject: &str,
    parameters: &[(&str, &str)],
) -> Result<String, AwsError> {
    let form = form(service, operation, parameters);
    let call = prepared(config, service, operation)
        .serializer(request)
        .deserializer(answer)
        .build();
    let answer = call.invoke(form).await;
    answer.map_err(|error| AwsError::call(operation, subject, &error))
}

/// A call with everything but its request and the reading of its answer.
fn prepared(config: &SdkConfig, service: Service, operation: &'static str) -> OperationBuilder {
    let region = config.region().map(AsRef::as_ref).unwrap_or_default();
    let endpoint = service.endpoint(region);
    let url = configured(config, service).unwrap_or(endpoint.url);
    let mut call = Operation::builder()
        .service_name(service.id())
        .operation_name(operation)
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&url)
        .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
        .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .runtime_plugin(signed(config, service, endpoint.region));
    if let Some(client) = config.http_client() {
        call = call.http_client(client);
    }
    if let Some(retries) = config.retry_config() {
        call = call.standard_retry(retries);
    }
    if let Some(times) = config.timeout_config() {
        call = call.timeout_config(times.clone());
    }
    if let Some(sleep) = config.sleep_impl() {
        call = call.sleep_impl(sleep);
    }
    call
}

/// The endpoint that variables or the profile name: the service's own before that of all.
fn configured(config: &SdkConfig, service: Service) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service.id())
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .expect("all of its parts are given");
    let own = config.service_config().and_then(|it| it.load_config(key));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// Signs with the credentials that all clients of the account have.
fn signed(config: &SdkConfig, service: Service, region: String) -> StaticRuntimePlugin {
    let mut layer = Layer::new("signature");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(aws_config::Region::new(region))),
        name: Some(SigningName::from_static(service.signing_name())),
        ..Default::default()
    });
    let mut components = RuntimeComponentsBuilder::new("signature");
    components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
        StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
    )));
    components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    components.set_identity_cache(config.identity_cache());
    if let Some(provider) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, provider);
    }
    StaticRuntimePlugin::new()
        .with_config(layer.freeze())
        .with_runtime_components(components)
}

fn form(service: Service, operation: &str, parameters: &[(&str, &str)]) -> String {
    let fixed = [("Action", operation), ("Version", service.version())];
    let pairs = fixed.iter().chain(parameters);
    let pairs: Vec<String> = pairs
        .map(|(key, value)| format!("{}={}", encoded(key), encoded(value)))
        .collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    let bytes = text.bytes();
    bytes
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || UNRESERVED.contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn request(form: String) -> Result<HttpRequest, Box<dyn std::error::Error + Send + Sync>> {
    let mut request = HttpRequest::new(SdkBody::from(form));
    request.set_method("POST")?;
    let headers = request.headers_mut();
    headers.insert("content-type", "application/x-www-form-urlencoded");
    Ok(request)
}

fn answer(response: &HttpResponse) -> Result<String, OrchestratorError<ErrorMetadata>> {
    let bytes = response.body().bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(bytes).into_owned();
    if response.status().is_success() {
        return Ok(text);
    }
    Err(OrchestratorError::operation(refusal(&text)))
}

/// A refusal's code and message: both services have them in an element `Error`.
fn refusal(xml: &str) -> ErrorMetadata {
    let mut error = ErrorMetadata::builder();
    if let Some(code) = texts(xml, "Code").into_iter().next() {
        error = error.code(code);
    }
    if let Some(message) = texts(xml, "Message").into_iter().next() {
        error = error.message(message);
    }
    error.build()
}

/// The texts of all elements of that name, in their order.
pub(crate) fn texts(xml: &str, name: &str) -> Vec<String> {
    let mut document = Document::new(xml);
    let mut found = Vec::new();
    while let Some(element) = document.next_start_element() {
        if element.local() == name
            && let Ok(text) = try_data(&mut document)
        {
            found.push(text.into_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_where_aws_says() {
        let of = |service: Service, region| {
            let Endpoint { url, region } = service.endpoint(region);
            (url, region)
        };
        for (service, region, url, signed) in [
            (
                Service::Ec2,
                "eu-central-2",
                "https://ec2.eu-central-2.amazonaws.com",
                "eu-central-2",
            ),
            (
                Service::Ec2,
                "cn-north-1",
                "https://ec2.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                Service::Iam,
                "eu-west-1",
                "https://iam.amazonaws.com",
                "us-east-1",
            ),
            (
                Service::Iam,
                "cn-northwest-1",
                "https://iam.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
        ] {
            let wanted = (url.to_owned(), signed.to_owned());
            assert_eq!(of(service, region), wanted);
        }
    }

    #[test]
    fn a_form_has_its_call_and_no_bare_signs() {
        let form = form(Service::Ec2, "Describe", &[("Filter.1.Value.1", "a b&c=d")]);
        assert_eq!(
            form,
            "Action=Describe&Version=2016-11-15&Filter.1.Value.1=a%20b%26c%3Dd"
        );
    }

    #[test]
    fn refusals_are_read_as_both_services_write_them() {
        for xml in [
            "<Response><Errors><Error><Code>AuthFailure</Code><Message>no &amp; no</Message>\
             </Error></Errors><RequestID>1</RequestID></Response>",
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error>\
             <Type>Sender</Type><Code>AuthFailure</Code><Message>no &amp; no</Message></Error>\
             </ErrorResponse>",
        ] {
            let error = refusal(xml);
            assert_eq!(error.code(), Some("AuthFailure"));
            assert_eq!(error.message(), Some("no & no"));
        }
        assert_eq!(refusal("<html><body>502").code(), None);
    }
}
