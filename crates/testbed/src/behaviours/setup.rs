//! Arranges its own process and becomes another program: what a test cannot do between fork and exec.

use super::{Answer, Args, ignore::numbers, usage};
use crate::sys::{block_signals, close_fd, ignore_signal, place_fd};
use rustix::fs::{FlockOperation, Mode, flock};
use rustix::process::{Resource, Rlimit, getpgid, getppid, ioctl_tiocsctty, nice, setpgid, setrlimit, setsid, umask};
use std::fs::{self, File};
use std::io;
use std::os::fd::{IntoRawFd, RawFd};

pub(super) const USAGE: &str = "[--close N,...] [--close-others] [--ignore SIGNAL,...] [--block SIGNAL,...] [--nofile N] [--fsize BYTES] \
     [--inherit-fd FILE=N]... [--lock FILE=N]... [--cwd-deleted] [--umask OCTAL] [--nice N] [--session | --terminal] \
     -- COMMAND [ARG]...";

pub(super) fn run(mut args: Args) -> Answer {
    if args.flag("--session") {
        // The leader of a group cannot leave it by setsid: first join the parent's.
        setpgid(None, Some(getpgid(getppid())?))?;
        setsid()?;
    }
    if args.flag("--terminal") {
        setsid()?;
        ioctl_tiocsctty(crate::sys::borrow_fd(0)?)?;
    }
    if args.flag("--close-others") {
        super::close_all::close_from(3)?;
    }
    for file in args.values("--inherit-fd")? {
        open_at(&file)?;
    }
    for file in args.values("--lock")? {
        let fd = open_at(&file)?;
        flock(crate::sys::borrow_fd(fd)?, FlockOperation::NonBlockingLockExclusive)?;
    }
    if let Some(by) = args.number("--nice")? {
        nice(by)?;
    }
    if let Some(mask) = args.value("--umask")? {
        let mask = u32::from_str_radix(&mask, 8).map_err(|_| usage("--umask is octal"))?;
        umask(Mode::from_raw_mode(mask));
    }
    if args.flag("--cwd-deleted") {
        leave_for_nowhere()?;
    }
    for signals in args.values("--ignore")? {
        numbers(&signals)?.into_iter().try_for_each(ignore_signal)?;
    }
    for signals in args.values("--block")? {
        block_signals(&numbers(&signals)?);
    }
    for (flag, what) in [("--nofile", Resource::Nofile), ("--fsize", Resource::Fsize)] {
        let limit = args.number(flag)?;
        if limit.is_some() {
            setrlimit(what, Rlimit { current: limit, maximum: limit })?;
        }
    }
    let mut closed = Vec::new();
    for list in args.values("--close")? {
        let fds: Result<Vec<RawFd>, _> = list.split(',').map(str::parse).collect();
        closed.extend(fds.map_err(|_| usage("--close wants numbers"))?);
    }
    let words = args.rest()?;
    if words.is_empty() {
        return Err(usage("no command"));
    }
    closed.into_iter().for_each(close_fd);
    // Not Command::exec, which would undo `--ignore PIPE`.
    let error = crate::sys::exec(&words);
    Err(io::Error::new(error.kind(), format!("{:?}: {error}", words[0])))
}

/// Opens `FILE=N` for reading and writing (or only one, if that is all the file allows) as number N.
fn open_at(value: &str) -> io::Result<RawFd> {
    let (file, number) = value.rsplit_once('=').ok_or_else(|| usage("FILE=N is wanted"))?;
    let number: RawFd = number.parse().map_err(|_| usage("FILE=N is wanted"))?;
    let opened = open_as_it_was(file)?.into_raw_fd();
    place_fd(opened, number)?;
    if opened != number {
        close_fd(opened);
    }
    Ok(number)
}

/// A link in `/proc/PID/fd` has the mode of the descriptor: a pipe's reading end is opened as such.
fn open_as_it_was(file: &str) -> io::Result<File> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match fs::symlink_metadata(file) {
        Ok(link) if link.is_symlink() => link.permissions().mode(),
        Ok(_) => 0o600,
        Err(_) => {
            return File::options().read(true).write(true).create_new(true).open(file);
        }
    };
    let (read, write) = (mode & 0o400 != 0, mode & 0o200 != 0);
    File::options().read(read).write(write).open(file)
}

fn leave_for_nowhere() -> io::Result<()> {
    let dir = std::env::temp_dir().join(format!("gone-{}", std::process::id()));
    fs::create_dir(&dir)?;
    std::env::set_current_dir(&dir)?;
    fs::remove_dir(dir)
}
