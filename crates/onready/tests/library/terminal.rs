//! On a real terminal.

use crate::common::*;

#[test]
fn the_status_is_shown_on_one_line_and_wiped() {
    let sandbox = Sandbox::new();
    let steps = [
        "daemonize",
        "enter",
        "status=loading 1 of 2",
        "wait-for=go",
        "status=loading 2 of 2",
        "wait-for=on",
        "notify",
        "stay",
    ];
    let mut terminal = Pty::spawn(server(&sandbox, steps));
    terminal.read_until("loading 1 of 2", LONG);
    std::fs::write(sandbox.path("go"), "").expect("say go");
    terminal.read_until("loading 2 of 2", LONG);
    std::fs::write(sandbox.path("on"), "").expect("say on");
    assert_eq!(terminal.wait_code(LONG), 0);
    assert_eq!(terminal.screen(), "loading 1 of 2\r\x1b[Kloading 2 of 2\r\x1b[K");
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn output_is_written_in_its_place() {
    let sandbox = Sandbox::new();
    let steps = ["daemonize", "enter", "status=busy", "wait-for=go", "out=a line\\n", "wait-for=on", "notify", "stay"];
    let mut terminal = Pty::spawn(server(&sandbox, steps));
    terminal.read_until("busy", LONG);
    std::fs::write(sandbox.path("go"), "").expect("say go");
    terminal.read_until("a line\r\nbusy", LONG);
    std::fs::write(sandbox.path("on"), "").expect("say on");
    assert_eq!(terminal.wait_code(LONG), 0);
    assert_eq!(terminal.screen(), "busy\r\x1b[Ka line\r\nbusy\r\x1b[K");
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn half_a_line_is_not_drawn_over() {
    let sandbox = Sandbox::new();
    let steps = [
        "daemonize",
        "enter",
        "out=loading...",
        "wait-for=go",
        "status=half way",
        "statuses=3",
        "out=done\\n",
        "say-pid",
        "notify",
        "stay",
    ];
    let mut terminal = Pty::spawn(server(&sandbox, steps));
    terminal.read_until("loading...", LONG);
    std::fs::write(sandbox.path("go"), "").expect("say go");
    assert_eq!(terminal.wait_code(LONG), 0);
    assert!(terminal.screen().starts_with("loading...done\r\n"), "{:?}", terminal.screen());
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn a_reason_begins_on_a_line_of_its_own() {
    let sandbox = Sandbox::new();
    let mut terminal = Pty::spawn(server(&sandbox, ["daemonize", "enter", "out=loading...", "exit=3"]));
    assert_eq!(terminal.wait_code(LONG), 3);
    assert_eq!(terminal.screen(), "loading...\r\nscript: the server exited with code 3 before it was ready\r\n");
    drop(terminal);
    sandbox.finish();
}

#[test]
fn a_status_cannot_play_tricks_and_is_no_wider_than_the_terminal() {
    let sandbox = Sandbox::new();
    let long = format!("status=\x1b[2J{}\x07", "x".repeat(200));
    let steps = ["daemonize", "enter", &long, "wait-for=go", "notify", "stay"];
    let mut terminal = Pty::spawn(server(&sandbox, steps));
    terminal.read_until("xxxx", LONG);
    std::fs::write(sandbox.path("go"), "").expect("say go");
    assert_eq!(terminal.wait_code(LONG), 0);
    assert_eq!(terminal.screen(), format!(" [2J{}\r\x1b[K", "x".repeat(75)));
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn a_wide_status_is_no_wider_either() {
    let sandbox = Sandbox::new();
    let long = format!("status={}", "\u{8a9e}".repeat(100));
    let mut terminal = Pty::spawn(server(&sandbox, ["daemonize", "enter", &long, "wait-for=go", "notify", "stay"]));
    terminal.read_until("\u{8a9e}", LONG);
    std::fs::write(sandbox.path("go"), "").expect("say go");
    assert_eq!(terminal.wait_code(LONG), 0);
    assert_eq!(terminal.screen(), format!("{}\r\x1b[K", "\u{8a9e}".repeat(39)));
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn a_dumb_terminal_is_not_drawn_on() {
    let sandbox = Sandbox::new();
    let mut command = server(&sandbox, ["daemonize", "enter", "status=busy", "out=up\\n", "notify", "stay"]);
    command.env("TERM", "dumb");
    let mut terminal = Pty::spawn(command);
    assert_eq!(terminal.wait_code(LONG), 0);
    assert_eq!(terminal.screen(), "up\r\n");
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn a_terminal_that_is_closed_after_ready_is_nothing_to_the_server() {
    let sandbox = Sandbox::new();
    let mut terminal = Pty::spawn(server(&sandbox, ["daemonize", "enter", "out=up\\n", "notify", "stay"]));
    assert_eq!(terminal.wait_code(LONG), 0);
    let server = only_process(&sandbox);
    terminal.hang_up();
    drop(terminal);
    assert!(!testbed::wait_gone(server, std::time::Duration::from_millis(300)));
    assert_eq!(look_at(server).tty_nr, 0);
    stop(server);
    sandbox.finish();
}

#[test]
fn a_terminal_that_is_closed_before_ready_ends_the_start() {
    let sandbox = Sandbox::new();
    let mut terminal = Pty::spawn(server(&sandbox, ["daemonize", "enter", "out=up\\n", "stay"]));
    terminal.read_until("up", LONG);
    terminal.hang_up();
    assert_eq!(terminal.wait_code(LONG), 129);
    drop(terminal);
    sandbox.finish();
}

#[test]
fn opening_a_terminal_does_not_acquire_it() {
    // The other side of a fresh pty is nobody's terminal: a session leader would get it.
    let sandbox = Sandbox::new();
    let main = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).expect("a pty");
    rustix::pty::grantpt(&main).expect("grantpt");
    rustix::pty::unlockpt(&main).expect("unlockpt");
    let name = rustix::pty::ptsname(&main, Vec::new()).expect("its name").to_string_lossy().into_owned();
    let before = format!("terminal={name}");
    let run = daemonize(&sandbox, &["log=log", "enter", &before, "say-pid", "notify", &before, "out=end\\n", "stay"])
        .expect_code(0);
    assert!(run.out().starts_with("terminal=true acquired=false\n"), "{run}");
    let log = testbed::wait_for_text(sandbox.path("log"), "end", LONG);
    assert_eq!(log.matches("terminal=true acquired=false").count(), 2, "{log}");
    assert_eq!(look_at(pid(&run)).tty_nr, 0);
    stop(pid(&run));
    sandbox.finish();
}
