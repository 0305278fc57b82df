//! Each exit code of the manual, and the keys that tell the same.

use crate::common::*;

/// A failed start with `--json`: outcome, `exit_code`, `signal`.
#[track_caller]
fn fails(options: &[&str], server: &[&str], code: i32, keys: (&str, Value, Value)) {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &[&["--json"], options].concat(), server).expect_code(code);
    let outcome = json(&run);
    assert_eq!(
        (&outcome["outcome"], &outcome["exit_code"], &outcome["signal"]),
        (&keys.0.into(), &keys.1, &keys.2),
        "{run}"
    );
    assert!(outcome["error"].is_string() && outcome["ready_by"].is_null(), "{run}");
    assert!(outcome["pid"].is_number(), "{run}");
    // The logs of an unnamed start that failed are gone with it.
    assert!(outcome["stdout"].is_null() && outcome["stderr"].is_null(), "{run}");
    sandbox.finish();
}

#[test]
fn success() {
    let sandbox = Sandbox::new();
    let outcome = ready(&sandbox, &[], &["listen"]);
    for key in ["exit_code", "signal", "error", "status"] {
        assert_eq!(outcome[key], Value::Null, "{key}");
    }
    assert_eq!(outcome["name"], "fixture");
    assert!(outcome["stdout"].as_str().expect("a path").ends_with("/fixture/stdout.log"));
    assert!(outcome["stderr"].as_str().expect("a path").ends_with("/fixture/stderr.log"));
    end(sandbox);
}

#[test]
fn the_servers_own_code() {
    for code in [1, 2, 69, 99, 125, 126, 127, 143, 255] {
        fails(&[], &["exit", &code.to_string()], code, ("exited", code.into(), Value::Null));
    }
}

#[test]
fn its_0_before_it_was_ready() {
    fails(&[], &["exit", "0"], 125, ("exited", 0.into(), Value::Null));
}

#[test]
fn a_signal() {
    for (name, number) in [("KILL", 9), ("TERM", 15), ("SEGV", 11), ("ABRT", 6), ("HUP", 1)] {
        fails(&[], &["die", name], 128 + number, ("exited", Value::Null, number.into()));
    }
}

#[test]
fn not_in_time() {
    fails(&["-t", "200ms"], &["stay"], 124, ("timed out", Value::Null, Value::Null));
}

#[test]
fn interrupted() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let sandbox = Sandbox::new();
        let server = ["child", "--setsid", "--", "log-line", "--stderr", "begun", "--", "stay"];
        let run = Run::new(start_command(&sandbox, &["--json"], &server)).start();
        run.wait_stderr("begun", LONG);
        run.signal(signal);
        let run = check(run.done()).expect_code(code);
        assert_eq!(json(&run)["outcome"], "interrupted", "{run}");
        let said = format!("onready: fixture: interrupted by SIG{signal}; it was stopped\n");
        assert!(run.err().ends_with(&said), "{run}");
        assert!(run.exited_at < AT_ONCE, "{run}");
        sandbox.finish();
    }
}

#[test]
fn a_second_interrupt_kills_who_ignores_the_first() {
    let sandbox = Sandbox::new();
    let server = ["on-term", "--times", "9", "--say", "not yet", "--", "log-line", "begun", "--", "stay"];
    let run = Run::new(start_command(&sandbox, &[], &server)).start();
    run.wait_stdout("begun", LONG);
    run.signal("INT");
    run.wait_stdout("not yet", LONG);
    run.signal("INT");
    let run = check(run.done()).expect_code(130);
    assert_eq!(run.out().matches("not yet").count(), 1, "{run}");
    sandbox.finish();
}

#[test]
fn ours_alone_is_killed() {
    for server in
        [&["log-line", "begun", "--", "stay"][..], &["log-line", "begun", "--", "child", "--", "ignore", "TERM"]]
    {
        let sandbox = Sandbox::new();
        let run = Run::new(start_command(&sandbox, &["-n", "x"], server)).start();
        run.wait_stdout("begun", LONG);
        run.signal("KILL");
        assert_eq!(run.done().signal, Some(9));
        assert!(sandbox.wait_empty(LONG), "{:?}", sandbox.processes());
        end(sandbox);
    }
}

#[test]
fn ours_alone_is_killed_and_the_server_had_gone_into_the_background() {
    let sandbox = Sandbox::new();
    let file = path(&sandbox, "up");
    let server = ["daemonize", "--", "pid-file", &file, "--", "stay"];
    let run =
        Run::new(start_command(&sandbox, &["-n", "x", "--until", "exit", "--until", "file:never"], &server)).start();
    testbed::wait_for_path(&file, LONG);
    // It is followed as soon as its parent has ended: when the one that is on record is the daemon.
    let followed = |sandbox: &Sandbox| sandbox.processes().len() == 2;
    while !followed(&sandbox) {
        std::thread::yield_now();
    }
    assert!(!run.wait_exit(std::time::Duration::from_millis(100)));
    run.signal("KILL");
    assert_eq!(run.done().signal, Some(9));
    assert!(sandbox.wait_empty(LONG), "{:?}", sandbox.processes());
    end(sandbox);
}

#[test]
fn already_running() {
    let sandbox = Sandbox::new();
    let first = ready(&sandbox, &["-n", "web"], &["listen"]);
    let again = ready(&sandbox, &["-n", "web"], &["listen"]);
    assert_eq!((&again["pid"], &again["listening"]), (&first["pid"], &first["listening"]));
    let run = start(&sandbox, &["-n", "web", "--fail-if-running", "--json"], &["listen"]).expect_code(69);
    assert_eq!(json(&run)["outcome"], "already running", "{run}");
    assert_eq!(json(&run)["pid"], first["pid"], "{run}");
    let run = start(&sandbox, &["-n", "web", "--json"], &["listen", "--http"]).expect_code(69);
    assert!(run.err().contains("listen --http"), "both are shown: {run}");
    let (pid_file, other) = (path(&sandbox, "pid"), ["listen"]);
    ready(&sandbox, &["--pid-file", &pid_file], &other);
    let run = start(&sandbox, &["--pid-file", &pid_file, "--json"], &other).expect_code(69);
    assert_eq!(json(&run)["outcome"], "already running", "{run}");
    assert!(run.err().contains(&pid_file), "{run}");
    end(sandbox);
}
