//! Answers, read from bytes (RFC 9112).

use crate::outcome::Failure;

const MAXIMUM_HEADERS: usize = 64;
const MAXIMUM_HEAD: usize = 64 * 1024;
/// More than any page of a shop; a drill keeps answers in memory.
const MAXIMUM_BODY: usize = 8 * 1024 * 1024;

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The headers of this name, whatever its case.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self
            .headers
            .iter()
            .filter(move |(it, _)| it.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// What the bytes received so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More bytes are needed. `ends_with_connection` says that the end of the connection is the end
    /// of the answer.
    Partial { ends_with_connection: bool },
    /// The answer, and whether another request may follow on the same connection.
    Complete { response: Response, may_reuse: bool },
}

/// Reads the answer to a `GET` or `POST` from all bytes of a connection since the request was sent.
pub(crate) fn read(bytes: &[u8], is_closed: bool) -> Result<Progress, Failure> {
    let Some((head, body)) = read_head(bytes)? else {
        return Ok(Progress::Partial {
            ends_with_connection: false,
        });
    };
    if head.status < 200 {
        return read(body, is_closed);
    }
    let connection = head
        .header("connection")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let may_reuse = head.is_http_11 && !connection.contains("close");
    let chunked = head.header("transfer-encoding").is_some_and(|coding| {
        coding
            .rsplit(',')
            .next()
            .is_some_and(|last| last.trim().eq_ignore_ascii_case("chunked"))
    });
    let partial = Ok(Progress::Partial {
        ends_with_connection: false,
    });
    let (content, may_reuse) = if matches!(head.status, 204 | 304) {
        (Vec::new(), may_reuse)
    } else if chunked {
        match decode_chunks(body)? {
            Some(content) => (content, may_reuse),
            None => return partial,
        }
    } else if let Some(length) = head.header("content-length") {
        let length: usize = length.trim().parse().map_err(|_| Failure::Malformed)?;
        if length > MAXIMUM_BODY {
            return Err(Failure::Malformed);
        }
        match body.get(..length) {
            Some(content) => (content.to_vec(), may_reuse && body.len() == length),
            None => return partial,
        }
    } else if is_closed {
        (body.to_vec(), false)
    } else if body.len() > MAXIMUM_BODY {
        return Err(Failure::Malformed);
    } else {
        return Ok(Progress::Partial {
            ends_with_connection: true,
        });
    };
    let response = Response {
        status: head.status,
        headers: head.headers,
        body: content,
    };
    Ok(Progress::Complete {
        response,
        may_reuse,
    })
}

struct Head {
    status: u16,
    is_http_11: bool,
    headers: Vec<(String, String)>,
}

impl Head {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

fn read_head(bytes: &[u8]) -> Result<Option<(Head, &[u8])>, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; MAXIMUM_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() <= MAXIMUM_HEAD => return Ok(None),
        Ok(httparse::Status::Partial) | Err(_) => return Err(Failure::Malformed),
    };
    let owned = |header: &httparse::Header<'_>| {
        (
            header.name.to_owned(),
            String::from_utf8_lossy(header.value).into_owned(),
        )
    };
    let head = Head {
        status: parsed.code.ok_or(Failure::Malformed)?,
        is_http_11: parsed.version == Some(1),
        headers: parsed.headers.iter().map(owned).collect(),
    };
    Ok(Some((head, &bytes[length..])))
}

/// The content of a chunked body (RFC 9112, section 7.1), or nothing if it is not complete yet.
fn decode_chunks(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let mut content = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(bytes) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Failure::Malformed),
        };
        let size = usize::try_from(size).map_err(|_| Failure::Malformed)?;
        if size > MAXIMUM_BODY || content.len() + size > MAXIMUM_BODY {
            return Err(Failure::Malformed);
        }
        if size == 0 {
            let trailer = &bytes[start..];
            let is_complete =
                trailer.starts_with(b"\r\n") || trailer.windows(4).any(|four| four == b"\r\n\r\n");
            return Ok(is_complete.then_some(content));
        }
        let Some(chunk) = bytes.get(start..start + size + 2) else {
            return Ok(None);
        };
        let (data, end) = chunk.split_at(size);
        if end != b"\r\n" {
            return Err(Failure::Malformed);
        }
        content.extend_from_slice(data);
        bytes = &bytes[start + size + 2..];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn complete(bytes: &[u8], is_closed: bool) -> (Response, bool) {
        match read(bytes, is_closed) {
            Ok(Progress::Complete {
                response,
                may_reuse,
            }) => (response, may_reuse),
            other => panic!("not complete: {other:?}"),
        }
    }

    #[test]
    fn a_length_a_chunked_body_and_the_end_of_the_connection_end_an_answer() {
        let (response, may_reuse) = complete(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nhi",
            false,
        );
        assert_eq!(
            (response.body.as_slice(), may_reuse),
            (b"hi".as_slice(), true)
        );
        assert_eq!(response.headers("x-a").collect::<Vec<_>>(), ["1"]);

        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
        let (response, may_reuse) = complete(chunked, false);
        assert_eq!(
            (response.body.as_slice(), may_reuse),
            (b"hi".as_slice(), true)
        );

        let (response, may_reuse) = complete(b"HTTP/1.1 200 OK\r\n\r\nhi", true);
        assert_eq!(
            (response.body.as_slice(), may_reuse),
            (b"hi".as_slice(), false)
        );
    }

    #[test]
    fn a_connection_is_kept_only_when_both_sides_would() {
        let close = b"HTTP/1.1 303 See Other\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n";
        assert!(!complete(close, false).1);
        assert!(!complete(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false).1);
        assert!(!complete(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore", false).1);
    }

    #[test]
    fn an_interim_answer_is_passed_over() {
        let bytes =
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(complete(bytes, false).0.status, 201);
    }

    #[test]
    fn what_is_not_http_is_malformed() {
        for bytes in [
            b"SSH-2.0-OpenSSH\r\n".as_slice(),
            b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff0\r\n",
        ] {
            assert_eq!(read(bytes, false), Err(Failure::Malformed));
        }
    }

    proptest! {
        #[test]
        fn a_prefix_of_an_answer_is_never_taken_for_the_answer(cut in 0_usize..75) {
            let chunked =
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
            prop_assume!(cut < chunked.len());
            let partial = Progress::Partial { ends_with_connection: false };
            prop_assert_eq!(read(&chunked[..cut], false), Ok(partial));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, true);
            let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            answer.extend(bytes);
            let _ = read(&answer, false);
        }
    }
}
