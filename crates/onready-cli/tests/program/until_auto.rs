//! `auto`: no flag at all.

use crate::common::*;
use std::time::Duration;

#[test]
fn who_cannot_speak_is_ready_when_it_listens() {
    let sandbox = Sandbox::new();
    let outcome = ready(&sandbox, &[], &["listen", "--after-ms", "50"]);
    assert_eq!(outcome["ready_by"], "listen");
    assert_eq!(testbed::ping(("127.0.0.1", port(&outcome))).expect("an answer"), "pong\n");
    end(sandbox);
}

#[test]
fn who_speaks_is_believed_when_it_speaks() {
    let sandbox = Sandbox::new();
    let outcome = ready(&sandbox, &[], &["listen", "--background", "--", "notify", "100ms", "STATUS=up\\nREADY=1"]);
    assert_eq!((&outcome["ready_by"], &outcome["status"]), (&"notify".into(), &"up".into()));
    end(sandbox);
}

#[test]
fn who_could_speak_and_does_not_is_believed_when_it_is_quiet() {
    let sandbox = Sandbox::new();
    let outcome = ready(&sandbox, &[], &["speaker", "--", "listen", "--busy-ms", "400"]);
    assert_eq!(outcome["ready_by"], "listen (quiet)");
    assert!(elapsed(&outcome) >= Duration::from_millis(550), "busy, then quiet: {outcome}");
    end(sandbox);
}

#[test]
fn once_it_has_spoken_its_word_is_awaited() {
    for first in ["STATUS=loading", "RELOADING=1", "EXTEND_TIMEOUT_USEC=1000000"] {
        let sandbox = Sandbox::new();
        let server = ["listen", "--background", "--", "notify", first, "700ms", "READY=1"];
        let outcome = ready(&sandbox, &[], &server);
        assert_eq!(outcome["ready_by"], "notify", "{first}");
        assert!(elapsed(&outcome) >= Duration::from_millis(700), "{first}: {outcome}");
        end(sandbox);
    }
}

#[test]
fn a_script_that_lets_another_program_speak_is_awaited() {
    let sandbox = Sandbox::new();
    let script = sandbox.path("serve.sh");
    let (fixture, own) = (testbed::fixture_path(), env!("CARGO_BIN_EXE_onready"));
    let text =
        format!("#!/bin/sh\n{} listen &\nsleep 0.1\n{own} notify READY=1 # onready notify\nwait\n", fixture.display());
    std::fs::write(&script, text).expect("a script");
    let run = check(Run::new(onready(&sandbox, &["--json", "--", "sh", "serve.sh"])).done()).expect_code(0);
    assert_eq!(json(&run)["ready_by"], "notify", "{run}");
    end(sandbox);
}

#[test]
fn a_command_that_goes_into_the_background_is_followed() {
    for when in ["at-once", "ready"] {
        let sandbox = Sandbox::new();
        let server = ["daemonize", "--when", when, "--", "listen", "--after-ms", "100"];
        let outcome = ready(&sandbox, &[], &server);
        let server = Process::of(pid(&outcome)).expect("the daemon");
        assert!(server.cmdline.contains(&"listen".to_owned()), "{server:?}");
        assert_eq!(testbed::ping(("127.0.0.1", port(&outcome))).expect("an answer"), "pong\n", "{when}");
        end(sandbox);
    }
}

/// It listens while the command has not exited yet: who is reported is who stays, as with lighttpd and pg_ctl.
#[test]
fn a_command_that_exits_after_its_daemon_listens_is_not_the_server() {
    for server in [&["listen"][..], &["listen", "--background", "--", "notify", "READY=1", "--", "stay"]] {
        let sandbox = Sandbox::new();
        let daemonize = ["daemonize", "--when", "ready", "--after-ms", "100", "--"];
        let outcome = ready(&sandbox, &[], &[&daemonize, server].concat());
        assert!(elapsed(&outcome) >= Duration::from_millis(100), "{outcome}");
        let main = Process::of(pid(&outcome)).expect("the daemon");
        let is_it = main.cmdline.contains(&"listen".to_owned()) && !main.cmdline.contains(&"daemonize".to_owned());
        assert!(is_it, "{main:?}");
        end(sandbox);
    }
}

#[test]
fn a_daemon_that_dies_is_a_failure() {
    let sandbox = Sandbox::new();
    let server = ["daemonize", "--keep-stdio", "--", "exit", "5", "--after-ms", "100", "--stderr", "boom"];
    let run = start(&sandbox, &[], &server);
    assert!(run.code == Some(5) || run.code == Some(125), "{run}");
    assert!(run.err().starts_with("boom\n"), "{run}");
    sandbox.finish();
}

#[test]
fn a_child_that_left_the_session_or_the_group_listens_for_it() {
    for flag in ["--setsid", "--setpgid", "--null"] {
        let sandbox = Sandbox::new();
        let outcome = ready(&sandbox, &[], &["child", flag, "--", "listen", "--after-ms", "50"]);
        assert_eq!(testbed::ping(("127.0.0.1", port(&outcome))).expect("an answer"), "pong\n", "{flag}");
        assert_eq!(Process::of(pid(&outcome)).expect("the parent").cmdline[1], "child");
        end(sandbox);
    }
}

#[test]
fn a_child_that_left_the_session_is_stopped_with_it() {
    let sandbox = Sandbox::new();
    let server = ["child", "--setsid", "--", "listen", "--not-listening"];
    start(&sandbox, &["-t", "400ms"], &server).expect_code(124);
    sandbox.finish();
}

#[test]
fn two_listeners_are_both_told() {
    let sandbox = Sandbox::new();
    let socket = path(&sandbox, "socket");
    let server = ["listen", "--unix", &socket, "--background", "--", "listen"];
    let outcome = ready(&sandbox, &["--until", "listen", "--until", "delay:300ms"], &server);
    let listening: Vec<_> = outcome["listening"].as_array().expect("addresses").iter().collect();
    assert_eq!(listening.len(), 2, "{outcome}");
    assert!(listening.iter().any(|address| **address == format!("unix:{socket}")), "{outcome}");
    end(sandbox);
}
