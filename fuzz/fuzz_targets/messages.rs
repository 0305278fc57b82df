//! What other processes send us: sd_notify messages, and the variable of the private channel.
#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    onready::engine::parse(bytes).for_each(drop);
    let _ = onready::engine::claim(Some(OsString::from_vec(bytes.to_vec())));
});
