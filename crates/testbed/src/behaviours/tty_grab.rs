//! Opens a terminal without O_NOCTTY, as one does that speaks to a serial line: a session leader would
//! acquire it as its controlling terminal.

use super::{Answer, Args, report};
use crate::process::{own_pid, stat_fields};
use std::fs::File;
use std::io;
use std::thread::sleep;

pub(super) const USAGE: &str =
    "TTY REPORT [--after-ms MS] [-- NEXT]   (REPORT: opened=yes|ERROR, tty_nr=N, has_tty=yes|no)";

pub(super) fn run(mut args: Args) -> Answer {
    sleep(args.millis("--after-ms")?);
    let tty = args.word("TTY")?;
    let file = args.word("REPORT")?;
    let opened = open(&tty);
    let number = stat_fields(own_pid())?.get(4).cloned().unwrap_or_default();
    let yes_or_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let lines = [
        ("opened", opened.as_ref().map_or_else(ToString::to_string, |_| "yes".into())),
        ("has_tty", yes_or_no(number != "0" || File::open("/dev/tty").is_ok())),
        ("tty_nr", number),
    ];
    report(file, &lines)?;
    args.then()
}

fn open(tty: &str) -> io::Result<File> {
    // std never sets O_NOCTTY.
    File::options().read(true).write(true).open(tty)
}
