//! WHEN: the ways of a server to be ready, as they are written after `--until`.

use crate::duration;
use regex::bytes::Regex;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// One way to be ready. Its text (`Display`) is what was written, and what `ready_by` says.
#[derive(Clone, Debug)]
pub struct When {
    text: String,
    /// What it means.
    pub sign: Sign,
}

/// The kinds of ways.
#[derive(Clone, Debug)]
pub enum Sign {
    /// Whatever the server gives first that can be believed.
    Auto,
    /// `READY=1` on `NOTIFY_SOCKET`.
    Notify,
    /// Some listening socket.
    Listen,
    /// A line on this descriptor.
    Fd(i32),
    /// A TCP listener of the server's accepts.
    Tcp {
        /// Where; an empty host is this machine.
        host: String,
        /// The port.
        port: u16,
    },
    /// A unix stream listener of the server's accepts.
    Unix(PathBuf),
    /// An answer to an HTTP request.
    Http(HttpSign),
    /// A new or newer file.
    File(PathBuf),
    /// The n-th line that matches.
    Log {
        /// How many lines it takes.
        count: usize,
        /// What a line must match.
        regex: Regex,
    },
    /// A shell command exits 0.
    Exec(OsString),
    /// The command put itself into the background and exited 0.
    Exit,
    /// This much time, alive.
    Delay(Duration),
}

/// What to ask for, and which answer is the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSign {
    /// The host without brackets.
    pub host: String,
    /// The port, 80 if none is written.
    pub port: u16,
    /// `Host:` as it is sent.
    pub authority: String,
    /// The path and query.
    pub path: String,
    /// The one code that counts; without one, any 2xx or 3xx.
    pub code: Option<u16>,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<When, String> {
        let (kind, value) = match text.split_once(':') {
            Some((kind, value)) => (kind, Some(value)),
            None => (text, None),
        };
        let needs = |what: &str| value.filter(|v| !v.is_empty()).ok_or(format!("{kind} needs {what}: {kind}:{what}"));
        let sign = match (kind, value) {
            ("auto", None) => Sign::Auto,
            ("notify", None) => Sign::Notify,
            ("listen", None) => Sign::Listen,
            ("exit", None) => Sign::Exit,
            ("auto" | "notify" | "listen" | "exit", Some(_)) => {
                return Err(format!("{kind} stands alone, without `:`"));
            }
            ("fd", _) => Sign::Fd(descriptor(needs("N")?)?),
            ("tcp", _) => tcp(needs("[HOST:]PORT")?)?,
            ("unix", _) => Sign::Unix(needs("PATH")?.into()),
            ("http", _) => Sign::Http(http(needs("URL[=CODE]")?)?),
            ("file", _) => Sign::File(needs("PATH")?.into()),
            ("log", _) => log(needs("REGEX")?)?,
            ("exec", _) => Sign::Exec(needs("COMMAND")?.into()),
            ("delay", _) => Sign::Delay(duration::parse(needs("DURATION")?)?),
            _ => return Err(format!("there is no way \"{kind}\" to be ready; the ways are {WAYS}")),
        };
        Ok(When { text: text.into(), sign })
    }
}

/// All of them, for messages.
pub const WAYS: &str = "auto, notify, listen, fd:N, tcp:[HOST:]PORT, unix:PATH, http:URL[=CODE], file:PATH, \
                        log:[N:]REGEX, exec:COMMAND, exit, delay:DURATION";

fn descriptor(text: &str) -> Result<i32, String> {
    let number = text.parse().ok().filter(|n| (3..1024).contains(n));
    number.ok_or(format!("\"{text}\" is no descriptor for this; take a number from 3 to 1023"))
}

fn port(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|&port| port > 0);
    number.ok_or(format!("\"{text}\" is no port; ports are 1 to 65535"))
}

/// A host and a port; an IPv6 address in brackets.
fn host_and_port(text: &str) -> Result<(String, u16), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(format!("\"{text}\" lacks the `]` of its address"))?;
        let number = rest.strip_prefix(':').ok_or(format!("\"{text}\" lacks `:PORT` behind its address"))?;
        return Ok((host.into(), port(number)?));
    }
    match text.rsplit_once(':') {
        Some((host, _)) if host.contains(':') => Err(format!("write an IPv6 address in brackets: [{host}]:PORT")),
        Some((host, number)) => Ok((host.into(), port(number)?)),
        None => Ok((String::new(), port(text)?)),
    }
}

fn tcp(text: &str) -> Result<Sign, String> {
    let (host, port) = host_and_port(text)?;
    Ok(Sign::Tcp { host, port })
}

/// `http://HOST[:PORT][/PATH][=CODE]`; `//HOST...`, and `:PORT/PATH` on this machine, are understood as well.
fn http(text: &str) -> Result<HttpSign, String> {
    if text.starts_with("https:") {
        return Err("https is not supported: ask the plain port, or use exec:'curl -fsk URL'".into());
    }
    let (url, code) = match text.rsplit_once('=') {
        Some((url, code)) if code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()) => (url, code.parse().ok()),
        _ => (text, None),
    };
    let rest = url.strip_prefix("http:").unwrap_or(url).trim_start_matches("//");
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    if authority.is_empty() || authority.contains(['@', ' ']) {
        return Err(format!("\"{url}\" is no URL for this; write http:http://127.0.0.1:8080/path"));
    }
    let bracketed = authority.ends_with(']');
    let has_port = !bracketed && authority.contains(':');
    let with_port = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let (host, port) = host_and_port(&with_port)?;
    let host = if host.is_empty() { "localhost".into() } else { host };
    let authority = if authority.starts_with(':') { format!("{host}{authority}") } else { authority.into() };
    let path = if path.starts_with('/') { path.into() } else { format!("/{path}") };
    if path.bytes().any(|b| b <= b' ' || b == 0x7f) {
        return Err(format!("\"{path}\" must not hold spaces or control characters; write %20"));
    }
    Ok(HttpSign { host, port, authority, path, code })
}

fn log(text: &str) -> Result<Sign, String> {
    let (count, pattern) = match text.split_once(':') {
        Some((count, pattern)) if !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit()) => {
            let count = count.parse().ok().filter(|&n| n > 0).ok_or(format!("\"{count}\" is no number of lines"))?;
            (count, pattern)
        }
        _ => (1, text),
    };
    Ok(Sign::Log { count, regex: regex(pattern)? })
}

/// A pattern for lines.
///
/// # Errors
/// It does not compile; the message shows where.
pub fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(text: &str) -> Result<Sign, String> {
        text.parse::<When>().map(|when| when.sign)
    }

    #[test]
    fn each_way_is_understood() {
        let all = [
            "auto",
            "notify",
            "listen",
            "exit",
            "fd:3",
            "tcp:80",
            "tcp:localhost:80",
            "tcp:[::1]:80",
            "unix:/x",
            "file:/x",
            "log:ready",
            "log:2:ready",
            "exec:true",
            "delay:1s",
            "http:http://localhost:80/",
            "http:http://[::1]/x=404",
        ];
        for text in all {
            let parsed: Result<When, String> = text.parse();
            assert_eq!(parsed.map(|when| when.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let all = [
            ("", "the ways are"),
            ("nonsense", "the ways are"),
            ("fd", "needs N"),
            ("fd:2", "3 to 1023"),
            ("tcp:0", "1 to 65535"),
            ("tcp:70000", "1 to 65535"),
            ("tcp:::1:80", "brackets"),
            ("tcp:[::1]", "lacks"),
            ("log:(", "unclosed group"),
            ("log:0:x", "no number of lines"),
            ("delay:soon", "no time"),
            ("notify:x", "stands alone"),
            ("http:https://x/", "not supported"),
            ("http:", "needs"),
        ];
        for (text, part) in all {
            let why = when(text).expect_err(text);
            assert!(why.contains(part), "{text}: {why}");
        }
    }

    #[test]
    fn urls_are_taken_apart() {
        let sign = |text: &str| http(text).expect("a URL");
        let expected =
            HttpSign { host: "h".into(), port: 8080, authority: "h:8080".into(), path: "/a?b=c".into(), code: None };
        assert_eq!(sign("http://h:8080/a?b=c"), expected);
        assert_eq!(sign("http://h:8080/a?b=c=404"), HttpSign { code: Some(404), ..expected });
        assert_eq!(sign("http://[::1]:81").host, "::1");
        assert_eq!(sign("http://h").port, 80);
        assert_eq!(sign(":8080/x").authority, "localhost:8080");
    }
}
