//! Nothing: what any Rust program pays for being started.

fn main() {}
