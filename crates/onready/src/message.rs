//! The words that a server says while it starts: sd_notify's text, to and from types.
//!
//! Pure: no descriptor, no clock. One language serves both carriers, the private channel between a launcher and a
//! server of ours, and the datagrams of `NOTIFY_SOCKET`.
//!
//! # References
//! sd_notify(3), systemd.service(5)

use std::borrow::Cow;
use std::time::Duration;

/// The longest message that is looked at; what comes behind is cut off. The kernel's own limit is far above it.
pub const LONGEST: usize = 64 * 1024;

/// One assignment of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// `READY=1`: the server serves.
    Ready,
    /// `RELOADING=1`: a `READY=1` will follow.
    Reloading,
    /// `STOPPING=1`: the server is on its way out.
    Stopping,
    /// `STATUS=`: one line for people; empty wipes it.
    Status(Cow<'a, str>),
    /// `EXTEND_TIMEOUT_USEC=`: this much more time, counted from now.
    ExtendTimeout(Duration),
    /// `ERRNO=`: why it fails, as an error number.
    Errno(i32),
    /// `MAINPID=`: which process is the server.
    MainPid(i32),
    /// `BARRIER=1`, alone in its message: close the descriptor that came with it.
    Barrier,
    /// `X_ONREADY_FLUSH=1` (channel only): carry on what has been written so far, then answer with one byte.
    Flush,
    /// `X_ONREADY_ABANDONED=1` (channel only): `Ready` was dropped without `notify`.
    Abandoned,
}

impl<'a> Field<'a> {
    /// One line of a message; `None` for what nobody needs to understand: unknown keys, values out of range.
    pub fn parse(line: &'a [u8]) -> Option<Field<'a>> {
        let equals = line.iter().position(|&b| b == b'=')?;
        let (key, value) = (&line[..equals], &line[equals + 1..]);
        match (key, value) {
            (b"READY", b"1") => Some(Field::Ready),
            (b"RELOADING", b"1") => Some(Field::Reloading),
            (b"STOPPING", b"1") => Some(Field::Stopping),
            (b"BARRIER", b"1") => Some(Field::Barrier),
            (b"X_ONREADY_FLUSH", b"1") => Some(Field::Flush),
            (b"X_ONREADY_ABANDONED", b"1") => Some(Field::Abandoned),
            (b"STATUS", text) => Some(Field::Status(String::from_utf8_lossy(text))),
            (b"EXTEND_TIMEOUT_USEC", n) => Some(Field::ExtendTimeout(Duration::from_micros(saturating(n)?))),
            (b"ERRNO", n) => i32::try_from(number(n)?).ok().map(Field::Errno),
            (b"MAINPID", n) => i32::try_from(number(n)?).ok().filter(|&pid| pid > 0).map(Field::MainPid),
            _ => None,
        }
    }

    /// The line that says it, with its newline.
    pub fn line(&self) -> String {
        match self {
            Field::Ready => "READY=1\n".into(),
            Field::Reloading => "RELOADING=1\n".into(),
            Field::Stopping => "STOPPING=1\n".into(),
            // A message is lines: a text of several lines becomes one, or its rest would be read as assignments.
            Field::Status(text) => format!("STATUS={}\n", text.replace(['\n', '\r'], " ")),
            Field::ExtendTimeout(by) => {
                format!("EXTEND_TIMEOUT_USEC={}\n", u64::try_from(by.as_micros()).unwrap_or(u64::MAX))
            }
            Field::Errno(number) => format!("ERRNO={number}\n"),
            Field::MainPid(pid) => format!("MAINPID={pid}\n"),
            Field::Barrier => "BARRIER=1\n".into(),
            Field::Flush => "X_ONREADY_FLUSH=1\n".into(),
            Field::Abandoned => "X_ONREADY_ABANDONED=1\n".into(),
        }
    }
}

/// The fields of a whole message, in order. `BARRIER=1` counts only alone, as sd_notify_barrier(3) has it.
pub fn parse(message: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let message = &message[..message.len().min(LONGEST)];
    let alone = message.strip_suffix(b"\n").unwrap_or(message) == b"BARRIER=1";
    message
        .split(|&b| b == b'\n' || b == 0)
        .filter_map(Field::parse)
        .filter(move |field| alone || *field != Field::Barrier)
}

/// Decimal digits and nothing else; `None` for anything different or too large.
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// As [`number`], but too large a number is the largest: who asks for that much time means "very long".
fn saturating(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| number(digits).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<Field<'_>> {
        parse(text.as_bytes()).collect()
    }

    #[test]
    fn a_message_is_its_lines() {
        let text = "STATUS=half way\nREADY=1\nMAINPID=42\nEXTEND_TIMEOUT_USEC=5000000\nERRNO=2";
        let expected = [
            Field::Status("half way".into()),
            Field::Ready,
            Field::MainPid(42),
            Field::ExtendTimeout(Duration::from_secs(5)),
            Field::Errno(2),
        ];
        assert_eq!(fields(text), expected);
    }

    #[test]
    fn what_is_unknown_or_out_of_range_is_passed_over() {
        let text =
            "READY=0\nREADY=\nFDNAME=x\n=\nMAINPID=-1\nMAINPID=99999999999\nERRNO=+3\nEXTEND_TIMEOUT_USEC=\nREADY";
        assert_eq!(fields(text), []);
    }

    #[test]
    fn a_barrier_counts_only_alone() {
        assert_eq!(fields("BARRIER=1"), [Field::Barrier]);
        assert_eq!(fields("BARRIER=1\n"), [Field::Barrier]);
        assert_eq!(fields("READY=1\nBARRIER=1"), [Field::Ready]);
    }

    #[test]
    fn too_much_time_is_all_the_time() {
        let long = Field::ExtendTimeout(Duration::from_micros(u64::MAX));
        assert_eq!(fields("EXTEND_TIMEOUT_USEC=99999999999999999999999"), [long]);
    }

    #[test]
    fn what_is_said_is_understood() {
        let all = [
            Field::Ready,
            Field::Reloading,
            Field::Stopping,
            Field::Status("50 % done".into()),
            Field::ExtendTimeout(Duration::from_micros(1)),
            Field::Errno(13),
            Field::MainPid(1),
            Field::Flush,
            Field::Abandoned,
        ];
        for field in all {
            assert_eq!(fields(&field.line()), std::slice::from_ref(&field));
        }
    }

    #[test]
    fn a_status_cannot_smuggle_an_assignment() {
        let line = Field::Status("a\nREADY=1".into()).line();
        assert_eq!(fields(&line), [Field::Status("a READY=1".into())]);
    }
}
