//! One verb after the other.

use crate::*;
use onready::verbs::state::{State, StateDir};

#[test]
fn from_start_to_stop() {
    let sandbox = Sandbox::new();
    assert_eq!(status(&sandbox), (4, serde_json::json!({ "name": "verbs", "state": "unknown" })));
    let started = run(&sandbox, &START).expect_code(0);
    assert!(started.out().starts_with("listening on 127.0.0.1:"), "{started}");
    assert_eq!(started.err(), "");
    let (code, seen) = status(&sandbox);
    assert_eq!((code, &seen["state"], &seen["ready_by"]), (0, &"ready".into(), &"notify".into()));
    assert_eq!(servers(&sandbox), [number(&seen["pid"])]);
    assert_eq!(seen["command"][1], "start");

    // What the program `onready` sees as well.
    let dir = StateDir::open(Some(&sandbox.runtime_dir().join("onready"))).expect("the state");
    let record = dir.read("verbs").expect("readable").expect("on record");
    assert_eq!(dir.state(&record), State::Ready);

    let logs = run(&sandbox, &["logs"]).expect_code(0);
    assert_eq!(logs.out(), started.out());
    assert!(logs.err().starts_with("verbs: verbs, started 2"), "{logs}");
    let stopped = run(&sandbox, &["stop"]).expect_code(0);
    assert!(stopped.err().starts_with("verbs: verbs is stopped (pid "), "{stopped}");
    assert_eq!(status(&sandbox).0, 3);
    assert_eq!(run(&sandbox, &["stop"]).expect_code(0).err(), "verbs: verbs was not running\n");
    end(sandbox);
}

#[test]
fn a_second_start_is_success_with_the_same_words_and_69_with_others() {
    let sandbox = Sandbox::new();
    run(&sandbox, &START).expect_code(0);
    let pid = number(&status(&sandbox).1["pid"]);
    let again = run(&sandbox, &START).expect_code(0);
    assert_eq!((again.out(), again.err()), (String::new(), String::new()));
    let other = run(&sandbox, &["start", "--listen", "127.0.0.1:1"]).expect_code(69);
    assert!(other.err().contains("start --listen 127.0.0.1:0\n"), "{other}");
    assert!(other.err().contains("start --listen 127.0.0.1:1\n"), "{other}");
    let words = [&START[..], &["--fail-if-running"]].concat();
    run(&sandbox, &words).expect_code(69);
    assert_eq!(servers(&sandbox), [pid]);
    // Under another name it is another one.
    run(&sandbox, &[&START[..], &["--name", "second"]].concat()).expect_code(0);
    assert_eq!(servers(&sandbox).len(), 2);
    run(&sandbox, &["stop", "--name", "second"]).expect_code(0);
    assert_eq!(servers(&sandbox), [pid]);
    run(&sandbox, &["stop"]).expect_code(0);
    end(sandbox);
}

#[test]
fn a_restart_has_the_same_words_environment_and_directory() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("here")).expect("make");
    let mut first = command(&sandbox, &START);
    first.env("COLOUR", "dark blue").current_dir(sandbox.path("here"));
    Run::new(first).done().expect_code(0);
    let old = status(&sandbox).1;
    let mut again = command(&sandbox, &["restart"]);
    again.env("COLOUR", "red");
    let restarted = Run::new(again).done().expect_free().expect_code(0);
    assert!(restarted.out().starts_with("listening on "), "{restarted}");
    let new = status(&sandbox).1;
    assert_ne!(new["pid"], old["pid"]);
    assert_eq!((&new["command"], &new["directory"]), (&old["command"], &old["directory"]));
    let server = testbed::Process::of(number(&new["pid"])).expect("it runs");
    assert_eq!(server.environ.get("COLOUR").map(String::as_str), Some("dark blue"));
    run(&sandbox, &["stop"]).expect_code(0);
    run(&sandbox, &["restart"]).expect_code(0);
    run(&sandbox, &["stop"]).expect_code(0);
    assert_eq!(
        run(&sandbox, &["restart", "--name", "nobody"]).expect_code(4).err(),
        "verbs: no server is called nobody\n"
    );
    end(sandbox);
}

#[test]
fn a_start_that_fails_has_the_server_s_code_and_message() {
    let sandbox = Sandbox::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = taken.local_addr().expect("an address").to_string();
    let failed = run(&sandbox, &["start", "--listen", &address]).expect_code(1);
    assert!(failed.err().contains("AddrInUse"), "{failed}");
    assert!(failed.err().contains("verbs: the server exited with code 1 before it was ready"), "{failed}");
    let (code, seen) = status(&sandbox);
    assert_eq!((code, &seen["state"], &seen["exit_code"]), (3, &"failed".into(), &1.into()));
    // The log has what the caller has seen.
    assert!(run(&sandbox, &["logs"]).expect_code(0).out().contains("AddrInUse"));
    drop(taken);
    run(&sandbox, &["start", "--listen", &address]).expect_code(0);
    run(&sandbox, &["stop"]).expect_code(0);
    end(sandbox);
}

#[test]
fn the_json_of_a_start_is_that_of_the_program() {
    let sandbox = Sandbox::new();
    let keys = [
        "elapsed_ms",
        "error",
        "exit_code",
        "listening",
        "name",
        "outcome",
        "pid",
        "ready_by",
        "signal",
        "status",
        "stderr",
        "stdout",
    ];
    let words = [&START[..], &["--json"]].concat();
    for _ in 0..2 {
        let started = run(&sandbox, &words).expect_code(0);
        let outcome = json(&started);
        assert_eq!(outcome.as_object().expect("an object").keys().collect::<Vec<_>>(), keys);
        assert_eq!((&outcome["outcome"], &outcome["name"]), (&"ready".into(), &"verbs".into()));
        assert_eq!(servers(&sandbox), [number(&outcome["pid"])]);
        assert!(sandbox.state_dir().join("onready/verbs/stdout.log").to_str() == outcome["stdout"].as_str());
    }
    let stopped = json(&run(&sandbox, &["stop", "--json"]).expect_code(0));
    assert_eq!(stopped["outcome"], "stopped");
    let first = run(&sandbox, &words).expect_code(0);
    assert!(first.err().starts_with("listening on "), "what the server prints goes to stderr: {first}");
    run(&sandbox, &["stop"]).expect_code(0);

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = taken.local_addr().expect("an address").to_string();
    let failed = json(&run(&sandbox, &["start", "--json", "--listen", &address]).expect_code(1));
    assert_eq!((&failed["outcome"], &failed["exit_code"]), (&"exited".into(), &1.into()));
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("code 1")), "{failed}");
    end(sandbox);
}

#[test]
fn daemonize_and_the_foreground_are_as_before_and_on_no_record() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["--daemonize", "--listen", "127.0.0.1:0"]).expect_code(0);
    let foreground = Run::new(command(&sandbox, &["--listen", "127.0.0.1:0"])).start();
    foreground.wait_stdout("listening on ", LONG);
    assert_eq!(status(&sandbox).0, 4);
    foreground.signal("TERM");
    foreground.done();
    assert_eq!(sandbox.kill_all(), 1);
    sandbox.finish();
}

#[test]
fn a_state_directory_of_one_s_own_is_used_by_all_verbs() {
    let sandbox = Sandbox::new();
    let dir = sandbox.path("mine");
    let with = |words: &[&str]| run(&sandbox, &[words, &["--state-dir", dir.to_str().expect("UTF-8")]].concat());
    with(&START).expect_code(0);
    assert_eq!(status(&sandbox).0, 4);
    with(&["status"]).expect_code(0);
    with(&["restart"]).expect_code(0);
    assert_eq!(with(&["logs"]).expect_code(0).out().lines().count(), 2);
    with(&["stop"]).expect_code(0);
    sandbox.finish();
}

#[test]
fn usage_errors_are_clap_s() {
    let sandbox = Sandbox::new();
    let wrong = run(&sandbox, &["stop", "--retry", "TERM/KILL"]).expect_code(2);
    assert!(wrong.err().contains("TERM/10s/KILL/5s"), "{wrong}");
    assert!(run(&sandbox, &["--help"]).expect_code(0).out().contains("--daemonize"));
    sandbox.finish();
}
