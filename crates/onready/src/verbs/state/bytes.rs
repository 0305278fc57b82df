//! Texts of the system in JSON: arguments, variables and paths need not be UTF-8, and must come back as they were.
//!
//! What is UTF-8 is a string, what is not an array of its bytes.

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

struct Text<'a>(&'a OsStr);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0.to_str() {
            Some(text) => to.serialize_str(text),
            None => to.collect_seq(self.0.as_bytes()),
        }
    }
}

struct OwnedText(OsString);

impl<'de> Deserialize<'de> for OwnedText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = OwnedText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of bytes")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<OwnedText, E> {
                Ok(OwnedText(text.into()))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<OwnedText, E> {
                Ok(OwnedText(text.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OwnedText, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = items.next_element()? {
                    bytes.push(byte);
                }
                Ok(OwnedText(OsString::from_vec(bytes)))
            }
        }
        from.deserialize_any(TextVisitor)
    }
}

/// For a list of arguments.
pub(super) mod list {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(list: &[OsString], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(list.iter().map(|text| Text(text)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<OsString>, D::Error> {
        let list = Vec::<OwnedText>::deserialize(from)?;
        Ok(list.into_iter().map(|text| text.0).collect())
    }
}

/// For a path that may be missing.
pub(super) mod path {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
        path.as_ref().map(|path| Text(path.as_os_str())).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
        let text = Option::<OwnedText>::deserialize(from)?;
        Ok(text.map(|text| text.0.into()))
    }
}
