//! Two users: what one may not do with the other's servers, and what root does not trust.

use crate::common::*;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

/// The user of the tests who is not root.
const NOBODY: u32 = 65534;

fn as_nobody(sandbox: &Sandbox, words: &[&str]) -> std::process::Command {
    let mut command = sandbox.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.arg(sandbox.path("onready")).args(words);
    command.env_remove("HOME").env_remove("XDG_RUNTIME_DIR").env_remove("XDG_STATE_HOME");
    command.env("TMPDIR", sandbox.path("tmp"));
    command
}

/// A sandbox that others may enter, with our program in it and a place for their temporary files.
fn shared_sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.open_to_others();
    let copy = sandbox.install(program(), "onready");
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o755)).expect("chmod");
    let fixture = sandbox.install(&testbed::fixture_path(), "fixture");
    std::fs::set_permissions(&fixture, PermissionsExt::from_mode(0o755)).expect("chmod");
    std::fs::create_dir(sandbox.path("tmp")).expect("make");
    std::fs::set_permissions(sandbox.path("tmp"), PermissionsExt::from_mode(0o1777)).expect("chmod");
    sandbox
}

#[test]
fn each_has_a_state_of_their_own() {
    if !is_root("another user") || !has("setpriv") {
        return;
    }
    let sandbox = shared_sandbox();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    Run::new(as_nobody(&sandbox, &["status", "web"])).done().expect_code(4);
    let mut start = as_nobody(&sandbox, &["--json", "-n", "web", "--"]);
    start.arg(sandbox.path("fixture")).arg("listen");
    let run = Run::new(start).done().expect_code(0);
    let theirs = number(&json(&run)["pid"]);
    assert_eq!(Process::of(theirs).expect("their server").uids[0], NOBODY);
    let dir = sandbox.path("tmp/onready-65534");
    assert!(dir.join("web.state").exists() && dir.join("logs/web/stdout.log").exists(), "no home: below the state");
    assert_eq!(std::fs::metadata(&dir).expect("there").permissions().mode() & 0o7777, 0o700);
    // Root's is root's.
    stop(&sandbox, "web");
    assert!(testbed::alive(theirs));
    Run::new(as_nobody(&sandbox, &["stop", "web"])).done().expect_code(0);
    end(sandbox);
}

#[test]
fn nobody_else_s_state_is_used_and_it_is_said_why() {
    if !is_root("another user") || !has("setpriv") {
        return;
    }
    let sandbox = shared_sandbox();
    let mine = state_path(&sandbox);
    let pid = ready(&sandbox, &["-n", "web"], &LISTEN);
    let run = Run::new(as_nobody(&sandbox, &["stop", "--state-dir", &mine.display().to_string(), "web"])).done();
    assert_eq!(run.code, Some(125), "{run}");
    assert!(run.err().contains("cannot use the state directory"), "{run}");

    // Root trusts no record that a user could have written: it may name any process.
    let theirs = sandbox.path("tmp/onready-65534");
    let mut start = as_nobody(&sandbox, &["-n", "bait", "--"]);
    start.arg(sandbox.path("fixture")).arg("listen");
    Run::new(start).done().expect_code(0);
    std::fs::copy(mine.join("web.state"), theirs.join("bait.state")).expect("copy");
    for verb in ["stop", "restart", "status", "logs"] {
        let run = onready(&sandbox, &[verb, "--state-dir", &theirs.display().to_string(), "bait"]).expect_code(125);
        assert!(run.err().contains("it belongs to another user (uid 65534, and this is uid 0)"), "{verb}: {run}");
    }
    assert!(testbed::alive(pid));
    stop(&sandbox, "web");
    assert_eq!(sandbox.kill_all(), 1);
    end(sandbox);
}

#[test]
fn a_server_that_became_another_user_s_is_told_and_not_waited_for_without_a_word() {
    if !is_root("another user") || !has("setpriv") {
        return;
    }
    let sandbox = shared_sandbox();
    // As sudo(8) does it: a set-user-id program that makes itself root's for good.
    let sudo = sandbox.install(Path::new("/usr/bin/setpriv"), "sudo");
    std::fs::set_permissions(&sudo, PermissionsExt::from_mode(0o4755)).expect("chmod");
    let mut start = as_nobody(&sandbox, &["--json", "-n", "web", "--until", "delay:100ms", "--"]);
    start.arg(&sudo).args(["--reuid=0", "--"]).arg(sandbox.path("fixture")).arg("stay");
    let run = Run::new(start).done().expect_code(0);
    let pid = number(&json(&run)["pid"]);
    assert_eq!(Process::of(pid).expect("the server").uids[1], 0);
    let run = Run::new(as_nobody(&sandbox, &["stop", "--retry", "TERM/200ms", "web"])).done().expect_code(125);
    assert!(run.err().contains("of uid 0, which we may not signal"), "{run}");
    assert_eq!(sandbox.kill_all(), 1);
    end(sandbox);
}

#[test]
fn what_is_planted_in_a_shared_directory_is_not_followed() {
    if !is_root("another user") || !has("setpriv") {
        return;
    }
    let sandbox = shared_sandbox();
    let place = sandbox.path("tmp/onready-65534");
    let refused = |why: &str| {
        let mut start = as_nobody(&sandbox, &["-n", "web", "--"]);
        start.arg(sandbox.path("fixture")).arg("listen");
        let run = Run::new(start).done().expect_code(125);
        assert!(run.err().contains(why) && run.err().contains("onready-65534"), "{run}");
        assert_eq!(servers(&sandbox), NONE);
    };
    // A directory of root's, a link to one that is theirs, one that is theirs and open to all.
    std::fs::create_dir(&place).expect("make");
    refused("it belongs to another user (uid 0");
    std::fs::remove_dir(&place).expect("remove");
    let target = sandbox.path("target");
    std::fs::create_dir(&target).expect("make");
    chown(&target, Some(NOBODY), Some(NOBODY)).expect("chown");
    symlink(&target, &place).expect("a link");
    refused("it is a symbolic link");
    std::fs::remove_file(&place).expect("remove");
    std::fs::rename(&target, &place).expect("rename");
    std::fs::set_permissions(&place, PermissionsExt::from_mode(0o777)).expect("chmod");
    refused("others may write in it (mode 777)");
    assert_eq!(std::fs::read_dir(&place).expect("there").count(), 0);
    end(sandbox);
}

#[test]
fn a_runtime_directory_of_another_user_is_not_taken() {
    if !is_root("another user") {
        return;
    }
    // As after `su` or `sudo -E`: root's own place is taken instead, which is not tried here.
    let sandbox = Sandbox::new();
    chown(sandbox.runtime_dir(), Some(NOBODY), Some(NOBODY)).expect("chown");
    let own = Path::new("/run/onready");
    let before = own.exists();
    onready(&sandbox, &["status", "nobody-is-called-so"]).expect_code(4);
    assert!(!state_path(&sandbox).exists(), "made in another user's directory");
    if !before {
        let _ = std::fs::remove_dir(own);
    }
    sandbox.finish();
}
