//! The figures, by the name that `--only` takes.

mod auto;
mod callers;
mod connect;
mod machine;
mod memory;
mod relay;
mod starts;

use std::io;

use crate::context::Context;
use crate::report::Row;

/// One figure: one or more rows of the table.
pub type Figure = fn(&Context) -> io::Result<Vec<Row>>;

/// All, in the table's order.
pub const ALL: &[(&str, Figure)] = &[
    ("library", starts::library),
    ("program", starts::program),
    ("auto", auto::listen_to_return),
    ("waiting", auto::waiting),
    ("relay", relay::library),
    ("relay-program", relay::program),
    ("memory", memory::library),
    ("many", starts::many),
    ("descriptors", callers::descriptors),
    ("environment", callers::environment),
    ("names", machine::names),
    ("sockets", machine::sockets),
    ("connect", connect::running),
];

fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}
