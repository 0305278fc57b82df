//! `onready wait`: nothing is started.

use crate::common::*;
use std::time::Duration;

fn wait(sandbox: &Sandbox, words: &[&str]) -> Run {
    Run::new(onready(sandbox, &[&["wait", "--json"], words].concat()))
}

#[test]
fn whoever_answers_will_do() {
    let sandbox = Sandbox::new();
    let (port, socket) = (testbed::free_port().to_string(), path(&sandbox, "socket"));
    let untils = [
        format!("tcp:{port}"),
        format!("tcp:localhost:{port}"),
        format!("http:http://localhost:{port}/"),
        "unix:socket".into(),
        "file:socket".into(),
        "exec:test -e socket".into(),
    ];
    let runs: Vec<_> = untils.iter().map(|until| wait(&sandbox, &["--until", until]).start()).collect();
    for run in &runs {
        assert!(!run.wait_exit(Duration::from_millis(20)), "too early: {:?}", run.so_far(Stream::Stdout));
    }
    let words = ["listen", "--port", &port, "--http", "--background", "--", "listen", "--unix", &socket, "--announce"];
    let server = Run::new(sandbox.fixture(words)).start();
    for (run, until) in runs.into_iter().zip(&untils) {
        let run = check(run.done()).expect_code(0);
        let outcome = json(&run);
        assert_eq!((&outcome["outcome"], &outcome["ready_by"]), (&"ready".into(), &until.as_str().into()), "{run}");
        assert_eq!((&outcome["pid"], &outcome["name"]), (&Value::Null, &"".into()), "{run}");
    }
    drop(server);
    sandbox.finish();
}

#[test]
fn a_delay_is_a_delay() {
    let sandbox = Sandbox::new();
    let run = check(wait(&sandbox, &["--until", "delay:200ms"]).done()).expect_code(0);
    assert!(elapsed(&json(&run)) >= Duration::from_millis(200), "{run}");
    sandbox.finish();
}

#[test]
fn not_in_time() {
    let sandbox = Sandbox::new();
    let words = ["--until", "file:never", "--until", "exec:false", "--until", "delay:1ms", "-t", "300ms"];
    let run = check(wait(&sandbox, &words).done()).expect_code(124);
    assert_eq!(json(&run)["outcome"], "timed out");
    let said = "onready: not ready within 300 ms; waited for file:never and exec:false; `false` exited with code 1 the last time\n";
    assert_eq!(run.err(), said);
    sandbox.finish();
}

#[test]
fn any_is_enough() {
    let sandbox = Sandbox::new();
    let run = check(wait(&sandbox, &["--any", "--until", "file:never", "--until", "exec:true"]).done()).expect_code(0);
    assert_eq!(json(&run)["ready_by"], "exec:true");
    sandbox.finish();
}

#[test]
fn interrupted() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let sandbox = Sandbox::new();
        let began = path(&sandbox, "began");
        let run = wait(&sandbox, &["--until", &format!("exec:touch {began}; false")]).start();
        testbed::wait_for_path(&began, LONG);
        run.signal(signal);
        let run = check(run.done()).expect_code(code);
        assert_eq!(json(&run)["outcome"], "interrupted", "{run}");
        sandbox.finish();
    }
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    let sandbox = Sandbox::new();
    for (until, part) in [
        ("auto", "NAME"),
        ("listen", "NAME"),
        ("log:x", "NAME"),
        ("notify", "starts"),
        ("fd:3", "starts"),
        ("exit", "starts"),
    ] {
        let run = wait(&sandbox, &["--until", until]).done().expect_code(2);
        assert!(run.err().contains(part), "{until}: {run}");
    }
    for until in ["notify", "fd:3", "exit"] {
        wait(&sandbox, &["--until", until, "web"]).done().expect_code(2);
    }
    wait(&sandbox, &[]).done().expect_code(2);
    sandbox.finish();
}

#[test]
fn a_named_server() {
    let sandbox = Sandbox::new();
    let port = testbed::free_port().to_string();
    let server = ["log-line", "begun", "--", "child", "--setsid", "--", "listen", "--port", &port, "--http"];
    let outcome = ready(&sandbox, &["-n", "web"], &server);
    for until in ["auto", "listen", "log:begun", &format!("tcp:{port}"), &format!("http:http://127.0.0.1:{port}/")] {
        let run = check(wait(&sandbox, &["--until", until, "web", "-t", "5s"]).done()).expect_code(0);
        let now = json(&run);
        for key in ["pid", "name", "stdout", "stderr", "listening"] {
            assert_eq!(now[key], outcome[key], "{until}, {key}: {run}");
        }
        // `auto` is told by the sign that its starter has seen.
        let seen = if until == "auto" { "listen" } else { until };
        assert_eq!(now["ready_by"], seen, "{run}");
    }
    end(sandbox);
}

#[test]
fn a_stranger_is_not_the_named_server() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web", "--until", "delay:1ms"], &["stay"]);
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let until = format!("tcp:{}", stranger.local_addr().expect("its address").port());
    let run = check(wait(&sandbox, &["--until", &until, "web"]).done()).expect_code(125);
    assert!(run.err().contains(&format!("(pid {})", std::process::id())), "{run}");
    end(sandbox);
}

#[test]
fn a_start_in_progress_is_waited_for() {
    let sandbox = Sandbox::new();
    let begin = |server: &[&str]| {
        let run = Run::new(start_command(&sandbox, &["-n", "db"], server)).start();
        run.wait_stdout("begun", LONG);
        run
    };
    let starter = begin(&["log-line", "begun", "500ms", "--", "listen"]);
    let run = check(wait(&sandbox, &["--until", "auto", "db"]).done()).expect_code(0);
    assert!(run.exited_at >= Duration::from_millis(200), "{run}");
    starter.done().expect_code(0);
    sandbox.kill_all();
    let starter = begin(&["log-line", "begun", "500ms", "--", "exit", "3"]);
    let run = check(wait(&sandbox, &["--until", "auto", "db"]).done()).expect_code(3);
    assert!(run.err().contains("its start failed: it exited with code 3"), "{run}");
    starter.done().expect_code(3);
    end(sandbox);
}

#[test]
fn a_start_that_goes_into_the_background_is_waited_for() {
    let sandbox = Sandbox::new();
    let server = ["log-line", "begun", "200ms", "--", "daemonize", "--", "listen", "--after-ms", "200"];
    let starter = Run::new(start_command(&sandbox, &["-n", "db"], &server)).start();
    starter.wait_stdout("begun", LONG);
    check(wait(&sandbox, &["--until", "auto", "--until", "listen", "db"]).done()).expect_code(0);
    starter.done().expect_code(0);
    end(sandbox);
}

#[test]
fn a_server_that_ends_is_not_waited_for() {
    let sandbox = Sandbox::new();
    let outcome = ready(&sandbox, &["-n", "web", "--until", "delay:1ms"], &["stay"]);
    let run = wait(&sandbox, &["--until", "listen", "web"]).start();
    assert!(!run.wait_exit(Duration::from_millis(50)));
    testbed::kill(pid(&outcome));
    let run = check(run.done()).expect_code(125);
    assert!(run.err().contains("onready: web: it has ended"), "{run}");
    // And at once if it has ended before.
    let run = check(wait(&sandbox, &["--until", "listen", "web"]).done()).expect_code(125);
    assert!(run.exited_at < AT_ONCE, "{run}");
    end(sandbox);
}

#[test]
fn an_unknown_name() {
    let sandbox = Sandbox::new();
    let run = check(wait(&sandbox, &["--until", "listen", "nobody"]).done()).expect_code(4);
    assert!(run.err().contains("nobody"), "{run}");
    sandbox.finish();
}

/// From the moment on when somebody is at work on the name, though nothing is on record yet.
#[test]
fn a_start_that_has_just_begun_is_waited_for() {
    for _ in testbed::rounds() {
        let sandbox = Sandbox::new();
        let starter = Run::new(start_command(&sandbox, &["-n", "db"], &["listen", "--after-ms", "60"])).start();
        testbed::wait_for_path(sandbox.runtime_dir().join("onready/db.lock"), LONG);
        let run = check(wait(&sandbox, &["--until", "auto", "--until", "listen", "db"]).done());
        // In the moment between the lock's making and its being held, there is no such server yet.
        assert!(matches!(run.code, Some(0 | 4)), "{run}");
        starter.done().expect_code(0);
        end(sandbox);
    }
}
