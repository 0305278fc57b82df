//! Ignores signals.

use super::{Answer, Args, usage};
use crate::signal_number;
use crate::sys::ignore_signal;
use std::io;

pub(super) const USAGE: &str = "[SIGNAL,... (TERM)] [-- NEXT]";

/// The numbers of names with commas between them.
pub(super) fn numbers(names: &str) -> io::Result<Vec<i32>> {
    let number = |name: &str| signal_number(name).ok_or_else(|| usage(format!("no signal {name:?}")));
    names.split(',').map(number).collect()
}

pub(super) fn run(mut args: Args) -> Answer {
    let words = args.words()?;
    for signal in numbers(words.first().map_or("TERM", String::as_str))? {
        ignore_signal(signal)?;
    }
    args.then()
}
