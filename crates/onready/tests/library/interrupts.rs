//! A launcher that is asked to give up ends the whole server.

use crate::common::*;

const STEPS: [&str; 6] = ["daemonize", "enter", "sh&=exec sleep 60", "status=deep in it", "out=started\\n", "stay"];

#[test]
fn sigint_sigterm_sighup() {
    let sandbox = Sandbox::new();
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let run = Run::new(server(&sandbox, STEPS)).start();
        run.wait_stdout("started", LONG);
        run.signal(signal);
        let run = run.done().expect_code(code).expect_free();
        assert!(run.exited_at < AT_ONCE, "{run}");
        let said = format!("script: interrupted by SIG{signal} before the server was ready; it was stopped\n");
        assert_eq!(run.err(), said);
        assert_eq!(sandbox.processes(), [], "after SIG{signal}");
    }
    sandbox.finish();
}

#[test]
fn ctrl_c_on_a_terminal() {
    let sandbox = Sandbox::new();
    let mut terminal = Pty::spawn(server(&sandbox, STEPS));
    terminal.read_until("started", LONG);
    terminal.type_bytes("\x03");
    assert_eq!(terminal.wait_code(LONG), 130);
    assert!(terminal.screen().contains("interrupted by SIGINT"), "{:?}", terminal.screen());
    drop(terminal);
    sandbox.finish();
}

#[test]
fn a_second_ctrl_c_kills_who_ignores_the_first() {
    let sandbox = Sandbox::new();
    let steps = [
        "daemonize",
        "enter",
        "--",
        "on-term",
        "--times",
        "9",
        "--say",
        "not yet",
        "--",
        "log-line",
        "started",
        "--",
        "stay",
    ];
    let run = Run::new(server(&sandbox, steps)).start();
    run.wait_stdout("started", LONG);
    run.signal("INT");
    run.wait_stdout("not yet", LONG);
    run.signal("INT");
    let run = run.done().expect_code(130);
    assert!(run.exited_at < AT_ONCE, "{run}");
    assert_eq!(run.out().matches("not yet").count(), 1, "one SIGTERM, not two: {run}");
    sandbox.finish();
}

#[test]
fn a_server_may_take_its_time_to_end() {
    let sandbox = Sandbox::new();
    let steps = [
        "daemonize",
        "enter",
        "--",
        "on-term",
        "--say",
        "cleaned up",
        "--after-ms",
        "500",
        "--",
        "log-line",
        "started",
        "--",
        "stay",
    ];
    let run = Run::new(server(&sandbox, steps)).start();
    run.wait_stdout("started", LONG);
    run.signal("TERM");
    let run = run.done().expect_code(143);
    assert!(run.out().contains("cleaned up"), "what it says while it ends is carried: {run}");
    sandbox.finish();
}

#[test]
fn nohup_is_respected() {
    let sandbox = Sandbox::new();
    let steps = ["daemonize", "enter", "out=started\\n", "wait-for=go", "notify", "stay"];
    let run = Run::new(server(&sandbox, steps)).setup(Setup::new().ignore("HUP")).start();
    run.wait_stdout("started", LONG);
    run.signal("HUP");
    std::fs::write(sandbox.path("go"), "").expect("say go");
    let _ = run.done().expect_code(0);
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn a_shell_may_stop_and_continue_the_launcher() {
    let sandbox = Sandbox::new();
    let steps = ["daemonize", "enter", "out=started\\n", "wait-for=go", "flood=300000", "notify", "stay"];
    let run = Run::new(server(&sandbox, steps)).start();
    run.wait_stdout("started", LONG);
    run.signal("STOP");
    std::fs::write(sandbox.path("go"), "").expect("say go");
    run.signal("CONT");
    let run = run.done().expect_code(0);
    assert_eq!(run.stdout.len(), "started\n".len() + 300_000);
    stop(only_process(&sandbox));
    sandbox.finish();
}
