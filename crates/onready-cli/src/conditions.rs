//! From `--until` to the sources that give the signs.

use crate::cli::Options;
use crate::recipe::Blueprint;
use crate::until::{
    Auto, By, Delay, Endpoint, Exec, FdLine, FileSign, Http, Listen, Matcher, NotifySign, SocketSign,
};
use crate::when::{Sign, When};
use crate::world::SharedWorld;
use onready::engine::Source;
use std::cell::Cell;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::rc::Rc;

/// All conditions of a start.
#[derive(Default)]
pub struct Conditions {
    /// Those that are asked by the loop, with what they wait for.
    pub sources: Vec<Box<dyn Source>>,
    /// Those that lines of the output decide.
    pub matchers: Vec<Matcher>,
    /// Descriptors that the server is to have.
    pub descriptors: Vec<(OwnedFd, i32)>,
    /// The number of `exit`, if it is asked for.
    pub exit: Option<usize>,
    /// Whether a command that puts itself into the background is followed.
    pub follows: bool,
    names: Vec<Name>,
}

/// What `ready_by` says of a condition.
enum Name {
    Text(String),
    Auto(Rc<Cell<By>>),
}

impl Conditions {
    /// What the given signs are called.
    pub fn given(&self, given: &[bool]) -> Vec<String> {
        let names = self.names.iter().zip(given).filter(|(_, given)| **given);
        names.map(|(name, _)| match name {
            Name::Text(text) => text.clone(),
            Name::Auto(by) => by.get().name().into(),
        })
        .collect()
    }

    /// What is still waited for.
    pub fn missing(&self, given: &[bool]) -> Vec<String> {
        let names = self.names.iter().zip(given).filter(|(_, given)| !**given);
        names.map(|(name, _)| match name {
            Name::Text(text) => text.clone(),
            Name::Auto(_) => "auto".into(),
        })
        .collect()
    }
}

/// Makes the conditions; what must not be true before the start is looked at now.
///
/// # Errors
/// A stranger listens where the server is to, a host is unknown, or two want one descriptor.
pub fn prepare(
    options: &Options,
    blueprint: Option<&Blueprint>,
    world: &SharedWorld,
    variables: &[(OsString, OsString)],
    family: &crate::world::SharedFamily,
) -> Result<Conditions, String> {
    let mut all = Conditions::default();
    for (sign, when) in options.until.iter().enumerate() {
        let source = source(sign, when, &mut all, blueprint, world, variables, family)?;
        all.sources.extend(source);
        if !matches!(when.sign, Sign::Auto) {
            all.names.push(Name::Text(when.to_string()));
        }
    }
    all.matchers.extend(options.fail_log.iter().cloned().map(Matcher::failure));
    Ok(all)
}

fn source(
    sign: usize,
    when: &When,
    all: &mut Conditions,
    blueprint: Option<&Blueprint>,
    world: &SharedWorld,
    variables: &[(OsString, OsString)],
    family: &crate::world::SharedFamily,
) -> Result<Option<Box<dyn Source>>, String> {
    let shared = world.clone();
    Ok(Some(match &when.sign {
        Sign::Auto => {
            let by = Rc::new(Cell::new(By::Nothing));
            all.names.push(Name::Auto(Rc::clone(&by)));
            all.follows = true;
            Box::new(Auto::new(sign, shared, by))
        }
        Sign::Notify => Box::new(NotifySign { sign, world: shared }),
        Sign::Listen => {
            world.borrow_mut().wanted = true;
            Box::new(Listen { sign, world: shared })
        }
        Sign::Fd(number) => {
            let taken = blueprint.is_some_and(|blueprint| *number < 3 + blueprint.handed())
                || all.descriptors.iter().any(|(_, known)| known == number);
            if taken {
                return Err(format!("descriptor {number} of fd:{number} is taken already; choose another"));
            }
            let (line, theirs) = FdLine::new(sign).map_err(|error| format!("cannot make a pipe: {error}"))?;
            all.descriptors.push((theirs, *number));
            Box::new(line)
        }
        Sign::Tcp { host, port } => Box::new(SocketSign::new(sign, Endpoint::tcp(host, *port)?, shared)?),
        Sign::Unix(path) => Box::new(SocketSign::new(sign, Endpoint::unix(path)?, shared)?),
        Sign::Http(http) => Box::new(Http::new(sign, http.clone(), shared)?),
        Sign::File(path) => Box::new(FileSign::new(sign, path.clone())),
        Sign::Exec(command) => {
            Box::new(Exec::new(sign, command.clone(), variables.to_vec(), family.clone()))
        }
        Sign::Delay(time) => Box::new(Delay::new(sign, *time)),
        Sign::Log { count, regex } => {
            all.matchers.push(Matcher::sign(sign, regex.clone(), *count));
            return Ok(None);
        }
        Sign::Exit => {
            all.exit = Some(sign);
            all.follows = true;
            return Ok(None);
        }
    }))
}
