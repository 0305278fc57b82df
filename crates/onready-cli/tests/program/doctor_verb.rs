//! `onready doctor`: which signs a server gives, and which flags go by the best one.

use crate::common::*;

#[track_caller]
fn doctor(sandbox: &Sandbox, server: &[&str]) -> Finished {
    doctor_for(sandbox, "900ms", server)
}

#[track_caller]
fn doctor_for(sandbox: &Sandbox, time: &str, server: &[&str]) -> Finished {
    let run = start(sandbox, &["doctor", "-t", time], server);
    assert_eq!(sandbox.processes(), [], "{run}");
    run
}

/// The lines of the answer hold these texts, in this order.
#[track_caller]
fn tells(run: &Finished, parts: &[&str]) {
    let text = run.out();
    let mut rest = &text[..];
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} (or not there)\n{run}"));
        rest = &rest[at..];
    }
}

#[test]
fn who_listens_needs_no_flag() {
    let sandbox = Sandbox::new();
    let run = doctor(&sandbox, &["log-line", "hello", "100ms", "--", "listen"]).expect_code(0);
    tells(
        &run,
        &["started as pid", "first output on stdout: hello", "listens on 127.0.0.1:", "stopped", "use:  onready -- "],
    );
    sandbox.finish();
}

#[test]
fn its_own_word_comes_first() {
    let sandbox = Sandbox::new();
    let server = ["listen", "--background", "--", "notify", "50ms", "STATUS=warming up", "100ms", "READY=1"];
    let run = doctor(&sandbox, &server).expect_code(0);
    tells(
        &run,
        &["listens on", "says STATUS=warming up", "says READY=1", "use:  onready --until notify -- ", "before that"],
    );
    sandbox.finish();
}

#[test]
fn a_child_that_speaks_is_named() {
    let sandbox = Sandbox::new();
    let run = doctor(&sandbox, &["notify", "READY=1", "--from-child", "--child-stays", "--", "stay"]).expect_code(0);
    tells(&run, &["says READY=1 (from fixture-notify, pid"]);
    sandbox.finish();
}

#[test]
fn who_could_speak_and_does_not() {
    let sandbox = Sandbox::new();
    let run = doctor(&sandbox, &["speaker", "--", "listen"]).expect_code(0);
    tells(&run, &["listens on", "is quiet from here on", "use:  onready -- ", "could say READY=1"]);
    sandbox.finish();
}

#[test]
fn a_line_on_a_descriptor() {
    let sandbox = Sandbox::new();
    let run = doctor(&sandbox, &["fd-line", "--fd", "3", "--", "stay"]).expect_code(0);
    tells(&run, &["writes a line to descriptor 3", "use:  onready --until fd:3 -- "]);
    sandbox.finish();
}

#[test]
fn who_goes_into_the_background_before_and_after_it_listens() {
    let sandbox = Sandbox::new();
    // What is seen in one look has no order, and on a busy machine a look comes late.
    let [apart, time] = ["1000", "3s"];
    let run = doctor_for(&sandbox, time, &["daemonize", "--when", "ready", "--after-ms", apart]).expect_code(0);
    tells(&run, &["listens on", "goes on in the background", "use:  onready --until exit -- "]);
    let run = doctor_for(&sandbox, time, &["daemonize", "--", "listen", "--after-ms", apart]).expect_code(0);
    tells(&run, &["goes on in the background", "lets go of stdout", "listens on", "use:  onready -- ", "too early"]);
    sandbox.finish();
}

#[test]
fn who_closes_its_streams() {
    let sandbox = Sandbox::new();
    let run = doctor(&sandbox, &["close-all", "--only", "1", "--", "stay"]).expect_code(0);
    tells(&run, &["closes stdout"]);
    sandbox.finish();
}

#[test]
fn nothing_but_output_or_nothing_at_all() {
    let sandbox = Sandbox::new();
    let run = doctor(&sandbox, &["log-line", "booting 12", "ready at port 80", "--", "stay"]).expect_code(0);
    tells(&run, &["use:  onready --until 'log:ready at port [0-9]+' -- "]);
    let run = doctor(&sandbox, &["stay"]).expect_code(0);
    tells(&run, &["use:  onready --until delay:1s -- ", "gives no sign at all"]);
    sandbox.finish();
}

#[test]
fn who_ends_is_told_with_its_code_and_words() {
    let sandbox = Sandbox::new();
    let run = doctor(&sandbox, &["exit", "3", "--after-ms", "50", "--stderr", "bad configuration"]).expect_code(3);
    tells(&run, &["started", "exited with code 3", "bad configuration"]);
    assert!(!run.out().contains("use:"), "{run}");
    doctor(&sandbox, &["exit", "0"]).expect_code(125);
    sandbox.finish();
}

#[test]
fn who_cannot_be_started() {
    let sandbox = Sandbox::new();
    let run = check(Run::new(onready(&sandbox, &["doctor", "--", "no-such-program"])).done()).expect_code(127);
    assert!(run.err().contains("no-such-program"), "{run}");
    sandbox.finish();
}

#[test]
fn a_wish_for_more_time_does_not_make_it_longer() {
    let sandbox = Sandbox::new();
    let run = doctor(&sandbox, &["notify", "EXTEND_TIMEOUT_USEC=60000000", "--", "stay"]).expect_code(0);
    assert!(run.exited_at < AT_ONCE, "{run}");
    sandbox.finish();
}

#[test]
fn ctrl_c_tells_what_was_seen_so_far() {
    let sandbox = Sandbox::new();
    let file = path(&sandbox, "up");
    let run = Run::new(start_command(&sandbox, &["doctor", "-t", "60s"], &["pid-file", &file, "--", "listen"])).start();
    testbed::wait_for_path(&file, LONG);
    run.signal("INT");
    let run = check(run.done()).expect_code(130);
    tells(&run, &["started as pid"]);
    sandbox.finish();
}
