//! Reading a line from the terminal without showing it.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Restores the terminal, whatever happens.
struct Restore(Termios);

impl Drop for Restore {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

/// The line that is typed; none on Ctrl-C or Ctrl-D. Signals are off meanwhile: a program that
/// ended here would leave a terminal that shows nothing.
///
/// # Errors
/// When the standard input is no terminal or can't be read.
pub fn read_line() -> io::Result<Option<String>> {
    let before = tcgetattr(io::stdin())?;
    let _restore = Restore(before.clone());
    let mut hidden = before;
    hidden.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
    read_keys(io::stdin().lock())
}

/// Keys up to Enter, as a terminal in raw mode sends them.
fn read_keys(mut keys: impl io::Read) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        let mut key = [0];
        if keys.read(&mut key)? == 0 {
            return Ok(None);
        }
        match key[0] {
            b'\n' | b'\r' => break,
            // Ctrl-C; Ctrl-D.
            3 | 4 => return Ok(None),
            // Backspace takes a whole character: the bytes that continue one, and its first.
            8 | 127 => while line.pop().is_some_and(|byte: u8| byte & 0xc0 == 0x80) {},
            // Ctrl-U.
            21 => line.clear(),
            byte => line.push(byte),
        }
    }
    String::from_utf8(line)
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> Option<String> {
        read_keys(keys.as_bytes()).unwrap()
    }

    #[test]
    fn keys_edit_the_line() {
        assert_eq!(typed("pass\r").as_deref(), Some("pass"));
        assert_eq!(typed("pä\u{7f}ass\n").as_deref(), Some("pass"));
        assert_eq!(typed("wrong\u{15}right\n").as_deref(), Some("right"));
    }

    #[test]
    fn giving_up_is_no_empty_line() {
        assert_eq!(typed("pa\u{3}"), None);
        assert_eq!(typed("pa\u{4}"), None);
        assert_eq!(typed("pa"), None);
    }
}
