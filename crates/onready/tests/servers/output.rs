//! Steps that write.

use crate::{Result, number, report, text};
use rustix::fd::AsFd;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use testbed::Stream;
use testbed::behaviours::{put, unescape};
use testbed::flood::{Kind, bytes};

/// One of the steps `out`, `err`, ...; false if it is none of them.
pub fn step(verb: &str, value: &OsStr) -> Result<bool> {
    match verb {
        "out" => put(1, &unescape(text(value)?))?,
        "err" => put(2, &unescape(text(value)?))?,
        // Through the buffers of Rust and of C.
        "print" => print!("{}", text(value)?),
        "c-print" => testbed::sys::c_print(text(value)?)?,
        "say-pid" => put(1, format!("pid={}\n", std::process::id()).as_bytes())?,
        "flood" => flood(1, Stream::Stdout, number(value)?)?,
        "flood-err" => flood(2, Stream::Stderr, number(value)?)?,
        "lines" => both(number(value)?)?,
        "args" => std::fs::write(value, joined(std::env::args_os()))?,
        "env" => {
            let value = std::env::var_os(value).map(|value| value.to_string_lossy().into_owned());
            put(1, format!("env={}\n", value.unwrap_or("(unset)".into())).as_bytes())?;
        }
        "list" => {
            let names = std::fs::read_dir(value)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            let names: std::io::Result<Vec<String>> = names.collect();
            put(1, format!("list={}\n", names?.join(",")).as_bytes())?;
        }
        "fds" => report(value, &open_descriptors())?,
        "terminal" => open_terminal(value)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn flood(fd: i32, stream: Stream, length: u64) -> Result {
    const BLOCK: u64 = 1 << 16;
    let mut from = 0;
    while from < length {
        let count = BLOCK.min(length - from);
        put(fd, &bytes(stream, Kind::Binary, from, count as usize))?;
        from += count;
    }
    Ok(())
}

/// Lines on both streams in turn.
fn both(number: u32) -> Result {
    for n in 0..number {
        put(1, format!("out {n}\n").as_bytes())?;
        put(2, format!("err {n}\n").as_bytes())?;
    }
    Ok(())
}

fn joined(words: impl Iterator<Item = std::ffi::OsString>) -> Vec<u8> {
    words.flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect()
}

fn open_descriptors() -> Vec<(&'static str, String)> {
    let open = (0..1024).filter(|&fd| testbed::sys::borrow_fd(fd).is_ok_and(|fd| rustix::io::fcntl_getfd(fd).is_ok()));
    open.map(|fd| ("fd", fd.to_string())).collect()
}

/// Opens a terminal as one does who does not think of O_NOCTTY; `/dev/tty` is there if it was acquired.
fn open_terminal(path: &OsStr) -> Result {
    let terminal = std::fs::File::options().read(true).write(true).open(path)?;
    let acquired = std::fs::File::open("/dev/tty").is_ok();
    let is_one = rustix::termios::isatty(terminal.as_fd());
    put(1, format!("terminal={is_one} acquired={acquired}\n").as_bytes())?;
    std::io::stdout().flush()?;
    Ok(())
}
