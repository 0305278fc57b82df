//! runit: `sv start` waits for `./check`.

use crate::{INIT, INIT_MS, LONG, programs};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use testbed::{Finished, Run, Sandbox, ping};

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("write a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("make it executable");
}

#[track_caller]
fn sv(sandbox: &Sandbox, words: &[&str]) -> Finished {
    let mut command = sandbox.command("sv");
    command.args(words).arg(sandbox.path("web"));
    Run::new(command).limit(LONG).done()
}

#[test]
fn a_library_server_is_up_when_it_notifies() {
    let sandbox = Sandbox::new();
    let (onready, addr) = (programs::onready(), format!("127.0.0.1:{}", testbed::free_port()));
    let service = sandbox.path("web");
    fs::create_dir(&service).expect("make a service folder");
    let server = format!("{} --listen {addr} --init-ms {INIT_MS}", programs::pong().display());
    script(&service.join("run"), &format!("exec {} -n web --foreground -- {server}", onready.display()));
    script(&service.join("check"), &format!("exec {} wait --until auto -t 5s web 2>/dev/null", onready.display()));
    // It is started by the request, not by itself.
    fs::write(service.join("down"), "").expect("write a file");
    let mut runsv = sandbox.command("runsv");
    runsv.arg(&service);
    let running = Run::new(runsv).limit(LONG).start();
    testbed::wait_for_path(service.join("supervise/ok"), LONG);

    let started = sv(&sandbox, &["-w", "10", "start"]).expect_code(0);
    assert!(started.elapsed >= INIT, "it did not wait\n{started}");
    assert_eq!(ping(&addr).expect("an answer"), "pong\n");
    sv(&sandbox, &["-w", "10", "force-stop"]).expect_code(0);
    sv(&sandbox, &["exit"]).expect_code(0);
    running.done().expect_code(0);
    sandbox.allow("run/onready/**").allow("state/onready/**");
    sandbox.finish();
}
