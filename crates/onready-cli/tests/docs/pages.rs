//! The pages.

use crate::console::{Bench, page};
use crate::rust_server;

#[test]
fn the_readme() {
    let mut bench = Bench::new();
    bench.offer(rust_server::build(&bench, "README.md", "hello"));
    page("README.md", &bench);
    bench.end();
}

#[test]
fn the_recipes() {
    tried("docs/RECIPES.md");
}

#[test]
fn migrating() {
    tried("docs/MIGRATING.md");
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
