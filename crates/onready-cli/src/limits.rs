//! `--rlimit`: resource limits by their names.
//!
//! # References
//! prlimit(2), prlimit(1)

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The kernel's number for it.
    pub resource: u32,
    /// Its name.
    pub name: &'static str,
    /// The limit in force.
    pub soft: u64,
    /// How far the server may raise it.
    pub hard: u64,
}

// The kernel's numbers have another type in each C library.
#[allow(clippy::unnecessary_cast)]
const RESOURCES: &[(&str, u32)] = &[
    ("as", libc::RLIMIT_AS as u32),
    ("core", libc::RLIMIT_CORE as u32),
    ("cpu", libc::RLIMIT_CPU as u32),
    ("data", libc::RLIMIT_DATA as u32),
    ("fsize", libc::RLIMIT_FSIZE as u32),
    #[cfg(target_os = "linux")]
    ("locks", libc::RLIMIT_LOCKS as u32),
    ("memlock", libc::RLIMIT_MEMLOCK as u32),
    #[cfg(target_os = "linux")]
    ("msgqueue", libc::RLIMIT_MSGQUEUE as u32),
    #[cfg(target_os = "linux")]
    ("nice", libc::RLIMIT_NICE as u32),
    ("nofile", libc::RLIMIT_NOFILE as u32),
    ("nproc", libc::RLIMIT_NPROC as u32),
    ("rss", libc::RLIMIT_RSS as u32),
    #[cfg(target_os = "linux")]
    ("rtprio", libc::RLIMIT_RTPRIO as u32),
    #[cfg(target_os = "linux")]
    ("rttime", libc::RLIMIT_RTTIME as u32),
    #[cfg(target_os = "linux")]
    ("sigpending", libc::RLIMIT_SIGPENDING as u32),
    ("stack", libc::RLIMIT_STACK as u32),
];

#[allow(clippy::unnecessary_cast)]
const UNLIMITED: u64 = libc::RLIM_INFINITY as u64;

/// `NAME=SOFT[:HARD]`, each a number or `unlimited`.
///
/// # Errors
/// It is not that; the message says what would be.
pub fn parse(text: &str) -> Result<Limit, String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=SOFT[:HARD], as nofile=1024".to_owned())?;
    let names = || RESOURCES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let known = RESOURCES.iter().find(|(known, _)| *known == name.to_ascii_lowercase());
    let (name, resource) = *known.ok_or_else(|| format!("there is no limit \"{name}\"; there are {}", names()))?;
    let (soft, hard) = value.split_once(':').unwrap_or((value, value));
    let (soft, hard) = (number(soft)?, number(hard)?);
    if soft > hard {
        return Err(format!("the soft limit {soft} is above the hard one {hard}"));
    }
    Ok(Limit { resource, name, soft, hard })
}

fn number(text: &str) -> Result<u64, String> {
    if matches!(text, "unlimited" | "infinity") {
        return Ok(UNLIMITED);
    }
    text.parse().map_err(|_| format!("\"{text}\" is neither a number nor `unlimited`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_understood() {
        let limit = parse("nofile=10:20");
        let expected = Limit { resource: RESOURCES[9].1, name: "nofile", soft: 10, hard: 20 };
        assert_eq!(limit, Ok(expected));
        assert_eq!(parse("core=unlimited").map(|limit| limit.soft), Ok(UNLIMITED));
        for wrong in ["", "nofile", "nofile=", "nofile=x", "nofile=2:1", "nonsense=1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
