//! `status`: text, JSON and exit codes.

use crate::common::*;

#[test]
fn each_state_has_its_word_and_its_code() {
    let sandbox = Sandbox::new();
    assert_eq!(status(&sandbox, "web"), (4, serde_json::json!({ "name": "web", "state": "unknown" })));
    let starter = Run::new(start_command(&sandbox, &["-n", "web"], &["listen", "--after-ms", "50000"])).start();
    wait_for_state(&sandbox, "web", "starting");
    onready(&sandbox, &["status", "-q", "web"]).expect_code(150);
    starter.signal("INT");
    starter.done().expect_code(130);
    assert_eq!((status(&sandbox, "web").0, status(&sandbox, "web").1["state"].clone()), (3, "failed".into()));
    let pid = ready(&sandbox, &["-n", "web"], &LISTEN);
    assert_eq!(status(&sandbox, "web").0, 0);
    testbed::kill(pid);
    assert!(testbed::wait_gone(pid, LONG));
    assert_eq!((status(&sandbox, "web").0, status(&sandbox, "web").1["state"].clone()), (1, "dead".into()));
    ready(&sandbox, &["-n", "web"], &LISTEN);
    stop(&sandbox, "web");
    assert_eq!((status(&sandbox, "web").0, status(&sandbox, "web").1["state"].clone()), (3, "stopped".into()));
    end(sandbox);
}

#[test]
fn the_json_holds_what_the_start_told_and_how_it_is_now() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--json", "-n", "web", "--fingerprint", "v1"], &LISTEN).expect_code(0);
    let started = json(&run);
    let (code, seen) = status(&sandbox, "web");
    assert_eq!(code, 0);
    for (key, value) in started.as_object().expect("an object") {
        assert_eq!(&seen[key], value, "{key}");
    }
    assert_eq!((&seen["state"], &seen["fingerprint"]), (&"ready".into(), &"v1".into()));
    assert_eq!(seen["command"][1], "listen");
    assert_eq!(seen["directory"].as_str().map(std::path::PathBuf::from), sandbox.path("").canonicalize().ok());
    assert!(seen["uptime_ms"].as_u64().is_some_and(|time| time < 30_000), "{seen}");
    let year =
        seen["started_at"].as_str().and_then(|text| text.split('-').next()).and_then(|year| year.parse::<u32>().ok());
    assert!(year.is_some_and(|year| year > 2000), "{seen}");
    stop(&sandbox, "web");
    let (_, seen) = status(&sandbox, "web");
    assert_eq!((&seen["pid"], &seen["uptime_ms"]), (&Value::Null, &Value::Null));
    end(sandbox);
}

#[test]
fn the_text_names_what_a_person_asks_for() {
    let sandbox = Sandbox::new();
    let pid = ready(&sandbox, &["-n", "web"], &LISTEN);
    let run = onready(&sandbox, &["status", "web"]).expect_code(0);
    let text = run.out();
    assert!(text.starts_with("web is ready\n"), "{text}");
    for part in [
        &format!("pid        {pid}\n"),
        "command    ",
        "fixture listen\n",
        "listening  127.0.0.1:",
        "stdout.log\n",
        "ready after",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert_eq!(run.err(), "");
    stop(&sandbox, "web");
    let run = onready(&sandbox, &["status", "web", "nobody"]).expect_code(4);
    assert!(run.out().contains("web is stopped\n") && run.out().contains("nobody is unknown: "), "{run}");
    end(sandbox);
}

#[test]
fn a_failed_start_tells_why() {
    let sandbox = Sandbox::new();
    start(&sandbox, &["-n", "web"], &["exit", "7"]).expect_code(7);
    let (code, seen) = status(&sandbox, "web");
    assert_eq!((code, &seen["state"], &seen["outcome"]), (3, &"failed".into(), &"exited".into()));
    assert_eq!(seen["exit_code"], 7);
    assert!(seen["error"].as_str().is_some_and(|error| error.contains("code 7")), "{seen}");
    end(sandbox);
}

#[test]
fn a_damaged_record_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    stop(&sandbox, "web");
    std::fs::write(state_path(&sandbox).join("web.state"), "{\"na").expect("write");
    let run = onready(&sandbox, &["status", "web"]).expect_code(125);
    assert!(run.err().contains("cannot read the record of web in "), "{run}");
    // It is in nobody's way.
    ready(&sandbox, &["-n", "web"], &LISTEN);
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn a_server_that_was_kept_though_its_time_was_over_is_starting() {
    let sandbox = Sandbox::new();
    let words = ["-n", "web", "-t", "300ms", "--on-timeout", "keep"];
    start(&sandbox, &words, &["listen", "--after-ms", "50000"]).expect_code(124);
    let (code, seen) = status(&sandbox, "web");
    assert_eq!((code, &seen["state"], &seen["outcome"]), (150, &"starting".into(), &"timed out".into()));
    let run = start(&sandbox, &words, &["listen", "--after-ms", "50000"]).expect_code(69);
    assert!(run.err().contains("was not ready in time"), "{run}");
    stop(&sandbox, "web");
    assert_eq!(status(&sandbox, "web").0, 3);
    end(sandbox);
}
