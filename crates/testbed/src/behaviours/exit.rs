//! Exits, perhaps with a last word.

use super::{Answer, Args, put, unescape};
use std::thread::sleep;

pub(super) const USAGE: &str = "[CODE] [--after-ms MS] [--stdout TEXT] [--stderr TEXT] [--no-newline]";

pub(super) fn run(mut args: Args) -> Answer {
    let after = args.millis("--after-ms")?;
    let end = if args.flag("--no-newline") { "" } else { "\n" };
    let texts = [(1, args.value("--stdout")?), (2, args.value("--stderr")?)];
    let words = args.words()?;
    let code = match words.as_slice() {
        [] => 0,
        [code] => code.parse().map_err(|_| super::usage("CODE is 0 to 255"))?,
        _ => return Err(super::usage("one CODE at most")),
    };
    sleep(after);
    for (fd, text) in texts {
        if let Some(text) = text {
            put(fd, &unescape(&(text + end)))?;
        }
    }
    Ok(code)
}
