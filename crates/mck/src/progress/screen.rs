//! A part of the terminal that is drawn again and again. It knows how many lines it drew.

/// The lines that are on the terminal.
#[derive(Debug, Default)]
pub struct Screen {
    drawn: usize,
}

/// To the line's end.
const CLEAR_LINE: &str = "\x1b[K";

/// To the screen's end.
const CLEAR_BELOW: &str = "\x1b[J";

impl Screen {
    /// What to write so that these lines stand where the last ones stood.
    pub fn frame(&mut self, lines: &[String]) -> String {
        let mut text = self.up();
        for line in lines {
            text.push_str(line);
            text.push_str(CLEAR_LINE);
            text.push('\n');
        }
        text.push_str(CLEAR_BELOW);
        self.drawn = lines.len();
        text
    }

    /// What to write so that nothing of it is left.
    pub fn clear(&mut self) -> String {
        if self.drawn == 0 {
            return String::new();
        }
        let text = self.up() + CLEAR_BELOW;
        self.drawn = 0;
        text
    }

    fn up(&self) -> String {
        match self.drawn {
            0 => String::new(),
            count => format!("\x1b[{count}A\r"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_frame_begins_where_the_last_one_began() {
        let mut screen = Screen::default();
        assert_eq!(screen.clear(), "");
        assert_eq!(
            screen.frame(&["a".to_owned(), "b".to_owned()]),
            "a\x1b[K\nb\x1b[K\n\x1b[J"
        );
        assert_eq!(screen.frame(&["c".to_owned()]), "\x1b[2A\rc\x1b[K\n\x1b[J");
        assert_eq!(screen.clear(), "\x1b[1A\r\x1b[J");
        assert_eq!(screen.clear(), "");
    }
}
