//! The beginning of a connection in MySQL's protocol, which a server begins in plain text (MySQL
//! Internals, "Connection Phase", Protocol::HandshakeV10 and Protocol::SSLRequest).

/// Capability flags of both sides.
const PROTOCOL_41: u32 = 0x0000_0200;
const SSL: u32 = 0x0000_0800;
const SECURE_CONNECTION: u32 = 0x0000_8000;
const PLUGIN_AUTH: u32 = 0x0008_0000;

/// The length of a packet's header: three bytes of length, one of sequence.
pub const HEADER: usize = 4;

/// What a server says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// Its version, and whether it offers TLS.
    Welcome {
        /// The version.
        version: String,
        /// Whether it offers TLS.
        offers_tls: bool,
    },
    /// It takes nobody, or not us; in its words.
    Refusal(String),
}

/// The length of the packet's body, in bytes, that a header announces.
pub fn body_length(header: [u8; HEADER]) -> usize {
    let [one, two, three, _] = header;
    usize::from(one) | usize::from(two) << 8 | usize::from(three) << 16
}

impl Greeting {
    /// Reads the body of a server's first packet; none where it is no such server.
    pub fn read(body: &[u8]) -> Option<Self> {
        match body.split_first()? {
            (0xff, rest) => {
                let text = rest.get(2..)?;
                // The state of SQL, which newer ones send here too.
                let text = match text {
                    [b'#', _, _, _, _, _, text @ ..] => text,
                    text => text,
                };
                Some(Self::Refusal(String::from_utf8_lossy(text).into_owned()))
            }
            (10, rest) => {
                let end = rest.iter().position(|&byte| byte == 0)?;
                // The connection's number, half of the challenge and a zero come before the flags.
                let flags = rest.get(end + 1 + 4 + 8 + 1..)?.get(..2)?;
                let flags = u32::from(flags[0]) | u32::from(flags[1]) << 8;
                Some(Self::Welcome {
                    version: String::from_utf8_lossy(&rest[..end]).into_owned(),
                    offers_tls: flags & SSL != 0,
                })
            }
            _ => None,
        }
    }
}

/// The packet that asks a server to begin TLS.
pub fn tls_request() -> Vec<u8> {
    const LENGTH: u8 = 32;
    const LARGEST_PACKET: u32 = 1 << 24;
    const UTF8MB4_GENERAL_CI: u8 = 45;
    let mut packet = vec![LENGTH, 0, 0, 1];
    packet.extend((PROTOCOL_41 | SSL | SECURE_CONNECTION | PLUGIN_AUTH).to_le_bytes());
    packet.extend(LARGEST_PACKET.to_le_bytes());
    packet.push(UTF8MB4_GENERAL_CI);
    packet.resize(HEADER + usize::from(LENGTH), 0);
    packet
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn welcome(flags: u16) -> Vec<u8> {
        let mut body = b"\x0a8.0.39\0".to_vec();
        body.extend([7, 0, 0, 0]);
        body.extend(*b"abcdefgh\0");
        body.extend(flags.to_le_bytes());
        body
    }

    #[test]
    fn a_greeting_tells_whether_there_is_tls() {
        for (flags, offers_tls) in [(0xf7ff, false), (0xffff, true), (0x0800, true), (0, false)] {
            let version = "8.0.39".to_owned();
            let expected = Greeting::Welcome {
                version,
                offers_tls,
            };
            assert_eq!(Greeting::read(&welcome(flags)), Some(expected), "{flags:x}");
        }
        let blocked = b"\xff\x69\x04Host '10.0.0.9' is blocked";
        let told = Greeting::Refusal("Host '10.0.0.9' is blocked".to_owned());
        assert_eq!(Greeting::read(blocked), Some(told));
        let many = b"\xff\x10\x04#08004Too many connections";
        let told = Greeting::Refusal("Too many connections".to_owned());
        assert_eq!(Greeting::read(many), Some(told));
        assert_eq!(Greeting::read(b"SSH-2.0-OpenSSH_9.2"), None);
        assert_eq!(Greeting::read(b""), None);
    }

    #[test]
    fn tls_is_asked_for_by_a_packet_of_its_own_length() {
        let packet = tls_request();
        let header = [packet[0], packet[1], packet[2], packet[3]];
        assert_eq!(body_length(header), packet.len() - HEADER);
        assert_eq!(packet[HEADER + 1] & 0x08, 0x08);
        assert_eq!(body_length([1, 2, 3, 0]), 0x03_02_01);
    }

    proptest! {
        #[test]
        fn no_greeting_panics(body in prop::collection::vec(any::<u8>(), 0..60), first in prop::sample::select(vec![10_u8, 0xff])) {
            let _ = Greeting::read(&body);
            let _ = Greeting::read(&[&[first][..], &body].concat());
        }
    }
}
