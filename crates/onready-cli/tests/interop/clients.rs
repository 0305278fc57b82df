//! Clients, in a few lines each: one attempt, one request, never a retry.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;
use testbed::connect_at_once;

const LIMIT: Duration = Duration::from_secs(5);

fn wrong(answer: &[u8]) -> io::Error {
    io::Error::other(format!("unexpected answer {:?}", String::from_utf8_lossy(answer)))
}

/// Sends a request, and wants an answer that begins so.
fn exchange(addr: SocketAddr, request: &[u8], begin: &[u8]) -> io::Result<()> {
    let mut stream = connect_at_once(addr)?;
    stream.write_all(request)?;
    expect(&mut stream, begin)
}

fn expect(stream: &mut TcpStream, begin: &[u8]) -> io::Result<()> {
    let mut answer = vec![0; 512];
    let mut length = 0;
    while length < begin.len() {
        match stream.read(&mut answer[length..])? {
            0 => break,
            read => length += read,
        }
    }
    if answer[..length].starts_with(begin) { Ok(()) } else { Err(wrong(&answer[..length])) }
}

/// An HTTP server answers 200.
pub fn http(addr: SocketAddr) -> io::Result<()> {
    http_path(addr, "/")
}

pub fn http_path(addr: SocketAddr, path: &str) -> io::Result<()> {
    let mut stream = connect_at_once(addr)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {addr}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let status = answer.split(|&byte| byte == b' ').nth(1);
    if answer.starts_with(b"HTTP/1.") && status == Some(b"200") { Ok(()) } else { Err(wrong(&answer)) }
}

pub fn redis(addr: SocketAddr) -> io::Result<()> {
    exchange(addr, b"PING\r\n", b"+PONG\r\n")
}

pub fn memcached(addr: SocketAddr) -> io::Result<()> {
    exchange(addr, b"version\r\n", b"VERSION ")
}

/// CONNECT of MQTT 3.1.1 with the client's name "t" is answered by CONNACK, accepted.
pub fn mqtt(addr: SocketAddr) -> io::Result<()> {
    exchange(addr, b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01t", &[0x20, 2, 0, 0])
}

pub fn ssh(addr: SocketAddr) -> io::Result<()> {
    exchange(addr, b"", b"SSH-2.0-")
}

/// The greeting of protocol 10; an error would be 0xff in its place.
pub fn mariadb(addr: SocketAddr) -> io::Result<()> {
    let mut stream = connect_at_once(addr)?;
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    if head[4] == 10 { Ok(()) } else { Err(wrong(&head)) }
}

/// Logs in without a password and asks `SELECT 1`.
pub fn postgres(addr: SocketAddr) -> io::Result<()> {
    let mut stream = connect_at_once(addr)?;
    let mut login = Vec::from(3u32.wrapping_shl(16).to_be_bytes());
    login.extend_from_slice(b"user\0postgres\0database\0postgres\0\0");
    stream.write_all(&(4 + login.len() as u32).to_be_bytes())?;
    stream.write_all(&login)?;
    postgres_until(&mut stream, b'Z')?;
    let query = b"SELECT 1\0";
    stream.write_all(b"Q")?;
    stream.write_all(&(4 + query.len() as u32).to_be_bytes())?;
    stream.write_all(query)?;
    postgres_until(&mut stream, b'D')
}

/// Reads messages until one of this kind; an error message ends it.
fn postgres_until(stream: &mut TcpStream, kind: u8) -> io::Result<()> {
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut body = vec![0; length.saturating_sub(4) as usize];
        stream.read_exact(&mut body)?;
        match head[0] {
            b'E' => return Err(wrong(&body)),
            found if found == kind => return Ok(()),
            _ => {}
        }
    }
}

/// Asks for the address of `a.test`: one datagram each way, then the same over TCP.
pub fn dns(addr: SocketAddr) -> io::Result<()> {
    let question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x04test\x00\x00\x01\x00\x01";
    let socket = UdpSocket::bind((addr.ip(), 0))?;
    socket.set_read_timeout(Some(LIMIT))?;
    socket.connect(addr)?;
    socket.send(question)?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer)?;
    has_address(&answer[..length])?;

    let mut stream = connect_at_once(addr)?;
    stream.write_all(&(question.len() as u16).to_be_bytes())?;
    stream.write_all(question)?;
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let mut answer = vec![0; u16::from_be_bytes(head).into()];
    stream.read_exact(&mut answer)?;
    has_address(&answer)
}

/// No error, and one answer.
fn has_address(answer: &[u8]) -> io::Result<()> {
    let fine = answer.len() > 12 && answer[3] & 15 == 0 && answer[7] == 1;
    if fine { Ok(()) } else { Err(io::Error::other(format!("unexpected answer {answer:?}"))) }
}
