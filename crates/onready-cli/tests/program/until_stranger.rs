//! A stranger's listener never counts: before the start, and during it.

use crate::common::*;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

/// The fixture under a name of its own, that listens until the sandbox ends.
fn stranger(sandbox: &Sandbox, words: &[&str]) -> testbed::Running {
    let mut command = sandbox.fixture(["rename", "squatter", "--"]);
    command.args(words).arg("--announce");
    let running = Run::new(command).start();
    running.wait_stdout("listening on", LONG);
    running
}

#[test]
fn before_the_start_it_is_an_error_that_names_the_owner() {
    let sandbox = Sandbox::new();
    let (port, socket) = (testbed::free_port().to_string(), path(&sandbox, "socket"));
    let squatters =
        [stranger(&sandbox, &["listen", "--port", &port]), stranger(&sandbox, &["listen", "--unix", &socket])];
    let untils = [
        format!("tcp:{port}"),
        format!("http:http://127.0.0.1:{port}/"),
        format!("unix:{socket}"),
        format!("tcp:localhost:{port}"),
    ];
    for (until, squatter) in untils.iter().zip([0, 0, 1, 0]) {
        let run = start(&sandbox, &["--until", until, "--json"], &["listen"]).expect_code(125);
        let pid = squatters[squatter].pid();
        assert!(run.err().contains(&format!("is served by squatter (pid {pid}) already")), "{until}: {run}");
        assert_eq!(json(&run)["outcome"], "could not start", "{run}");
    }
    drop(squatters);
    sandbox.finish();
}

#[test]
fn during_the_start_it_is_an_error_at_once() {
    for kind in ["tcp", "http", "unix"] {
        let sandbox = Sandbox::new();
        let (number, socket) = (testbed::free_port(), path(&sandbox, "socket"));
        let until = match kind {
            "tcp" => format!("tcp:{number}"),
            "http" => format!("http:http://127.0.0.1:{number}/"),
            _ => format!("unix:{socket}"),
        };
        let run = Run::new(start_command(&sandbox, &["--until", &until], &["log-line", "begun", "--", "stay"])).start();
        run.wait_stdout("begun", LONG);
        let _tcp = (kind != "unix").then(|| TcpListener::bind(("127.0.0.1", number)).expect("bind"));
        let _unix = (kind == "unix").then(|| UnixListener::bind(&socket).expect("bind"));
        let run = check(run.done()).expect_code(125);
        assert!(run.err().contains(&format!("(pid {})", std::process::id())), "{kind}: {run}");
        assert!(run.exited_at < AT_ONCE, "{run}");
        sandbox.finish();
    }
}

#[test]
fn a_stranger_elsewhere_is_nobodys_business() {
    let sandbox = Sandbox::new();
    let _stranger = TcpListener::bind("127.0.0.1:0").expect("bind");
    start(&sandbox, &["-t", "400ms"], &["stay"]).expect_code(124);
    sandbox.finish();
}

/// The quickest of a few starts: the machine may do much else.
fn quickest(sandbox: &Sandbox) -> std::time::Duration {
    let starts = (0..5).map(|_| elapsed(&ready(sandbox, &[], &["listen", "--after-ms", "50"])));
    starts.min().expect("five starts")
}

#[test]
fn ten_thousand_foreign_sockets_do_not_slow_it() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: Some(12_000), maximum: limit.maximum };
    if limit.maximum.is_some_and(|most| most < 12_000) || setrlimit(Resource::Nofile, raised).is_err() {
        println!("skipped: too few descriptors are allowed");
        return;
    }
    let sandbox = Sandbox::new();
    let before = quickest(&sandbox);
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("its address");
    let mut held = Vec::new();
    for _ in 0..5000 {
        held.push(std::net::TcpStream::connect(address).expect("connect"));
        held.push(listener.accept().expect("accept").0);
    }
    let with = quickest(&sandbox);
    assert!(with < 3 * before + std::time::Duration::from_millis(100), "{before:?} without, {with:?} with them");
    end(sandbox);
}
