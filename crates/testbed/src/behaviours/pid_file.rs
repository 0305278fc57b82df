//! Writes its pid into a file.

use super::{Answer, Args};
use std::path::Path;
use std::thread::sleep;

pub(super) const USAGE: &str = "FILE [--after-ms MS] [-- NEXT]";

pub(super) fn run(mut args: Args) -> Answer {
    sleep(args.millis("--after-ms")?);
    let file = args.word("FILE")?;
    let pid = format!("{}\n", std::process::id());
    crate::wait::write_whole(Path::new(&file), pid.as_bytes())?;
    args.then()
}
