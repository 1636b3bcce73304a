//! Who answers behind a forwarded port: the client connects to this machine, and so can't know which
//! name the server's certificate should have.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use mck_server_config::mariadb::greeting::{Greeting, HEADER, body_length, tls_request};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem::PemObject},
};
use sha2::{Digest, Sha256};

/// How long the server may take for each of its answers. A Serverless v2 cluster that sleeps wakes up
/// within half a minute (Amazon Aurora user guide, "Scaling to Zero ACUs").
const ANSWER: Duration = Duration::from_secs(60);
/// The longest first packet that a server sends; MySQL's are below 200 bytes.
const LONGEST_GREETING: usize = 4 << 10;

/// A server that proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerIdentity {
    /// The SHA-256 of its certificate, in hexadecimal digits.
    pub fingerprint: String,
    /// The version that it tells.
    pub version: String,
}

/// Why it is not known who answers.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file with the authorities' certificates can't be used.
    #[error("{} can't be read as certificates", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why; none where there is no certificate in it.
        source: Option<rustls::pki_types::pem::Error>,
    },
    /// The connection ended or never began.
    #[error("nothing answers for {host}")]
    NoAnswer {
        /// The server.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// It is another kind of server.
    #[error("what answers for {host} is no MySQL server")]
    Foreign {
        /// The server.
        host: String,
    },
    /// It takes no connection.
    #[error("{host} refuses the connection: {reason}")]
    Refused {
        /// The server.
        host: String,
        /// Its words.
        reason: String,
    },
    /// It would speak in plain text.
    #[error("{host} offers no TLS")]
    Unencrypted {
        /// The server.
        host: String,
    },
    /// Its certificate is another's, or of an unknown authority.
    #[error("{host} does not prove that it is {host}")]
    Unproven {
        /// The server.
        host: String,
        /// Why.
        source: rustls::Error,
    },
    /// There can't be a certificate for such a name.
    #[error("{host} is no name that a certificate could have")]
    Name {
        /// The name.
        host: String,
        /// Why.
        source: InvalidDnsNameError,
    },
}

impl ServerIdentity {
    /// Connects to a port of this machine and lets the server behind it prove by its certificate that
    /// it is `host`; then leaves it, before anybody logs in.
    ///
    /// # Errors
    /// Where it does not, or nothing answers.
    pub fn prove(port: u16, host: &str, authorities: &Path) -> Result<Self, IdentityError> {
        let roots = read_authorities(authorities)?;
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|source| IdentityError::Name {
            host: host.to_owned(),
            source,
        })?;
        let no_answer = |source| IdentityError::NoAnswer {
            host: host.to_owned(),
            source,
        };
        let mut stream = connect(port).map_err(no_answer)?;
        let version = greet(&mut stream, host)?;
        stream.write_all(&tls_request()).map_err(no_answer)?;
        let unproven = |source| IdentityError::Unproven {
            host: host.to_owned(),
            source,
        };
        let mut connection =
            ClientConnection::new(config(roots).map_err(unproven)?, name).map_err(unproven)?;
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut stream) {
                // An error of TLS comes in the coat of one of reading.
                let inner = error
                    .get_ref()
                    .and_then(|it| it.downcast_ref::<rustls::Error>());
                return Err(match inner.cloned() {
                    Some(source) => unproven(source),
                    None => no_answer(error),
                });
            }
        }
        let chain = connection.peer_certificates().unwrap_or_default();
        let own = chain
            .first()
            .ok_or_else(|| unproven(rustls::Error::NoCertificatesPresented))?;
        Ok(Self {
            fingerprint: hexadecimal(&Sha256::digest(own)),
            version,
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn read_authorities(path: &Path) -> Result<RootCertStore, IdentityError> {
    let unreadable = |source| IdentityError::Authorities {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path);
    let file = file.map_err(|error| unreadable(Some(rustls::pki_types::pem::Error::Io(error))))?;
    let certificates = CertificateDer::pem_reader_iter(BufReader::new(file));
    let certificates = certificates.collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| unreadable(Some(error)))?;
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(certificates);
    if taken == 0 {
        return Err(unreadable(None));
    }
    Ok(roots)
}

fn config(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    Ok(stream)
}

/// Reads what the server says first; gives its version.
fn greet(stream: &mut TcpStream, host: &str) -> Result<String, IdentityError> {
    let host = host.to_owned();
    let mut read = |bytes: &mut [u8]| stream.read_exact(bytes);
    let mut header = [0; HEADER];
    if let Err(source) = read(&mut header) {
        return Err(IdentityError::NoAnswer { host, source });
    }
    let length = body_length(header);
    if length > LONGEST_GREETING {
        return Err(IdentityError::Foreign { host });
    }
    let mut body = vec![0; length];
    if let Err(source) = read(&mut body) {
        return Err(IdentityError::NoAnswer { host, source });
    }
    match Greeting::read(&body) {
        None => Err(IdentityError::Foreign { host }),
        Some(Greeting::Refusal(reason)) => Err(IdentityError::Refused { host, reason }),
        Some(Greeting::Welcome { offers_tls, .. }) if !offers_tls => {
            Err(IdentityError::Unencrypted { host })
        }
        Some(Greeting::Welcome { version, .. }) => Ok(version),
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// What comes of a server that says this and no more.
    fn told(first: &'static [u8]) -> IdentityError {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody comes");
            stream.write_all(first).expect("it listens");
        });
        let folder = tempfile::tempdir().expect("a folder can be made");
        let authorities = folder.path().join("ca.pem");
        std::fs::write(&authorities, include_str!("authority.pem")).expect("it can be written");
        let error = ServerIdentity::prove(port, "db.example.com", &authorities);
        server.join().expect("it ends");
        error.expect_err("it proves nothing")
    }

    #[test]
    fn what_answers_in_another_way_is_told() {
        assert!(matches!(told(b""), IdentityError::NoAnswer { .. }));
        let ssh = told(b"SSH-2.0-OpenSSH_9.2p1\r\n");
        assert!(matches!(ssh, IdentityError::Foreign { .. }), "{ssh}");
        let many = told(b"\x17\0\0\0\xff\x10\x04Too many connections");
        let text = "db.example.com refuses the connection: Too many connections";
        assert_eq!(many.to_string(), text);
        let plain = told(b"\x19\0\0\0\x0a8.0.39\0\x01\0\0\0abcdefgh\0\0\0\x2d\0\0");
        assert!(
            matches!(plain, IdentityError::Unencrypted { .. }),
            "{plain}"
        );
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("ca.pem");
        let refused = |path: &Path| {
            let error =
                ServerIdentity::prove(1, "db.example.com", path).expect_err("it is refused");
            assert!(
                matches!(error, IdentityError::Authorities { .. }),
                "{error}"
            );
        };
        refused(&path);
        std::fs::write(&path, "<html>").expect("it can be written");
        refused(&path);
    }
}
