//! The only unsafe code of the program: where it begins.
//!
//! Rust's own beginning asks for the bounds of the stack (a read of `/proc/self/maps`), sets a second stack up and a
//! handler for when the first one overflows: a twentieth of what a start costs (docs/BENCHMARKS.md), for a program of
//! one thread whose overflow ends it either way. So the C library calls this `main`, where std finds the arguments
//! without being told (glibc); what else Rust's own does is done here.
//!
//! # References
//! signal(2), open(2)
#![allow(unsafe_code)]

use crate::report::say;
use onready::engine::exit_code::FAILED;
use std::io::{Error, Result};
use std::process::exit;

/// What Rust's own `main` exits with after a panic.
const PANICKED: u8 = 101;

/// Called by the C library.
#[unsafe(no_mangle)]
#[allow(clippy::disallowed_methods)] // to end the process is what it is there for
extern "C" fn main() -> libc::c_int {
    // SAFETY: no other thread is there, and a disposition is not a handler.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let code = match open_closed_streams() {
        // A panic cannot cross into C. It has been told by then.
        Ok(()) => std::panic::catch_unwind(crate::run_the_command_line).unwrap_or(PANICKED),
        Err(error) => {
            say(&format!("cannot open /dev/null in the place of a stream that is closed: {error}"));
            FAILED
        }
    };
    // And not a return: what std keeps in its buffers is written.
    exit(code.into())
}

/// Streams 0 to 2 that the caller has closed are `/dev/null`: the next file to be opened must not become one of them.
fn open_closed_streams() -> Result<()> {
    for stream in 0..=2 {
        // SAFETY: no memory of ours is touched.
        let asked = unsafe { libc::fcntl(stream, libc::F_GETFD) };
        if asked != -1 || Error::last_os_error().raw_os_error() != Some(libc::EBADF) {
            continue;
        }
        // SAFETY: the path is a C string; nobody owns the lowest free descriptor, which is the closed stream.
        if unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } == -1 {
            return Err(Error::last_os_error());
        }
    }
    Ok(())
}

/// Asked by glibc's static start for the program's own path, which it reads from `/proc`, to find libraries beside it:
/// we load none. It means that the path is not known.
///
/// The kernel makes files for a process that is looked up in `/proc`, and removes them at its end: 3 % of a start.
#[unsafe(no_mangle)]
extern "C" fn _dl_get_origin() -> *const libc::c_char {
    std::ptr::without_provenance(usize::MAX)
}
