//! `notify` tells a service manager as well.

use crate::common::*;
use testbed::Manager;

fn manager(sandbox: &Sandbox, which: &str) -> Manager {
    match which {
        "path" => Manager::at(sandbox.path("notify")),
        _ => Manager::at_abstract(&format!(
            "onready-test-{}",
            sandbox.dir().file_name().expect("a name").to_string_lossy()
        )),
    }
}

#[test]
fn in_the_background() {
    for which in ["path", "abstract"] {
        let sandbox = Sandbox::new();
        let manager = manager(&sandbox, which);
        let mut command = server(&sandbox, ["daemonize", "enter", "status=half way", "say-pid", "notify", "stay"]);
        manager.tell(&mut command);
        let run = Run::new(command).done().expect_code(0);
        assert_eq!(manager.next(LONG).expect("a message").text, "STATUS=half way\n");
        let message = manager.next(LONG).expect("a message");
        assert_eq!(message.text, format!("READY=1\nMAINPID={}\n", pid(&run)));
        assert_eq!(message.sender, pid(&run));
        assert!(manager.next(std::time::Duration::ZERO).is_none(), "nothing else");
        stop(pid(&run));
        sandbox.finish();
    }
}

#[test]
fn in_the_foreground() {
    for which in ["path", "abstract"] {
        let sandbox = Sandbox::new();
        let manager = manager(&sandbox, which);
        let mut command = server(&sandbox, ["enter", "extend=2000", "status=half way", "notify", "stay"]);
        manager.tell(&mut command);
        let run = Run::new(command).start();
        assert_eq!(manager.next(LONG).expect("a message").text, "EXTEND_TIMEOUT_USEC=2000000\n");
        assert_eq!(manager.next(LONG).expect("a message").text, "STATUS=half way\n");
        assert_eq!(manager.next(LONG).expect("a message").text, format!("READY=1\nMAINPID={}\n", run.pid()));
        run.signal("TERM");
        let _ = run.done();
        sandbox.finish();
    }
}

#[test]
fn ready_is_told_before_the_launcher_returns() {
    let sandbox = Sandbox::new();
    let manager = manager(&sandbox, "path");
    let mut command = server(&sandbox, ["daemonize", "enter", "say-pid", "notify", "stay"]);
    manager.tell(&mut command);
    let run = Run::new(command).done().expect_code(0);
    assert!(manager.next(std::time::Duration::ZERO).is_some(), "it is there already");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn a_failed_start_does_not_say_ready() {
    let sandbox = Sandbox::new();
    let manager = manager(&sandbox, "path");
    let mut command = server(&sandbox, ["daemonize", "dir=/no/where", "enter", "notify"]);
    manager.tell(&mut command);
    let _ = Run::new(command).done().expect_code(1);
    assert!(manager.next(std::time::Duration::ZERO).is_none());
    sandbox.finish();
}

#[test]
fn a_manager_that_is_gone_is_no_reason_to_fail_in_the_background() {
    let sandbox = Sandbox::new();
    let mut command = server(&sandbox, ["daemonize", "enter", "status=x", "say-pid", "notify", "stay"]);
    command.env("NOTIFY_SOCKET", sandbox.path("nobody-listens"));
    let run = Run::new(command).done().expect_code(0);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn a_manager_that_does_not_read_is_none_either() {
    let sandbox = Sandbox::new();
    let manager = manager(&sandbox, "path");
    let mut command = server(&sandbox, ["daemonize", "enter", "statuses=1000", "say-pid", "notify", "stay"]);
    manager.tell(&mut command);
    let run = Run::new(command).done().expect_code(0);
    assert!(manager.next(LONG).expect("a message").text.starts_with("STATUS=step 0"));
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn in_the_foreground_it_is_the_server_s_to_judge() {
    let sandbox = Sandbox::new();
    for (address, why) in
        [("/no/where", "No such file"), ("relative", "neither a path nor an abstract name"), ("@", "neither")]
    {
        let mut command = server(&sandbox, ["enter", "try-notify", "exit=0"]);
        command.env("NOTIFY_SOCKET", address);
        let run = Run::new(command).done().expect_code(0);
        let said = format!("not notified: cannot tell the service manager at NOTIFY_SOCKET={address}: ");
        assert!(run.out().starts_with(&said) && run.out().contains(why), "{run}");
    }
    sandbox.finish();
}

#[test]
fn an_empty_variable_is_none() {
    let sandbox = Sandbox::new();
    let mut command = server(&sandbox, ["enter", "status=x", "try-notify", "exit=0"]);
    command.env("NOTIFY_SOCKET", "");
    assert_eq!(Run::new(command).done().expect_code(0).out(), "notified\n");
    sandbox.finish();
}

#[test]
fn the_watchdog_s_pid_is_the_server_s() {
    let sandbox = Sandbox::new();
    // The shell's pid becomes the launcher's by exec; that is how a service manager's own child finds itself.
    let line = format!(
        "export WATCHDOG_PID=$$; exec {} daemonize enter env=WATCHDOG_PID say-pid notify stay",
        example("script").display()
    );
    let run = sandbox.run("sh", ["-c", &line]).expect_code(0);
    assert_eq!(value(&run.out(), "env"), pid(&run).to_string());
    stop(pid(&run));
    let mut command = server(&sandbox, ["daemonize", "enter", "env=WATCHDOG_PID", "say-pid", "notify", "stay"]);
    command.env("WATCHDOG_PID", "1");
    let run = Run::new(command).done().expect_code(0);
    assert_eq!(value(&run.out(), "env"), "1", "another's is left alone");
    stop(pid(&run));
    sandbox.finish();
}
