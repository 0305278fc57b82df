//! One way to be ready after the other: it becomes true, not too early, and a server that dies first gives its code.

use crate::common::*;
use std::time::Duration;

/// How long the servers here take.
const INIT: &str = "150ms";
const TIME: Duration = Duration::from_millis(150);

/// The server gives the sign after a while, and is ready by it then.
#[track_caller]
fn comes_true(sandbox: &Sandbox, until: &str, server: &[&str]) -> Value {
    let server = [&["log-line", "begun", INIT, "--"], server].concat();
    let outcome = ready(sandbox, &["--until", until], &server);
    assert_eq!(outcome["ready_by"], until, "{outcome}");
    assert!(elapsed(&outcome) >= TIME, "too early: {outcome}");
    sandbox.kill_all();
    outcome
}

/// A server that ends first: its code, its words, nothing left (not even a record: it had no name).
#[track_caller]
fn death_comes_first(until: &str) {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--until", until, "--json"], &["exit", "7", "--after-ms", "50", "--stderr", "boom"]);
    let run = run.expect_code(7);
    let outcome = json(&run);
    assert_eq!((&outcome["outcome"], &outcome["exit_code"]), (&"exited".into(), &7.into()), "{run}");
    assert!(run.err().starts_with("boom\nonready: fixture: it exited with code 7 before it was ready"), "{run}");
    sandbox.finish();
}

#[test]
fn notify() {
    let sandbox = Sandbox::new();
    comes_true(&sandbox, "notify", &["notify", "READY=1"]);
    end(sandbox);
    death_comes_first("notify");
}

#[test]
fn listen_on_tcp_and_unix_sockets() {
    let sandbox = Sandbox::new();
    let outcome = comes_true(&sandbox, "listen", &["listen"]);
    assert_eq!(outcome["listening"].as_array().map(Vec::len), Some(1), "{outcome}");
    comes_true(&sandbox, "listen", &["listen", "--host", "::1"]);
    let socket = path(&sandbox, "socket");
    let outcome = comes_true(&sandbox, "listen", &["listen", "--unix", &socket]);
    assert_eq!(outcome["listening"][0], format!("unix:{socket}"));
    let name = format!("onready-test-{}", std::process::id());
    let outcome = comes_true(&sandbox, "listen", &["listen", "--abstract", &name]);
    assert_eq!(outcome["listening"][0], format!("unix:@{name}"));
    end(sandbox);
    death_comes_first("listen");
}

#[test]
fn listen_is_not_bound_and_not_a_datagram_socket() {
    for flag in ["--not-listening", "--datagram"] {
        let sandbox = Sandbox::new();
        let run = start(&sandbox, &["--until", "listen", "-t", "400ms"], &["listen", flag]).expect_code(124);
        assert!(run.err().contains("it never listened"), "{run}");
        sandbox.finish();
    }
}

#[test]
fn a_line_on_a_descriptor() {
    let sandbox = Sandbox::new();
    comes_true(&sandbox, "fd:3", &["fd-line", "--fd", "3", "--", "stay"]);
    comes_true(&sandbox, "fd:9", &["fd-line", "--fd", "9", "--split-ms", "20", "--text", "up", "--", "stay"]);
    comes_true(&sandbox, "fd:1023", &["fd-line", "--fd", "1023", "--keep-open", "--", "stay"]);
    end(sandbox);
    death_comes_first("fd:3");
}

#[test]
fn a_descriptor_that_is_closed_without_a_line_is_no_sign() {
    for flag in ["--no-line", "--no-newline"] {
        let sandbox = Sandbox::new();
        let server = ["fd-line", "--fd", "3", "--text", "x", flag, "--", "stay"];
        start(&sandbox, &["--until", "fd:3", "-t", "300ms"], &server).expect_code(124);
        sandbox.finish();
    }
}

#[test]
fn tcp_with_and_without_a_host() {
    let sandbox = Sandbox::new();
    for (host, listens_on) in [
        ("", "127.0.0.1"),
        ("127.0.0.1:", "127.0.0.1"),
        ("127.0.0.1:", "0.0.0.0"),
        ("localhost:", "127.0.0.1"),
        ("[::1]:", "::1"),
        ("", "::"),
        ("[::1]:", "::"),
    ] {
        let port = testbed::free_port().to_string();
        let until = format!("tcp:{host}{port}");
        comes_true(&sandbox, &until, &["listen", "--host", listens_on, "--port", &port]);
    }
    end(sandbox);
    death_comes_first("tcp:1");
}

#[test]
fn a_unix_socket() {
    let sandbox = Sandbox::new();
    let socket = path(&sandbox, "socket");
    comes_true(&sandbox, &format!("unix:{socket}"), &["listen", "--unix", &socket]);
    std::fs::remove_file(&socket).expect("the socket was there");
    // A relative path is the caller's, wherever the server is.
    comes_true(&sandbox, "unix:socket", &["session", "--chdir", "/", "--", "listen", "--unix", &socket]);
    end(sandbox);
    death_comes_first("unix:socket");
}

#[test]
fn a_stale_unix_socket_is_not_in_the_way() {
    let sandbox = Sandbox::new();
    let socket = path(&sandbox, "socket");
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("bind"));
    let run = start(&sandbox, &["--until", "unix:socket", "-t", "300ms"], &["stay"]).expect_code(124);
    assert!(run.err().contains("it never listened"), "{run}");
    sandbox.finish();
}

#[test]
fn an_answer_over_http() {
    let sandbox = Sandbox::new();
    let url = || format!("http://127.0.0.1:{}", testbed::free_port());
    let port = |url: &str| url.rsplit_once(':').expect("a port").1.to_owned();
    let plain = url();
    comes_true(&sandbox, &format!("http:{plain}/x"), &["listen", "--port", &port(&plain), "--http"]);
    let late = url();
    let server = ["listen", "--port", &port(&late), "--http", "--code", "503", "--code", "500", "--code", "302"];
    comes_true(&sandbox, &format!("http:{late}"), &server);
    let wanted = url();
    let server = ["listen", "--port", &port(&wanted), "--http", "--code", "200", "--code", "404"];
    comes_true(&sandbox, &format!("http:{wanted}/gone=404"), &server);
    end(sandbox);
    death_comes_first("http:http://127.0.0.1:1/");
}

#[test]
fn a_wrong_answer_is_told_when_the_time_is_over() {
    let sandbox = Sandbox::new();
    let port = testbed::free_port().to_string();
    let until = format!("http:http://127.0.0.1:{port}/");
    let server = ["listen", "--port", &port, "--http", "--code", "503"];
    let run = start(&sandbox, &["--until", &until, "-t", "500ms"], &server).expect_code(124);
    assert!(run.err().contains("answered \"HTTP/1.1 503 Fixture\""), "{run}");
    sandbox.finish();
}

#[test]
fn who_accepts_and_never_answers_over_http_is_not_ready() {
    let sandbox = Sandbox::new();
    let port = testbed::free_port().to_string();
    let until = format!("http:http://127.0.0.1:{port}/");
    let server = ["listen", "--port", &port, "--http", "--accept-after-ms", "60000"];
    start(&sandbox, &["--until", &until, "-t", "400ms"], &server).expect_code(124);
    sandbox.finish();
}

#[test]
fn a_file_that_appears() {
    let sandbox = Sandbox::new();
    let file = path(&sandbox, "pid");
    comes_true(&sandbox, &format!("file:{file}"), &["pid-file", &file]);
    end(sandbox);
    death_comes_first("file:pid");
}

#[test]
fn a_file_that_was_there_must_be_renewed() {
    let sandbox = Sandbox::new();
    let file = path(&sandbox, "pid");
    std::fs::write(&file, "old").expect("an old file");
    start(&sandbox, &["--until", "file:pid", "-t", "300ms"], &["stay"]).expect_code(124);
    comes_true(&sandbox, "file:pid", &["pid-file", &file]);
    end(sandbox);
}

#[test]
fn a_file_in_a_folder_that_the_server_makes() {
    let sandbox = Sandbox::new();
    let shell = "sleep 0.1; mkdir -p a/b; echo x >a/b/c; exec sleep 60";
    let run = check(Run::new(onready(&sandbox, &["--until", "file:a/b/c", "--", "sh", "-c", shell])).done());
    run.expect_code(0);
    end(sandbox);
}

#[test]
fn a_shell_command_that_succeeds() {
    let sandbox = Sandbox::new();
    let file = path(&sandbox, "there");
    comes_true(&sandbox, "exec:test -e there", &["pid-file", &file]);
    end(sandbox);
    death_comes_first("exec:false");
}

#[test]
fn a_question_that_hangs_is_ended_with_all_it_has_started() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--until", "exec:sleep 60; true", "-t", "300ms"], &["stay"]).expect_code(124);
    assert!(run.exited_at < AT_ONCE, "{run}");
    sandbox.finish();
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--until", "exec:sleep 60 & false", "-t", "300ms"], &["stay"]).expect_code(124);
    assert!(run.err().contains("`sleep 60 & false` exited with code 1 the last time"), "{run}");
    sandbox.finish();
}

#[test]
fn a_command_that_goes_into_the_background() {
    let sandbox = Sandbox::new();
    let outcome = comes_true(&sandbox, "exit", &["daemonize", "--when", "ready", "--after-ms", "150"]);
    assert_eq!(outcome["listening"].as_array().map(Vec::len), Some(1), "{outcome}");
    end(sandbox);
    death_comes_first("exit");
}

#[test]
fn who_exits_0_and_leaves_nothing_is_no_server() {
    for until in ["exit", "auto", "listen", "delay:10s"] {
        let sandbox = Sandbox::new();
        let run = start(&sandbox, &["--until", until, "--json"], &["exit", "0", "--stdout", "bye"]).expect_code(125);
        let outcome = json(&run);
        assert_eq!((&outcome["outcome"], &outcome["exit_code"]), (&"exited".into(), &0.into()), "{run}");
        sandbox.finish();
    }
}

#[test]
fn a_daemon_that_nothing_follows_is_stopped_and_the_way_is_shown() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--until", "file:never"], &["daemonize", "--when", "ready"]).expect_code(125);
    assert!(run.err().contains("--until exit"), "{run}");
    sandbox.finish();
}

#[test]
fn a_delay() {
    let sandbox = Sandbox::new();
    comes_true(&sandbox, "delay:150ms", &["stay"]);
    end(sandbox);
    death_comes_first("delay:10s");
}
