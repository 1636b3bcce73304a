//! Registries (OCI distribution specification 1.1).
//!
//! A token is asked for when the registry says where (RFC 6750's challenge, in Docker's words); a
//! registry with basic authentication, such as ECR, gets the credentials themselves.

use std::{cell::RefCell, fs::File, io::Read, sync::Arc, thread, time::Duration};

use serde::Serialize;
use serde_json::Value as Json;
use ureq::{
    Agent, AsSendBody, Body,
    http::{Method, Request, Response, header},
    tls::{Certificate, RootCerts, TlsConfig},
};

use crate::{
    credentials::Credentials,
    error::{ImageError, at},
    layout::Layout,
    manifest::{DOCKER_INDEX, DOCKER_MANIFEST, Descriptor, INDEX, MANIFEST, Manifest},
    reference::is_loopback,
};

/// How often something is asked for before it counts as failed.
const ATTEMPTS: u32 = 4;
/// The wait before the second attempt; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take to begin; a registry may put a large blob away meanwhile.
const ANSWER: Duration = Duration::from_secs(300);
/// How long a connection may be silent while a body is read or written.
const SILENCE: Duration = Duration::from_secs(60);
/// The longest manifest that is read, in bytes: what registries take (OCI distribution
/// specification).
const LONGEST_MANIFEST: u64 = 4 << 20;
/// The longest answer of a registry's about an error, in bytes.
const LONGEST_REASON: u64 = 16 << 10;

/// A registry.
#[derive(Debug)]
pub struct Registry {
    host: String,
    agent: Agent,
    credentials: Option<Credentials>,
    /// The header `Authorization` that was taken last.
    authorization: RefCell<Option<String>>,
}

/// A blob of an image, and whether the registry had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PushedBlob {
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it was sent; else it was there already.
    pub sent: bool,
}

/// What sending an image came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PushReport {
    /// Its blobs: layers, then configuration.
    pub blobs: Vec<PushedBlob>,
    /// Whether the tag was new.
    pub is_new: bool,
}

impl Registry {
    /// The registry at a host, perhaps with a port. One on this machine is spoken to without TLS.
    pub fn new(host: &str, credentials: Option<Credentials>) -> Self {
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
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE));
        Self {
            host: host.to_owned(),
            agent: config.build().new_agent(),
            credentials,
            authorization: RefCell::new(None),
        }
    }

    /// Its host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// A manifest or index by tag or digest, with its media type.
    pub(crate) fn manifest(
        &self,
        name: &str,
        version: &str,
    ) -> Result<(String, Vec<u8>), ImageError> {
        let path = format!("/v2/{name}/manifests/{version}");
        let mut answer = self.ask(&Method::GET, &path, &[200])?;
        let media_type = header_of(&answer, header::CONTENT_TYPE.as_str());
        let body = answer.body_mut().with_config().limit(LONGEST_MANIFEST);
        let text = body
            .read_to_vec()
            .map_err(|error| self.unreachable("GET", &path, error))?;
        Ok((media_type, text))
    }

    /// Fetches a blob into a layout.
    pub(crate) fn fetch(
        &self,
        name: &str,
        blob: &Descriptor,
        layout: &Layout,
    ) -> Result<(), ImageError> {
        let path = format!("/v2/{name}/blobs/{}", blob.digest);
        let answer = self.ask(&Method::GET, &path, &[200])?;
        let mut body = answer.into_body().into_reader().take(blob.size);
        layout.take(blob, &mut body)
    }

    /// Sends the only image of a layout under a tag: what the registry has is not sent again.
    /// `siblings` are names of repositories that may have the blobs. `tell` hears of each blob.
    ///
    /// # Errors
    /// When the registry can't be reached or refuses, or the tag leads to another image.
    pub fn push(
        &self,
        layout: &Layout,
        name: &str,
        tag: &str,
        siblings: &[String],
        tell: &mut dyn FnMut(&PushedBlob),
    ) -> Result<PushReport, ImageError> {
        let wanted = layout.find(Some(tag))?;
        let manifest: Manifest = layout.json(&wanted.digest)?;
        let is_new = match self.digest_of(name, tag)? {
            Some(there) if there == wanted.digest => false,
            Some(_) => {
                return Err(ImageError::TagTaken {
                    repository: format!("{}/{name}", self.host),
                    tag: tag.to_owned(),
                });
            }
            None => true,
        };
        let mut blobs = Vec::new();
        for blob in manifest.layers.iter().chain([&manifest.config]) {
            let sent = is_new && self.push_blob(layout, name, blob, siblings)?;
            let pushed = PushedBlob {
                digest: blob.digest.clone(),
                size: blob.size,
                sent,
            };
            tell(&pushed);
            blobs.push(pushed);
        }
        if is_new {
            self.put_manifest(layout, name, tag, &wanted)?;
        }
        Ok(PushReport { blobs, is_new })
    }

    /// The digest that a tag leads to; none where there is no such tag.
    fn digest_of(&self, name: &str, tag: &str) -> Result<Option<String>, ImageError> {
        let path = format!("/v2/{name}/manifests/{tag}");
        let answer = self.ask(&Method::HEAD, &path, &[200, 404])?;
        let digest = header_of(&answer, "docker-content-digest");
        Ok((answer.status().as_u16() == 200).then_some(digest))
    }

    /// Whether it had to be sent.
    fn push_blob(
        &self,
        layout: &Layout,
        name: &str,
        blob: &Descriptor,
        siblings: &[String],
    ) -> Result<bool, ImageError> {
        let path = format!("/v2/{name}/blobs/{}", blob.digest);
        let answer = self.ask(&Method::HEAD, &path, &[200, 404])?;
        if answer.status().as_u16() == 200 {
            return Ok(false);
        }
        let mut failed = None;
        for attempt in 0..ATTEMPTS {
            wait_before(attempt);
            match self.upload(layout, name, blob, siblings) {
                Err(error) if is_worth_another(&error) => failed = Some(error),
                done => return done,
            }
        }
        Err(failed.expect("there is at least one attempt"))
    }

    fn upload(
        &self,
        layout: &Layout,
        name: &str,
        blob: &Descriptor,
        siblings: &[String],
    ) -> Result<bool, ImageError> {
        let mut path = format!("/v2/{name}/blobs/uploads/");
        if let Some(sibling) = siblings.iter().find(|it| *it != name) {
            path = format!("{path}?mount={}&from={sibling}", blob.digest);
        }
        let answer = self.ask(&Method::POST, &path, &[201, 202])?;
        if answer.status().as_u16() == 201 {
            return Ok(false);
        }
        let place = header_of(&answer, header::LOCATION.as_str());
        let file = layout.blob(&blob.digest);
        let file = File::open(&file).map_err(at(&file))?;
        let octets = "application/octet-stream";
        let answer = self.send(&Method::PATCH, &place, octets, file, &[202])?;
        let place = header_of(&answer, header::LOCATION.as_str());
        let joint = if place.contains('?') { '&' } else { '?' };
        let place = format!("{place}{joint}digest={}", blob.digest);
        self.send(&Method::PUT, &place, octets, &[] as &[u8], &[201])?;
        Ok(true)
    }

    fn put_manifest(
        &self,
        layout: &Layout,
        name: &str,
        tag: &str,
        manifest: &Descriptor,
    ) -> Result<(), ImageError> {
        let path = layout.blob(&manifest.digest);
        let text = std::fs::read(&path).map_err(at(&path))?;
        let path = format!("/v2/{name}/manifests/{tag}");
        self.send(&Method::PUT, &path, MANIFEST, text.as_slice(), &[201])?;
        Ok(())
    }

    /// Asks for something that may be asked for again, and gets one of these answers.
    fn ask(&self, method: &Method, path: &str, good: &[u16]) -> Result<Response<Body>, ImageError> {
        let mut failed = None;
        for attempt in 0..ATTEMPTS {
            wait_before(attempt);
            match self.ask_once(method, path, good) {
                Err(error) if is_worth_another(&error) => failed = Some(error),
                done => return done,
            }
        }
        Err(failed.expect("there is at least one attempt"))
    }

    fn ask_once(
        &self,
        method: &Method,
        path: &str,
        good: &[u16],
    ) -> Result<Response<Body>, ImageError> {
        let answer = self.exchange(method, path, None, ())?;
        if answer.status().as_u16() == 401 && self.authorize(&answer)? {
            let answer = self.exchange(method, path, None, ())?;
            return self.expect(method, path, answer, good);
        }
        self.expect(method, path, answer, good)
    }

    fn send(
        &self,
        method: &Method,
        place: &str,
        media_type: &str,
        body: impl AsSendBody,
        good: &[u16],
    ) -> Result<Response<Body>, ImageError> {
        let answer = self.exchange(method, place, Some(media_type), body)?;
        self.expect(method, place, answer, good)
    }

    fn exchange(
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
        let scheme = if is_loopback(&self.host) {
            "http"
        } else {
            "https"
        };
        format!("{scheme}://{}{place}", self.host)
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
            reason: reason(&text),
        })
    }

    fn unreachable(&self, method: &str, place: &str, error: ureq::Error) -> ImageError {
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

fn header_of(answer: &Response<Body>, name: &str) -> String {
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

fn is_worth_another(error: &ImageError) -> bool {
    match error {
        ImageError::Unreachable { .. } => true,
        ImageError::Refused { status, .. } => *status == 429 || *status >= 500,
        _ => false,
    }
}

fn wait_before(attempt: u32) {
    if attempt > 0 {
        thread::park_timeout(FIRST_WAIT * (1 << (attempt - 1)));
    }
}

/// What a refusal asks for.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Bearer {
        realm: String,
        service: String,
        scope: String,
    },
    Basic,
    Other,
}

impl Challenge {
    fn read(header: &str) -> Self {
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Self::Basic;
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Self::Other;
        }
        // Values are in quotes and may hold commas.
        let value = |name: &str| {
            let (_, rest) = rest.split_once(&format!("{name}=\""))?;
            Some(rest.split_once('"')?.0.to_owned())
        };
        match value("realm") {
            Some(realm) => Self::Bearer {
                realm,
                service: value("service").unwrap_or_default(),
                scope: value("scope").unwrap_or_default(),
            },
            None => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let header = r#"Bearer realm="https://auth.example.com/token",service="r",scope="repository:a/b:pull,push""#;
        let expected = Challenge::Bearer {
            realm: "https://auth.example.com/token".to_owned(),
            service: "r".to_owned(),
            scope: "repository:a/b:pull,push".to_owned(),
        };
        assert_eq!(Challenge::read(header), expected);
        assert_eq!(Challenge::read("Basic realm=\"x\""), Challenge::Basic);
        assert_eq!(Challenge::read("Digest x"), Challenge::Other);
        assert_eq!(Challenge::read(""), Challenge::Other);
    }

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
