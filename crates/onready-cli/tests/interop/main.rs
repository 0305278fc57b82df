//! Real servers, as Debian ships them (scripts/interop-packages lists the packages): started without a flag and by the
//! sign that each of them gives. The first request, made directly after the return, must be answered.
//!
//! `ONREADY_INTEROP_ROUNDS` says how often each is started (5; 20 in CI). `-- --nocapture` shows the figures.
#![cfg(target_os = "linux")]

mod bed;
mod clients;
mod way;

mod caddy;
mod dbus;
mod dnsmasq;
mod etcd;
mod haproxy;
mod lighttpd;
mod mariadb;
mod memcached;
mod mosquitto;
mod nginx;
mod node;
mod postgres;
mod python;
mod redis;
mod s6;
mod scripts;
mod sshd;
mod unbound;
