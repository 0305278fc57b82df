//! Closes all its descriptors from a number on, as old daemons do.

use super::{Answer, Args};
use crate::sys::close_fd;

pub(super) const USAGE: &str = "[--from N (3)] [-- NEXT]";

pub(super) fn run(mut args: Args) -> Answer {
    let from = args.number("--from")?.unwrap_or(3);
    let entries = std::fs::read_dir("/proc/self/fd")?;
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let numbers: Vec<i32> = numbers.collect();
    numbers
        .into_iter()
        .filter(|fd| *fd >= from)
        .for_each(close_fd);
    args.then()
}
