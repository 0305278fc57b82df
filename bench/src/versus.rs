//! Any number of command lines in one interleaved run: what `bench/peers` stands on.

use std::fs;
use std::io;

use bench::shot::Line;
use bench::stats::Stats;

use crate::Options;
use crate::context::{Context, Side};
use crate::json;

/// Each line of the list: a name, a tab, the command's words with blanks between.
pub fn run(options: &Options) -> Result<(), String> {
    let list = fs::read_to_string(&options.list).map_err(|error| format!("{}: {error}", options.list.display()))?;
    let context = Context::new(options).map_err(|error| error.to_string())?;
    let (mut lines, mut names) = (Vec::new(), Vec::new());
    for text in list.lines() {
        let (name, command) = text.split_once('\t').ok_or_else(|| format!("no tab in {text:?}"))?;
        match usable(&context, command) {
            Ok(line) => {
                names.push(name);
                lines.push(line);
            }
            Err(error) => println!("{name:<34} NOT MEASURED: {error}"),
        }
    }
    let mut sides: Vec<_> =
        lines.iter_mut().map(|line| move || Ok(line.shoot()?.elapsed_ns as f64 / 1e6)).collect();
    let mut sides: Vec<Side> = sides.iter_mut().map(|side| side as Side).collect();
    let values = context.alternate(context.runs(100), &mut sides).map_err(|error| error.to_string())?;
    context.end_all().map_err(|error| error.to_string())?;
    let rows = table(&names, &values);
    fs::write(&options.results, format!("[\n  {}\n]\n", rows.join(",\n  "))).map_err(|error| error.to_string())
}

/// The command, if it works at all.
fn usable(context: &Context, command: &str) -> io::Result<Line> {
    let mut words = command.split_ascii_whitespace();
    let program = words.next().ok_or_else(|| io::Error::other("no command"))?;
    let mut line = Line::new(program)?.args(words);
    let tried = line.shoot();
    context.clean()?;
    tried?;
    Ok(line)
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
