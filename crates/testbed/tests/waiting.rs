//! What waits must see what happens, and must not say so when nothing did.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use testbed::{Run, Sandbox, wait_for_file, wait_for_path, wait_for_text, wait_gone};

const LIMIT: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(60);

#[test]
fn a_file_is_seen_even_in_a_directory_that_comes_later() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("a/b/file");
    let script = "sleep 0.03; mkdir a; sleep 0.03; mkdir a/b; sleep 0.03; : > a/b/file; sleep 0.03; echo x >> a/b/file";
    let mut command = sandbox.command("sh");
    command.args(["-c", script]);
    let running = Run::new(command).start();
    wait_for_path(&path, LIMIT);
    assert_eq!(wait_for_file(&path, LIMIT), "x\n");
    running.done().expect_code(0);
}

#[test]
fn what_does_not_come_is_not_seen() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("file");
    let missing = catch_unwind(|| wait_for_path(&path, SHORT)).expect_err("it is not there");
    let text = missing.downcast_ref::<String>().expect("text");
    assert!(text.contains("file: did not appear within"), "{text}");
    fs::write(&path, "").expect("write");
    wait_for_path(&path, Duration::ZERO);
    catch_unwind(|| wait_for_file(&path, SHORT)).expect_err("it is empty");
    fs::write(&path, "one\n").expect("write");
    let other = catch_unwind(|| wait_for_text(&path, "two", SHORT)).expect_err("another text");
    assert!(other.downcast_ref::<String>().expect("text").contains("one"));
    assert_eq!(wait_for_text(&path, "one", SHORT), "one\n");
}

#[test]
fn a_living_process_is_not_gone() {
    let sandbox = Sandbox::new();
    let running = Run::new(sandbox.fixture(["stay"])).start();
    let begun = Instant::now();
    assert!(!wait_gone(running.pid(), SHORT));
    assert!(begun.elapsed() >= SHORT);
    assert!(!sandbox.wait_empty(SHORT));
    running.signal("KILL");
    assert!(wait_gone(running.pid(), LIMIT) && sandbox.wait_empty(LIMIT));
    assert_eq!(running.done().signal, Some(9));
}

#[test]
fn a_group_is_signalled_only_if_it_is_the_commands_own() {
    let sandbox = Sandbox::new();
    let words = || sandbox.fixture(["child", "--", "log-line", "up", "--", "stay"]);
    let running = Run::new(words()).start();
    running.wait_stdout("up", LIMIT);
    assert!(running.signal_group("INT"));
    assert!(running.done().eof, "parent and child are both gone");
    let shared = Run::new(words()).shared_group().start();
    shared.wait_stdout("up", LIMIT);
    catch_unwind(AssertUnwindSafe(|| shared.signal_group("INT"))).expect_err("it is ours");
    drop(shared);
    sandbox.kill_all();
}
