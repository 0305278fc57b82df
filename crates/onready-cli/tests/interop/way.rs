//! One way to start a server, again and again.

use crate::bed::{Bed, Server};
use std::io;
use std::time::{Duration, Instant};

const VARIABLE: &str = "ONREADY_INTEROP_ROUNDS";
const USUAL: usize = 5;
const IN_CI: usize = 20;

/// A command line and what is expected of it.
#[derive(Clone)]
pub struct Way {
    pub options: Vec<String>,
    pub command: Vec<String>,
    pub ready_by: String,
    /// Whether the address of the bed is to be found in the report.
    pub listens: bool,
    pub pid_file: Option<String>,
    share: usize,
}

fn split(words: &str) -> impl Iterator<Item = String> + '_ {
    words.split_whitespace().map(str::to_owned)
}

impl Way {
    /// This command, in words without blanks; with no flag it is believed by what `ready_by` will say.
    pub fn new(command: &str, ready_by: &str) -> Way {
        let command = split(command).collect();
        Way { options: Vec::new(), command, ready_by: ready_by.into(), listens: true, pid_file: None, share: 1 }
    }

    /// More options of onready.
    pub fn with(mut self, options: &str) -> Way {
        self.options.extend(split(options));
        self
    }

    /// It is believed by this instead.
    pub fn by(mut self, ready_by: &str) -> Way {
        self.ready_by = ready_by.into();
        self
    }

    /// Its own pid file, in which the reported pid must stand.
    pub fn pid_file(mut self, path: &str) -> Way {
        self.pid_file = Some(path.into());
        self
    }

    /// It listens elsewhere than at the bed's address.
    pub fn elsewhere(mut self) -> Way {
        self.listens = false;
        self
    }

    /// It is slow: a part of the rounds must do.
    pub fn slow(mut self, share: usize) -> Way {
        self.share = share;
        self
    }

    /// Starts, asks once, stops: as often as it is set. All failures are told, with how many there were.
    #[track_caller]
    pub fn works(&self, bed: &Bed, ask: impl Fn(&Server) -> io::Result<()>) {
        let rounds = (rounds() / self.share).max(1);
        let (mut failures, mut starts, mut stops) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let begun = Instant::now();
            let server = bed.start(self);
            let answer = ask(&server);
            starts.push(begun.elapsed());
            if let Err(error) = answer {
                failures.push(format!("round {round}: {error}"));
            }
            bed.inspect(self, &server);
            stops.push(bed.stop(&server));
        }
        let line = [self.options.as_slice(), &["--".into()], &self.command].concat().join(" ");
        println!(
            "{rounds} rounds, {} failed, by {}; median start {:.1} ms, stop {:.1} ms: onready {line}",
            failures.len(),
            self.ready_by,
            median(starts),
            median(stops)
        );
        assert!(failures.is_empty(), "{} of {rounds} first requests failed: {failures:#?}", failures.len());
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn rounds() -> usize {
    let usual = if std::env::var_os("CI").is_some() { IN_CI } else { USUAL };
    std::env::var(VARIABLE).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}
