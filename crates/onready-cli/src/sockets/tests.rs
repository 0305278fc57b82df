//! With real sockets, held by real processes. Nothing here waits by sleeping: when `spawn` returns, the child has
//! the socket as its standard input.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};

use super::*;
use onready::engine::tree;

/// A folder that is removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("onready-sockets-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that holds a socket and does nothing; killed and reaped at the end of the test.
struct Server(Child);

impl Server {
    fn with(socket: impl Into<OwnedFd>) -> Self {
        Self(Command::new("sleep").arg("1000").stdin(Stdio::from(socket.into())).spawn().unwrap())
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn tcp() -> (TcpListener, Address) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    (listener, address)
}

fn inode(socket: impl AsFd) -> u64 {
    rustix::fs::fstat(socket).unwrap().st_ino
}

fn addresses(owned: &[Owned]) -> Vec<Address> {
    owned.iter().map(|socket| socket.address.clone()).collect()
}

/// One listener of each kind, with the addresses at which they are to be seen. IPv6 only where there is IPv6.
fn one_of_each(folder: &Folder) -> Vec<(OwnedFd, Address)> {
    let path = folder.0.join("with blank.sock");
    let name = format!("onready-{}-{}", std::process::id(), folder.0.display());
    let abstract_name = UnixAddr::from_abstract_name(&name).unwrap();
    let (v4, v4_address) = tcp();
    let packets = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let packets_path = folder.0.join("packets");
    bind(&packets, &rustix::net::SocketAddrUnix::new(&packets_path).unwrap()).unwrap();
    listen(&packets, 1).unwrap();
    let mut all = vec![
        (v4.into(), v4_address),
        (UnixListener::bind(&path).unwrap().into(), Address::Unix(path)),
        (UnixListener::bind_addr(&abstract_name).unwrap().into(), Address::Abstract(name.into_bytes())),
        (packets, Address::Unix(packets_path)),
    ];
    if let Ok(v6) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        let address = Address::Tcp(v6.local_addr().unwrap());
        all.push((v6.into(), address));
    }
    all
}

#[test]
fn every_kind_of_listener_is_seen() {
    let folder = Folder::new("kinds");
    let (sockets, mut expected): (Vec<_>, Vec<_>) = one_of_each(&folder).into_iter().unzip();
    let servers: Vec<_> = sockets.into_iter().map(Server::with).collect();
    let pids: Vec<_> = servers.iter().map(Server::pid).collect();
    expected.sort();
    for mut observer in [Observer::new(), Observer::force_proc()] {
        for _ in 0..2 {
            let owned = observer.listening(&pids);
            assert_eq!(addresses(&owned), expected);
            assert!(owned.iter().all(|socket| pids.contains(&socket.pid)));
            assert!(!observer.is_blind());
        }
        drop(observer);
    }
}

#[test]
fn netlink_and_proc_agree() {
    let folder = Folder::new("agree");
    let ours = one_of_each(&folder);
    let (mut netlink, mut proc) = (Listeners::new(), Listeners::force_proc());
    netlink.refresh().unwrap();
    proc.refresh().unwrap();
    for (socket, address) in &ours {
        let number = inode(socket);
        assert_eq!(netlink.get(number).map(|listener| &listener.address), Some(address));
        assert_eq!(proc.get(number).map(|listener| &listener.address), Some(address));
    }
    drop(ours);
    netlink.refresh().unwrap();
    assert!(netlink.iter().all(|listener| !listener.address.to_string().contains("onready-sockets-agree")));
}

#[test]
fn a_socket_counts_once_it_listens() {
    for mut observer in [Observer::new(), Observer::force_proc()] {
        for (family, any) in [(AddressFamily::INET, true), (AddressFamily::UNIX, false)] {
            let folder = Folder::new(if any { "later-tcp" } else { "later-unix" });
            let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
            let server = Server::with(socket.try_clone().unwrap());
            assert_eq!(observer.listening(&[server.pid()]), [], "open");
            if any {
                bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
            } else {
                bind(&socket, &rustix::net::SocketAddrUnix::new(folder.0.join("sock")).unwrap()).unwrap();
            }
            assert_eq!(observer.listening(&[server.pid()]), [], "bound");
            listen(&socket, 1).unwrap();
            let owned = observer.listening(&[server.pid()]);
            assert_eq!(owned.len(), 1, "listening");
            assert_eq!((owned[0].pid, owned[0].inode), (server.pid(), inode(&socket)));
        }
    }
}

#[test]
fn what_does_not_listen_is_not_seen() {
    let (listener, _) = tcp();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let accepted = listener.accept().unwrap().0;
    let (one, other) = UnixStream::pair().unwrap();
    let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let unix_datagrams = UnixDatagram::unbound().unwrap();
    let sockets: [OwnedFd; 6] =
        [client.into(), accepted.into(), one.into(), other.into(), datagrams.into(), unix_datagrams.into()];
    let servers = sockets.map(Server::with);
    let pids = servers.each_ref().map(Server::pid);
    for mut observer in [Observer::new(), Observer::force_proc()] {
        assert_eq!(observer.listening(&pids), []);
        assert_eq!(observer.listening(&pids), []);
    }
    let mut held = Vec::new();
    held_sockets(pids[0], &mut held);
    assert_eq!(held.len(), 1);
}

#[test]
fn each_address_is_told_once_with_its_first_holder() {
    let (listener, address) = tcp();
    let servers = [Server::with(listener.try_clone().unwrap()), Server::with(listener)];
    let pids = servers.each_ref().map(Server::pid);
    let mut observer = Observer::new();
    let owned = observer.listening(&pids);
    assert_eq!((addresses(&owned), owned[0].pid), (vec![address], pids[0]));
    assert_eq!(observer.listening(&[pids[1], pids[0]])[0].pid, pids[1]);
    observer.ignore(owned[0].inode);
    assert_eq!(observer.listening(&pids), []);
}

#[test]
fn a_closed_listener_and_a_dead_server_are_forgotten() {
    let (listener, _) = tcp();
    let mut server = Server::with(listener);
    let (pid, mut observer) = (server.pid(), Observer::new());
    assert_eq!(observer.listening(&[pid]).len(), 1);
    server.0.kill().unwrap();
    rustix::process::waitid(
        rustix::process::WaitId::Pid(rustix::process::Pid::from_child(&server.0)),
        rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
    )
    .unwrap();
    assert_eq!((observer.listening(&[pid]), observer.is_blind()), (vec![], false), "a zombie");
    drop(server);
    assert_eq!((observer.listening(&[pid]), observer.is_blind()), (vec![], false), "gone");
}

#[test]
fn a_grandchild_in_another_session_counts() {
    let (listener, address) = tcp();
    let script = "exec 3<&0; setsid sh -c 'echo $$; exec sleep 1000' & wait";
    let mut child = Server(
        Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let grandchild: i32 = line.trim().parse().unwrap();
    let owned = Observer::new().listening(&[grandchild]);
    assert_eq!((addresses(&owned), owned[0].pid), (vec![address.clone()], grandchild));
    let mut family = Vec::new();
    tree::descendants(&[child.pid()], &mut family);
    assert!(family.contains(&grandchild));
    assert_eq!(addresses(&Observer::new().listening(&family)), [address]);

    rustix::process::kill_process(rustix::process::Pid::from_raw(grandchild).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
    // The shell waits for the grandchild.
    child.0.wait().unwrap();
}

/// Other tests start programs at the same time, and between fork and exec these hold what we hold: look again.
fn comes_to_be(address: &Address, owner: Option<Owner>) -> bool {
    (0..1000).any(|_| owner_of(address) == owner)
}

#[test]
fn the_owner_of_an_address_is_named() {
    let folder = Folder::new("owner");
    for (socket, address) in one_of_each(&folder) {
        let inode = inode(&socket);
        let server = Server::with(socket);
        let owner = Owner { pid: Some(server.pid()), name: Some("sleep".into()), inode };
        assert!(comes_to_be(&address, Some(owner)), "{address}: {:?}", owner_of(&address));
        drop(server);
        assert!(comes_to_be(&address, None), "{address}: {:?}", owner_of(&address));
    }
}

#[test]
fn a_wildcard_owns_what_it_takes_in() {
    let any = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let (port, number) = (any.local_addr().unwrap().port(), inode(&any));
    let _server = Server::with(any);
    let owner = |ip: &str| owner_of(&Address::Tcp(SocketAddr::new(ip.parse().unwrap(), port)));
    assert_eq!(owner("127.0.0.1").map(|owner| owner.inode), Some(number));
    assert_eq!(owner("0.0.0.0").map(|owner| owner.inode), Some(number));
    assert_eq!(owner("::1"), None);

    // std's listener on [::] takes IPv4 too.
    let Ok(both) = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)) else { return };
    let (port, number) = (both.local_addr().unwrap().port(), inode(&both));
    let _server = Server::with(both);
    let owner = |ip: &str| owner_of(&Address::Tcp(SocketAddr::new(ip.parse().unwrap(), port)));
    assert_eq!(owner("127.0.0.1").map(|owner| owner.inode), Some(number));
    assert_eq!(owner("::1").map(|owner| owner.inode), Some(number));
}

#[test]
fn ipv6_alone_does_not_own_ipv4() {
    let Ok(socket) = socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None) else { return };
    rustix::net::sockopt::set_ipv6_v6only(&socket, true).unwrap();
    bind(&socket, &SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))).unwrap();
    listen(&socket, 1).unwrap();
    let port = TcpListener::from(socket.try_clone().unwrap()).local_addr().unwrap().port();
    assert_eq!(owner_of(&Address::Tcp((Ipv4Addr::LOCALHOST, port).into())), None);
    let owner = owner_of(&Address::Tcp((Ipv6Addr::LOCALHOST, port).into()));
    assert_eq!(owner.and_then(|owner| owner.pid), i32::try_from(std::process::id()).ok());
}

#[test]
fn a_path_that_is_bound_anew_has_a_new_owner() {
    let folder = Folder::new("anew");
    let path = folder.0.join("sock");
    let old = UnixListener::bind(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(owner_of(&Address::Unix(path.clone())), None, "the old one is no longer reached");
    let new = UnixListener::bind(&path).unwrap();
    assert_eq!(owner_of(&Address::Unix(path.clone())).map(|owner| owner.inode), Some(inode(&new)));
    let detour = folder.0.join("..").join(folder.0.file_name().unwrap()).join("sock");
    assert_eq!(owner_of(&Address::Unix(detour)).map(|owner| owner.inode), Some(inode(&new)));
    drop(old);
}

#[test]
fn a_relative_path_is_told_in_full() {
    let folder = Folder::new("relative");
    std::fs::write(folder.0.join("sock"), "").unwrap();
    let server = Server(Command::new("sleep").arg("1000").current_dir(&folder.0).spawn().unwrap());
    let seen = |path: &str| Address::Unix(path.into()).seen_by(server.pid());
    assert_eq!(seen("sock"), Address::Unix(folder.0.canonicalize().unwrap().join("sock")));
    assert_eq!(seen("elsewhere"), Address::Unix("elsewhere".into()));
    assert_eq!(seen("/run/sock"), Address::Unix("/run/sock".into()));
}

/// Not a test: what the next one runs in a network namespace of its own.
#[test]
#[ignore = "a fixture"]
fn listener_of_another_namespace() {
    let folder = Folder::new("elsewhere");
    let _tcp = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 4321)).unwrap();
    let _unix = UnixListener::bind(folder.0.join("sock")).unwrap();
    println!("LISTENING {}", folder.0.join("sock").display());
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_server_in_another_network_namespace_is_seen() {
    let fixture = std::any::type_name_of_val(&listener_of_another_namespace).split_once("::").unwrap().1;
    let started = Command::new("unshare")
        .args(["-r", "-n", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--nocapture", "--exact", fixture])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut server) = started.map(Server) else { return eprintln!("there is no unshare here") };
    let lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find_map(|line| Some(line.split_once("LISTENING ")?.1.to_owned()));
    let Some(path) = line else { return eprintln!("not allowed to make a namespace here") };
    let expected = [Address::Tcp("0.0.0.0:4321".parse().unwrap()), Address::Unix(path.into())];
    for mut observer in [Observer::new(), Observer::force_proc()] {
        assert_eq!(addresses(&observer.listening(&[server.pid()])), expected);
    }
    assert_eq!(owner_of(&expected[0]), None, "not in our namespace");
    drop(server.0.stdin.take());
    server.0.wait().unwrap();
}

#[test]
fn a_program_that_could_speak_is_told() {
    let folder = Folder::new("speaks");
    let server = Server(Command::new("sleep").arg("1000").spawn().unwrap());
    assert!(!speaks_notify(server.pid(), &[]));
    let write = |name: &str, text: &[u8]| {
        let path = folder.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let silent = write("silent", b"#!/bin/sh\nexec sleep 1000\n");
    let script = write("script", b"#!/bin/sh\nsystemd-notify --ready\n");
    assert!(!speaks_notify(server.pid(), &[&silent, Path::new("/nonexistent")]));
    assert!(speaks_notify(server.pid(), &[&silent, &script]));
    assert!(!speaks_notify(server.pid(), &[&folder.0, Path::new("/dev/zero")]), "folders and devices are no scripts");
    // This program holds the name, by way of what it tests.
    assert!(speaks_notify(i32::try_from(std::process::id()).unwrap(), &[]));

    let pid = server.pid();
    drop(server);
    assert!(!speaks_notify(pid, &[]), "the dead do not speak");
}
