//! Servers on record: how what is found of them is told, and where they listen now.

use crate::sockets::{Address, Observer};
use onready::engine::tree;
use onready::verbs::Teller;
use onready::verbs::state::Record;
use std::collections::HashMap;

/// How the verbs tell what they find.
pub fn teller(json: bool, quiet: bool) -> Teller {
    Teller { program: "onready".into(), json, quiet, refresh: look_again }
}

/// Puts down where servers that run, with these pids, listen now: one look for all. What is on record of one stays if
/// that cannot be seen: a start that did not need to know has not looked.
pub fn look_again(servers: &mut [(&mut Record, i32)]) {
    let mut members: HashMap<i32, Vec<i32>> = HashMap::new();
    for (_, pid) in &*servers {
        members.entry(*pid).or_insert_with(|| {
            let mut found = Vec::new();
            tree::descendants(&[*pid], &mut found);
            found
        });
    }
    let all: Vec<i32> = members.values().flatten().copied().collect();
    let mut listening: HashMap<i32, Vec<Address>> = HashMap::new();
    for owned in Observer::new().listening_of_each(&all) {
        listening.entry(owned.pid).or_default().push(owned.address);
    }
    for (record, pid) in servers {
        let mut now: Vec<&Address> = members[pid].iter().filter_map(|member| listening.get(member)).flatten().collect();
        now.sort();
        now.dedup();
        if !now.is_empty() {
            record.listening = now.into_iter().map(ToString::to_string).collect();
        }
    }
}
