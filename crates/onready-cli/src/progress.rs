//! What a person at a terminal sees while waiting: elapsed time, the last STATUS, a bar when it has a percentage.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};
use onready::engine::{Machine, Screen, Wipe, columns, printable};
use std::cell::Cell;
use std::fmt::Write;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Who is ready sooner than this needs no progress line.
const SOON: Duration = Duration::from_millis(400);
const FRAME: Duration = Duration::from_millis(100);

/// The terminal on stderr, as indicatif draws on it; knows whether there is something to wipe.
#[derive(Clone, Debug, Default)]
struct Terminal {
    drawn: Arc<AtomicBool>,
}

fn write(text: &str) -> io::Result<()> {
    rustix::io::write(rustix::stdio::stderr(), text.as_bytes())?;
    Ok(())
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        u16::try_from(columns()).unwrap_or(80)
    }

    fn move_cursor_up(&self, _n: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _n: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _n: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _n: usize) -> io::Result<()> {
        write("\r")
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.drawn.store(true, Ordering::Relaxed);
        write(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        write("\r\x1b[K")
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Terminal {
    fn wipe(&self) {
        if self.drawn.swap(false, Ordering::Relaxed) {
            let _ = self.clear_line();
        }
    }
}

/// The progress line.
pub struct Progress {
    terminal: Terminal,
    line: Option<Line>,
    /// stderr is a terminal, whether or not it can be drawn on.
    is_terminal: bool,
    in_the_middle: Rc<Cell<bool>>,
    shown_at: Option<Duration>,
    over: bool,
}

/// What is drawn: a bar, and the text before and behind it, which indicatif asks for once a frame.
struct Line {
    bar: ProgressBar,
    texts: Arc<Mutex<[String; 2]>>,
    has_bar: Option<bool>,
    label: String,
}

impl Line {
    fn new(terminal: &Terminal, label: String) -> Line {
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let bar = ProgressBar::with_draw_target(Some(100), target);
        Line { bar, texts: Arc::default(), has_bar: None, label }
    }

    fn style(&self, has_bar: bool) -> ProgressStyle {
        let template = if has_bar { "{spinner} {before} [{bar:20}] {behind}" } else { "{spinner} {before} {behind}" };
        let text = |number: usize| {
            let texts = Arc::clone(&self.texts);
            move |_: &ProgressState, to: &mut dyn Write| {
                let texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = to.write_str(&texts[number]);
            }
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        style.with_key("before", text(0)).with_key("behind", text(1)).progress_chars("=> ")
    }

    fn draw(&mut self, elapsed: Duration, status: &str) {
        let percent = percentage(status);
        let before = format!("{}, {:.1} s", self.label, elapsed.as_secs_f64());
        let room = columns().saturating_sub(before.chars().count() + if percent.is_some() { 28 } else { 5 });
        *self.texts.lock().unwrap_or_else(PoisonError::into_inner) = [before, printable(status, room)];
        if self.has_bar.replace(percent.is_some()) != Some(percent.is_some()) {
            self.bar.set_style(self.style(percent.is_some()));
        }
        if percent.unwrap_or(0) != self.bar.position() {
            self.bar.set_position(percent.unwrap_or(0));
        }
        self.bar.tick();
    }
}

impl Progress {
    /// A line on stderr that begins with this, if that is a terminal and it is wanted.
    pub fn new(label: impl Into<String>, wanted: bool) -> Progress {
        let is_terminal = rustix::termios::isatty(rustix::stdio::stderr());
        let on = wanted && is_terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let terminal = Terminal::default();
        let line = on.then(|| Line::new(&terminal, label.into()));
        Progress { terminal, line, is_terminal, in_the_middle: Rc::default(), shown_at: None, over: false }
    }

    /// For a stream that is written to the same terminal.
    pub fn wipe_for(&self, is_terminal: bool) -> Option<Wipe> {
        let (terminal, in_the_middle) = (self.terminal.clone(), Rc::clone(&self.in_the_middle));
        let wipe = move |bytes: &[u8]| {
            terminal.wipe();
            in_the_middle.set(bytes.last().is_some_and(|&last| last != b'\n'));
        };
        (self.is_terminal && is_terminal).then(|| Rc::new(wipe) as Wipe)
    }
}

/// The first percentage in a text.
fn percentage(text: &str) -> Option<u64> {
    let before = &text[..text.find('%')?];
    let before = before.trim_end();
    let whole = before.rsplit(|c: char| !(c.is_ascii_digit() || c == '.')).next()?;
    whole.split('.').next()?.parse().ok().filter(|&percent| percent <= 100)
}

impl Screen for Progress {
    fn show(&mut self, elapsed: Duration, machine: &Machine) {
        let drawn_lately = self.shown_at.is_some_and(|at| elapsed < at + FRAME);
        if self.over || elapsed < SOON || drawn_lately || self.in_the_middle.get() {
            return;
        }
        self.shown_at = Some(elapsed);
        self.line.iter_mut().for_each(|line| line.draw(elapsed, machine.status().unwrap_or("")));
    }

    fn again(&self) -> Option<Duration> {
        self.line.as_ref().filter(|_| !self.over).map(|_| FRAME)
    }

    /// What is said next begins on a line of its own.
    fn wipe(&mut self) {
        self.over = true;
        self.terminal.wipe();
        if self.in_the_middle.take() {
            let _ = write("\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_found() {
        assert_eq!(percentage("loading: 42%"), Some(42));
        assert_eq!(percentage("loading: 42.7 % of all"), Some(42));
        for none in ["", "loading", "%", "1000%", "x%"] {
            assert_eq!(percentage(none), None, "{none}");
        }
    }
}
