//! Many clients at the same instant: one server, and each of them gets its answer.

use crate::*;
use std::process::{Command, Output, Stdio};
use std::sync::Barrier;

/// As many as the issue asks for.
const CLIENTS: usize = 200;

/// A client that is a process of its own, with the lock where it is by default.
fn client(sandbox: &Sandbox, example_name: &str, words: &[&str]) -> Command {
    let mut command = sandbox.command(example(example_name));
    let socket = sandbox.path("socket");
    command.arg(&socket).arg(example("pong")).args(["--daemonize", "--listen"]).arg(&socket).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn many(sandbox: &Sandbox, words: &[&str]) -> Vec<Output> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(client(sandbox, "client", words).spawn().expect("start a client"));
    }
    clients.into_iter().map(|client| client.wait_with_output().expect("a client's end")).collect()
}

#[test]
fn two_hundred_processes_start_one_server() {
    let sandbox = Sandbox::new();
    race(|round| {
        // Without and with time for all of them to queue up behind the first.
        let init = if round % 2 == 0 { "0" } else { "300" };
        for output in many(&sandbox, &["--init-ms", init]) {
            assert!(output.status.success(), "{output:?}");
            assert_eq!(String::from_utf8_lossy(&output.stdout), "pong\n", "{output:?}");
        }
        assert_eq!(sandbox.files(), [""; 0], "locks that are left");
        end_server(&sandbox);
    });
    sandbox.finish();
}

#[test]
fn when_it_fails_all_get_the_same_error_and_the_lock_is_free_again() {
    let sandbox = Sandbox::new();
    let outputs = many(&sandbox, &["--init-ms", "1500", "--fail", "7"]);
    let first = String::from_utf8_lossy(&outputs[0].stderr).into_owned();
    assert!(first.contains("pong exited with code 7") && first.contains("pong: cannot go on, as asked"), "{first}");
    for output in &outputs {
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), first);
    }
    assert_eq!(sandbox.processes(), []);
    assert_eq!(sandbox.files(), [""; 0], "locks that are left");
    let later = client(&sandbox, "client", &[]).output().expect("run a client");
    assert!(later.status.success(), "{later:?}");
    end_server(&sandbox);
    sandbox.finish();
}

#[test]
fn two_hundred_threads_start_one_server() {
    let sandbox = Sandbox::new();
    race(|_| {
        let barrier = Barrier::new(CLIENTS);
        std::thread::scope(|scope| {
            let client = || {
                barrier.wait();
                ask(&sandbox, pong(&sandbox, &["--init-ms", "100"]))
            };
            let all: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
            for client in all {
                assert_eq!(client.join().expect("no panic").expect("an answer"), "pong\n");
            }
        });
        assert_no_lock(&sandbox);
        end_server(&sandbox);
    });
    sandbox.finish();
}

#[test]
fn a_client_on_tokio_starts_its_server() {
    let sandbox = Sandbox::new();
    for _ in 0..2 {
        let output = client(&sandbox, "client_tokio", &[]).output().expect("run the client");
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"pong\n"[..]), "{output:?}");
        only_server(&sandbox);
    }
    end_server(&sandbox);
    sandbox.finish();
}

#[test]
fn a_client_that_is_killed_while_it_holds_the_lock_is_followed_by_the_next() {
    let sandbox = Sandbox::new();
    race(|_| {
        let mut first = client(&sandbox, "client", &["--init-ms", "60000"]).spawn().expect("start a client");
        // Its launcher and that one's server are there.
        let since = Instant::now();
        while sandbox.processes().len() < 3 {
            assert!(since.elapsed() < LONG, "{:?}", sandbox.processes());
            std::thread::yield_now();
        }
        std::thread::scope(|scope| {
            // Another program's arguments make another lock: these wait for the first one's.
            let waiting: Vec<_> = (0..20)
                .map(|_| scope.spawn(|| client(&sandbox, "client", &["--init-ms", "60000"]).output().expect("run")))
                .collect();
            first.kill().expect("kill it");
            first.wait().expect("its end");
            // The next one starts a server in its turn; what the first had begun is gone.
            let since = Instant::now();
            let servers = || sandbox.processes().iter().filter(|(_, line)| line.contains("examples/pong")).count();
            let clients = || sandbox.processes().iter().filter(|(_, line)| line.contains("examples/client")).count();
            while clients() < 20 || servers() < 20 + 2 {
                assert!(since.elapsed() < LONG, "{:?}", sandbox.processes());
                std::thread::yield_now();
            }
            sandbox.kill_all();
            for output in waiting {
                assert_eq!(output.join().expect("no panic").status.code(), None, "it was killed");
            }
        });
        sandbox.allow("run/onready/clients/*.lock");
    });
    sandbox.finish();
}

#[test]
fn with_a_running_server_nothing_is_touched() {
    let sandbox = Sandbox::new();
    assert_eq!(ask(&sandbox, pong(&sandbox, &[])).expect("started"), "pong\n");
    let pid = only_server(&sandbox);
    // Neither the program nor the lock's directory exists: who looked at them would fail.
    let nothing = Start::program("/no/such/program").lock("/no/such/directory/lock");
    assert_eq!(ask(&sandbox, nothing).expect("it runs"), "pong\n");
    assert_eq!(only_server(&sandbox), pid);
    end_server(&sandbox);
    sandbox.finish();
}
