//! A server that runs must be the one that is meant, if that is said.

use crate::*;

fn version(sandbox: &Sandbox, text: &str) -> Start {
    let pid_file = sandbox.path("pid");
    pong(sandbox, &["--pid-file"]).arg(pid_file).fingerprint(text)
}

/// Stops it and waits for its end.
fn stop(sandbox: &Sandbox) -> Start {
    let line = "pid=$(cat pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.01; done; rm -f socket";
    program(sandbox, "sh").args(["-c", line])
}

#[test]
fn another_one_is_an_error_that_names_both_or_is_replaced() {
    let sandbox = Sandbox::new();
    assert_eq!(ask(&sandbox, version(&sandbox, "v1")).expect("started"), "pong\n");
    let first = only_server(&sandbox);
    assert_eq!(ask(&sandbox, version(&sandbox, "v1")).expect("the same"), "pong\n");
    // Who does not ask for one takes any.
    assert_eq!(ask(&sandbox, pong(&sandbox, &[])).expect("any"), "pong\n");
    assert_eq!(only_server(&sandbox), first);

    let error = ask(&sandbox, version(&sandbox, "v2")).expect_err("another one");
    assert_eq!(error.exit_code(), 69);
    assert!(error.to_string().contains("\"v1\"") && error.to_string().contains("\"v2\""), "{error}");
    assert_eq!(only_server(&sandbox), first);

    let replaced = ask(&sandbox, version(&sandbox, "v2").replace_with(stop(&sandbox)));
    assert_eq!(replaced.expect("replaced"), "pong\n");
    let second = only_server(&sandbox);
    assert_ne!(second, first);
    assert_eq!(ask(&sandbox, version(&sandbox, "v2")).expect("the same"), "pong\n");
    assert_eq!(only_server(&sandbox), second);
    assert_no_lock(&sandbox);
    end_server(&sandbox);
    sandbox.finish();
}

#[test]
fn many_who_want_it_replaced_replace_it_once() {
    let sandbox = Sandbox::new();
    assert_eq!(ask(&sandbox, version(&sandbox, "v0")).expect("started"), "pong\n");
    race(|round| {
        let before = only_server(&sandbox);
        let wanted = format!("v{}", round + 1);
        std::thread::scope(|scope| {
            let client = || ask(&sandbox, version(&sandbox, &wanted).replace_with(stop(&sandbox)));
            let all: Vec<_> = (0..30).map(|_| scope.spawn(client)).collect();
            for client in all {
                assert_eq!(client.join().expect("no panic").expect("an answer"), "pong\n");
            }
        });
        assert_ne!(only_server(&sandbox), before);
    });
    assert_no_lock(&sandbox);
    end_server(&sandbox);
    sandbox.finish();
}

#[test]
fn a_server_of_which_nothing_is_known_is_another_one() {
    let sandbox = Sandbox::new();
    pong(&sandbox, &[]).run().expect("started by somebody else");
    let error = ask(&sandbox, version(&sandbox, "v1")).expect_err("not known");
    assert!(error.to_string().contains("its fingerprint is not known, wanted is \"v1\""), "{error}");
    end_server(&sandbox);
    sandbox.finish();
}
