//! State directories and disks that are not as they should be.

use crate::common::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_directory_of_one_s_own_holds_state_and_logs() {
    let sandbox = Sandbox::new();
    let dir = sandbox.path("mine");
    let dir = dir.to_str().expect("UTF-8");
    ready(&sandbox, &["--state-dir", dir, "-n", "web"], &LISTEN);
    onready(&sandbox, &["status", "web"]).expect_code(4);
    onready(&sandbox, &["status", "--state-dir", dir, "web"]).expect_code(0);
    // As it was when it was started, and so is a restart.
    onready(&sandbox, &["restart", "--state-dir", dir, "web"]).expect_code(0);
    assert!(sandbox.path("mine/logs/web/stdout.log").exists());
    let list = json(&onready(&sandbox, &["list", "--json", "--state-dir", dir]).expect_code(0));
    assert_eq!(list[0]["name"], "web");
    onready(&sandbox, &["stop", "--state-dir", dir, "web"]).expect_code(0);
    assert_eq!(servers(&sandbox), NONE);
    sandbox.finish();
}

#[test]
fn one_that_others_may_write_in_is_refused_before_anything_is_started() {
    let sandbox = Sandbox::new();
    let dir = sandbox.path("open");
    std::fs::create_dir(&dir).expect("make");
    std::fs::set_permissions(&dir, PermissionsExt::from_mode(0o777)).expect("chmod");
    let dir = dir.to_str().expect("UTF-8");
    let run = start(&sandbox, &["--state-dir", dir], &["log-line", "started", "--", "listen"]).expect_code(125);
    assert!(run.err().contains(dir) && run.err().contains("others may write in it (mode 777); chmod go-w it"), "{run}");
    assert_eq!(run.out(), "");
    for verb in ["stop", "status", "restart", "logs"] {
        onready(&sandbox, &[verb, "--state-dir", dir, "web"]).expect_code(125);
    }
    sandbox.finish();
}

#[test]
fn a_disk_that_is_full_when_the_record_is_written_leaves_the_last_one() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    let record = state_path(&sandbox).join("web.state");
    let before = std::fs::read(&record).expect("a record");
    let run =
        Run::new(command(&sandbox, &["stop", "web"])).setup(Setup::new().ignore("XFSZ").limit_file_size(50)).done();
    let run = run.expect_code(125);
    assert!(run.err().contains("cannot write its record"), "{run}");
    assert_eq!(std::fs::read(&record).expect("a record"), before);
    assert_eq!(servers(&sandbox), NONE, "it is stopped all the same");
    assert_eq!(status(&sandbox, "web").0, 1);
    stop(&sandbox, "web");
    assert_eq!(status(&sandbox, "web").0, 3);
    end(sandbox);
}

#[test]
fn without_proc_it_is_said_that_nothing_can_be_known() {
    if !is_root("a mount namespace") || !has("unshare") {
        return;
    }
    let sandbox = Sandbox::new();
    let pid = ready(&sandbox, &["-n", "web"], &LISTEN);
    let mut command = sandbox.command("unshare");
    command
        .args(["--mount", "sh", "-c", "mount -t tmpfs tmpfs /proc && exec \"$@\"", "sh"])
        .arg(program())
        .args(["stop", "web"]);
    let run = Run::new(command).done();
    assert_eq!(run.code, Some(125), "{run}");
    assert!(run.err().contains("/proc"), "{run}");
    assert!(testbed::alive(pid));
    stop(&sandbox, "web");
    end(sandbox);
}
