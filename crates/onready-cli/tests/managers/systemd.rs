//! systemd as PID 1.

use crate::machine::{Machine, PORT};
use crate::{INIT, INIT_MS};
use testbed::Finished;

/// A unit of this type with this command line, and more settings.
fn service(kind: &str, command: &str, more: &str) -> String {
    format!("[Service]\nType={kind}\nExecStart={command}\nTimeoutStartSec=20\n{more}")
}

/// Starts the unit, which takes its time: active, and the first client is answered.
#[track_caller]
fn starts(machine: &Machine, unit: &str) -> Finished {
    let run = machine.systemctl(&["start", unit]).expect_code(0);
    assert!(run.elapsed >= INIT, "it did not wait\n{run}");
    machine.assert_pong();
    assert_eq!(machine.show(unit, "ActiveState"), "active");
    run
}

#[test]
fn a_library_server_in_the_foreground_notifies() {
    let command = format!("/box/pong --listen 127.0.0.1:{PORT} --init-ms {INIT_MS}");
    let unit = service("notify", &command, "");
    let Some(machine) = Machine::boot(&[("pong.service", &unit)]) else { return };
    starts(&machine, "pong.service");
    assert!(machine.show("pong.service", "StatusText").starts_with("warming up: "));
    assert!(machine.main_process("pong.service").starts_with("/box/pong "));
    machine.systemctl(&["stop", "pong.service"]).expect_code(0);
    assert_eq!(machine.show("pong.service", "ActiveState"), "inactive");
    machine.halt();
}

#[test]
fn a_library_server_that_fails_is_a_failed_unit() {
    let unit = service("notify", "/box/pong --fail 7", "");
    let Some(machine) = Machine::boot(&[("pong.service", &unit)]) else { return };
    machine.systemctl(&["start", "pong.service"]).expect_code(1);
    assert_eq!(machine.show("pong.service", "ActiveState"), "failed");
    assert_eq!(machine.show("pong.service", "ExecMainStatus"), "7");
    machine.halt();
}

#[test]
fn a_library_server_puts_itself_into_the_background() {
    let command =
        format!("/box/pong --daemonize --pid-file /run/pong.pid --listen 127.0.0.1:{PORT} --init-ms {INIT_MS}");
    let unit = service("forking", &command, "PIDFile=/run/pong.pid");
    let Some(machine) = Machine::boot(&[("pong.service", &unit)]) else { return };
    starts(&machine, "pong.service");
    let pid_file = machine.exec(&["cat", "/run/pong.pid"]).expect_code(0);
    assert_eq!(pid_file.out().trim(), machine.show("pong.service", "MainPID"));
    machine.systemctl(&["stop", "pong.service"]).expect_code(0);
    assert_eq!(machine.show("pong.service", "ActiveState"), "inactive");
    machine.halt();
}

/// The library's `notify` in a server of the program's: its word goes up through the program.
#[test]
fn a_library_server_notifies_through_the_program() {
    let command = format!("/box/onready --foreground -- /box/pong --listen 127.0.0.1:{PORT} --init-ms {INIT_MS}");
    let unit = service("notify", &command, "");
    let Some(machine) = Machine::boot(&[("pong.service", &unit)]) else { return };
    starts(&machine, "pong.service");
    assert!(machine.show("pong.service", "StatusText").starts_with("warming up: "));
    assert!(machine.main_process("pong.service").starts_with("/box/onready "));
    machine.systemctl(&["stop", "pong.service"]).expect_code(0);
    machine.halt();
}

/// A server that cannot speak becomes one that does.
#[test]
fn any_server_notifies_through_the_program() {
    let server = format!("/box/fixture on-term --code 0 -- listen --port {PORT} --after-ms {INIT_MS}");
    let unit = service("notify", &format!("/box/onready -n web --foreground -- {server}"), "");
    let Some(machine) = Machine::boot(&[("web.service", &unit)]) else { return };
    starts(&machine, "web.service");
    machine.exec(&["/box/onready", "status", "web"]).expect_code(0);
    machine.assert_stops("web.service");
    machine.exec(&["/box/onready", "status", "web"]).expect_code(3);
    machine.halt();
}

/// The server's own code is the unit's, during the start and later.
#[test]
fn what_ends_in_the_foreground_of_the_program_is_told_by_its_code() {
    let server = format!("/box/fixture on-term --code 7 -- listen --port {PORT} --after-ms {INIT_MS}");
    let late = service("notify", &format!("/box/onready --foreground -- {server}"), "");
    let early = service("notify", "/box/onready --foreground -- /box/fixture exit 9", "");
    let Some(machine) = Machine::boot(&[("late.service", &late), ("early.service", &early)]) else { return };
    starts(&machine, "late.service");
    let main = format!("--pid={}", machine.show("late.service", "MainPID"));
    machine.systemctl(&["kill", "--kill-who=main", "late.service"]).expect_code(0);
    machine.exec(&["tail", "-s", "0.02", &main, "-f", "/dev/null"]).expect_code(0);
    // By the end of this job, systemd knows of the exit as well.
    machine.systemctl(&["stop", "late.service"]).expect_code(0);
    assert_eq!(machine.show("late.service", "ExecMainStatus"), "7");
    machine.systemctl(&["start", "early.service"]).expect_code(1);
    assert_eq!(machine.show("early.service", "ExecMainStatus"), "9");
    machine.halt();
}

/// `Type=forking` is what the program does by itself.
#[test]
fn the_program_returns_when_the_server_is_ready() {
    let server = format!("/box/fixture listen --port {PORT} --after-ms {INIT_MS}");
    let command = format!("/box/onready -n web --pid-file /run/web.pid -- {server}");
    let unit = service("forking", &command, "PIDFile=/run/web.pid");
    let Some(machine) = Machine::boot(&[("web.service", &unit)]) else { return };
    starts(&machine, "web.service");
    assert!(machine.main_process("web.service").starts_with("/box/fixture "));
    machine.assert_stops("web.service");
    machine.halt();
}

/// The verb for scripts, with a barrier that systemd itself answers.
#[test]
fn a_script_notifies() {
    let script = format!(
        "/bin/sh -c '/box/fixture listen --port {PORT} --after-ms {INIT_MS} --port-file /run/port & \
         while ! [ -s /run/port ]; do sleep 0.01; done; /box/onready notify READY=1 STATUS=open; echo $? >/run/code; wait'"
    );
    let unit = service("notify", &script, "NotifyAccess=all");
    let Some(machine) = Machine::boot(&[("script.service", &unit)]) else { return };
    starts(&machine, "script.service");
    assert_eq!(machine.show("script.service", "StatusText"), "open");
    machine.exec(&["tail", "-s", "0.01", "-n", "1", "/run/code"]).expect_code(0);
    machine.halt();
}

/// A server that reads its configuration again at SIGHUP, and takes its time for it.
fn reloading(notify: &str) -> String {
    format!(
        "/bin/sh -c 'trap \"{notify} --reloading; sleep 0.{INIT_MS}; touch /run/read-again; {notify} --ready\" HUP; \
         {notify} --ready; while :; do sleep 1000 & wait; done'"
    )
}

/// `systemctl reload` returns when the server has said READY=1 after RELOADING=1, and not before.
#[track_caller]
fn reloads(command: &str, more: &str) {
    let unit = service("notify-reload", command, more);
    let Some(machine) = Machine::boot_newer(&[("again.service", &unit)]) else { return };
    machine.systemctl(&["start", "again.service"]).expect_code(0);
    assert_eq!(machine.show("again.service", "Type"), "notify-reload");
    machine.exec(&["test", "-e", "/run/read-again"]).expect_code(1);
    let run = machine.systemctl(&["reload", "again.service"]).expect_code(0);
    machine.exec(&["test", "-e", "/run/read-again"]).expect_code(0);
    assert!(run.elapsed >= INIT, "it did not wait\n{run}");
    assert_eq!(machine.show("again.service", "ActiveState"), "active");
    assert_eq!(machine.show("again.service", "ReloadResult"), "success");
    machine.systemctl(&["stop", "again.service"]).expect_code(0);
    machine.halt();
}

#[test]
fn a_script_tells_of_a_reload() {
    reloads(&reloading("/box/onready notify"), "NotifyAccess=all");
}

/// SIGHUP goes down and both words come up: systemd knows the program alone.
#[test]
fn a_reload_is_told_through_the_program() {
    let server = reloading("/box/onready notify");
    reloads(&format!("/box/onready --foreground --until notify -- {server}"), "NotifyAccess=main");
}

/// The socket is systemd's; the first client starts the server, and waits for it.
#[test]
fn a_socket_starts_the_server() {
    let socket = format!("[Socket]\nListenStream=127.0.0.1:{PORT}\nFileDescriptorName=web\n");
    let server = "/box/fixture-notify listen --inherited 3 --background -- notify 300ms READY=1 -- stay";
    let unit = service("notify", &format!("/box/onready --foreground -- {server}"), "");
    let Some(machine) = Machine::boot(&[("web.socket", &socket), ("web.service", &unit)]) else { return };
    machine.systemctl(&["start", "web.socket"]).expect_code(0);
    assert_eq!(machine.show("web.service", "ActiveState"), "inactive");
    machine.assert_pong();
    // A second request for a start waits for the first one's end.
    machine.systemctl(&["start", "web.service"]).expect_code(0);
    assert_eq!(machine.show("web.service", "ActiveState"), "active");
    machine.halt();
}
