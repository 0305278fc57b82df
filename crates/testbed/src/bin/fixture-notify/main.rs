//! The same servers in a program that can speak sd_notify: `notify` does, `speaker` does not although it
//! could.
#![no_main]

mod notify;
mod socket;

use std::ffi::OsString;
use testbed::behaviours::{Answer, Args, Behaviour, main_with};

const OWN: &[Behaviour] = &[
    ("notify", notify::run, notify::USAGE),
    ("speaker", speaker, "[-- NEXT]   (a program that could speak and does not)"),
];

fn speaker(args: Args) -> Answer {
    args.then()
}

fn run(words: Vec<OsString>) -> u8 {
    main_with(OWN, words)
}

testbed::c_main!(run);
