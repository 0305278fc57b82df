//! The Rust program of a page, built as a reader would: in a package of its own.

use crate::console::{Bench, target_dir};
use crate::markdown::blocks;
use crate::{read, root};
use std::path::PathBuf;
use std::time::Duration;
use testbed::Run;

/// Compiling clap, beside others who compile.
const LIMIT: Duration = Duration::from_secs(600);

/// Builds the first block of Rust in the page with the dependencies of its first block of TOML; the program's folder.
pub fn build(bench: &Bench, page: &str, name: &str) -> PathBuf {
    let text = read(page);
    let all = blocks(&text);
    let first = |language: &str| &all.iter().find(|block| block.language == language).expect(language).text;
    let library = root().join("crates/onready");
    let with_path = format!("onready = {{ path = \"{}\", ", library.display());
    let dependencies = first("toml").replace("onready = { version = \"0.1\", ", &with_path);
    assert!(dependencies.contains(&with_path), "{dependencies}");
    let manifest = format!(
        "[workspace]\n[package]\nname = \"{name}\"\nedition = \"2024\"\n[[bin]]\nname = \"{name}\"\npath = \"main.rs\"\n{dependencies}"
    );
    let package = bench.sandbox().path(&format!("{name}-package"));
    std::fs::create_dir_all(&package).expect("make the package");
    std::fs::write(package.join("Cargo.toml"), manifest).expect("write Cargo.toml");
    std::fs::write(package.join("main.rs"), first("rust")).expect("write main.rs");
    // The same versions as ours, so that nothing is to be fetched.
    std::fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).expect("copy Cargo.lock");
    let target = target_dir().join("docs");
    let script = format!("exec cargo build --quiet --target-dir '{}'", target.display());
    let done = Run::new(bench.shell(&package, &script)).limit(LIMIT).done();
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    target.join("debug")
}
