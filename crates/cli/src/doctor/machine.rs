//! The machine: descriptors and the loopback addresses.

use std::net::{Ipv6Addr, TcpListener};

use super::Finding;

pub(super) fn check() -> Vec<Finding> {
    let mut findings = Vec::new();
    // Neither is known everywhere; then there is nothing to say.
    if let Ok((_, hard)) = rlimit::Resource::NOFILE.get() {
        findings.push(if hard < ENOUGH {
            let text = format!("a process may have {hard} files and connections at most");
            Finding::warning("file limit", text, format!("ulimit -Hn {ENOUGH}"))
        } else {
            Finding::ok("file limit", "a process may have enough files and connections")
        });
    }
    findings.push(match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => Finding::ok("IPv6", "::1 can be listened on"),
        Err(error) => Finding::warning(
            "IPv6",
            format!("::1 cannot be listened on ({error}); tests of IPv6 fail"),
            if cfg!(target_os = "linux") {
                "sudo sysctl net.ipv6.conf.lo.disable_ipv6=0"
            } else {
                "ifconfig lo0 inet6 ::1"
            },
        ),
    });
    findings
}

/// A parallel run of the tests holds about a thousand connections.
const ENOUGH: u64 = 4096;
