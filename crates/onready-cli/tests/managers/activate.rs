//! `systemd-socket-activate`, which needs no systemd that runs.

use crate::{LONG, programs};
use testbed::{Manager, Run, Sandbox, free_port, ping};

/// The first client starts the server through the program, which hands the socket down and READY=1 up.
#[test]
fn the_first_client_starts_the_server() {
    let sandbox = Sandbox::new();
    let manager = Manager::at(sandbox.path("notify"));
    let addr = format!("127.0.0.1:{}", free_port());
    let mut command = sandbox.command("systemd-socket-activate");
    for (name, _) in sandbox.environment() {
        command.arg("-E").arg(name);
    }
    command.args(["-E", "NOTIFY_SOCKET", "-l", &addr]).arg(programs::onready()).args(["--foreground", "--"]);
    command.arg(testbed::speaker_path());
    command.args(["listen", "--inherited", "3", "--background", "--", "notify", "READY=1", "--", "stay"]);
    manager.tell(&mut command);
    let running = Run::new(command).limit(LONG).start();
    running.wait_stderr("Listening on", LONG);
    assert_eq!(ping(&addr).expect("an answer"), "pong\n");
    let ready = manager.wait_for("READY=1", LONG);
    assert_eq!(ready.sender, running.pid(), "it is the program that speaks, and that systemd watches");
    assert!(running.signal("TERM"));
    let run = running.done();
    assert_eq!(run.code, Some(128 + 15), "{run}");
    sandbox.allow("run/onready/**").allow("state/onready/**");
    sandbox.finish();
}
