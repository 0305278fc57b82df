//! From the options to what is executed.

use crate::cli::StartArguments;
use crate::command::{self, Unusable};
use crate::listen_fds::{self, Handed};
use onready::StartError;
use onready::engine::{Credentials, Environment, Recipe, Setup, exit_code};
use std::ffi::{CString, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The variable by which all processes of one start can be found again.
pub const MARK: &str = "ONREADY_INVOCATION";

/// What does not depend on the start, made once: a second recipe is needed for a script without `#!`.
pub struct Blueprint {
    /// The file.
    pub program: PathBuf,
    /// The directory of the server.
    pub directory: PathBuf,
    arguments: Vec<OsString>,
    environment: Environment,
    credentials: Credentials,
    handed: Vec<Handed>,
    setup: Vec<(String, SetupKind)>,
}

/// Steps that can be made twice.
#[derive(Clone)]
enum SetupKind {
    Umask(u32),
    Limit(u32, u64, u64),
    Nice(i32),
}

/// The descriptors that the server is born with.
pub struct Streams {
    /// stdin.
    pub stdin: OwnedFd,
    /// stdout.
    pub stdout: OwnedFd,
    /// stderr.
    pub stderr: OwnedFd,
    /// Those of `fd:N`, by their numbers.
    pub others: Vec<(OwnedFd, i32)>,
}

/// What can be wrong before anything is started.
pub enum Refusal {
    /// The command.
    Command(Unusable),
    /// Anything else.
    Other(String),
    /// As the core says it.
    Core(StartError),
}

impl Refusal {
    /// The exit code, and why.
    pub fn tell(self) -> (u8, String) {
        match self {
            Refusal::Command(command) => (command.code, command.why),
            Refusal::Other(why) => (exit_code::FAILED, why),
            Refusal::Core(error) => (error.exit_code(), error.to_string()),
        }
    }
}

impl From<StartError> for Refusal {
    fn from(error: StartError) -> Refusal {
        Refusal::Core(error)
    }
}

impl Blueprint {
    /// Looks everything up that can fail.
    ///
    /// # Errors
    /// The command, user, group, directory or an address of `--listen` is not to be had.
    pub fn new(arguments: &StartArguments, environment: &Environment, here: &Path) -> Result<Blueprint, Refusal> {
        let options = &arguments.options;
        let directory =
            options.special.chdir.as_ref().map_or_else(|| here.to_path_buf(), |directory| here.join(directory));
        is_directory(&directory)
            .map_err(|error| Refusal::Other(format!("cannot use the directory {}: {error}", directory.display())))?;
        let mut environment = environment.clone();
        options.special.env.iter().for_each(|(name, value)| environment.set(name, value));
        let path = environment.get("PATH");
        let command = arguments.command.first().cloned().unwrap_or_default();
        let program = command::find(&command, path, &directory).map_err(Refusal::Command)?;
        let credentials = Credentials::look_up(options.special.user.as_deref(), options.special.group.as_deref())
            .map_err(Refusal::Core)?;
        let handed = options.special.listen.iter().map(|text| listen_fds::bind(text)).collect::<Result<Vec<_>, _>>();
        let mut setup = Vec::new();
        setup.extend(options.special.umask.map(|mask| ("set the umask".into(), SetupKind::Umask(mask))));
        setup.extend(options.special.rlimit.iter().map(|limit| {
            let what = format!("set the limit {}={}:{}", limit.name, limit.soft, limit.hard);
            (what, SetupKind::Limit(limit.resource, limit.soft, limit.hard))
        }));
        setup.extend(options.special.nice.map(|nice| (format!("set the priority {nice}"), SetupKind::Nice(nice))));
        Ok(Blueprint {
            program,
            directory,
            arguments: arguments.command.clone(),
            environment,
            credentials,
            handed: handed.map_err(Refusal::Other)?,
            setup,
        })
    }

    /// The inodes of the sockets that are handed over: that they listen says nothing.
    pub fn handed_inodes(&self) -> Vec<u64> {
        self.handed.iter().filter_map(|handed| rustix::fs::fstat(&handed.socket).ok()).map(|stat| stat.st_ino).collect()
    }

    /// How many descriptors from 3 on `--listen` takes.
    pub fn handed(&self) -> i32 {
        self.handed.len() as i32
    }

    /// The user that the server becomes.
    pub fn uid(&self) -> Option<u32> {
        self.credentials.uid
    }

    /// The recipe; `as_script` has /bin/sh read the file, as execvp(3) does with one that has no `#!`.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn recipe(
        &self,
        streams: Streams,
        notify_socket: Option<&OsString>,
        mark: &str,
        as_script: bool,
    ) -> Result<Recipe, StartError> {
        let mut recipe = match as_script {
            true => {
                let script = self.program.clone().into_os_string();
                let words = [OsString::from("sh"), script].into_iter().chain(self.arguments.iter().skip(1).cloned());
                Recipe::with_environment("/bin/sh".into(), words.collect(), &self.environment)
            }
            false => Recipe::with_environment(self.program.clone(), self.arguments.clone(), &self.environment),
        };
        recipe.unset("NOTIFY_SOCKET");
        notify_socket.iter().for_each(|address| recipe.set("NOTIFY_SOCKET", *address));
        recipe.set(MARK, mark);
        if !self.handed.is_empty() {
            self.hand_over(&mut recipe)?;
        }
        recipe.descriptor(streams.stdin, 0);
        recipe.descriptor(streams.stdout, 1);
        recipe.descriptor(streams.stderr, 2);
        streams.others.into_iter().for_each(|(fd, number)| recipe.descriptor(fd, number));
        self.set_up(&mut recipe);
        Ok(recipe)
    }

    fn hand_over(&self, recipe: &mut Recipe) -> Result<(), StartError> {
        recipe.keep_activation();
        for (number, handed) in (3..).zip(&self.handed) {
            let socket = handed.socket.try_clone().map_err(|source| StartError::io("hand over a socket", source))?;
            recipe.descriptor(socket, number);
        }
        let names: Vec<&str> = self.handed.iter().map(|handed| handed.name.as_str()).collect();
        recipe.set("LISTEN_FDS", self.handed.len().to_string());
        recipe.set("LISTEN_FDNAMES", names.join(":"));
        recipe.pid_variable("LISTEN_PID", String::new());
        Ok(())
    }

    /// The order that works: what needs privileges first, then the privileges, the user last.
    fn set_up(&self, recipe: &mut Recipe) {
        for (what, kind) in &self.setup {
            let setup = match *kind {
                SetupKind::Umask(mask) => Setup::Umask(mask),
                SetupKind::Limit(resource, soft, hard) => Setup::Limit(resource, soft, hard),
                SetupKind::Nice(nice) => Setup::Nice(nice),
            };
            recipe.setup(what.clone(), setup);
        }
        let directory = CString::new(self.directory.as_os_str().as_bytes()).unwrap_or_default();
        if self.credentials.is_unchanged() {
            recipe.setup(self.entering(), Setup::Directory(directory));
            return;
        }
        if let Some(gid) = self.credentials.gid {
            recipe.setup("set the supplementary groups", Setup::Groups(self.credentials.groups.clone()));
            recipe.setup(format!("become group {gid}"), Setup::Group(gid));
        }
        if let Some(uid) = self.credentials.uid {
            recipe.setup(format!("become user {uid}"), Setup::User(uid));
        }
        recipe.setup(self.entering(), Setup::Directory(directory));
    }

    fn entering(&self) -> String {
        format!("enter the directory {}", self.directory.display())
    }
}

/// That it may be entered is seen when the server enters it.
fn is_directory(directory: &Path) -> std::io::Result<()> {
    match std::fs::metadata(directory)?.is_dir() {
        true => Ok(()),
        false => Err(std::io::ErrorKind::NotADirectory.into()),
    }
}
