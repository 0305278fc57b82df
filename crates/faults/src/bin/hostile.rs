//! `hostile`: a server with the library in it that does what no server should. Every behaviour of the fixtures, and
//! those between `enter` and `notify`: `hostile enter --timeout-ms 2000 -- flood --stdout 1000000 -- ready`.
#![cfg(target_os = "linux")]

use onready::{Launch, Ready};
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use testbed::behaviours::{Answer, Args, Behaviour, main_with};
use testbed::sys;

static READY: Mutex<Option<Ready>> = Mutex::new(None);

const OWN: &[Behaviour] = &[
    ("enter", enter, "[--timeout-ms N (0)] -- NEXT   (becomes a server in the background)"),
    ("status", status, "[--times N (1)] [-- NEXT]"),
    ("mutter", mutter, "[-- NEXT]   (garbage on the channel)"),
    ("ready", ready, "[-- NEXT]"),
    ("let-go", let_go, "[-- NEXT]   (Ready is dropped)"),
    ("ready-in-a-fork", ready_in_a_fork, "[-- NEXT]   (a child without exec says it)"),
];

/// Nothing that a launcher sends back is as long as this.
const LONG: usize = 1 << 20;

fn main() -> std::process::ExitCode {
    main_with(OWN, std::env::args_os().skip(1).collect()).into()
}

fn enter(mut args: Args) -> Answer {
    let limit = args.millis("--timeout-ms")?;
    let ready = Launch::default().daemonize(true).timeout(limit).enter();
    *READY.lock().unwrap_or_else(PoisonError::into_inner) = Some(ready);
    // A launcher never gets here; a server may live for as long as a fixture may.
    sys::limit_life(Duration::from_secs(60))?;
    args.then()
}

fn take() -> io::Result<Ready> {
    let ready = READY.lock().unwrap_or_else(PoisonError::into_inner).take();
    ready.ok_or_else(|| io::Error::other("it has not entered, or is ready already"))
}

fn status(mut args: Args) -> Answer {
    let times: usize = args.number("--times")?.unwrap_or(1);
    let ready = take()?;
    for n in 0..times {
        ready.status(&format!("step {n}\u{1b}[2J")).map_err(io::Error::other)?;
    }
    *READY.lock().unwrap_or_else(PoisonError::into_inner) = Some(ready);
    args.then()
}

/// What the protocol does not know, in pieces, without an end, and not even text.
fn mutter(args: Args) -> Answer {
    let variable = std::env::var("ONREADY_CHANNEL").unwrap_or_default();
    let number = variable.split(':').next().and_then(|number| number.parse().ok());
    let channel = number.ok_or_else(|| io::Error::other("there is no channel"))?;
    let all = ["READY", "=2\nREADY=0\n\n\n=\nREADY=11\nERRNO=x\nSTATUS=\u{1b}\u{7}\nEXTEND_TIMEOUT_USEC=-1\n", "\0\n"];
    for text in all {
        testbed::behaviours::put(channel, text.as_bytes())?;
    }
    testbed::behaviours::put(channel, &[b'\xff'; LONG])?;
    testbed::behaviours::put(channel, b"\n")?;
    args.then()
}

fn ready(args: Args) -> Answer {
    take()?.notify().map_err(io::Error::other)?;
    args.then()
}

fn let_go(args: Args) -> Answer {
    drop(take()?);
    args.then()
}

fn ready_in_a_fork(args: Args) -> Answer {
    match sys::fork()? {
        None => {
            sys::limit_life(Duration::from_secs(60))?;
            ready(args)
        }
        Some(_) => {
            std::mem::forget(take()?);
            args.then()
        }
    }
}
