//! The output of `fixture flood`: endless, different on each stream, and known at every offset, so that
//! a lost, doubled or displaced byte is found.

use crate::Stream;

/// How a flood looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lines of 32 bytes, each with the stream's letter and its own offset.
    Lines,
    /// The same without any newline.
    OneLine,
    /// All byte values, zero bytes and invalid UTF-8 among them.
    Binary,
}

/// The length of one line.
const LINE: usize = 32;

fn line(stream: Stream, offset: u64, kind: Kind) -> [u8; LINE] {
    let letter = match stream {
        Stream::Stdout => b'o',
        Stream::Stderr => b'e',
    };
    let mut line = *b"  ---------------- 0123456789ab\n";
    line[0] = letter;
    for (at, place) in line[2..18].iter_mut().enumerate() {
        let digit = (offset >> (60 - 4 * at)) & 15;
        *place = b"0123456789abcdef"[digit as usize];
    }
    if kind == Kind::OneLine {
        line[LINE - 1] = b'|';
    }
    if kind == Kind::Binary {
        let mut state = offset ^ (u64::from(letter == b'e') << 63) ^ 0x9E37_79B9_7F4A_7C15;
        for byte in &mut line {
            // splitmix64: every byte value comes up.
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            *byte = (mixed >> 40) as u8;
        }
    }
    line
}

/// The bytes from an offset on.
#[must_use]
pub fn bytes(stream: Stream, kind: Kind, from: u64, count: usize) -> Vec<u8> {
    let skip = usize::try_from(from % LINE as u64).unwrap_or(0);
    let mut all = Vec::with_capacity(count + 2 * LINE);
    let mut offset = from - skip as u64;
    while all.len() < skip + count {
        all.extend_from_slice(&line(stream, offset, kind));
        offset += LINE as u64;
    }
    all.drain(..skip);
    all.truncate(count);
    all
}

/// Where the bytes seen differ from a flood that began at 0; `None` if they do not.
#[must_use]
pub fn first_difference(seen: &[u8], stream: Stream, kind: Kind) -> Option<usize> {
    let right = bytes(stream, kind, 0, seen.len());
    // Equal is the usual case, and a comparison as a whole the fast one.
    if seen == right {
        return None;
    }
    seen.iter().zip(&right).position(|(seen, right)| seen != right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_at_an_offset_do_not_depend_on_where_the_block_began() {
        for kind in [Kind::Lines, Kind::OneLine, Kind::Binary] {
            let all = bytes(Stream::Stdout, kind, 0, 1000);
            assert_eq!(bytes(Stream::Stdout, kind, 333, 100), all[333..433]);
            assert_eq!(first_difference(&all, Stream::Stdout, kind), None);
            assert!(first_difference(&all, Stream::Stderr, kind).is_some());
            assert_eq!(first_difference(&all[1..], Stream::Stdout, kind), Some(0));
        }
    }

    #[test]
    fn binary_holds_every_byte() {
        let all = bytes(Stream::Stderr, Kind::Binary, 0, 65536);
        assert!((0..=255).all(|byte| all.contains(&byte)));
    }
}
