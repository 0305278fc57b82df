//! The mark by which all processes of one start are known again.
//!
//! # References
//! getrandom(2)

use std::time::Duration;

/// A number that no other start has.
pub fn invocation() -> String {
    let mut bytes = [0u8; 16];
    if !random(&mut bytes) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        bytes[..8].copy_from_slice(&(now.as_nanos() as u64).to_le_bytes());
        bytes[8..12].copy_from_slice(&std::process::id().to_le_bytes());
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Early at boot there may be none yet.
#[cfg(target_os = "linux")]
fn random(bytes: &mut [u8; 16]) -> bool {
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::NONBLOCK) == Ok(bytes.len())
}

/// The keys of a hash map are the system's random numbers.
#[cfg(not(target_os = "linux"))]
fn random(bytes: &mut [u8; 16]) -> bool {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let halves = bytes.chunks_exact_mut(8);
    halves.for_each(|half| half.copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes()));
    true
}
