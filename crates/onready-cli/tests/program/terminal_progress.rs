//! On a real terminal: the progress line, keys, hang-up.

use crate::common::*;

/// How the line is wiped.
const WIPED: &str = "\r\x1b[K";

/// What is to be seen in the end, if what was wiped is gone.
fn left(screen: &str) -> String {
    let lines = screen.split("\r\n").map(|line| line.rsplit("\x1b[K").next().unwrap_or(line).trim_start_matches('\r'));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_line_shows_time_status_and_a_bar_and_is_wiped() {
    let sandbox = Sandbox::new();
    let go = path(&sandbox, "go");
    let script = format!(
        "{0} notify --status='loading, 42% done'; while ! [ -e {go} ]; do sleep 0.01; done; {0} notify --ready; exec sleep 60",
        env!("CARGO_BIN_EXE_onready")
    );
    let mut terminal = Pty::spawn(onready(&sandbox, &["--until", "notify", "--", "sh", "-c", &script]));
    let screen = terminal.read_until("loading, 42% done", LONG);
    assert!(screen.contains("sh: starting, "), "{screen:?}");
    assert!(screen.contains("[========>"), "{screen:?}");
    std::fs::write(&go, "").expect("say go");
    assert_eq!(terminal.wait_code(LONG), 0);
    let screen = terminal.screen();
    assert!(screen.contains(WIPED), "{screen:?}");
    let left = left(&screen);
    assert!(left.starts_with("onready: sh is ready after ") && left.lines().count() == 1, "{left:?} of {screen:?}");
    end(sandbox);
}

#[test]
fn who_is_quick_sees_no_line() {
    let sandbox = Sandbox::new();
    let screens = (0..20).map(|_| {
        let mut terminal = Pty::spawn(start_command(&sandbox, &[], &["log-line", "up", "--", "listen"]));
        assert_eq!(terminal.wait_code(LONG), 0);
        terminal.screen()
    });
    // On a busy machine the first may not be quick.
    let quick = screens.into_iter().find(|screen| !screen.contains('\x1b')).expect("one without a line");
    assert!(quick.starts_with("up\r\nonready: fixture"), "{quick:?}");
    end(sandbox);
}

#[test]
fn output_is_written_in_its_place() {
    let sandbox = Sandbox::new();
    let server = ["log-line", "one", "700ms", "two", "700ms", "three", "--", "listen"];
    let mut terminal = Pty::spawn(start_command(&sandbox, &["-n", "x"], &server));
    assert_eq!(terminal.wait_code(LONG), 0);
    let screen = terminal.screen();
    assert!(screen.contains("x: starting"), "{screen:?}");
    let left = left(&screen);
    assert!(left.starts_with("one\ntwo\nthree\nonready: x is ready after "), "{left:?} of {screen:?}");
    end(sandbox);
}

#[test]
fn half_a_line_is_not_drawn_over_and_our_own_line_begins_anew() {
    let sandbox = Sandbox::new();
    let server = ["log-line", "--no-newline", "loading...", "900ms", "--", "exit", "3"];
    let mut terminal = Pty::spawn(start_command(&sandbox, &[], &server));
    assert_eq!(terminal.wait_code(LONG), 3);
    let screen = terminal.screen();
    assert!(screen.starts_with("loading...\r\nonready: fixture: it exited with code 3"), "{screen:?}");
    sandbox.finish();
}

#[test]
fn a_status_cannot_play_tricks_and_is_no_wider_than_the_terminal() {
    let sandbox = Sandbox::new();
    let go = path(&sandbox, "go");
    let status = format!("STATUS=\\e[2J{}", "x".repeat(300));
    let server = ["notify", &status, "--", "pid-file", &go, "--after-ms", "900", "--", "stay"];
    let mut terminal = Pty::spawn(start_command(&sandbox, &["--until", "file:go"], &server));
    assert_eq!(terminal.wait_code(LONG), 0);
    let screen = terminal.screen();
    assert!(screen.contains("xxxx") && !screen.contains("\x1b[2J"), "{screen:?}");
    let widest = screen.split(['\r', '\n']).map(|line| line.replace("\x1b[K", "").chars().count()).max();
    assert!(widest.is_some_and(|widest| widest <= 80), "{widest:?} {screen:?}");
    end(sandbox);
}

#[test]
fn nothing_of_it_when_stderr_is_no_terminal_or_a_dumb_one_or_with_quiet() {
    let sandbox = Sandbox::new();
    let server = ["log-line", "up", "700ms", "--", "listen"];
    let run = start(&sandbox, &[], &server).expect_code(0);
    assert_eq!((run.out(), run.err()), ("up\n".into(), String::new()));
    let mut command = start_command(&sandbox, &[], &server);
    command.env("TERM", "dumb");
    let mut terminal = Pty::spawn(command);
    assert_eq!(terminal.wait_code(LONG), 0);
    assert!(!terminal.screen().contains('\x1b'), "{:?}", terminal.screen());
    let mut terminal = Pty::spawn(start_command(&sandbox, &["-q"], &server));
    assert_eq!(terminal.wait_code(LONG), 0);
    assert_eq!(terminal.screen(), "");
    end(sandbox);
}

#[test]
fn ctrl_c() {
    let sandbox = Sandbox::new();
    let server = ["child", "--setsid", "--", "log-line", "begun", "--", "stay"];
    let mut terminal = Pty::spawn(start_command(&sandbox, &[], &server));
    terminal.read_until("begun", LONG);
    terminal.type_bytes("\x03");
    assert_eq!(terminal.wait_code(LONG), 130);
    assert!(terminal.screen().contains("interrupted by SIGINT; it was stopped"), "{:?}", terminal.screen());
    drop(terminal);
    sandbox.finish();
}

#[test]
fn a_terminal_that_is_closed_before_ready_ends_the_start() {
    let sandbox = Sandbox::new();
    let mut terminal = Pty::spawn(start_command(&sandbox, &[], &["log-line", "begun", "--", "stay"]));
    terminal.read_until("begun", LONG);
    terminal.hang_up();
    assert_eq!(terminal.wait_code(LONG), 129);
    drop(terminal);
    sandbox.finish();
}

#[test]
fn a_terminal_that_is_closed_after_ready_is_nothing_to_the_server() {
    let sandbox = Sandbox::new();
    let mut terminal = Pty::spawn(start_command(&sandbox, &[], &["listen"]));
    assert_eq!(terminal.wait_code(LONG), 0);
    let (server, _) = sandbox.processes()[0].clone();
    terminal.hang_up();
    drop(terminal);
    assert!(!testbed::wait_gone(server, std::time::Duration::from_millis(300)));
    assert_eq!(Process::of(server).expect("the server").tty_nr, 0);
    end(sandbox);
}
