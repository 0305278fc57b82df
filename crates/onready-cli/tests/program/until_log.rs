//! `log:` and `--fail-log`.

use crate::common::*;
use std::time::Duration;

#[test]
fn a_line_of_stdout_or_stderr() {
    for flag in [None, Some("--stderr")] {
        let sandbox = Sandbox::new();
        let server: Vec<&str> = ["log-line"].into_iter().chain(flag).chain(["not yet", "150ms", "now ready"]).collect();
        let outcome = ready(&sandbox, &["--until", "log:^now re[a-z]*$"], &server);
        assert_eq!(outcome["ready_by"], "log:^now re[a-z]*$");
        assert!(elapsed(&outcome) >= Duration::from_millis(150), "{outcome}");
        end(sandbox);
    }
}

#[test]
fn the_nth_line_counts() {
    let sandbox = Sandbox::new();
    let server = ["log-line", "ready", "100ms", "ready", "100ms", "ready"];
    let outcome = ready(&sandbox, &["--until", "log:3:ready"], &server);
    assert!(elapsed(&outcome) >= Duration::from_millis(200), "{outcome}");
    end(sandbox);
}

#[test]
fn a_line_that_is_split_over_writes() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["--until", "log:^ready to accept$"], &["log-line", "--split-ms", "50", "ready to accept"]);
    end(sandbox);
}

#[test]
fn both_streams_in_one_file() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["--log", "all.log", "--until", "log:ready"], &["log-line", "--stderr", "50ms", "ready"]);
    let log = std::fs::read_to_string(sandbox.path("all.log")).expect("the log");
    assert_eq!(log, "ready\n");
    end(sandbox);
}

#[test]
fn what_an_earlier_start_wrote_does_not_count() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("all.log"), "ready\n").expect("an old log");
    start(&sandbox, &["--log", "all.log", "--until", "log:ready", "-t", "300ms"], &["stay"]).expect_code(124);
    sandbox.finish();
}

#[test]
fn binary_output_is_no_trouble() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["--until", "log:READY"], &["log-line", "\\xff\\x00\\xfe READY \\x80"]);
    end(sandbox);
}

#[test]
fn a_line_without_an_end_does_not_count_until_the_server_has_ended() {
    let sandbox = Sandbox::new();
    let options = ["--until", "log:ready", "-t", "300ms"];
    start(&sandbox, &options, &["log-line", "--no-newline", "ready"]).expect_code(124);
    sandbox.finish();
}

#[test]
fn a_flood_hides_no_line() {
    let sandbox = Sandbox::new();
    let server = ["flood", "--stdout", "3000000", "--", "log-line", "ready", "--", "flood", "--stdout", "3000000"];
    ready(&sandbox, &["-q", "--until", "log:^ready$"], &server);
    end(sandbox);
}

#[test]
fn a_line_that_means_failure() {
    let sandbox = Sandbox::new();
    let options = ["--until", "listen", "--fail-log", "FATAL|PANIC", "--json"];
    let server = ["log-line", "--stderr", "100ms", "FATAL: no such table", "--", "stay"];
    let run = start(&sandbox, &options, &server).expect_code(125);
    assert_eq!(json(&run)["outcome"], "failed");
    let said = "onready: fixture: its output matches --fail-log 'FATAL|PANIC': FATAL: no such table";
    assert!(run.err().contains(said), "{run}");
    assert!(run.exited_at < AT_ONCE, "{run}");
    sandbox.finish();
}
