//! Closes all its descriptors from a number on, as old daemons do.

use super::{Answer, Args};
use crate::sys::close_fd;

pub(super) const USAGE: &str = "[--from N (3) | --only N...] [-- NEXT]";

pub(super) fn run(mut args: Args) -> Answer {
    let only = args.values("--only")?;
    let from = args.number("--from")?.unwrap_or(if only.is_empty() { 3 } else { i32::MAX });
    for fd in only {
        close_fd(fd.parse().map_err(|_| super::usage("--only wants a number"))?);
    }
    close_from(from)?;
    args.then()
}

/// Closes every descriptor from a number on.
pub(super) fn close_from(from: i32) -> std::io::Result<()> {
    let entries = std::fs::read_dir("/proc/self/fd")?;
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let numbers: Vec<i32> = numbers.collect();
    numbers.into_iter().filter(|fd| *fd >= from).for_each(close_fd);
    Ok(())
}
