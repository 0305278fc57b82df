//! Servers on record: how what is found of them is told, and where they listen now.

use crate::world::World;
use onready::engine::tree;
use onready::verbs::Teller;
use onready::verbs::state::Record;
use std::time::Instant;

/// How the verbs tell what they find.
pub fn teller(json: bool, quiet: bool) -> Teller {
    Teller { program: "onready".into(), json, quiet, refresh: look_again }
}

/// Puts down where a server that runs, with this pid, listens now. What is on record of it stays if that cannot be seen:
/// a start that did not need to know has not looked.
pub fn look_again(record: &mut Record, pid: i32) {
    let members = move || {
        let mut found = Vec::new();
        tree::descendants(&[pid], &mut found);
        found
    };
    let mut world = World::new(Box::new(members), Vec::new(), Instant::now());
    world.look();
    let now = world.addresses();
    if !now.is_empty() {
        record.listening = now;
    }
}
