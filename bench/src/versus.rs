//! Any number of command lines in one interleaved run: what `bench/peers` stands on.

use std::fs;
use std::io;

use bench::shot::Line;
use bench::stats::Stats;

use crate::Options;
use crate::context::{Context, Side};
use crate::json;

/// One peer: what to start, and what puts it back where that is not done by ending our children.
struct Peer<'a> {
    name: &'a str,
    start: Line,
    back: Option<Line>,
    leaves_server: bool,
}

impl<'a> Peer<'a> {
    /// From `NAME <tab> [exit=CODE] COMMAND [<tab> COMMAND THAT ENDS IT]`, words divided by blanks.
    fn parse(text: &'a str) -> Result<Self, String> {
        let mut parts = text.split('\t');
        let name = parts.next().unwrap_or_default();
        let start = parts.next().ok_or_else(|| format!("no tab in {text:?}"))?;
        let line = |words: &str| -> io::Result<Line> {
            let mut words = words.split_ascii_whitespace().peekable();
            let code = words.peek().and_then(|word| word.strip_prefix("exit=")).and_then(|code| code.parse().ok());
            if code.is_some() {
                words.next();
            }
            let program = words.next().ok_or_else(|| io::Error::other("no command"))?;
            Ok(Line::new(program)?.args(words).code(code.unwrap_or(0)))
        };
        let back = parts.next().map(line).transpose().map_err(|error| error.to_string())?;
        let leaves_server = back.is_none() && !start.starts_with("exit=");
        Ok(Self { name, start: line(start).map_err(|error| error.to_string())?, back, leaves_server })
    }

    fn shoot(&mut self) -> io::Result<f64> {
        let elapsed = self.start.shoot().map(|shot| shot.elapsed_ns as f64 / 1e6);
        if let Some(back) = &mut self.back {
            back.shoot()?;
        }
        elapsed
    }
}

/// Compare the peers named in the list.
pub fn run(options: &Options) -> Result<(), String> {
    let list = fs::read_to_string(&options.list).map_err(|error| format!("{}: {error}", options.list.display()))?;
    let context = Context::new(options).map_err(|error| error.to_string())?;
    let mut peers = Vec::new();
    for text in list.lines() {
        let mut peer = Peer::parse(text)?;
        let tried = peer.shoot();
        let left = context.clean().map_err(|error| error.to_string())?;
        match tried {
            Ok(_) if left == 0 && peer.leaves_server => println!("{:<34} NOT MEASURED: left no server", peer.name),
            Ok(_) => peers.push(peer),
            Err(error) => println!("{:<34} NOT MEASURED: {error}", peer.name),
        }
    }
    let names: Vec<&str> = peers.iter().map(|peer| peer.name).collect();
    let mut sides: Vec<_> = peers.iter_mut().map(|peer| move || peer.shoot()).collect();
    let mut sides: Vec<Side> = sides.iter_mut().map(|side| side as Side).collect();
    let values = context.alternate(context.runs(100), &mut sides).map_err(|error| error.to_string())?;
    context.end_all().map_err(|error| error.to_string())?;
    let rows = table(&names, &values);
    fs::write(&options.results, format!("[\n  {}\n]\n", rows.join(",\n  "))).map_err(|error| error.to_string())
}

fn table(names: &[&str], values: &[Vec<f64>]) -> Vec<String> {
    println!("{:<34} {:>8} {:>8} {:>8}   against the first", "start [ms]", "min", "median", "max");
    let mut first = None;
    let mut rows = Vec::new();
    for (name, values) in names.iter().zip(values) {
        let Some(stats) = Stats::of(values) else { continue };
        let base = *first.get_or_insert(stats.median);
        let ratio = stats.median / base;
        println!("{name:<34} {:>8.3} {:>8.3} {:>8.3}   {ratio:.2} x", stats.min, stats.median, stats.max);
        rows.push(json::object(&[
            ("name", json::text(name)),
            ("runs", stats.count.to_string()),
            ("min", json::number(Some(stats.min))),
            ("median", json::number(Some(stats.median))),
            ("max", json::number(Some(stats.max))),
            ("ratio", json::number(Some(ratio))),
        ]));
    }
    rows
}
