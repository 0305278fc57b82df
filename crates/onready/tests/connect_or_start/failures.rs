//! Starts that fail: the program's own message and code, the right one of ours, and nothing left.

use crate::*;

#[track_caller]
fn failure(sandbox: &Sandbox, start: Start) -> StartError {
    let error = ask(sandbox, start).expect_err("no server");
    assert!(matches!(error, StartError::Failed { .. }), "{error:?}");
    assert_eq!(sandbox.processes(), []);
    assert_no_lock(sandbox);
    error
}

#[test]
fn the_server_s_message_and_code_are_told() {
    let sandbox = Sandbox::new();
    let error = failure(&sandbox, pong(&sandbox, &["--fail", "42"]));
    assert_eq!(error.exit_code(), 42);
    let text = error.to_string();
    assert!(text.starts_with("pong exited with code 42:\npong: cannot go on, as asked\n"), "{text}");
    assert!(text.contains("exited with code 42 before it was ready"), "{text}");
    sandbox.finish();
}

#[test]
fn a_launcher_that_takes_too_long_is_stopped_with_its_server() {
    let sandbox = Sandbox::new();
    let since = Instant::now();
    let start = pong(&sandbox, &["--init-ms", "60000"]).timeout(Duration::from_millis(300));
    let error = failure(&sandbox, start);
    assert_eq!(error.exit_code(), 124);
    assert!(error.to_string().starts_with("pong was not done within 300 ms and was stopped"), "{error}");
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    sandbox.finish();
}

#[test]
fn a_launcher_that_ignores_sigterm_is_killed() {
    let sandbox = Sandbox::new();
    let start = program(&sandbox, testbed::fixture_path()).args(["ignore", "TERM", "--", "child", "--", "stay"]);
    let error = failure(&sandbox, start.timeout(Duration::from_millis(200)));
    assert_eq!(error.exit_code(), 124);
    sandbox.finish();
}

#[test]
fn a_program_that_is_not_there_or_no_program_is_named() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("text"), "no program").expect("write");
    for (name, code, why) in [
        ("no-such-program", 127, "cannot start no-such-program: it is not found"),
        ("/no/such/program", 127, "cannot start /no/such/program: it is not found"),
        ("./text", 126, "cannot start ./text: it cannot be executed"),
        ("/", 126, "cannot start /: it cannot be executed"),
    ] {
        let error = failure(&sandbox, program(&sandbox, name));
        assert_eq!((error.exit_code(), error.to_string().as_str()), (code, why));
    }
    sandbox.finish();
}

#[test]
fn a_death_by_signal_is_named() {
    let sandbox = Sandbox::new();
    let start = program(&sandbox, testbed::fixture_path()).args(["die", "KILL"]);
    let error = failure(&sandbox, start);
    assert_eq!(error.exit_code(), 137);
    assert!(error.to_string().contains("was killed by SIGKILL"), "{error}");
    sandbox.finish();
}

#[test]
fn a_program_that_exits_0_and_serves_nothing_is_a_failure() {
    let sandbox = Sandbox::new();
    let error = ask(&sandbox, program(&sandbox, "true")).expect_err("no server");
    assert_eq!(error.exit_code(), 125);
    assert!(error.to_string().contains("connect to the server, although it was started"), "{error}");
    assert_no_lock(&sandbox);
    sandbox.finish();
}

#[test]
fn of_much_output_the_end_is_told() {
    let sandbox = Sandbox::new();
    let line = "i=0; while [ $i -lt 20000 ]; do echo line $i of a long story; i=$((i+1)); done; echo the end; exit 3";
    let error = failure(&sandbox, program(&sandbox, "sh").args(["-c", line]));
    let text = error.to_string();
    assert_eq!(error.exit_code(), 3);
    assert!(text.ends_with("\nthe end") && text.len() < 10_000, "{} bytes", text.len());
    sandbox.finish();
}

#[test]
fn a_lock_that_cannot_be_had_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink("/etc/passwd", sandbox.path("link")).expect("a link");
    for path in [sandbox.path("link"), sandbox.path("no/such/lock")] {
        let error = ask(&sandbox, pong(&sandbox, &[]).lock(&path)).expect_err("no lock");
        assert!(error.to_string().contains(&format!("cannot lock {}", path.display())), "{error}");
    }
    sandbox.finish();
}

#[test]
fn an_error_becomes_an_io_error() {
    let sandbox = Sandbox::new();
    let error: std::io::Error = failure(&sandbox, pong(&sandbox, &["--fail", "9"])).into();
    assert!(error.to_string().contains("code 9"), "{error}");
    sandbox.finish();
}
