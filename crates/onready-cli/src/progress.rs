//! What a person at a terminal sees while waiting: elapsed time, the last STATUS, a bar when it has a percentage.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use onready::engine::{Machine, Screen, Wipe, columns, printable};
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    bar: Option<ProgressBar>,
    label: String,
    in_the_middle: Rc<Cell<bool>>,
    shown_at: Option<Duration>,
    over: bool,
}

impl Progress {
    /// A line on stderr that begins with this, if that is a terminal and it is wanted.
    pub fn new(label: impl Into<String>, wanted: bool) -> Progress {
        let on = wanted
            && rustix::termios::isatty(rustix::stdio::stderr())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let terminal = Terminal::default();
        let bar = on.then(|| {
            let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
            ProgressBar::with_draw_target(Some(100), target)
        });
        let in_the_middle = Rc::default();
        Progress { terminal, bar, label: label.into(), in_the_middle, shown_at: None, over: false }
    }

    /// For a stream that is written to the same terminal.
    pub fn wipe_for(&self, is_terminal: bool) -> Option<Wipe> {
        let (terminal, in_the_middle) = (self.terminal.clone(), Rc::clone(&self.in_the_middle));
        let wipe = move |bytes: &[u8]| {
            terminal.wipe();
            in_the_middle.set(bytes.last().is_some_and(|&last| last != b'\n'));
        };
        (self.bar.is_some() && is_terminal).then(|| Rc::new(wipe) as Wipe)
    }
}

/// The first percentage in a text.
fn percentage(text: &str) -> Option<u64> {
    let before = &text[..text.find('%')?];
    let before = before.trim_end();
    let whole = before.rsplit(|c: char| !(c.is_ascii_digit() || c == '.')).next()?;
    whole.split('.').next()?.parse().ok().filter(|&percent| percent <= 100)
}

fn style(has_bar: bool) -> ProgressStyle {
    let template =
        if has_bar { "{spinner} {prefix} {elapsed} [{bar:20}] {msg}" } else { "{spinner} {prefix} {elapsed} {msg}" };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()).progress_chars("=> ")
}

impl Screen for Progress {
    fn show(&mut self, elapsed: Duration, machine: &Machine) {
        let Some(bar) = &self.bar else { return };
        let drawn_lately = self.shown_at.is_some_and(|at| elapsed < at + FRAME);
        if self.over || elapsed < SOON || drawn_lately || self.in_the_middle.get() {
            return;
        }
        self.shown_at = Some(elapsed);
        let status = machine.status().unwrap_or("");
        let percent = percentage(status);
        bar.set_style(style(percent.is_some()));
        bar.set_prefix(self.label.clone());
        bar.set_message(printable(status, columns().saturating_sub(self.label.chars().count() + 40)));
        bar.set_position(percent.unwrap_or(0));
        bar.tick();
    }

    fn again(&self) -> Option<Duration> {
        self.bar.as_ref().filter(|_| !self.over).map(|_| FRAME)
    }

    fn wipe(&mut self) {
        self.over = true;
        self.terminal.wipe();
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
