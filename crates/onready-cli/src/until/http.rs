//! `http:`: a listener of the server's answers a request with the right code.
//!
//! A request of one line and the first line of the answer: no more of HTTP is needed to see that a server serves,
//! and a client library would not let us say whose listener it may ask.
//!
//! # References
//! RFC 9112

use super::Remark;
use super::dial::Dial;
use super::socket::{Endpoint, Ownership, Whose};
use crate::when::HttpSign;
use crate::world::SharedWorld;
use onready::engine::{Event, Interest, QUIET, Source};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// How long one request may take before the next is tried.
const LIMIT: Duration = Duration::from_secs(5);
/// How long after a wrong answer it is asked again.
const PAUSE: Duration = Duration::from_millis(20);
const LOOK: Duration = Duration::from_millis(100);
/// No status line is longer.
const LONGEST: usize = 8192;

enum Trial {
    None,
    Dialing(Dial),
    Asked { socket: OwnedFd, answer: Vec<u8> },
}

/// The condition.
pub struct Http {
    sign: usize,
    wanted: HttpSign,
    ownership: Ownership,
    trial: Trial,
    since: Duration,
    again: Duration,
    now: Duration,
    given: bool,
    remark: Remark,
}

impl Http {
    /// For this request.
    ///
    /// # Errors
    /// Somebody else listens there, or there is no such host.
    pub fn new(
        sign: usize,
        wanted: HttpSign,
        world: SharedWorld,
        whose: Whose,
        remark: Remark,
    ) -> Result<Http, String> {
        let ownership = Ownership::new(Endpoint::tcp(&wanted.host, wanted.port)?, world, whose)?;
        let zero = Duration::ZERO;
        let (trial, given) = (Trial::None, false);
        Ok(Http { sign, wanted, ownership, trial, since: zero, again: zero, now: zero, given, remark })
    }

    fn request(&self) -> String {
        format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: onready\r\nAccept: */*\r\nConnection: close\r\n\r\n",
            self.wanted.path, self.wanted.authority
        )
    }

    fn advance(&mut self) -> Result<(), String> {
        let trial = std::mem::replace(&mut self.trial, Trial::None);
        self.trial = match trial {
            Trial::None if self.now >= self.again => {
                self.since = self.now;
                self.ownership.may_dial()?.map_or(Trial::None, Trial::Dialing)
            }
            Trial::Dialing(dial) => match dial.advance() {
                Dial::Open(socket) => self.ask(socket),
                Dial::Refused => self.pause(),
                pending => Trial::Dialing(pending),
            },
            Trial::Asked { socket, answer } => self.hear(socket, answer),
            Trial::None => Trial::None,
        };
        if !matches!(self.trial, Trial::None) && self.now.saturating_sub(self.since) > LIMIT {
            self.trial = self.pause();
        }
        Ok(())
    }

    fn pause(&mut self) -> Trial {
        self.again = self.now + PAUSE;
        Trial::None
    }

    fn ask(&mut self, socket: OwnedFd) -> Trial {
        let request = self.request();
        match rustix::net::send(&socket, request.as_bytes(), QUIET) {
            Ok(n) if n == request.len() => Trial::Asked { socket, answer: Vec::new() },
            _ => self.pause(),
        }
    }

    fn hear(&mut self, socket: OwnedFd, mut answer: Vec<u8>) -> Trial {
        let mut buffer = [0; 1024];
        loop {
            match rustix::io::read(&socket, &mut buffer) {
                Ok(0) => return self.pause(),
                Ok(n) => answer.extend_from_slice(&buffer[..n]),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Trial::Asked { socket, answer },
                Err(_) => return self.pause(),
            }
            if answer.contains(&b'\n') || answer.len() > LONGEST {
                self.judge(&answer);
                return self.pause();
            }
        }
    }

    fn judge(&mut self, answer: &[u8]) {
        let line = String::from_utf8_lossy(answer.split(|&b| b == b'\n').next().unwrap_or(&[])).trim_end().to_owned();
        self.given = code(&line).is_some_and(|code| match self.wanted.code {
            Some(wanted) => code == wanted,
            None => (200..400).contains(&code),
        });
        let shown: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
        self.remark.replace(Some(format!("http://{}{} answered \"{shown}\"", self.wanted.authority, self.wanted.path)));
    }
}

/// The code of a status line: `HTTP/1.1 200 OK`.
fn code(line: &str) -> Option<u16> {
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/"))?;
    words.next().filter(|code| code.len() == 3)?.parse().ok()
}

impl Source for Http {
    fn interest(&self, want: &mut Interest) {
        match &self.trial {
            _ if self.given => {}
            Trial::Dialing(Dial::Pending(socket)) => want.write(socket),
            Trial::Dialing(_) => want.within(Duration::ZERO),
            Trial::Asked { socket, .. } => {
                want.read(socket);
                want.within(LIMIT);
            }
            Trial::None => want.within(LOOK.min(self.again.saturating_sub(self.now).max(Duration::from_millis(1)))),
        }
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        self.now = now;
        if self.given {
            return;
        }
        match self.advance() {
            Ok(()) if self.given => events.push(Event::Sign(self.sign)),
            Ok(()) => {}
            Err(why) => events.push(Event::Failed(why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_has_a_code() {
        assert_eq!(code("HTTP/1.1 200 OK"), Some(200));
        assert_eq!(code("HTTP/1.0 404 Not Found"), Some(404));
        assert_eq!(code("HTTP/1.1 204"), Some(204));
        for wrong in ["", "HTTP/1.1", "SSH-2.0-x 200 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc"] {
            assert_eq!(code(wrong), None, "{wrong}");
        }
    }
}
