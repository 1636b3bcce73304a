//! Registries (OCI distribution specification 1.1).
//!
//! A token is asked for when the registry says where (RFC 6750's challenge, in Docker's words); a
//! registry with basic authentication, such as ECR, gets the credentials themselves.

mod challenge;
mod connection;

use std::io::Read;

use serde::Serialize;
use ureq::http::{Method, header};

use self::connection::{Connection, Deadlines, Payload, header_of};
use crate::{
    credentials::Credentials,
    error::{ImageError, at},
    layout::Layout,
    manifest::{Descriptor, MANIFEST, Manifest},
};

/// The content type of blobs.
const OCTETS: &str = "application/octet-stream";
/// The longest manifest that is read, in bytes: what registries take (OCI distribution
/// specification).
const LONGEST_MANIFEST: u64 = 4 << 20;
/// A registry.
#[derive(Debug)]
pub struct Registry {
    connection: Connection,
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
    /// The registry at a host, perhaps with a port. One on this machine is spoken to without TLS where
    /// it has none, as Docker does. Certificates are checked by the machine's authorities, or those in
    /// the file that `SSL_CERT_FILE` names.
    pub fn new(host: &str, credentials: Option<Credentials>) -> Self {
        Self {
            connection: Connection::new(host, credentials, Deadlines::default()),
        }
    }

    /// Its host.
    pub fn host(&self) -> &str {
        &self.connection.host
    }

    /// A manifest or index by tag or digest, with its media type.
    pub(crate) fn manifest(
        &self,
        name: &str,
        version: &str,
    ) -> Result<(String, Vec<u8>), ImageError> {
        let path = format!("/v2/{name}/manifests/{version}");
        let mut answer = self.connection.ask(&Method::GET, &path, &[200])?;
        let media_type = header_of(&answer, header::CONTENT_TYPE.as_str());
        let body = answer.body_mut().with_config().limit(LONGEST_MANIFEST);
        let text = body
            .read_to_vec()
            .map_err(|error| self.connection.unreachable("GET", &path, error))?;
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
        self.connection.attempts(|| {
            let answer =
                self.connection
                    .request(&Method::GET, &path, None, Payload::Nothing, &[200])?;
            let body = answer.into_body().into_reader().take(blob.size);
            let mut body = Heard { body, broke: None };
            let taken = layout.take(blob, &mut body);
            match body.broke {
                Some(error) => Err(self.connection.unreachable("GET", &path, error.into())),
                None => taken,
            }
        })
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
                    repository: format!("{}/{name}", self.connection.host),
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
        let answer = self.connection.ask(&Method::HEAD, &path, &[200, 404])?;
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
        if self.has_blob(name, blob)? {
            return Ok(false);
        }
        // What may not be looked into has nothing for us.
        let mut others = siblings.iter().filter(|it| *it != name);
        let sibling = others.find(|it| self.has_blob(it, blob).unwrap_or(false));
        self.connection
            .attempts(|| self.upload(layout, name, blob, sibling.map(String::as_str)))
    }

    fn has_blob(&self, name: &str, blob: &Descriptor) -> Result<bool, ImageError> {
        let path = format!("/v2/{name}/blobs/{}", blob.digest);
        let answer = self.connection.ask(&Method::HEAD, &path, &[200, 404])?;
        Ok(answer.status().as_u16() == 200)
    }

    /// Whether it was sent; else it was taken over from another repository. An upload that broke off
    /// begins anew: what came of it is not known.
    fn upload(
        &self,
        layout: &Layout,
        name: &str,
        blob: &Descriptor,
        sibling: Option<&str>,
    ) -> Result<bool, ImageError> {
        let begin = format!("/v2/{name}/blobs/uploads/");
        let post = |path: &str| {
            self.connection
                .request(&Method::POST, path, None, Payload::Text(&[]), &[201, 202])
        };
        let mounted =
            sibling.map(|sibling| post(&format!("{begin}?mount={}&from={sibling}", blob.digest)));
        let answer = match mounted {
            Some(Err(error)) if error.is_client_error() => post(&begin)?,
            Some(answer) => answer?,
            None => post(&begin)?,
        };
        if answer.status().as_u16() == 201 {
            return Ok(false);
        }
        let place = header_of(&answer, header::LOCATION.as_str());
        let file = layout.blob(&blob.digest);
        let octets = Some(OCTETS);
        let answer = self.connection.request(
            &Method::PATCH,
            &place,
            octets,
            Payload::File(&file),
            &[202],
        )?;
        let place = header_of(&answer, header::LOCATION.as_str());
        let joint = if place.contains('?') { '&' } else { '?' };
        let place = format!("{place}{joint}digest={}", blob.digest);
        self.connection
            .request(&Method::PUT, &place, octets, Payload::Text(&[]), &[201])?;
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
        let text = Payload::Text(&text);
        self.connection.attempts(|| {
            self.connection
                .request(&Method::PUT, &path, Some(MANIFEST), text, &[201])
        })?;
        Ok(())
    }
}

/// A body that tells whether it broke off: what reads it can't tell that from its own failures.
struct Heard<R> {
    body: R,
    broke: Option<std::io::Error>,
}

impl<R: Read> Read for Heard<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.body.read(into).map_err(|error| {
            let same = std::io::Error::from(error.kind());
            self.broke = Some(error);
            same
        })
    }
}

#[cfg(test)]
mod tests;
