//! Writing without any buffer in between.

use crate::sys::borrow_fd;
use std::io;
use std::path::Path;

/// Writes all bytes to a descriptor.
///
/// # Errors
///
/// What write(2) reports; a closed pipe kills the process by SIGPIPE unless that is ignored.
pub fn put(fd: i32, mut bytes: &[u8]) -> io::Result<()> {
    let fd = borrow_fd(fd)?;
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Writes a report file of lines `KEY=VALUE`; a reader sees all of it or nothing.
///
/// # Errors
///
/// When it cannot be written.
pub fn report(path: impl AsRef<Path>, lines: &[(&str, String)]) -> io::Result<()> {
    let text: String = lines.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
    crate::wait::write_whole(path.as_ref(), text.as_bytes())
}

/// Turns `\n`, `\t`, `\r`, `\e`, `\\` and `\xHH` into their bytes.
#[must_use]
pub fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let (byte, used) = match (first, after) {
            (b'\\', [b'n', ..]) => (b'\n', 1),
            (b'\\', [b't', ..]) => (b'\t', 1),
            (b'\\', [b'r', ..]) => (b'\r', 1),
            (b'\\', [b'e', ..]) => (0x1b, 1),
            (b'\\', [b'\\', ..]) => (b'\\', 1),
            (b'\\', [b'x', high, low, ..]) => match hexadecimal(*high, *low) {
                Some(byte) => (byte, 3),
                None => (b'\\', 0),
            },
            (other, _) => (*other, 0),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    bytes
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_become_bytes() {
        assert_eq!(unescape(r"a\nb\x00\xffc\\n\q"), b"a\nb\x00\xffc\\n\\q");
    }
}
