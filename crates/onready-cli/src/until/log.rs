//! `log:REGEX` and `--fail-log`: lines of the output, put together again however they were written.

use onready::engine::Event;
use regex::bytes::Regex;

/// A line that grows longer than this is looked at in pieces: a server that never ends a line must not fill us up.
const LONGEST: usize = 1 << 20;

/// What a matching line means.
pub struct Matcher {
    regex: Regex,
    left: usize,
    event: Box<dyn Fn(&[u8]) -> Event>,
}

impl Matcher {
    /// The n-th matching line gives this sign.
    pub fn sign(sign: usize, regex: Regex, count: usize) -> Matcher {
        Matcher { regex, left: count, event: Box::new(move |_| Event::Sign(sign)) }
    }

    /// The first matching line is a failure.
    pub fn failure(regex: Regex) -> Matcher {
        let pattern = regex.to_string();
        let event = move |line: &[u8]| {
            let line = String::from_utf8_lossy(line);
            Event::Failed(format!("its output matches --fail-log '{pattern}': {}", line.trim_end()))
        };
        Matcher { regex, left: 1, event: Box::new(event) }
    }

    fn look(&mut self, line: &[u8], events: &mut Vec<Event>) {
        if self.left > 0 && self.regex.is_match(line) {
            self.left -= 1;
            if self.left == 0 {
                events.push((self.event)(line));
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
                matchers.iter_mut().for_each(|matcher| matcher.look(&bytes[..end], events));
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
            let line = self.begun.strip_suffix(b"\r").unwrap_or(&self.begun);
            matchers.iter_mut().for_each(|matcher| matcher.look(line, events));
            self.begun.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matchers(count: usize) -> Vec<Matcher> {
        vec![Matcher::sign(7, Regex::new("^ready$").expect("a pattern"), count)]
    }

    #[test]
    fn a_line_may_come_in_pieces() {
        for cut in 0..=8 {
            let (mut lines, mut matchers, mut events) = (Lines::default(), matchers(1), Vec::new());
            let (a, b) = b"x\nready\n".split_at(cut);
            lines.put(a, &mut matchers, &mut events);
            lines.put(b, &mut matchers, &mut events);
            assert_eq!(events, [Event::Sign(7)], "cut at {cut}");
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
