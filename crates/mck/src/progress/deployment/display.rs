//! A deployment on the terminal, whatever its target.

use std::{fmt, time::Instant};

use super::{View, frame, plain};
use crate::{
    printer::Printer,
    progress::{frame::Canvas, screen::Screen},
    time::elapsed,
};

/// What of a deployment is on the terminal: a frame that moves, or lines of a log.
pub struct Display<'a> {
    printer: &'a Printer,
    title: &'a str,
    begin: Instant,
    size: Option<(usize, usize)>,
    screen: Screen,
    last: Option<View>,
    tick: usize,
}

impl<'a> Display<'a> {
    /// Nothing but the title, where it is a log.
    pub fn new(printer: &'a Printer, title: &'a str, begin: Instant) -> Self {
        let size = printer.live_size();
        if size.is_none() {
            printer.note(title);
        }
        Self {
            printer,
            title,
            begin,
            size,
            screen: Screen::default(),
            last: None,
            tick: 0,
        }
    }

    /// Shows how the deployment is now.
    pub fn show(&mut self, now: &View) {
        self.tick += 1;
        let time = self.begin.elapsed();
        if let Some((width, height)) = self.size {
            let canvas = Canvas {
                width,
                height,
                style: self.printer.error_style(),
                tick: self.tick,
            };
            let lines = frame::lines(self.title, now, time, canvas);
            self.printer.draw(&self.screen.frame(&lines));
        } else if self.last.as_ref() != Some(now) {
            for line in plain::news(self.last.as_ref(), now) {
                self.printer
                    .note(format_args!("[{}] {line}", elapsed(time)));
            }
            self.last = Some(now.clone());
        }
    }

    /// Says something besides, which stays.
    pub fn say(&mut self, line: impl fmt::Display) {
        self.clear();
        let time = elapsed(self.begin.elapsed());
        self.printer.note(format_args!("[{time}] {line}"));
    }

    /// Takes the frame away.
    pub fn clear(&mut self) {
        self.printer.draw(&self.screen.clear());
    }
}
