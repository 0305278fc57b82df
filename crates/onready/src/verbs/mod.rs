//! Life after the start, by name: what is on record, and the verbs that stand on it.

pub mod state;
