//! Random and mutated bytes for everything that reads bytes from elsewhere. No compiler of its own is needed; for
//! coverage-guided runs there is `fuzz/` (cargo-fuzz), with the same readers.

use crate::nest::{Nest, Programs};
use crate::page::Section;
use crate::random::Random;
use crate::{duration, limits, when};
use onready::engine;
use onready::verbs::Schedule;
use onready::verbs::state::{StateDir, check_name};
use std::cell::RefCell;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

/// A reader, and texts that it understands.
type Target<'a> = (&'static str, Box<dyn Fn(&[u8]) + 'a>, &'static [&'static str]);

/// What breaks parsers: pasted in at random.
const WORDS: [&str; 20] = [
    "=",
    "\n",
    ":",
    "/",
    "\0",
    "0",
    "-1",
    "18446744073709551616",
    "99999999999999999999999",
    "1e309",
    ".",
    "[",
    "]",
    "{",
    "\"",
    "\\",
    "READY=1",
    "\u{fffd}",
    "\u{1f600}",
    "%",
];

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Runs the campaign: so long for each reader.
pub fn run(programs: &Programs, seed: u64, each: Duration) -> Section {
    let nest = Nest::new(programs);
    let path = nest.sandbox.runtime_dir().join("onready");
    let dir = StateDir::open(Some(&path)).expect("a state directory");
    let record = move |bytes: &[u8]| {
        std::fs::write(path.join("web.state"), bytes).expect("write a record");
        let _ = dir.read("web");
    };
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        INPUT.with_borrow(|input| eprintln!("LIE fuzz: {panic}\ninput: {:?}", String::from_utf8_lossy(input)));
    }));
    let mut lines = vec!["| reader | inputs | panics |".to_owned(), "|---|---|---|".to_owned()];
    let mut lies = Vec::new();
    for (name, read, seeds) in targets(Box::new(record)) {
        let (inputs, panics) = attack(&*read, seeds, seed, each);
        lines.push(format!("| {name} | {inputs} | {} |", panics.len()));
        lies.extend(panics.into_iter().take(3).map(|input| format!("{name} panics at {input:?}")));
    }
    std::panic::set_hook(usual);
    nest.clear();
    Section { name: "fuzz", lines, lies }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Something that reads bytes of any kind.
type Reader<'a> = Box<dyn Fn(&[u8]) + 'a>;

fn targets<'a>(record: Reader<'a>) -> Vec<Target<'a>> {
    vec![
        (
            "sd_notify messages",
            Box::new(|bytes| engine::parse(bytes).for_each(drop)),
            &[
                "READY=1\nSTATUS=on the way\nMAINPID=42\n",
                "EXTEND_TIMEOUT_USEC=1000000",
                "ERRNO=2\nBARRIER=1",
                "RELOADING=1",
            ],
        ),
        (
            "the variable of the private channel",
            Box::new(|bytes| drop(engine::claim(Some(OsString::from_vec(bytes.to_vec()))))),
            &["3:77:-:-:42", "1003:12345678:1004:1005:4194304"],
        ),
        (
            "--until",
            Box::new(|bytes| drop(text(bytes).parse::<when::When>().map(|when| when.to_string()))),
            &[
                "auto",
                "tcp:127.0.0.1:80",
                "tcp:[::1]:80",
                "unix:/run/x",
                "http://localhost/ok=204",
                "log:2:ready.*",
                "fd:3",
                "delay:5s",
                "file:/x",
            ],
        ),
        (
            "durations",
            Box::new(|bytes| drop(duration::parse(&text(bytes)))),
            &["90s", "1m 30s", "0.25", "18446744073709551615", "1e10"],
        ),
        (
            "--rlimit",
            Box::new(|bytes| drop(limits::parse(&text(bytes)))),
            &["nofile=1024:4096", "core=unlimited", "nproc=0"],
        ),
        (
            "--retry",
            Box::new(|bytes| drop(text(bytes).parse::<Schedule>())),
            &["TERM/10s/KILL/5s", "forever/INT/1", "-9/5/3"],
        ),
        ("names", Box::new(|bytes| drop(check_name(&text(bytes)))), &["web", "python3-2", "a.b_c"]),
        (
            "records of servers",
            record,
            &[
                "{\"version\":1,\"name\":\"web\",\"argv\":[\"a\"],\"outcome\":\"ready\",\"environment_bytes\":5,\"log_starts\":[1,2]}\nA=b\0\0",
            ],
        ),
    ]
}

fn attack(read: &dyn Fn(&[u8]), seeds: &[&str], seed: u64, each: Duration) -> (usize, Vec<String>) {
    let (mut inputs, mut panics, end) = (0, Vec::new(), Instant::now() + each);
    while inputs % 64 != 0 || Instant::now() < end {
        let mut random = Random::new(seed, inputs);
        let input = mutated(seeds, &mut random);
        INPUT.with_borrow_mut(|kept| kept.clone_from(&input));
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(&input))).is_err() {
            panics.push(text(&input));
        }
        inputs += 1;
    }
    (inputs, panics)
}

fn mutated(seeds: &[&str], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].as_bytes().to_vec();
    for _ in 0..random.below(8) {
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] = random.next() as u8,
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, random.next() as u8),
            4 => drop(bytes.splice(at..at, WORDS[random.below(WORDS.len())].bytes())),
            _ => {
                let piece = bytes[at..].to_vec();
                (0..random.below(4)).for_each(|_| bytes.extend_from_slice(&piece));
            }
        }
        bytes.truncate(64 * 1024);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The short form of `faults fuzz`, which needs no programs.
    #[test]
    fn no_reader_panics() {
        for (name, read, seeds) in targets(Box::new(|_| {})) {
            let (inputs, panics) = attack(&*read, seeds, 1, Duration::from_millis(300));
            assert!(inputs > 0 && panics.is_empty(), "{name}: {panics:?}");
        }
    }
}
