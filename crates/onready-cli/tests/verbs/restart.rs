//! `restart`: the same command, environment and directory; and nothing is stopped that cannot be started again.

use crate::common::*;

fn pid_of(sandbox: &Sandbox, name: &str) -> i32 {
    number(&status(sandbox, name).1["pid"])
}

#[test]
fn it_has_the_same_command_environment_directory_and_name() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("here")).expect("make");
    let line =
        format!("pwd >> ../seen; echo \"$COLOUR\" >> ../seen; exec {} listen", testbed::fixture_path().display());
    // A made-up name that is not the first, so that a new start would be called otherwise.
    ready(&sandbox, &[], &LISTEN);
    let mut first = command(&sandbox, &["--json", "--", "sh", "-c", &line]);
    first.env("COLOUR", "dark blue").current_dir(sandbox.path("here"));
    let run = Run::new(first).done().expect_code(0);
    assert_eq!(json(&run)["name"], "sh");
    let old = number(&json(&run)["pid"]);

    let mut again = command(&sandbox, &["restart", "--json", "sh"]);
    again.env("COLOUR", "red");
    let run = Run::new(again).done().expect_free().expect_code(0);
    let outcome = json(&run);
    assert_eq!((&outcome["outcome"], &outcome["name"]), (&"ready".into(), &"sh".into()));
    assert!(!testbed::alive(old));
    assert_eq!(pid_of(&sandbox, "sh"), number(&outcome["pid"]));
    let here = sandbox.path("here").canonicalize().expect("there").display().to_string();
    let seen = std::fs::read_to_string(sandbox.path("seen")).expect("a report");
    assert_eq!(seen, format!("{here}\ndark blue\n").repeat(2));
    // And once more, from what the restart put on record.
    onready(&sandbox, &["restart", "sh"]).expect_code(0);
    assert_eq!(
        std::fs::read_to_string(sandbox.path("seen")).expect("a report"),
        format!("{here}\ndark blue\n").repeat(3)
    );
    onready(&sandbox, &["stop", "fixture", "sh"]).expect_code(0);
    end(sandbox);
}

#[test]
fn what_is_relative_on_its_command_line_is_meant_from_its_directory() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("here")).expect("make");
    let words = ["-n", "web", "--log", "out.log", "--pid-file", "pid", "--until", "file:ready"];
    let line = format!("echo hello; {} listen & sleep 0.05; touch ready; wait", testbed::fixture_path().display());
    let mut first = command(&sandbox, &[&words[..], &["--", "sh", "-c", &line]].concat());
    first.current_dir(sandbox.path("here"));
    Run::new(first).done().expect_code(0);
    onready(&sandbox, &["restart", "web"]).expect_code(0);
    let seen = status(&sandbox, "web").1;
    let here = sandbox.path("here").canonicalize().expect("there");
    assert_eq!(seen["stdout"].as_str(), here.join("out.log").to_str());
    assert_eq!(std::fs::read_to_string(here.join("out.log")).expect("the log"), "hello\nhello\n");
    assert_eq!(std::fs::read_to_string(here.join("pid")).expect("the pid file"), format!("{}\n", seen["pid"]));
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn a_made_up_name_stays_though_a_lower_one_is_free() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &[], &LISTEN);
    let second = ready(&sandbox, &[], &LISTEN);
    stop(&sandbox, "fixture");
    onready(&sandbox, &["restart", "fixture-2"]).expect_code(0);
    assert_ne!(pid_of(&sandbox, "fixture-2"), second);
    assert_eq!(status(&sandbox, "fixture").0, 3);
    stop(&sandbox, "fixture-2");
    end(sandbox);
}

#[test]
fn the_old_one_stays_if_the_new_one_cannot_be_tried() {
    let sandbox = Sandbox::new();
    let server = sandbox.install(&testbed::fixture_path(), "server");
    std::fs::create_dir(sandbox.path("here")).expect("make");
    let mut first = command(&sandbox, &["--json", "-n", "web", "--"]);
    first.arg(&server).arg("listen").current_dir(sandbox.path("here"));
    let pid = number(&json(&Run::new(first).done().expect_code(0))["pid"]);

    let refused = |code: i32, why: &str| {
        let run = onready(&sandbox, &["restart", "web"]).expect_code(code);
        assert!(run.err().contains("web was left as it is: ") && run.err().contains(why), "{run}");
        assert_eq!(pid_of(&sandbox, "web"), pid);
        assert!(testbed::alive(pid));
    };
    std::fs::rename(&server, sandbox.path("away")).expect("rename");
    refused(127, "server is not found any more");
    std::fs::write(&server, "no program").expect("write");
    refused(126, "server cannot be executed");
    std::fs::rename(sandbox.path("away"), &server).expect("rename");
    std::fs::remove_dir(sandbox.path("here")).expect("remove");
    refused(125, "here is gone");
    std::fs::create_dir(sandbox.path("here")).expect("make");
    onready(&sandbox, &["restart", "web"]).expect_code(0);
    assert!(!testbed::alive(pid));
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn one_that_does_not_run_is_started_and_one_that_is_unknown_is_not() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    stop(&sandbox, "web");
    onready(&sandbox, &["restart", "web"]).expect_code(0);
    assert_eq!(status(&sandbox, "web").0, 0);
    let run = onready(&sandbox, &["restart", "nobody", "web"]).expect_code(4);
    assert!(run.err().contains("onready: no server is called nobody\n"), "{run}");
    assert_eq!(status(&sandbox, "web").0, 0);
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn one_that_does_not_end_is_not_started_twice() {
    let sandbox = Sandbox::new();
    let pid = ready(&sandbox, &["-n", "web"], &["ignore", "TERM", "--", "listen"]);
    let run = onready(&sandbox, &["restart", "--retry", "TERM/100ms", "web"]).expect_code(125);
    assert!(run.err().contains("web is still running after SIGTERM"), "{run}");
    assert_eq!(servers(&sandbox), [pid]);
    onready(&sandbox, &["restart", "--retry", "100ms", "web"]).expect_code(0);
    assert!(!testbed::alive(pid));
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn a_new_one_that_fails_is_told_with_its_code() {
    let sandbox = Sandbox::new();
    let line = format!("test -e broken && exit 9; exec {} listen", testbed::fixture_path().display());
    onready(&sandbox, &["-n", "web", "--", "sh", "-c", &line]).expect_code(0);
    std::fs::write(sandbox.path("broken"), "").expect("write");
    onready(&sandbox, &["restart", "web"]).expect_code(9);
    let (code, seen) = status(&sandbox, "web");
    assert_eq!((code, &seen["state"], &seen["exit_code"]), (3, &"failed".into(), &9.into()));
    std::fs::remove_file(sandbox.path("broken")).expect("remove");
    onready(&sandbox, &["restart", "web"]).expect_code(0);
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn nobody_comes_in_between() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    race(|_| {
        let restarts: Vec<Running> = (0..4).map(|_| Run::new(command(&sandbox, &["restart", "web"])).start()).collect();
        let starts: Vec<Running> =
            (0..4).map(|_| Run::new(start_command(&sandbox, &["ensure", "web"], &LISTEN)).start()).collect();
        for run in restarts.into_iter().chain(starts) {
            run.done().expect_code(0);
        }
        assert_eq!(servers(&sandbox).len(), 1, "{:?}", sandbox.processes());
    });
    stop(&sandbox, "web");
    end(sandbox);
}
