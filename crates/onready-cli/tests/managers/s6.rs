//! s6: a scan folder, a service folder, a notification descriptor.

use crate::{INIT, INIT_MS, LONG, programs};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use testbed::{Run, Running, Sandbox, ping};

/// s6 knows one sign, a line on a descriptor, and no NOTIFY_SOCKET: `s6-notifyoncheck` asks `data/check`, and that asks
/// the program, which was told by the server's `notify`.
const RUN: &str = "exec s6-notifyoncheck -d -3 3 -w 20 -n 0";

/// A scan folder with a service `web`, and the s6-svscan that serves it.
pub struct Scan {
    pub sandbox: Sandbox,
    running: Running,
}

fn script(path: &std::path::Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("write a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("make it executable");
}

impl Scan {
    fn start(command: &str) -> Scan {
        let sandbox = Sandbox::new();
        let service = sandbox.path("scan/web");
        fs::create_dir_all(service.join("data")).expect("make a service folder");
        fs::write(service.join("notification-fd"), "3\n").expect("write the descriptor's number");
        script(&service.join("run"), command);
        let check = format!("exec {} status -q web", programs::onready().display());
        script(&service.join("data/check"), &check);
        let mut svscan = sandbox.command("s6-svscan");
        svscan.arg(sandbox.path("scan"));
        let running = Run::new(svscan).limit(LONG).start();
        // Made by s6-supervise once it listens for commands.
        testbed::wait_for_path(service.join("supervise/status"), LONG);
        Scan { sandbox, running }
    }

    /// A tool of s6 on the service.
    #[track_caller]
    pub fn tool(&self, words: &[&str]) -> testbed::Finished {
        let mut command = self.sandbox.command(words[0]);
        command.args(&words[1..]).arg(self.sandbox.path("scan/web"));
        Run::new(command).limit(LONG).done()
    }

    fn end(self) {
        self.tool(&["s6-svc", "-wD", "-T", "10000", "-d"]).expect_code(0);
        assert!(self.running.signal("TERM"));
        self.running.done();
        self.sandbox.allow("run/onready/**").allow("state/onready/**");
        self.sandbox.finish();
    }
}

#[test]
fn a_library_server_is_ready_when_it_notifies() {
    let (onready, pong) = (programs::onready(), programs::pong());
    let addr = format!("127.0.0.1:{}", testbed::free_port());
    let server = format!("{} --listen {addr} --init-ms {INIT_MS}", pong.display());
    let scan = Scan::start(&format!("{RUN} {} -n web --foreground -- {server}", onready.display()));
    scan.tool(&["s6-svwait", "-U", "-t", "10000"]).expect_code(0);
    let status = scan.tool(&["s6-svstat", "-o", "up,ready"]).expect_code(0);
    assert_eq!(status.out(), "true true\n");
    assert_eq!(ping(&addr).expect("an answer"), "pong\n");
    let again = {
        scan.tool(&["s6-svc", "-wD", "-T", "10000", "-d"]).expect_code(0);
        scan.tool(&["s6-svc", "-wU", "-T", "10000", "-u"]).expect_code(0)
    };
    assert!(again.elapsed >= INIT, "it did not wait\n{again}");
    assert_eq!(ping(&addr).expect("an answer"), "pong\n");
    scan.end();
}

/// A server that never becomes ready is never called so.
#[test]
fn a_server_that_never_notifies_is_never_ready() {
    let server = format!("{} stay", testbed::fixture_path().display());
    let onready = programs::onready();
    let scan = Scan::start(&format!("{RUN} {} -n web --foreground -- {server}", onready.display()));
    scan.tool(&["s6-svwait", "-U", "-t", "600"]).expect_code(99);
    assert_eq!(scan.tool(&["s6-svstat", "-o", "up,ready"]).out(), "true false\n");
    scan.end();
}
