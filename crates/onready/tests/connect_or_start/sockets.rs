//! Socket files that a server left behind when it was killed.

use crate::*;
use std::os::unix::net::UnixListener;

#[test]
fn one_that_nobody_is_bound_to_is_replaced() {
    let sandbox = Sandbox::new();
    assert_eq!(ask(&sandbox, pong(&sandbox, &[])).expect("started"), "pong\n");
    let pid = only_server(&sandbox);
    assert!(testbed::kill(pid) && testbed::wait_gone(pid, LONG));
    assert!(sandbox.path("socket").exists());

    let error = ask(&sandbox, pong(&sandbox, &[])).expect_err("the server finds it in its way");
    assert!(error.to_string().contains("Address"), "{error}");
    let start = pong(&sandbox, &[]).socket(sandbox.path("socket"));
    assert_eq!(ask(&sandbox, start).expect("started again"), "pong\n");
    end_server(&sandbox);
    sandbox.finish();
}

#[test]
fn many_clients_replace_it_once() {
    let sandbox = Sandbox::new();
    race(|_| {
        drop(UnixListener::bind(sandbox.path("socket")).expect("bind"));
        std::thread::scope(|scope| {
            let client = || ask(&sandbox, pong(&sandbox, &[]).socket(sandbox.path("socket")));
            let all: Vec<_> = (0..50).map(|_| scope.spawn(client)).collect();
            for client in all {
                assert_eq!(client.join().expect("no panic").expect("an answer"), "pong\n");
            }
        });
        end_server(&sandbox);
    });
    assert_no_lock(&sandbox);
    sandbox.finish();
}

#[test]
fn one_that_is_bound_and_does_not_listen_yet_is_left_alone() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, socket};
    let sandbox = Sandbox::new();
    let bound = socket(AddressFamily::UNIX, SocketType::STREAM, None).expect("a socket");
    bind(&bound, &SocketAddrUnix::new(sandbox.path("socket")).expect("an address")).expect("bind");
    let error = ask(&sandbox, pong(&sandbox, &[]).socket(sandbox.path("socket"))).expect_err("in the way");
    assert!(error.to_string().contains("Address"), "{error}");
    assert!(sandbox.path("socket").exists(), "removed though somebody is bound to it");
    sandbox.finish();
}

#[test]
fn a_file_of_another_kind_is_left_alone() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("socket"), "data").expect("write");
    ask(&sandbox, pong(&sandbox, &[]).socket(sandbox.path("socket"))).expect_err("in the way");
    assert_eq!(std::fs::read_to_string(sandbox.path("socket")).expect("still there"), "data");
    sandbox.finish();
}
