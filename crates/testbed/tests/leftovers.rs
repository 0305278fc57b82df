//! A sandbox must see what is left behind, whatever the process did to hide.

use rustix::fs::{FlockOperation, flock};
use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use testbed::{Run, Sandbox, alive, kill, wait_for_file, wait_gone};

const LIMIT: Duration = Duration::from_secs(10);

/// What `finish` says: the panic's text, or nothing.
fn complaint(sandbox: Sandbox) -> String {
    let outcome = catch_unwind(AssertUnwindSafe(|| sandbox.finish()));
    let Err(panic) = outcome else { return String::new() };
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "no text".into())
}

fn quiet(command: &mut Command) -> Child {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.spawn().expect("start a fixture")
}

fn pid_in(file: &std::path::Path) -> i32 {
    wait_for_file(file, LIMIT).trim().parse().expect("a pid")
}

#[test]
fn a_clean_sandbox_is_silent_and_removed() {
    let sandbox = Sandbox::new();
    let dir = sandbox.dir().to_owned();
    let run = sandbox.run("sh", ["-c", "echo $HOME; pwd"]).expect_code(0);
    assert_eq!(run.out(), format!("{0}/home\n{0}/work\n", dir.display()));
    fs::write(sandbox.path("note"), "the test's own file").expect("write");
    assert_eq!(complaint(sandbox), "");
    assert!(!dir.exists());
}

#[test]
fn a_process_that_is_left_is_named_and_killed() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("pid");
    let words = ["daemonize", "--pid-file", file.to_str().expect("UTF-8"), "--", "stay"];
    Run::new(sandbox.fixture(words)).done().expect_code(0).expect_free();
    let pid = pid_in(&file);
    assert!(alive(pid));
    assert_eq!(sandbox.processes().len(), 1);
    let text = complaint(sandbox);
    assert!(text.contains(&format!("process {pid}: ")) && text.contains("stay"), "{text}");
    assert!(wait_gone(pid, Duration::ZERO), "it was killed");
}

#[test]
fn a_process_without_the_tag_is_found_by_what_it_holds() {
    let sandbox = Sandbox::new();
    let log = fs::File::create(sandbox.state_dir().join("log")).expect("create");
    sandbox.allow("state/log");
    let mut child = Command::new(testbed::fixture_path());
    let mut child = child.env_clear().arg("stay").stdout(log).spawn().expect("start");
    let pid = child.id();
    // It holds the log from its exec on; spawn returns after that.
    let text = complaint(sandbox);
    assert!(text.contains(&format!("process {pid}: ")), "{text}");
    child.wait().expect("wait");
}

#[test]
fn a_process_that_ignores_everything_is_killed_too() {
    let sandbox = Sandbox::new();
    let mut child = quiet(&mut sandbox.fixture(["ignore", "TERM,HUP,INT", "--", "stop-self"]));
    assert!(complaint(sandbox).contains("stop-self"));
    child.wait().expect("wait");
}

#[test]
fn a_zombie_is_not_left_behind() {
    let sandbox = Sandbox::new();
    let mut child = quiet(&mut sandbox.fixture(["exit", "0"]));
    assert!(wait_gone(child.id().try_into().expect("a pid"), LIMIT));
    assert_eq!(complaint(sandbox), "");
    child.wait().expect("wait");
}

#[test]
fn a_process_that_was_just_killed_is_not_left_behind() {
    let sandbox = Sandbox::new();
    let mut child = quiet(&mut sandbox.fixture(["stay"]));
    assert!(kill(child.id().try_into().expect("a pid")));
    assert_eq!(complaint(sandbox), "");
    child.wait().expect("wait");
}

#[test]
fn a_file_that_is_left_is_named_unless_it_is_allowed() {
    let sandbox = Sandbox::new();
    let write = |path: &str| {
        let path = sandbox.dir().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("create");
        fs::write(path, "").expect("write");
    };
    write("run/onready/web.lock");
    write("run/onready/web.json");
    write("state/onready/web/log");
    write("tmp/core");
    sandbox.allow("run/onready/*.lock").allow("state/**");
    assert_eq!(sandbox.files(), ["run/onready/web.json", "tmp/core"]);
    let text = complaint(sandbox);
    assert!(text.contains("file run/onready/web.json\n  file tmp/core"), "{text}");
}

#[test]
fn kill_all_ends_a_server_that_was_to_stay() {
    let sandbox = Sandbox::new();
    let words = ["child", "--count", "3", "--setsid", "--leave", "0", "--null", "--", "stay"];
    Run::new(sandbox.fixture(words)).done().expect_code(0);
    assert_eq!(sandbox.kill_all(), 3);
    assert_eq!(sandbox.processes(), []);
    sandbox.finish();
}

#[test]
fn what_is_on_its_way_out_without_memory_still_holds_its_locks() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("lock");
    let lock = fs::File::create(&path).expect("create");
    flock(&lock, FlockOperation::LockExclusive).expect("lock");
    // It holds some 200 MB when it has read them, which it has to give back before its files.
    let mut command = sandbox.command("tail");
    let mut child = command.args(["-c", "200M"]).stdin(Stdio::piped()).stderr(lock).spawn().expect("start tail");
    // Or we would hold the lock as well.
    drop(command);
    let pid = i32::try_from(child.id()).expect("a pid");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(&vec![0; 200 << 20]).expect("write");
    assert!(sandbox.processes().iter().any(|(found, _)| *found == pid), "it lives");
    kill(pid);
    while fs::read_link(format!("/proc/{pid}/exe")).is_ok() {
        std::thread::yield_now();
    }
    assert!(sandbox.wait_empty(LIMIT));
    let file = fs::File::open(&path).expect("open");
    flock(&file, FlockOperation::NonBlockingLockExclusive).expect("nobody holds it any more");
    child.wait().expect("wait");
    sandbox.finish();
}

#[test]
fn a_failing_test_keeps_its_own_message() {
    let outcome = catch_unwind(|| {
        let sandbox = Sandbox::new();
        fs::write(sandbox.temp_dir().join("left"), "").expect("write");
        panic!("the reason");
    });
    let panic = outcome.expect_err("it panics");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the reason"));
}
