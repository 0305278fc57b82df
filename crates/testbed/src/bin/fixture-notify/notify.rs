//! Sends given sd_notify messages at given times.

use crate::socket::Socket;
use std::io;
use std::process::Stdio;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};
use testbed::behaviours::{Answer, Args, Pause, again, pause_or_word, report, unescape};

pub const USAGE: &str = "[KEY=VALUE | 50ms]... [--barrier] [--from-child [--child-stays]] [--to SOCKET] [--lenient] \
     [--repeat-ms MS [--report F]] [-- NEXT]   (\\n in a word joins assignments; {pid}, {ppid}, {usec} are filled in; \
     F: sent=N, errors=N, slowest_ms=N)";

pub fn run(mut args: Args) -> Answer {
    let barrier = args.flag("--barrier");
    let lenient = args.flag("--lenient");
    let from_child = args.flag("--from-child");
    let child_stays = args.flag("--child-stays");
    let to = args.value("--to")?;
    let repeat: Option<u64> = args.number("--repeat-ms")?;
    let file = args.value("--report")?;
    let words = args.words()?;
    if from_child {
        send_from_child(&words, barrier, lenient, child_stays, to)?;
        return args.then();
    }
    // A server that nobody asked to speak does not fail.
    let socket = match Socket::named(to) {
        Err(_) if lenient => return args.then(),
        other => other?,
    };
    let last = send_all(&socket, &words, barrier, lenient)?;
    if let (Some(millis), Some(last)) = (repeat, last) {
        spawn(move || repeat_for_ever(&socket, &last, Duration::from_millis(millis), file));
    }
    args.then()
}

/// Sends the messages and returns the last one.
fn send_all(socket: &Socket, words: &[String], barrier: bool, lenient: bool) -> io::Result<Option<String>> {
    let mut last = None;
    for word in words {
        match pause_or_word(word.clone()) {
            Pause::For(time) => sleep(time),
            Pause::Word(text) => {
                let text = fill_in(&text);
                let mut sent = socket.send(&text);
                if sent.is_ok() && barrier {
                    sent = socket.barrier();
                }
                if !lenient {
                    sent?;
                }
                last = Some(text);
            }
        }
    }
    Ok(last)
}

fn fill_in(text: &str) -> String {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let usec = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
    let text = text.replace("{pid}", &std::process::id().to_string());
    let text = text.replace("{ppid}", &std::os::unix::process::parent_id().to_string());
    let text = text.replace("{usec}", &usec.to_string());
    String::from_utf8_lossy(&unescape(&text)).into_owned()
}

fn send_from_child(words: &[String], barrier: bool, lenient: bool, stays: bool, to: Option<String>) -> io::Result<()> {
    let mut command = again()?;
    command.arg("notify").args(words);
    command.args(barrier.then_some("--barrier")).args(lenient.then_some("--lenient"));
    if let Some(to) = to {
        command.args(["--to", &to]);
    }
    // Its end is what the parent waits for, or it stays.
    let next: &[&str] = if stays { &["--", "stay"] } else { &["--", "exit", "0"] };
    let mut child = command.args(next).stdin(Stdio::null()).spawn()?;
    if !stays && !child.wait()?.success() && !lenient {
        return Err(io::Error::other("the child could not notify"));
    }
    Ok(())
}

/// What servers do with STATUS and WATCHDOG; it must neither fail nor hang when the launcher has gone.
fn repeat_for_ever(socket: &Socket, text: &str, pause: Duration, file: Option<String>) {
    let (mut sent, mut errors, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    loop {
        sleep(pause);
        let before = Instant::now();
        match socket.send(text) {
            Ok(()) => sent += 1,
            Err(_) => errors += 1,
        }
        slowest = slowest.max(before.elapsed());
        if let Some(file) = &file {
            let lines = [
                ("sent", sent.to_string()),
                ("errors", errors.to_string()),
                ("slowest_ms", slowest.as_millis().to_string()),
            ];
            // Who wants to know whether the report could be written misses it.
            let _ = report(file, &lines);
        }
    }
}
