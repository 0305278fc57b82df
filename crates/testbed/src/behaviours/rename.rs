//! Changes the name of its main thread (prctl), which is what `ps` and `pgrep` show.

use super::{Answer, Args, usage};
use std::ffi::CString;

pub(super) const USAGE: &str = "NAME [-- NEXT]";

pub(super) fn run(mut args: Args) -> Answer {
    let name = CString::new(args.word("NAME")?).map_err(|_| usage("NAME holds a zero byte"))?;
    rustix::thread::set_name(&name)?;
    args.then()
}
