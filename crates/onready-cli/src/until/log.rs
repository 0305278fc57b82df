//! `log:REGEX` and `--fail-log`: lines of the output, put together again however they were written.

use onready::engine::Event;
use regex::bytes::Regex;

/// A line that grows longer than this is looked at in pieces: a server that never ends a line must not fill us up.
const LONGEST: usize = 1 << 20;

/// A pattern, and what the line means that matches it.
pub struct Matcher {
    regex: Regex,
    left: usize,
    meaning: Meaning,
}

enum Meaning {
    /// The sign of this number.
    Sign(usize),
    Failure,
}

impl Matcher {
    /// The n-th matching line gives this sign.
    pub fn sign(sign: usize, regex: Regex, count: usize) -> Matcher {
        Matcher { regex, left: count, meaning: Meaning::Sign(sign) }
    }

    /// The first matching line is a failure.
    pub fn failure(regex: Regex) -> Matcher {
        Matcher { regex, left: 1, meaning: Meaning::Failure }
    }

    fn look(&mut self, line: &[u8], events: &mut Vec<Event>) {
        if self.left > 0 && self.regex.is_match(line) {
            self.left -= 1;
            if self.left == 0 {
                events.push(self.event(line));
            }
        }
    }

    fn event(&self, line: &[u8]) -> Event {
        match self.meaning {
            Meaning::Sign(sign) => Event::Sign(sign),
            Meaning::Failure => {
                let (line, pattern) = (String::from_utf8_lossy(line), &self.regex);
                Event::Failed(format!("its output matches --fail-log '{pattern}': {}", line.trim_end()))
            }
        }
    }
}

/// One stream's lines.
#[derive(Default)]
pub struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// More of the stream; whole lines go to the matchers.
    pub fn put(&mut self, mut bytes: &[u8], matchers: &mut [Matcher], events: &mut Vec<Event>) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            if self.begun.is_empty() {
                look(&bytes[..end], matchers, events);
            } else {
                self.begun.extend_from_slice(&bytes[..end]);
                self.finish(matchers, events);
            }
            bytes = &bytes[end + 1..];
        }
        self.begun.extend_from_slice(bytes);
        if self.begun.len() > LONGEST {
            self.finish(matchers, events);
        }
    }

    /// What has no newline yet is a line as well: nothing more comes.
    pub fn finish(&mut self, matchers: &mut [Matcher], events: &mut Vec<Event>) {
        if !self.begun.is_empty() {
            look(&self.begun, matchers, events);
            self.begun.clear();
        }
    }
}

fn look(line: &[u8], matchers: &mut [Matcher], events: &mut Vec<Event>) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    matchers.iter_mut().for_each(|matcher| matcher.look(line, events));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matchers(count: usize) -> Vec<Matcher> {
        vec![Matcher::sign(7, Regex::new("^ready$").expect("a pattern"), count)]
    }

    #[test]
    fn a_line_may_come_in_pieces() {
        for text in [&b"x\nready\n"[..], b"x\r\nready\r\n"] {
            for cut in 0..=text.len() {
                let (mut lines, mut matchers, mut events) = (Lines::default(), matchers(1), Vec::new());
                let (a, b) = text.split_at(cut);
                lines.put(a, &mut matchers, &mut events);
                lines.put(b, &mut matchers, &mut events);
                assert_eq!(events, [Event::Sign(7)], "cut at {cut}");
            }
        }
    }

    #[test]
    fn the_nth_line_counts() {
        let (mut lines, mut matchers, mut events) = (Lines::default(), matchers(2), Vec::new());
        lines.put(b"ready\nnot ready\n", &mut matchers, &mut events);
        assert_eq!(events, []);
        lines.put(b"ready\nready\n", &mut matchers, &mut events);
        assert_eq!(events, [Event::Sign(7)]);
    }

    #[test]
    fn a_last_line_needs_no_newline() {
        let (mut lines, mut matchers, mut events) = (Lines::default(), matchers(1), Vec::new());
        lines.put(b"ready", &mut matchers, &mut events);
        assert_eq!(events, []);
        lines.finish(&mut matchers, &mut events);
        assert_eq!(events, [Event::Sign(7)]);
    }

    #[test]
    fn a_failure_shows_the_line() {
        let (mut lines, mut events) = (Lines::default(), Vec::new());
        let mut matchers = [Matcher::failure(Regex::new("FATAL").expect("a pattern"))];
        lines.put(b"FATAL: no disk\n", &mut matchers, &mut events);
        let Some(Event::Failed(why)) = events.first() else { panic!("{events:?}") };
        assert!(why.ends_with("FATAL: no disk"), "{why}");
    }
}
