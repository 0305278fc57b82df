//! What users type: `--until`, times, limits, stop schedules and names.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/onready-cli/src/duration.rs"]
mod duration;
#[allow(dead_code)]
#[path = "../../crates/onready-cli/src/limits.rs"]
mod limits;
#[allow(dead_code)]
#[path = "../../crates/onready-cli/src/when.rs"]
mod when;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = duration::parse(text);
    let _ = limits::parse(text);
    let _ = text.parse::<when::When>().map(|when| when.to_string());
    let _ = text.parse::<onready::verbs::Schedule>();
    let _ = onready::verbs::state::check_name(text);
});
