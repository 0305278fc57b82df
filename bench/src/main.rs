//! The driver: runs the figures, prints the table, writes the results. Started by `bench/run` and `bench/peers`.

mod context;
mod figures;
mod json;
mod report;
mod versus;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use context::Context;
use report::Report;

const USAGE: &str = "usage: bench run --programs DIR --reference DIR --scratch DIR --results FILE [--smoke] [--runs N] [--only FIGURE]...
       bench versus LIST --scratch DIR --results FILE [--runs N]
       bench list";

/// What was asked on the command line.
#[derive(Default)]
pub struct Options {
    programs: PathBuf,
    reference: PathBuf,
    scratch: PathBuf,
    results: PathBuf,
    smoke: bool,
    runs: Option<usize>,
    only: Vec<String>,
    list: PathBuf,
}

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let verb = args.first().and_then(|verb| verb.to_str()).unwrap_or("");
    let done = match verb {
        "caller" => bench::caller::serve(&args[1..]).map_err(|error| error.to_string()),
        "run" => options(&args[1..]).and_then(run),
        "versus" => options(&args[1..]).and_then(|options| versus::run(&options)),
        "list" => {
            figures::ALL.iter().for_each(|(name, _)| println!("{name}"));
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("bench: {text}");
            ExitCode::FAILURE
        }
    }
}

fn options(args: &[OsString]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().cloned().ok_or_else(|| format!("{arg:?} needs a value"));
        match arg.to_str() {
            Some("--programs") => options.programs = value()?.into(),
            Some("--reference") => options.reference = value()?.into(),
            Some("--scratch") => options.scratch = value()?.into(),
            Some("--results") => options.results = value()?.into(),
            Some("--smoke") => options.smoke = true,
            Some("--runs") => {
                let text = value()?;
                let runs = text.to_str().and_then(|text| text.parse().ok()).filter(|runs| *runs > 0);
                options.runs = Some(runs.ok_or("--runs needs a number above 0")?);
            }
            Some("--only") => options.only.push(figure_name(&value()?)?),
            Some(path) if !path.starts_with('-') => options.list = path.into(),
            _ => return Err(format!("unknown argument {arg:?}\n{USAGE}")),
        }
    }
    Ok(options)
}

fn figure_name(given: &OsString) -> Result<String, String> {
    let known = figures::ALL.iter().map(|(name, _)| *name);
    match known.clone().find(|name| given == name) {
        Some(name) => Ok(name.to_owned()),
        None => Err(format!("no figure {:?}; there are: {}", given, known.collect::<Vec<_>>().join(", "))),
    }
}

fn run(options: Options) -> Result<(), String> {
    let context = Context::new(&options).map_err(|error| error.to_string())?;
    let mut report = Report::new(&options);
    report.head();
    for (name, figure) in figures::ALL {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == name) {
            continue;
        }
        match figure(&context) {
            Ok(rows) => rows.into_iter().for_each(|row| report.add(name, row)),
            Err(error) => report.missing(name, &error.to_string()),
        }
        context.clean().map_err(|error| error.to_string())?;
    }
    context.end_all().map_err(|error| error.to_string())?;
    report.write(&options.results).map_err(|error| format!("{}: {error}", options.results.display()))?;
    report.verdict(options.smoke)
}
