//! What the speaking fixture sends must arrive as sd_notify(3) describes it; the other one must not even
//! hold the variable's name.

use std::fs;
use std::time::Duration;
use testbed::{Manager, Run, Running, Sandbox, fixture_path, speaker_path, wait_for_text};

const LIMIT: Duration = Duration::from_secs(10);

fn start<'a>(sandbox: &Sandbox, manager: &Manager, words: impl IntoIterator<Item = &'a str>) -> Running {
    let mut command = sandbox.fixture(words);
    manager.tell(&mut command);
    Run::new(command).start()
}

#[test]
fn only_one_of_the_two_programs_holds_the_name() {
    let holds = |path| {
        let name = b"NOTIFY_SOCKET";
        let bytes = fs::read(path).expect("read the program");
        bytes.windows(name.len()).any(|window| window == name)
    };
    assert!(!holds(fixture_path()));
    assert!(holds(speaker_path()));
}

#[test]
fn messages_come_in_order_from_the_pid_that_sent_them() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("notify"));
    let words = ["notify", "STATUS=a", "20ms", r"READY=1\nMAINPID={pid}", "--", "stay"];
    let running = start(&sandbox, &manager, words);
    let first = manager.next(LIMIT).expect("a message");
    assert_eq!((first.text.as_str(), first.sender), ("STATUS=a", running.pid()));
    let second = manager.next(LIMIT).expect("a message");
    assert_eq!(second.text, format!("READY=1\nMAINPID={}", running.pid()));
    assert!(manager.next(Duration::from_millis(20)).is_none());
}

#[test]
fn an_abstract_socket_is_reached() {
    let sandbox = Sandbox::new();
    let manager = Manager::at_abstract(&sandbox.dir().display().to_string());
    let _running = start(&sandbox, &manager, ["notify", "READY=1"]);
    manager.wait_for("READY=1", LIMIT);
}

#[test]
fn a_barrier_waits_for_its_answer() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("notify"));
    let words = ["notify", "READY=1", "--barrier", "--", "exit", "0"];
    let running = start(&sandbox, &manager, words);
    manager.wait_for("READY=1", LIMIT);
    let barrier = manager.next(LIMIT).expect("a message");
    assert_eq!((barrier.text.as_str(), barrier.fds.len()), ("BARRIER=1", 1));
    assert!(!running.wait_exit(Duration::from_millis(50)), "it waits");
    drop(barrier);
    assert_eq!(running.done().code, Some(0));
}

#[test]
fn a_child_sends_and_is_gone() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("notify"));
    let words = ["notify", "READY=1", "--from-child", "--", "log-line", "child is gone"];
    let running = start(&sandbox, &manager, words);
    running.wait_stdout("child is gone", LIMIT);
    let message = manager.next(LIMIT).expect("a message");
    assert!(message.sender != running.pid() && !testbed::alive(message.sender));
}

#[test]
fn repeated_messages_neither_fail_nor_hang_without_a_receiver() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("notify"));
    let report = sandbox.path("report").display().to_string();
    let words = ["notify", "READY=1", "--lenient", "--repeat-ms", "5", "--report", &report];
    let _running = start(&sandbox, &manager, words);
    manager.wait_for("READY=1", LIMIT);
    drop(manager);
    let text = wait_for_text(&report, "errors=3", LIMIT);
    assert!(text.contains("sent="), "{text}");
}

#[test]
fn nobody_to_notify_is_a_failure_unless_lenient() {
    let sandbox = Sandbox::new();
    let run = Run::new(sandbox.fixture(["notify", "READY=1", "--", "exit", "0"])).done();
    assert_eq!(run.code, Some(70), "{run}");
    let words = ["notify", "READY=1", "--lenient", "--", "exit", "3"];
    assert_eq!(Run::new(sandbox.fixture(words)).done().code, Some(3));
}

#[test]
fn the_silent_program_becomes_the_speaking_one_under_the_same_pid() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("notify"));
    let mut command = sandbox.command(fixture_path());
    command.args(["log-line", "first", "--", "notify", "READY=1", "--", "exit", "4"]);
    manager.tell(&mut command);
    let run = Run::new(command).done();
    assert_eq!((run.code, run.out().as_str()), (Some(4), "first\n"));
    assert_eq!(manager.wait_for("READY=1", LIMIT).sender, run.pid);
    let speaker = Run::new(sandbox.fixture(["speaker", "--", "exit", "5"])).done();
    assert_eq!(speaker.code, Some(5), "{speaker}");
}
