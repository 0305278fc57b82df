//! A terminal must behave as one: controlling, echoing, interrupting, hanging up.

use std::time::Duration;
use testbed::{Process, Pty, Sandbox, wait_for_file, wait_gone};

const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn the_command_leads_a_session_with_a_controlling_terminal() {
    let sandbox = Sandbox::new();
    let mut pty = Pty::spawn(sandbox.fixture(["log-line", "hello", "--", "stay"]));
    assert!(pty.read_until("hello\r\n", LIMIT).starts_with("hello"));
    let process = Process::of(pty.pid()).expect("alive");
    assert!(process.leads_session() && process.tty_nr != 0);
    assert_eq!(process.fds[&0], pty.path().display().to_string());
    assert!(!process.strange_fds().is_empty());
    drop(pty);
    sandbox.finish();
}

#[test]
fn control_c_interrupts() {
    let sandbox = Sandbox::new();
    let mut pty = Pty::spawn(sandbox.fixture(["log-line", "up", "--", "stay"]));
    pty.read_until("up", LIMIT);
    pty.type_bytes([3]);
    assert_eq!(pty.wait_code(LIMIT), 128 + 2);
    assert!(pty.screen().contains("^C"));
    sandbox.finish();
}

#[test]
fn typed_lines_are_read() {
    let sandbox = Sandbox::new();
    let mut pty = Pty::spawn(sandbox.command("cat"));
    pty.type_bytes("some words\n\x04");
    assert_eq!(pty.wait_code(LIMIT), 0);
    assert_eq!(pty.screen().matches("some words\r\n").count(), 2, "echo and cat");
    sandbox.finish();
}

#[test]
fn a_hang_up_ends_the_foreground() {
    let sandbox = Sandbox::new();
    let mut pty = Pty::spawn(sandbox.fixture(["log-line", "up", "--", "stay"]));
    pty.read_until("up", LIMIT);
    pty.hang_up();
    assert_eq!(pty.wait_code(LIMIT), 128 + 1);
    sandbox.finish();
}

#[test]
fn a_hang_up_reaches_what_a_shell_runs_in_the_foreground_only() {
    for (end, dies) in [("\n", true), (" &\n", false)] {
        let sandbox = Sandbox::new();
        // Not bash, which would pass the signal on to all its jobs.
        let mut shell = sandbox.command("dash");
        shell.env("PS1", "ready> ").arg("-i");
        let mut pty = Pty::spawn(shell);
        pty.read_until("ready> ", LIMIT);
        let file = sandbox.path("pid");
        let program = testbed::fixture_path();
        pty.type_bytes(format!("{} pid-file {}{end}", program.display(), file.display()));
        let pid: i32 = wait_for_file(&file, LIMIT).trim().parse().expect("a pid");
        pty.hang_up();
        pty.wait(LIMIT).expect("the shell ends");
        assert_eq!(wait_gone(pid, if dies { LIMIT } else { Duration::from_millis(50) }), dies);
        sandbox.kill_all();
    }
}

#[test]
fn only_a_session_leader_acquires_a_terminal_by_opening_it() {
    for (leader, has) in [(true, "yes"), (false, "no")] {
        let sandbox = Sandbox::new();
        // The terminal of a session that has ended belongs to nobody, but here we hold it open.
        let mut pty = Pty::spawn(sandbox.fixture(["exit", "0"]));
        assert_eq!(pty.wait_code(LIMIT), 0);
        let tty = pty.path().display().to_string();
        let file = sandbox.path("report").display().to_string();
        let grab = ["tty-grab", &tty, &file, "--", "exit", "0"];
        let daemon = ["session", "--setsid", "--null", "--"];
        let daemon = daemon.into_iter().chain(if leader { &[][..] } else { &["child", "--"][..] }.to_vec());
        let run = testbed::Run::new(sandbox.fixture(["child", "--"].into_iter().chain(daemon).chain(grab)));
        run.done().expect_code(0);
        let report = wait_for_file(&file, LIMIT);
        assert!(report.contains(&format!("opened=yes\nhas_tty={has}\n")), "leader {leader}: {report}");
        sandbox.finish();
    }
}
