//! Starts a grandchild that keeps this process's streams open.

use super::{Answer, Args, again};
use std::process::Stdio;

pub(super) const USAGE: &str =
    "[--seconds S (30)] [--streams both|stdout|stderr|all] [--own-session] [--pid-file F] [-- NEXT]";

pub(super) fn run(mut args: Args) -> Answer {
    let seconds: f64 = args.number("--seconds")?.unwrap_or(30.0);
    let streams = args.value("--streams")?.unwrap_or_else(|| "both".into());
    let file = args.value("--pid-file")?;
    let mut command = again()?;
    command.args(["--life", &seconds.to_string(), "session"]);
    if args.flag("--own-session") {
        command.arg("--setsid");
    }
    let keep = |these: [&str; 2]| match these.contains(&streams.as_str()) || streams == "all" {
        true => Stdio::inherit(),
        false => Stdio::null(),
    };
    command.stdin(keep(["stdin", "all"]));
    command.stdout(keep(["both", "stdout"]));
    command.stderr(keep(["both", "stderr"]));
    if let Some(file) = file {
        command.args(["--", "pid-file", &file]);
    }
    // Not waited for: it is to outlive us.
    let _ = command.args(["--", "stay"]).spawn()?;
    args.then()
}
