//! The programs under test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program.
pub fn onready() -> PathBuf {
    env!("CARGO_BIN_EXE_onready").into()
}

/// A server of the library's, `crates/onready/examples/pong.rs`; built if need be.
pub fn pong() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(build).clone()
}

/// Where the tests are built: target/PROFILE.
fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the running test");
    // target/PROFILE/deps/TEST
    test.ancestors().nth(2).expect("target/PROFILE").into()
}

/// What is made for the tests may be kept here.
pub fn target_dir() -> PathBuf {
    profile_dir().parent().expect("target").into()
}

fn build() -> PathBuf {
    let (folder, target) = (profile_dir(), target_dir());
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "-p", "onready", "--features", "clap", "--example", "pong", "--manifest-path"]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    command.arg("--target-dir").arg(target);
    if !folder.ends_with("debug") {
        command.arg("--release");
    }
    assert!(command.status().expect("start cargo").success(), "cannot build pong");
    folder.join("examples/pong")
}
