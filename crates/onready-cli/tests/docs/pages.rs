//! The pages.

use crate::console::{Bench, page};
use crate::rust_server;

#[test]
fn the_readme() {
    let bench = Bench::new();
    rust_server::hello(&bench);
    page("README.md", &bench);
    bench.end();
}

#[test]
fn the_recipes() {
    tried("docs/RECIPES.md");
}

#[test]
fn migrating() {
    let bench = Bench::new();
    rust_server::migrated(&bench);
    page("docs/MIGRATING.md", &bench);
    bench.end();
}

#[test]
fn when_not_to_daemonize() {
    tried("docs/WHEN-NOT-TO-DAEMONIZE.md");
}

fn tried(name: &str) {
    let bench = Bench::new();
    page(name, &bench);
    bench.end();
}

/// Blocks that nothing runs: the page, how the block begins, and why not.
const NOT_RUN: [(&str, &str, &str); 6] = [
    ("README.md", "$ mydb --daemonize ", "a diagram"),
    ("docs/MIGRATING.md", "nohup python3 ", "what it was before"),
    ("docs/MIGRATING.md", "// before", "what it was before"),
    ("docs/PROTOCOL.md", "caller ", "a diagram"),
    ("docs/PROTOCOL.md", "ONREADY_CHANNEL=", "the form of a variable"),
    ("ARCHITECTURE.md", "crates/onready/ ", "a list of folders"),
];

/// Blocks that the tests named here build and run, or a step of .ci/run.
const BUILT: [(&str, &str, &str); 4] = [
    ("docs/FAULTS.md", "cargo build --release -p onready-cli -p testbed -p faults", "the step faults"),
    ("README.md", "[dependencies]", "the_readme"),
    ("README.md", "use clap::Parser;", "the_readme"),
    ("docs/MIGRATING.md", "// after", "migrating"),
];

/// Every block of every page is a session on a page that is tried, a file that such a page makes, or on these lists.
#[test]
fn no_block_is_left_out() {
    let tried = ["README.md", "docs/RECIPES.md", "docs/MIGRATING.md", "docs/WHEN-NOT-TO-DAEMONIZE.md"];
    let mut excused = 0;
    for name in crate::all_pages() {
        for block in crate::markdown::blocks(&crate::read(&name)) {
            let is_tried = tried.contains(&name.as_str()) && (block.language == "console" || !block.title.is_empty());
            let is_here = |(page, begin, _): &&(&str, &str, &str)| *page == name && block.text.starts_with(begin);
            let is_listed = NOT_RUN.iter().chain(&BUILT).any(|row| is_here(&row));
            excused += usize::from(is_listed);
            assert!(is_tried || is_listed, "{name}:{}: nothing runs\n{}", block.line, block.text);
        }
    }
    assert_eq!(excused, NOT_RUN.len() + BUILT.len(), "a row of the lists is of no use any more");
}
