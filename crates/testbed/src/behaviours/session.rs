//! Leaves its session or its process group, its user or group, the directory, the streams.

use super::{Answer, Args};
use crate::sys::place_fd;
use rustix::process::{Gid, Uid, chdir, setpgid, setsid};
use rustix::thread::{set_thread_res_gid, set_thread_res_uid};
use std::fs::File;
use std::os::fd::AsRawFd;

pub(super) const USAGE: &str = "[--setsid] [--setpgid] [--setgid N] [--setuid N] [--null] [--chdir DIR] [-- NEXT]";

pub(super) fn run(mut args: Args) -> Answer {
    if args.flag("--setsid") {
        setsid()?;
    }
    if args.flag("--setpgid") {
        setpgid(None, None)?;
    }
    // For this thread, which is the only one.
    if let Some(gid) = args.number("--setgid")?.map(Gid::from_raw) {
        set_thread_res_gid(gid, gid, gid)?;
    }
    if let Some(uid) = args.number("--setuid")?.map(Uid::from_raw) {
        set_thread_res_uid(uid, uid, uid)?;
    }
    if let Some(dir) = args.value("--chdir")? {
        chdir(dir)?;
    }
    if args.flag("--null") {
        let null = File::options().read(true).write(true).open("/dev/null")?;
        for fd in 0..=2 {
            place_fd(null.as_raw_fd(), fd)?;
        }
        if null.as_raw_fd() <= 2 {
            // It came to lie on a stream that was closed: it stays there.
            std::mem::forget(null);
        }
    }
    args.then()
}
