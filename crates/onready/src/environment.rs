//! Variables that are handed on and put on record: cheap to clone, for they may be a mebibyte.
//!
//! # References
//! environ(7)

use crate::sys;
use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io::{self, IoSlice, Write};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// `NAME=VALUE`, as the kernel has it.
type Entry = Cow<'static, CStr>;

/// An environment. Clones share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(Arc<Vec<Entry>>);

impl Environment {
    /// This process's own, where it lies: for a process that never changes it.
    pub fn own() -> Environment {
        Environment(Arc::new(sys::environment().into_iter().map(Cow::Borrowed).collect()))
    }

    /// As [`Environment::write_to`] has written it; what holds no `=` is left out.
    pub fn read(block: &[u8]) -> Environment {
        let entries = block.split(|byte| *byte == 0).filter(|entry| split(entry).is_some());
        Environment(Arc::new(entries.filter_map(|entry| CString::new(entry).ok()).map(Cow::Owned).collect()))
    }

    /// Sets a variable; one that holds a zero byte cannot be.
    pub fn set(&mut self, name: &OsStr, value: &OsStr) {
        let entries = Arc::make_mut(&mut self.0);
        entries.retain(|entry| split(entry.to_bytes()).is_none_or(|(known, _)| known != name));
        let entry = [name.as_bytes(), b"=", value.as_bytes()].concat();
        entries.extend(CString::new(entry).ok().map(Cow::Owned));
    }

    /// Whether it is a clone of the other one, and unchanged since.
    #[cfg(feature = "verbs")]
    pub(crate) fn is_same(&self, other: &Environment) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The value of a variable.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.iter().find(|(known, _)| *known == name.as_ref()).map(|(_, value)| value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().filter_map(|entry| split(entry.to_bytes()))
    }

    /// The entries.
    pub(crate) fn variables(&self) -> impl Iterator<Item = sys::Variable> {
        self.0.iter().map(|entry| match entry {
            Cow::Borrowed(entry) => sys::Variable::Inherited(entry),
            Cow::Owned(entry) => sys::Variable::Own(entry.to_bytes().to_vec()),
        })
    }

    /// How many bytes [`Environment::write_to`] writes.
    pub fn length(&self) -> usize {
        self.0.iter().map(|entry| entry.to_bytes_with_nul().len()).sum()
    }

    /// Writes the entries, with a zero byte after each.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> = self.0.iter().map(|entry| IoSlice::new(entry.to_bytes_with_nul())).collect();
        let mut left = &mut slices[..];
        while !left.is_empty() {
            match to.write_vectored(left) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut left, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Those of `std::env::vars_os`, for one.
impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Environment {
        let entry = |(name, value): (OsString, OsString)| [name.as_bytes(), b"=", value.as_bytes()].concat();
        let entries = variables.into_iter().filter_map(|variable| CString::new(entry(variable)).ok());
        Environment(Arc::new(entries.map(Cow::Owned).collect()))
    }
}

/// The name may begin with an equals sign.
fn split(entry: &[u8]) -> Option<(&OsStr, &OsStr)> {
    let equals = 1 + entry.get(1..)?.iter().position(|byte| *byte == b'=')?;
    Some((OsStr::from_bytes(&entry[..equals]), OsStr::from_bytes(&entry[equals + 1..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(environment: &Environment) -> Vec<u8> {
        let mut text = Vec::new();
        environment.write_to(&mut text).expect("into memory");
        assert_eq!(text.len(), environment.length());
        text
    }

    #[test]
    fn what_is_written_is_read_again() {
        let block = b"A=1\0=odd=2\0B=\xff=\0EMPTY=\0";
        let read = Environment::read(block);
        assert_eq!(text(&read), block);
        assert_eq!(read.iter().count(), 4);
        assert_eq!(read.get("=odd"), Some(OsStr::new("2")));
        assert_eq!(Environment::read(&text(&Environment::own())).iter().count(), std::env::vars_os().count());
    }

    #[test]
    fn a_variable_is_set_once_and_in_no_other_clone() {
        let before = Environment::read(b"A=1\0B=2\0A=3\0");
        let mut after = before.clone();
        after.set("A".as_ref(), "4".as_ref());
        assert_eq!((text(&after), before.get("A")), (b"B=2\0A=4\0".to_vec(), Some(OsStr::new("1"))));
        after.set("C".as_ref(), "\0".as_ref());
        assert_eq!(after.get("C"), None);
    }
}
