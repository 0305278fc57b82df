//! Writes lines with pauses.

use super::{Answer, Args, Pause, pause_or_word, put, unescape};
use std::thread::sleep;

pub(super) const USAGE: &str =
    "[--stderr] [--split-ms MS] [--no-newline] [TEXT | 50ms]... [-- NEXT]   (\\n, \\xHH in TEXT)";

pub(super) fn run(mut args: Args) -> Answer {
    let fd = if args.flag("--stderr") { 2 } else { 1 };
    let end = if args.flag("--no-newline") { "" } else { "\n" };
    let split = args.value("--split-ms")?;
    let split = split.map(|millis| pause_or_word(millis + "ms"));
    for word in args.words()? {
        match pause_or_word(word) {
            Pause::For(time) => sleep(time),
            Pause::Word(text) => {
                let bytes = unescape(&(text + end));
                let first = if split.is_some() { bytes.len() / 2 } else { bytes.len() };
                put(fd, &bytes[..first])?;
                if let Some(Pause::For(time)) = split {
                    sleep(time);
                    put(fd, &bytes[first..])?;
                }
            }
        }
    }
    args.then()
}
