//! How long a fixture lives, and how it starts itself again.

use crate::sys::limit_life;
use std::io;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

/// The life last asked for, in seconds: what this process starts gets the same.
static LIFE: Mutex<f64> = Mutex::new(0.0);

/// Limits the life of this process, counted from now.
pub(super) fn live(seconds: f64) -> io::Result<()> {
    let life = Duration::try_from_secs_f64(seconds).map_err(|error| super::usage(error.to_string()))?;
    if let Ok(mut last) = LIFE.lock() {
        *last = seconds;
    }
    limit_life(life)
}

/// The flags that hand this process's life on.
pub(super) fn flags() -> [String; 2] {
    let seconds = LIFE.lock().map_or(0.0, |last| *last);
    ["--life".to_owned(), seconds.to_string()]
}

/// A command that is this program again, with the same life.
///
/// # Errors
///
/// When the program's path is unknown.
pub fn again() -> io::Result<Command> {
    // Not /proc/self/exe: the process would be called `exe`.
    let mut command = Command::new(std::env::current_exe()?);
    command.args(flags());
    Ok(command)
}
