//! `list`: a table for people, JSON for programs, quick with many.

use crate::common::*;

#[test]
fn the_columns_stand_below_each_other() {
    let sandbox = Sandbox::new();
    assert_eq!(onready(&sandbox, &["list"]).expect_code(0).out(), "NAME  STATE  PID  READY-IN  UPTIME  LISTENING\n");
    let pid = ready(&sandbox, &["-n", "a-rather-long-name"], &LISTEN);
    ready(&sandbox, &["-n", "größe"], &LISTEN);
    stop(&sandbox, "größe");
    let text = onready(&sandbox, &["list"]).expect_code(0).out();
    let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    assert_eq!(lines.len(), 3, "{text}");
    for title in ["STATE", "PID", "READY-IN", "UPTIME", "LISTENING"] {
        let at = text.lines().next().and_then(|line| line.find(title)).expect("a title");
        for line in &lines {
            assert!(line[at - 1] == ' ' && line[at] != ' ', "{title} at {at}:\n{text}");
        }
    }
    let cells: Vec<&str> = text.lines().nth(1).expect("a row").split_whitespace().collect();
    assert_eq!(cells.len(), 6, "{text}");
    assert_eq!((cells[0], cells[1], cells[2]), ("a-rather-long-name", "ready", pid.to_string().as_str()));
    assert!(cells[5].starts_with("127.0.0.1:"), "{text}");
    assert_eq!(
        text.lines().nth(2).expect("a row").split_whitespace().collect::<Vec<_>>(),
        ["größe", "stopped", "-", "-", "-", "-"]
    );
    stop(&sandbox, "a-rather-long-name");
    end(sandbox);
}

#[test]
fn where_it_listens_is_seen_now() {
    let sandbox = Sandbox::new();
    // Its start has no need to know, and does not look.
    let by_a_line = ["-n", "web", "--until", "log:listening"];
    start(&sandbox, &by_a_line, &["listen", "--announce"]).expect_code(0);
    let seen = status(&sandbox, "web").1["listening"].clone();
    let address = seen[0].as_str().unwrap_or_else(|| panic!("no address in {seen}")).to_owned();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    for (verb, words) in [("list", ""), ("status", "web")] {
        let run = onready(&sandbox, &[&[verb], &words.split_whitespace().collect::<Vec<_>>()[..]].concat());
        assert!(run.out().contains(&address), "{run}");
    }
    let again = start(&sandbox, &[&by_a_line[..], &["--json"]].concat(), &["listen", "--announce"]).expect_code(0);
    assert_eq!(json(&again)["listening"], seen, "{again}");
    let unit = onready(&sandbox, &["export", "kubernetes", "web"]).expect_code(0);
    assert!(unit.out().contains(&address["127.0.0.1:".len()..]), "{unit}");
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn the_json_is_that_of_status_for_each() {
    let sandbox = Sandbox::new();
    assert_eq!(json(&onready(&sandbox, &["list", "--json"]).expect_code(0)), Value::Array(Vec::new()));
    for name in ["b", "a"] {
        ready(&sandbox, &["-n", name], &LISTEN);
    }
    let list = json(&onready(&sandbox, &["list", "--json"]).expect_code(0));
    for (at, name) in ["a", "b"].into_iter().enumerate() {
        let mut seen = status(&sandbox, name).1;
        seen["uptime_ms"] = list[at]["uptime_ms"].clone();
        assert_eq!(list[at], seen);
    }
    onready(&sandbox, &["stop", "a", "b"]).expect_code(0);
    end(sandbox);
}

#[test]
fn a_damaged_record_hides_no_other() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    std::fs::write(state_path(&sandbox).join("bad.state"), "?").expect("write");
    let run = onready(&sandbox, &["list"]).expect_code(0);
    assert!(run.out().contains("\nweb ") && run.err().contains("cannot read the record of bad: "), "{run}");
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn a_thousand_are_listed_within_a_tenth_of_a_second() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    let record = std::fs::read(state_path(&sandbox).join("web.state")).expect("a record");
    for number in 0..999 {
        let name = format!("web-{number:03}");
        let text = String::from_utf8_lossy(&record).replacen("\"web\"", &format!("{name:?}"), 1);
        std::fs::write(state_path(&sandbox).join(format!("{name}.state")), text).expect("write");
    }
    let times: Vec<Duration> = (0..5)
        .map(|_| {
            let run = onready(&sandbox, &["list"]).expect_code(0);
            assert_eq!(run.out().lines().count(), 1001);
            run.elapsed
        })
        .collect();
    println!("{times:?}");
    // Without the optimizer nothing is promised but that it is not absurd.
    let limit = Duration::from_millis(if cfg!(debug_assertions) { 2000 } else { 100 });
    assert!(times.iter().min().is_some_and(|time| *time < limit), "{times:?}");
    stop(&sandbox, "web");
    end(sandbox);
}
