//! One row a figure: the table on stdout and results.json.

use std::fs;
use std::io;
use std::path::Path;

use bench::stats::Stats;

use crate::Options;
use crate::json;

/// What of the numbers is held against the bound.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Our median divided by the other side's.
    Ratio,
    /// Our median.
    Median,
    /// Our 99th percentile.
    P99,
    /// Our median less the other side's.
    Difference,
}

/// One line of the table.
pub struct Row {
    name: String,
    unit: &'static str,
    measure: Measure,
    ours: Stats,
    other: Option<Stats>,
    bound: Option<f64>,
    note: String,
}

impl Row {
    /// Two sides and their ratio.
    pub fn ratio(name: &str, unit: &'static str, ours: &[f64], other: &[f64]) -> io::Result<Self> {
        Self::new(name, unit, Measure::Ratio, ours, Some(other))
    }

    /// Some measure of one or two sides.
    pub fn new(
        name: &str,
        unit: &'static str,
        measure: Measure,
        ours: &[f64],
        other: Option<&[f64]>,
    ) -> io::Result<Self> {
        let stats = |values| Stats::of(values).ok_or_else(|| io::Error::other("no run was made"));
        let other = other.map(stats).transpose()?;
        Ok(Self { name: name.to_owned(), unit, measure, ours: stats(ours)?, other, bound: None, note: String::new() })
    }

    /// The value must not be above `bound`.
    pub fn at_most(mut self, bound: f64) -> Self {
        self.bound = Some(bound);
        self
    }

    /// What a reader has to know.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn value(&self) -> f64 {
        let other = self.other.map_or(f64::NAN, |other| other.median);
        match self.measure {
            Measure::Ratio => self.ours.median / other,
            Measure::Median => self.ours.median,
            Measure::P99 => self.ours.p99,
            Measure::Difference => self.ours.median - other,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.bound {
            None => "-",
            Some(bound) if self.value() <= bound => "PASS",
            Some(_) => "OVER",
        }
    }

    fn with_unit(&self, value: f64) -> String {
        match self.measure {
            Measure::Ratio => format!("{value:.3} x"),
            _ => format!("{value:.3} {}", self.unit),
        }
    }

    fn measure(&self) -> &'static str {
        match self.measure {
            Measure::Ratio => "ratio",
            Measure::Median => "median",
            Measure::P99 => "p99",
            Measure::Difference => "difference",
        }
    }
}

/// All rows.
pub struct Report {
    smoke: bool,
    rows: Vec<String>,
    over: Vec<String>,
    missing: Vec<String>,
}

impl Report {
    pub fn new(options: &Options) -> Self {
        Self { smoke: options.smoke, rows: Vec::new(), over: Vec::new(), missing: Vec::new() }
    }

    /// The table's head.
    pub fn head(&self) {
        println!("{}; {} processors", machine().join("; "), processors());
        println!(
            "{:<60} {:>5} | {:^26} | {:^26} | {:>11} | {:>9} |",
            "figure", "runs", "ours: min med max", "reference: min med max", "result", "at most"
        );
    }

    /// One more row, printed at once.
    pub fn add(&mut self, figure: &str, row: Row) {
        let sides = |stats: Option<Stats>| match stats {
            Some(stats) => format!("{:>8.3} {:>8.3} {:>8.3}", stats.min, stats.median, stats.max),
            None => String::new(),
        };
        println!(
            "{:<60} {:>5} | {:>26} | {:>26} | {:>11} | {:>9} | {}",
            format!("{figure}: {} [{}]", row.name, row.unit),
            row.ours.count,
            sides(Some(row.ours)),
            sides(row.other),
            row.with_unit(row.value()),
            row.bound.map_or_else(|| "-".to_owned(), |bound| row.with_unit(bound)),
            row.verdict(),
        );
        if !row.note.is_empty() {
            println!("    {}", row.note);
        }
        if row.verdict() == "OVER" {
            self.over.push(format!("{figure}: {}", row.name));
        }
        self.rows.push(object(figure, &row));
    }

    /// A figure that could not be measured, and why.
    pub fn missing(&mut self, figure: &str, why: &str) {
        println!("{figure}: NOT MEASURED: {why}");
        self.missing.push(figure.to_owned());
        let pairs =
            [("figure", json::text(figure)), ("verdict", json::text("not measured")), ("note", json::text(why))];
        self.rows.push(json::object(&pairs));
    }

    /// Write all to `path`.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let machine: Vec<String> = machine().iter().map(|text| json::text(text)).collect();
        let head = [
            ("machine", format!("[{}]", machine.join(", "))),
            ("processors", processors().to_string()),
            ("smoke", self.smoke.to_string()),
        ];
        let head = json::object(&head);
        let head = head.trim_end_matches('}');
        fs::write(path, format!("{head}, \"rows\": [\n  {}\n]}}\n", self.rows.join(",\n  ")))
    }

    /// The last word. In a smoke run the figures mean nothing, so only what could not be run is an error.
    pub fn verdict(&self, smoke: bool) -> Result<(), String> {
        if smoke {
            println!("smoke run: too few runs for the figures to mean anything");
        }
        if !self.missing.is_empty() {
            return Err(format!("not measured: {}", self.missing.join(", ")));
        }
        match self.over.is_empty() || smoke {
            true => Ok(()),
            false => Err(format!("over the bound: {}", self.over.join("; "))),
        }
    }
}

fn object(figure: &str, row: &Row) -> String {
    let side = |stats: Option<Stats>| match stats {
        None => "null".to_owned(),
        Some(stats) => json::object(&[
            ("runs", stats.count.to_string()),
            ("min", json::number(Some(stats.min))),
            ("median", json::number(Some(stats.median))),
            ("p99", json::number(Some(stats.p99))),
            ("max", json::number(Some(stats.max))),
        ]),
    };
    json::object(&[
        ("figure", json::text(figure)),
        ("name", json::text(&row.name)),
        ("unit", json::text(row.unit)),
        ("ours", side(Some(row.ours))),
        ("reference", side(row.other)),
        ("measure", json::text(row.measure())),
        ("value", json::number(Some(row.value()))),
        ("bound", json::number(row.bound)),
        ("verdict", json::text(row.verdict())),
        ("note", json::text(&row.note)),
    ])
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}

/// Processor and kernel.
fn machine() -> Vec<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("processor unknown");
    let model = model.trim_start_matches([' ', '\t', ':']).to_owned();
    vec![model, format!("Linux {}", read("/proc/sys/kernel/osrelease").trim())]
}
