//! Names of servers: they are parts of file names.

use crate::error::StartError;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

/// The longest name, in bytes: a file name takes 255, and our longest ending is 6.
pub const LONGEST_NAME: usize = 249;

/// Checks a name that somebody chose.
///
/// # Errors
/// It is empty, too long, `.` or `..`, holds a slash or a control character, or begins with `-`.
///
/// ```
/// use onready::verbs::state::check_name;
/// assert!(check_name("web-1").is_ok());
/// assert!(check_name("../etc/passwd").is_err());
/// ```
pub fn check_name(name: &str) -> Result<(), StartError> {
    let wrong = match name {
        "" => Some("it is empty".to_owned()),
        "." | ".." => Some("it means a directory".into()),
        _ if name.len() > LONGEST_NAME => Some(format!("it is longer than {LONGEST_NAME} bytes")),
        _ if name.contains('/') => Some("it holds a slash".into()),
        _ if name.chars().any(char::is_control) => Some("it holds a control character".into()),
        _ if name.starts_with('-') => Some("it begins with a dash, as an option does".into()),
        _ => None,
    };
    let Some(why) = wrong else { return Ok(()) };
    let shown: String = name.chars().take(60).collect();
    let error = io::Error::new(io::ErrorKind::InvalidInput, why);
    Err(StartError::io(format!("call a server {shown:?}"), error))
}

/// The name of a server that was given none: its program's file name, with what a name may not hold replaced.
pub fn default_name(program: impl AsRef<OsStr>) -> String {
    // Room for the number that makes it unique.
    const ROOM: usize = LONGEST_NAME - 12;
    let file = Path::new(program.as_ref()).file_name().unwrap_or_default().to_string_lossy();
    let clean = |c: char| if c.is_control() || c == '/' { '_' } else { c };
    let mut name: String = file.chars().map(clean).collect();
    while name.len() > ROOM {
        name.pop();
    }
    if name.starts_with('-') || name.is_empty() {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_make_no_file_of_ours_are_refused() {
        let long = "x".repeat(LONGEST_NAME + 1);
        for name in ["", ".", "..", "a/b", "/", "-x", "--", "a\nb", "a\0b", "a\u{1b}[m", &long] {
            let error = check_name(name).expect_err(name).to_string();
            assert!(error.contains("cannot call a server"), "{error}");
        }
        let longest = "x".repeat(LONGEST_NAME);
        for name in ["a", "a.b", ".hidden", "web 1", "größe", "a-", "a.lock", "a.json", &longest] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn every_program_has_a_name() {
        for (program, name) in
            [("/usr/bin/python3", "python3"), ("./x", "x"), ("-v", "_-v"), ("", "_"), ("a\nb", "a_b")]
        {
            assert_eq!(default_name(program), name);
        }
        assert!(check_name(&format!("{}-999999", default_name("ö".repeat(300)))).is_ok());
    }
}
