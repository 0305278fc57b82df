//! What lies in a state directory: the record of a server, whole or damaged.
#![no_main]

use onready::verbs::state::StateDir;
use std::path::PathBuf;
use std::sync::LazyLock;

static DIR: LazyLock<(PathBuf, StateDir)> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("onready-fuzz-{}", std::process::id()));
    let dir = StateDir::open(Some(&path)).expect("a state directory");
    (path, dir)
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (path, dir) = &*DIR;
    std::fs::write(path.join("web.state"), bytes).expect("write a record");
    let _ = dir.read("web");
});
