//! What the documents say is tried: each command is run, each file is used, each named test exists.
#![cfg(target_os = "linux")]

mod claims;
mod console;
mod elsewhere;
mod markdown;
mod pages;
mod rust_server;

use std::path::PathBuf;

/// The top of the repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// A file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All pages, as paths from the top.
fn all_pages() -> Vec<String> {
    let top = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(String::from);
    let docs = std::fs::read_dir(root().join("docs")).expect("docs").flatten();
    let docs = docs.map(|entry| format!("docs/{}", entry.file_name().to_string_lossy()));
    top.into_iter().chain(docs.filter(|name| name.ends_with(".md"))).collect()
}
