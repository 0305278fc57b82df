//! A behaviour's flags and words, and the words of the next behaviour.

use super::life::live;
use super::{Answer, Behaviour, dispatch, usage};
use std::ffi::OsString;
use std::io;
use std::str::FromStr;
use std::time::Duration;

/// The words of one behaviour, and after the first `--` those of the next.
pub struct Args {
    own: &'static [Behaviour],
    words: Vec<OsString>,
    rest: Vec<OsString>,
}

/// A word `50ms` is a pause, any other one a word.
pub enum Pause {
    /// Wait so long.
    For(Duration),
    /// Something to write or send.
    Word(String),
}

/// Reads a word as a pause if it is a number with `ms` behind it.
#[must_use]
pub fn pause_or_word(word: String) -> Pause {
    let millis = word.strip_suffix("ms").and_then(|number| number.parse().ok());
    millis.map_or(Pause::Word(word), |millis| Pause::For(Duration::from_millis(millis)))
}

impl Args {
    /// Splits the words at the first `--`.
    #[must_use]
    pub fn new(own: &'static [Behaviour], mut words: Vec<OsString>) -> Self {
        let end = words.iter().position(|word| word == "--");
        let mut rest = words.split_off(end.unwrap_or(words.len()));
        rest.drain(..rest.len().min(1));
        Self { own, words, rest }
    }

    /// True if there is no word at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.rest.is_empty()
    }

    /// Takes the first word as the behaviour's name, and `--life SECONDS` wherever it stands.
    ///
    /// # Errors
    ///
    /// When `--life` is no number.
    pub fn name(&mut self) -> io::Result<Option<String>> {
        while let Some(seconds) = self.number("--life")? {
            live(seconds)?;
        }
        if self.words.is_empty() {
            return Ok(None);
        }
        text(self.words.remove(0)).map(Some)
    }

    /// Takes a flag without a value.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// Takes a flag and the word behind it.
    ///
    /// # Errors
    ///
    /// When there is none, or it is no UTF-8.
    pub fn value(&mut self, name: &str) -> io::Result<Option<String>> {
        let Some(at) = self.words.iter().position(|word| word == name) else {
            return Ok(None);
        };
        self.words.remove(at);
        if at == self.words.len() {
            return Err(usage(format!("{name} wants a value")));
        }
        text(self.words.remove(at)).map(Some)
    }

    /// Takes a flag as often as it stands there.
    ///
    /// # Errors
    ///
    /// As [`value`](Self::value).
    pub fn values(&mut self, name: &str) -> io::Result<Vec<String>> {
        let mut all = Vec::new();
        while let Some(value) = self.value(name)? {
            all.push(value);
        }
        Ok(all)
    }

    /// Takes a flag whose value is a number.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn number<T: FromStr>(&mut self, name: &str) -> io::Result<Option<T>> {
        let Some(value) = self.value(name)? else {
            return Ok(None);
        };
        let number = value.parse().map_err(|_| usage(format!("{name} {value}: not a number")))?;
        Ok(Some(number))
    }

    /// Takes a flag whose value is a time in milliseconds; none is no time.
    ///
    /// # Errors
    ///
    /// When it is no number.
    pub fn millis(&mut self, name: &str) -> io::Result<Duration> {
        let millis = self.number(name)?.unwrap_or(0);
        Ok(Duration::from_millis(millis))
    }

    /// Takes the words that are left; flags among them are unknown.
    ///
    /// # Errors
    ///
    /// When a word begins with `--`.
    pub fn words(&mut self) -> io::Result<Vec<String>> {
        let words: io::Result<Vec<String>> = self.words.drain(..).map(text).collect();
        let words = words?;
        match words.iter().find(|word| word.starts_with("--")) {
            Some(flag) => Err(usage(format!("unknown flag {flag}"))),
            None => Ok(words),
        }
    }

    /// Takes the next word.
    ///
    /// # Errors
    ///
    /// When there is none, or it is a flag.
    pub fn word(&mut self, what: &str) -> io::Result<String> {
        if self.words.is_empty() {
            return Err(usage(format!("{what} is missing")));
        }
        let word = text(self.words.remove(0))?;
        if word.starts_with("--") {
            return Err(usage(format!("unknown flag {word}")));
        }
        Ok(word)
    }

    /// Everything behind the first `--`, for another process.
    ///
    /// # Errors
    ///
    /// When a word is left over before it.
    pub fn rest(mut self) -> io::Result<Vec<OsString>> {
        self.done()?;
        Ok(std::mem::take(&mut self.rest))
    }

    /// All words as they are, for another program.
    #[must_use]
    pub fn all(mut self) -> Vec<OsString> {
        if !self.rest.is_empty() {
            self.words.push("--".into());
            self.words.append(&mut self.rest);
        }
        self.words
    }

    /// Checks that no word is left over.
    ///
    /// # Errors
    ///
    /// When one is.
    pub fn done(&mut self) -> io::Result<()> {
        match self.words()?.first() {
            Some(word) => Err(usage(format!("what is {word:?}?"))),
            None => Ok(()),
        }
    }

    /// Goes on as the next behaviour; without one, stays.
    ///
    /// # Errors
    ///
    /// When a word is left over, or the next behaviour fails.
    pub fn then(mut self) -> Answer {
        self.done()?;
        dispatch(self.own, self.rest)
    }
}

fn text(word: OsString) -> io::Result<String> {
    word.into_string().map_err(|word| usage(format!("{word:?} is no UTF-8")))
}
