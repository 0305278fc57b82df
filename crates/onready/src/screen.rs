//! What a person at a terminal sees while waiting: one line, wiped when there is something else to see.

use crate::machine::Machine;
use crate::streams::Wipe;
use crate::watch::Screen;
use rustix::stdio;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// The state of the line, shared with the streams that are written to the same terminal.
#[derive(Default)]
struct Line {
    shown: String,
    /// The server has written half a line: a status would be drawn over it.
    in_the_middle: bool,
}

impl Line {
    fn wipe(&mut self) {
        if !self.shown.is_empty() {
            self.shown.clear();
            write(b"\r\x1b[K");
        }
    }
}

fn write(bytes: &[u8]) {
    let _ = rustix::io::write(stdio::stderr(), bytes);
}

/// The texts of `Ready::status` on a terminal; nothing at all where stderr is none.
pub struct StatusLine {
    line: Rc<RefCell<Line>>,
    on: bool,
}

impl StatusLine {
    /// A line on stderr.
    pub fn new() -> StatusLine {
        let on = rustix::termios::isatty(stdio::stderr()) && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        StatusLine { line: Rc::default(), on }
    }

    /// Ends the half line that the server has left, so that what is said next begins on one of its own.
    pub fn end_line(&mut self) {
        if std::mem::take(&mut self.line.borrow_mut().in_the_middle) {
            write(b"\n");
        }
    }

    /// For a stream that is written to the same terminal.
    pub fn wipe_for(&self, is_terminal: bool) -> Option<Wipe> {
        let line = Rc::clone(&self.line);
        let wipe = move |bytes: &[u8]| {
            let mut line = line.borrow_mut();
            line.wipe();
            line.in_the_middle = bytes.last().is_some_and(|&last| last != b'\n');
        };
        (self.on && is_terminal).then(|| Rc::new(wipe) as Wipe)
    }
}

/// One line of text as a terminal can show it: without control characters, and no wider than this many columns.
/// What is not ASCII may take two of them.
pub fn printable(text: &str, width: usize) -> String {
    let mut left = width;
    let mut fits = |c: &char| {
        let columns = if c.is_ascii() { 1 } else { 2 };
        let fits = columns <= left;
        left = left.saturating_sub(columns);
        fits
    };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take_while(&mut fits).collect()
}

/// The number of columns of the terminal on stderr.
pub fn columns() -> usize {
    let width = rustix::termios::tcgetwinsize(stdio::stderr()).map_or(80, |size| usize::from(size.ws_col));
    if width == 0 { 80 } else { width }
}

impl Screen for StatusLine {
    fn show(&mut self, _elapsed: Duration, machine: &Machine) {
        let mut line = self.line.borrow_mut();
        if !self.on || line.in_the_middle {
            return;
        }
        let text = printable(machine.status().unwrap_or(""), columns().saturating_sub(1));
        if text != line.shown {
            line.wipe();
            write(text.as_bytes());
            line.shown = text;
        }
    }

    fn wipe(&mut self) {
        self.line.borrow_mut().wipe();
    }
}
