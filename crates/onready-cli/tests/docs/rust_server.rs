//! The Rust programs of the pages, built as a reader would: each in a package of its own.

use crate::console::{Bench, target_of_packages};
use crate::markdown::{Block, blocks};
use crate::{read, root};
use std::time::Duration;
use testbed::Run;

/// Compiling clap, beside others who compile.
const LIMIT: Duration = Duration::from_secs(600);

fn first(page: &[Block], language: &str) -> String {
    page.iter().find(|block| block.language == language).expect(language).text.clone()
}

/// Builds a package in the bench, with our library from here.
fn build(bench: &Bench, name: &str, dependencies: &str, main: &str) {
    let library = root().join("crates/onready");
    let dependencies = dependencies.replace("\"../onready/crates/onready\"", &format!("{library:?}"));
    assert!(dependencies.contains(&format!("{library:?}")), "{dependencies}");
    let manifest = format!("[workspace]\n[package]\nname = \"{name}\"\nedition = \"2024\"\n{dependencies}");
    let package = bench.sandbox().path(name);
    std::fs::create_dir_all(package.join("src")).expect("make the package");
    std::fs::write(package.join("Cargo.toml"), manifest).expect("write Cargo.toml");
    std::fs::write(package.join("src/main.rs"), bench.text(main)).expect("write main.rs");
    // The same versions as ours, so that nothing is to be fetched.
    std::fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).expect("copy Cargo.lock");
    let script = format!("exec cargo build --quiet --target-dir '{}'", target_of_packages().display());
    let done = Run::new(bench.shell(&package, &script)).limit(LIMIT).done();
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The README's: its first block of Rust with its first block of TOML.
pub fn hello(bench: &Bench) {
    let page = blocks(&read("README.md"));
    build(bench, "hello", &first(&page, "toml"), &first(&page, "rust"));
}

/// What a program that used the crate `daemonize` becomes, with what stands around it in any program.
pub fn migrated(bench: &Bench) {
    let page = blocks(&read("docs/MIGRATING.md"));
    let after = page.into_iter().find(|block| block.text.starts_with("// after")).expect("the block").text;
    let main = format!(
        "use std::net::TcpListener;\nstruct Cli {{ daemonize: bool }}\n\
         fn serve(_: TcpListener) -> std::io::Result<()> {{ Ok(()) }}\n\
         fn main() -> std::io::Result<()> {{\nlet cli = Cli {{ daemonize: false }};\n{after}}}\n"
    );
    let dependencies = "[dependencies]\nonready = { path = \"../onready/crates/onready\" }\n";
    build(bench, "migrated", dependencies, &main);
}
