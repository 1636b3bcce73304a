//! Requests to a registry: who asks, in which scheme, how often, and for how long.

use std::{
    cell::{OnceCell, RefCell},
    fmt,
    fs::File,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value as Json;
use ureq::{
    Agent, AsSendBody, Body,
    http::{Method, Request, Response, header},
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::challenge::{Challenge, may_be_asked};
use crate::{
    credentials::Credentials,
    error::{ImageError, at},
    manifest::{DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST},
    reference::is_loopback,
};

/// How often something is asked for before it counts as failed.
const ATTEMPTS: u32 = 4;
/// The longest answer of a registry's about an error, in bytes.
const LONGEST_REASON: u64 = 16 << 10;

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// For a connection.
    pub(super) connect: Duration,
    /// For an answer to begin; a registry may put a large blob away meanwhile.
    pub(super) answer: Duration,
    /// For the next bytes while a body is read or written.
    pub(super) silence: Duration,
    /// After this no further attempt begins.
    pub(super) attempts: Duration,
    /// Before the second attempt; before each further one twice as long.
    pub(super) first_wait: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(300),
            silence: Duration::from_secs(60),
            attempts: Duration::from_secs(600),
            first_wait: Duration::from_millis(500),
        }
    }
}

/// What is sent with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Payload<'a> {
    Nothing,
    Text(&'a [u8]),
    File(&'a Path),
}

/// What requests go through. Its secrets are never printed.
pub(super) struct Connection {
    pub(super) host: String,
    agent: Agent,
    deadlines: Deadlines,
    /// `http` or `https`, once it is known.
    scheme: OnceCell<&'static str>,
    credentials: Option<Credentials>,
    /// The header `Authorization` that was taken last.
    authorization: RefCell<Option<String>>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Connection")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn new(host: &str, credentials: Option<Credentials>, deadlines: Deadlines) -> Self {
        let certificates = rustls_native_certs::load_native_certs().certs;
        let certificates = certificates
            .iter()
            .map(|it| Certificate::from_der(it).to_owned());
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(certificates.collect())))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .user_agent("magecloudkit")
            .timeout_connect(Some(deadlines.connect))
            .timeout_recv_response(Some(deadlines.answer))
            .timeout_per_read(Some(deadlines.silence))
            .timeout_per_write(Some(deadlines.silence));
        Self {
            host: host.to_owned(),
            agent: config.build().new_agent(),
            deadlines,
            scheme: OnceCell::new(),
            credentials,
            authorization: RefCell::new(None),
        }
    }

    /// Asks for something, perhaps several times, and gets one of these answers.
    pub(super) fn ask(
        &self,
        method: &Method,
        path: &str,
        good: &[u16],
    ) -> Result<Response<Body>, ImageError> {
        self.attempts(|| self.request(method, path, None, Payload::Nothing, good))
    }

    /// Does something again after a failure that may pass.
    pub(super) fn attempts<T>(
        &self,
        mut once: impl FnMut() -> Result<T, ImageError>,
    ) -> Result<T, ImageError> {
        let begin = Instant::now();
        for attempt in 1.. {
            match once() {
                Err(error)
                    if attempt < ATTEMPTS
                        && error.may_pass()
                        && begin.elapsed() < self.deadlines.attempts =>
                {
                    thread::park_timeout(self.deadlines.first_wait * (1 << (attempt - 1)));
                }
                done => return done,
            }
        }
        unreachable!("the last attempt gives its result")
    }

    /// Sends a request and gets one of these answers. Where the registry wants to know who asks, or
    /// does not take a token any more, it is told once.
    pub(super) fn request(
        &self,
        method: &Method,
        place: &str,
        media_type: Option<&str>,
        payload: Payload<'_>,
        good: &[u16],
    ) -> Result<Response<Body>, ImageError> {
        let mut answer = self.exchange(method, place, media_type, payload)?;
        if answer.status().as_u16() == 401 && self.authorize(&answer)? {
            answer = self.exchange(method, place, media_type, payload)?;
        }
        self.expect(method, place, answer, good)
    }

    fn exchange(
        &self,
        method: &Method,
        place: &str,
        media_type: Option<&str>,
        payload: Payload<'_>,
    ) -> Result<Response<Body>, ImageError> {
        match payload {
            Payload::Nothing => self.exchange_body(method, place, media_type, ()),
            Payload::Text(text) => self.exchange_body(method, place, media_type, text),
            Payload::File(path) => {
                let file = File::open(path).map_err(at(path))?;
                self.exchange_body(method, place, media_type, file)
            }
        }
    }

    fn exchange_body(
        &self,
        method: &Method,
        place: &str,
        media_type: Option<&str>,
        body: impl AsSendBody,
    ) -> Result<Response<Body>, ImageError> {
        let failed = |error| self.unreachable(method.as_str(), place, error);
        let url = self.url(place);
        let mut request = Request::builder().method(method).uri(&url).header(
            header::ACCEPT,
            [INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST].join(", "),
        );
        if let Some(media_type) = media_type {
            request = request.header(header::CONTENT_TYPE, media_type);
        }
        // An upload may go on at another host, which is not to get them.
        let own = url.starts_with(&self.url("/"));
        if let Some(authorization) = self.authorization.borrow().as_deref().filter(|_| own) {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(body).map_err(|error| failed(error.into()))?;
        self.agent.run(request).map_err(failed)
    }

    /// The address of a path; what is a whole address already stays as it is.
    fn url(&self, place: &str) -> String {
        if place.starts_with("http://") || place.starts_with("https://") {
            return place.to_owned();
        }
        format!("{}://{}{place}", self.scheme(), self.host)
    }

    fn scheme(&self) -> &'static str {
        self.scheme.get_or_init(|| {
            if !is_loopback(&self.host) || self.speaks_tls() {
                "https"
            } else {
                "http"
            }
        })
    }

    /// Whether a registry on this machine answers with TLS, be its certificate good or not.
    fn speaks_tls(&self) -> bool {
        let answer = self.agent.get(format!("https://{}/v2/", self.host)).call();
        match answer {
            Ok(_) => true,
            Err(error) => tls_error(&error)
                .is_some_and(|error| !matches!(error, rustls::Error::InvalidMessage(_))),
        }
    }

    /// Does what a refusal asks for; whether another try makes sense.
    fn authorize(&self, refusal: &Response<Body>) -> Result<bool, ImageError> {
        let challenge = header_of(refusal, header::WWW_AUTHENTICATE.as_str());
        let authorization = match Challenge::read(&challenge) {
            Challenge::Bearer {
                realm,
                service,
                scope,
            } => Some(format!("Bearer {}", self.token(&realm, &service, &scope)?)),
            Challenge::Basic => self.credentials.as_ref().map(Credentials::basic),
            Challenge::Other => None,
        };
        let is_another = authorization.is_some() && *self.authorization.borrow() != authorization;
        *self.authorization.borrow_mut() = authorization;
        Ok(is_another)
    }

    fn token(&self, realm: &str, service: &str, scope: &str) -> Result<String, ImageError> {
        if !may_be_asked(realm) {
            let reason = "it gives tokens without TLS: the password would be readable on the way";
            return Err(ImageError::unusable(realm, reason));
        }
        let failed = |error| self.unreachable("GET", realm, error);
        let mut call = self
            .agent
            .get(realm)
            .query("service", service)
            .query("scope", scope);
        if let Some(credentials) = &self.credentials {
            call = call.header(header::AUTHORIZATION, credentials.basic());
        }
        let answer = call.call().map_err(failed)?;
        let mut answer = self.expect(&Method::GET, realm, answer, &[200])?;
        let text = answer.body_mut().read_to_string().map_err(failed)?;
        let token: Json = serde_json::from_str(&text).unwrap_or_default();
        let token = token["token"].as_str().or(token["access_token"].as_str());
        token
            .map(str::to_owned)
            .ok_or_else(|| ImageError::unusable(realm, "it gave no token"))
    }

    fn expect(
        &self,
        method: &Method,
        place: &str,
        mut answer: Response<Body>,
        good: &[u16],
    ) -> Result<Response<Body>, ImageError> {
        let status = answer.status().as_u16();
        if good.contains(&status) {
            return Ok(answer);
        }
        let body = answer.body_mut().with_config().limit(LONGEST_REASON);
        let text = body.lossy_utf8(true).read_to_string().unwrap_or_default();
        Err(ImageError::Refused {
            registry: self.host.clone(),
            request: request_of(method.as_str(), place),
            status,
            reason: self.without_secrets(reason(&text)),
        })
    }

    /// A registry's words, unless it says our own back.
    fn without_secrets(&self, words: String) -> String {
        let authorization = self.authorization.borrow();
        let taken = authorization.as_deref().and_then(|it| it.split_once(' '));
        let own = self.credentials.as_ref().map(Credentials::basic);
        let own = own.as_deref().and_then(|it| it.split_once(' '));
        let secrets = taken.into_iter().chain(own).map(|(_, secret)| secret);
        let mut secrets = secrets.filter(|it| !it.is_empty());
        if secrets.any(|secret| words.contains(secret)) {
            return String::new();
        }
        words
    }

    pub(super) fn unreachable(&self, method: &str, place: &str, error: ureq::Error) -> ImageError {
        // An address that a registry gave may hold a signature.
        let error = match error {
            ureq::Error::BadUri(_) => ureq::Error::BadUri("the address that it gave".to_owned()),
            other => other,
        };
        ImageError::Unreachable {
            registry: self.host.clone(),
            request: request_of(method, place),
            source: Box::new(error),
        }
    }
}

/// A request as messages name it: without the query, which may hold a signature.
fn request_of(method: &str, place: &str) -> String {
    format!("{method} {}", place.split('?').next().unwrap_or_default())
}

pub(super) fn header_of(answer: &Response<Body>, name: &str) -> String {
    let value = answer.headers().get(name);
    let value = value.and_then(|it| it.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// What a registry says of an error, in its own words.
fn reason(text: &str) -> String {
    let answer: Json = serde_json::from_str(text).unwrap_or_default();
    let first = &answer["errors"][0];
    let said = first["message"].as_str().or(first["code"].as_str());
    said.unwrap_or_default().to_owned()
}

/// What rustls says of a connection that failed.
fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_signature_is_in_a_message() {
        assert_eq!(
            request_of("PUT", "https://a/b?X-Amz-Signature=1"),
            "PUT https://a/b"
        );
    }

    #[test]
    fn what_a_registry_says_is_found() {
        let text = r#"{"errors":[{"code":"DENIED","message":"not you"}]}"#;
        assert_eq!(reason(text), "not you");
        assert_eq!(reason("<html>"), "");
    }
}
