//! `faults`: tries to make both faces of onready lie. See docs/FAULTS.md, which it writes.
#![cfg(target_os = "linux")]

mod calls;
mod clock;
// The readers of the program's options, as they stand: a program has no library to take them from.
#[allow(dead_code)]
#[path = "../../onready-cli/src/duration.rs"]
mod duration;
mod fuzz;
mod kills;
#[allow(dead_code)]
#[path = "../../onready-cli/src/limits.rs"]
mod limits;
mod nest;
mod page;
mod pool;
mod random;
mod servers;
mod soak;
mod surroundings;
mod sys;
mod syscalls;
mod tracer;
mod verdict;
#[allow(dead_code)]
#[path = "../../onready-cli/src/when.rs"]
mod when;

use nest::Programs;
use page::Section;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

const USAGE: &str = "faults all|syscalls|kills|servers|surroundings|fuzz|soak [--short|--long] [--seed N] [--rounds N] \
     [--programs DIR] [--page FILE]";

/// What is asked for.
struct Options {
    campaign: String,
    long: bool,
    seed: u64,
    rounds: Option<usize>,
    programs: Programs,
    page: PathBuf,
}

#[allow(clippy::disallowed_methods)] // the exit code is what CI looks at
fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.first().is_some_and(|word| word == "__refuse") {
        eprintln!("faults: {}", surroundings::refuse(&words[1..]));
        std::process::exit(70);
    }
    let answer = options(&words).and_then(|options| attack(&options));
    match answer {
        Ok(0) => {}
        Ok(lies) => {
            eprintln!("faults: {lies} untruths");
            std::process::exit(1)
        }
        Err(error) => {
            eprintln!("faults: {error}");
            std::process::exit(2)
        }
    }
}

fn options(words: &[OsString]) -> io::Result<Options> {
    let beside = std::env::current_exe()?.parent().unwrap_or(Path::new(".")).to_path_buf();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/FAULTS.md");
    let mut options =
        Options { campaign: String::new(), long: false, seed: 1, rounds: None, programs: Programs(beside), page };
    let mut words = words.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| usage(&format!("{word} wants a value")));
        match word {
            "--short" => options.long = false,
            "--long" => options.long = true,
            "--seed" => options.seed = value()?.parse().map_err(|_| usage("--seed is a number"))?,
            "--rounds" => options.rounds = Some(value()?.parse().map_err(|_| usage("--rounds is a number"))?),
            "--programs" => options.programs = Programs(std::path::absolute(value()?)?),
            "--page" => options.page = value()?.into(),
            _ if options.campaign.is_empty() && !word.starts_with('-') => options.campaign = word.into(),
            _ => return Err(usage(word)),
        }
    }
    if options.campaign.is_empty() { Err(usage("what to attack?")) } else { Ok(options) }
}

fn usage(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{why}\nusage: {USAGE}"))
}

/// Runs what is asked for, writes the page, and returns the number of untruths.
fn attack(options: &Options) -> io::Result<usize> {
    let mut sections = Vec::new();
    for name in ["syscalls", "kills", "servers", "surroundings", "fuzz", "soak"] {
        if options.campaign == name || options.campaign == "all" {
            let started = std::time::Instant::now();
            let section = campaign(name, options)?;
            println!("## {name} ({} s)\n{}\n", started.elapsed().as_secs(), section.lines.join("\n"));
            sections.push(section);
            page::write(&options.page, &run(options), &sections)?;
        }
    }
    if sections.is_empty() {
        return Err(usage(&options.campaign));
    }
    Ok(sections.iter().map(|section| section.lies.len()).sum())
}

fn campaign(name: &str, options: &Options) -> io::Result<Section> {
    match name {
        "syscalls" => syscalls::run(&options.programs, options.long),
        "kills" => {
            let rounds = options.rounds.unwrap_or(if options.long { 5000 } else { 250 });
            Ok(kills::run(&options.programs, options.seed, rounds))
        }
        "servers" => Ok(servers::run(&options.programs)),
        "surroundings" => Ok(surroundings::run(&options.programs)),
        "fuzz" => {
            let each = std::time::Duration::from_secs(if options.long { 60 } else { 2 });
            Ok(fuzz::run(&options.programs, options.seed, each))
        }
        "soak" => {
            let rounds = options.rounds.unwrap_or(if options.long { 10_000 } else { 200 });
            Ok(soak::run(&options.programs, rounds))
        }
        _ => Err(usage(name)),
    }
}

/// The line that says when and where.
fn run(options: &Options) -> String {
    let system = rustix::system::uname();
    let form = if options.long { "long" } else { "short" };
    format!(
        "Run on {}, {form} form, onready {}, Linux {}, seed {}.",
        date(),
        env!("CARGO_PKG_VERSION"),
        system.release().to_string_lossy(),
        options.seed
    )
}

/// Today, in UTC.
fn date() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let days = now.as_secs() as i64 / 86_400 + 719_468;
    // Days to a civil date: years begin in March, so that the leap day is the last.
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{}-{month:02}-{day:02}", year + era * 400 + i64::from(month <= 2))
}
