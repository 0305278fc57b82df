//! `ensure NAME -- COMMAND`: try, lock, try again, start, try.

use crate::common::*;
use std::process::Stdio;

/// As many as the issue asks for.
const CLIENTS: usize = 200;

#[test]
fn two_hundred_who_ask_get_one_server() {
    let sandbox = Sandbox::new();
    race(|_| {
        let ask = |_| {
            let mut command = start_command(&sandbox, &["ensure", "web", "--json"], &["listen", "--after-ms", "100"]);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start it")
        };
        let all: Vec<_> = (0..CLIENTS).map(ask).collect();
        let mut pids = Vec::new();
        for client in all {
            let output = client.wait_with_output().expect("its end");
            assert!(output.status.success(), "{output:?}");
            let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            pids.push(number(&outcome["pid"]));
        }
        pids.dedup();
        assert_eq!(pids, servers(&sandbox), "one server, and everybody tells its pid");
        stop(&sandbox, "web");
    });
    end(sandbox);
}

#[test]
fn one_that_runs_is_success_and_one_that_died_is_started() {
    let sandbox = Sandbox::new();
    let ensure = || {
        let run = start(&sandbox, &["ensure", "web", "--json"], &LISTEN).expect_code(0);
        number(&json(&run)["pid"])
    };
    let first = ensure();
    assert_eq!(ensure(), first);
    testbed::kill(first);
    assert!(testbed::wait_gone(first, LONG));
    let second = ensure();
    assert_ne!(second, first);
    assert_eq!(servers(&sandbox), [second]);
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn another_command_or_fingerprint_is_refused_with_both_or_replaced() {
    let sandbox = Sandbox::new();
    let first = ready(&sandbox, &["ensure", "web", "--fingerprint", "v1"], &LISTEN);
    assert_eq!(ready(&sandbox, &["ensure", "web", "--fingerprint", "v1"], &LISTEN), first);
    assert_eq!(ready(&sandbox, &["ensure", "web"], &LISTEN), first, "who asks for none takes any");
    let run = start(&sandbox, &["ensure", "web", "--fingerprint", "v2"], &LISTEN).expect_code(69);
    assert!(run.err().contains("running: \"v1\"") && run.err().contains("wanted:  \"v2\""), "{run}");
    assert_eq!(servers(&sandbox), [first]);
    let second = ready(&sandbox, &["ensure", "web", "--fingerprint", "v2", "--replace"], &LISTEN);
    assert_eq!(servers(&sandbox), [second]);
    assert_ne!(second, first);
    let third = ready(&sandbox, &["ensure", "web", "--replace"], &["listen", "--port", "0"]);
    assert_eq!(servers(&sandbox), [third]);
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn one_that_is_killed_while_it_starts_is_followed_by_the_next() {
    let sandbox = Sandbox::new();
    race(|_| {
        let first = Run::new(start_command(&sandbox, &["ensure", "web"], &["listen", "--after-ms", "300"])).start();
        wait_for_state(&sandbox, "web", "starting");
        let others: Vec<Running> = (0..5)
            .map(|_| Run::new(start_command(&sandbox, &["ensure", "web"], &["listen", "--after-ms", "300"])).start())
            .collect();
        first.signal("KILL");
        for other in others {
            other.done().expect_code(0);
        }
        assert_eq!(servers(&sandbox).len(), 1, "{:?}", sandbox.processes());
        stop(&sandbox, "web");
    });
    end(sandbox);
}

#[test]
fn who_waits_for_another_one_s_start_has_his_own_time_limit() {
    let sandbox = Sandbox::new();
    let slow = ["listen", "--after-ms", "50000"];
    let first = Run::new(start_command(&sandbox, &["ensure", "web"], &slow)).start();
    wait_for_state(&sandbox, "web", "starting");
    let run = start(&sandbox, &["ensure", "web", "-t", "300ms"], &slow).expect_code(124);
    assert!(run.err().contains("another start, stop or restart of web has not come to an end within 300 ms"), "{run}");
    stop(&sandbox, "web");
    first.done().expect_code(143);
    end(sandbox);
}
