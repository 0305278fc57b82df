//! Several conditions: all of them, or any.

use crate::common::*;
use std::time::Duration;

#[test]
fn all_must_hold() {
    let sandbox = Sandbox::new();
    let file = path(&sandbox, "file");
    let server = ["listen", "--background", "--", "pid-file", &file, "--after-ms", "200"];
    let outcome = ready(&sandbox, &["--until", "listen", "--until", "file:file"], &server);
    assert_eq!(outcome["ready_by"], "listen, file:file");
    assert!(elapsed(&outcome) >= Duration::from_millis(200), "{outcome}");
    end(sandbox);
}

#[test]
fn one_that_does_not_hold_is_named() {
    let sandbox = Sandbox::new();
    let options = ["--until", "listen", "--until", "file:never", "--until", "log:never", "-t", "400ms"];
    let run = start(&sandbox, &options, &["listen"]).expect_code(124);
    assert!(run.err().contains("waited for file:never and log:never"), "{run}");
    sandbox.finish();
}

#[test]
fn any_is_enough() {
    let sandbox = Sandbox::new();
    let options = ["--any", "--until", "file:never", "--until", "listen", "--until", "notify"];
    let outcome = ready(&sandbox, &options, &["listen"]);
    assert_eq!(outcome["ready_by"], "listen");
    end(sandbox);
}

#[test]
fn death_beats_every_sign() {
    let sandbox = Sandbox::new();
    // READY=1, and gone before anybody could use it.
    let run =
        start(&sandbox, &["--until", "notify", "--until", "delay:300ms"], &["notify", "READY=1", "--", "exit", "9"]);
    run.expect_code(9);
    sandbox.finish();
}
