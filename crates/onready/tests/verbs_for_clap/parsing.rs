//! The subcommands among a program's own, with derive and with clap's builder.

use clap::{FromArgMatches, Parser, Subcommand};
use onready::Launch;
use onready::verbs::Control;
use std::ops::ControlFlow;

#[derive(Parser)]
struct Mixed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// One of the program's own.
    Check { path: String },
    #[command(flatten)]
    Control(Control),
}

#[test]
fn they_stand_beside_those_of_the_program() {
    let parse = |words: &[&str]| Mixed::try_parse_from([&["mixed"], words].concat()).map(|mixed| mixed.verb);
    assert!(matches!(parse(&["check", "x"]), Ok(Verb::Check { path }) if path == "x"));
    for verb in ["start", "stop", "status", "restart", "logs"] {
        assert!(matches!(parse(&[verb]), Ok(Verb::Control(_))), "{verb}");
    }
    assert!(
        parse(&["list"]).is_err() && parse(&["status", "--follow"]).is_err() && parse(&["stop", "--retry=x"]).is_err()
    );
}

#[test]
fn they_can_be_had_with_the_builder_and_without_ending_the_process() {
    let command = Control::augment_subcommands(clap::Command::new("built"));
    command.clone().debug_assert();
    let parse = |words: &[&str]| {
        let matches = command.clone().try_get_matches_from([&["built"], words].concat()).expect("they are known");
        Control::from_arg_matches(&matches).ok()
    };
    assert!(parse(&[]).is_none());
    let sandbox = testbed::Sandbox::new();
    let dir = sandbox.path("state");
    let dir = dir.to_str().expect("UTF-8");
    let unknown = parse(&["status", "-q", "--state-dir", dir, "--name", "nobody"]).expect("a verb");
    assert!(matches!(Launch::default().try_control(unknown), ControlFlow::Break(4)));
    assert!(matches!(Launch::default().try_control(None), ControlFlow::Continue(_)));
    let start = parse(&["start", "--state-dir", dir]).expect("a verb");
    assert!(matches!(Launch::default().try_control(start), ControlFlow::Continue(_)));
    sandbox.finish();
}
