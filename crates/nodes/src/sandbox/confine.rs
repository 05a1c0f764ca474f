//! Giving up every right that running JavaScript does not need.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::limits::{CPU_SECS, Limits};

/// Standard input, output and error, and not one file more.
const MAX_FILES: u64 = 3;

/// Applies all limits to this process, for good.
pub(super) fn confine(limits: &Limits) -> io::Result<()> {
    let caps = [
        (Resource::Data, limits.data_bytes()),
        (Resource::As, limits.address_space_bytes()),
        (Resource::Cpu, CPU_SECS),
        (Resource::Nofile, MAX_FILES),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        (Resource::Nproc, 0),
    ];
    for (resource, most) in caps {
        cap(resource, most)?;
    }
    #[cfg(target_os = "linux")]
    linux::confine()?;
    Ok(())
}

/// Sets a limit, unless a stricter one is already in force.
fn cap(resource: Resource, most: u64) -> io::Result<()> {
    let allowed = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let most = Some(most.min(allowed));
    setrlimit(resource, Rlimit { current: most, maximum: most })?;
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;

    use rustix::process::{Signal, set_parent_process_death_signal};

    /// Dies with the parent, cannot gain rights, and may call the kernel for memory and its two pipes only.
    pub(super) fn confine() -> io::Result<()> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        rustix::thread::set_no_new_privs(true)?;
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        super::filter::apply().map_err(io::Error::other)?;
        Ok(())
    }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod filter {
    use seccompiler::{
        BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
        SeccompFilter, SeccompRule,
    };

    /// Calls that are allowed whatever their arguments: memory, time, ending.
    const ALLOWED: [i64; 17] = [
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_futex,
        libc::SYS_getrandom,
        libc::SYS_gettimeofday,
        libc::SYS_madvise,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_yield,
        libc::SYS_set_robust_list,
        libc::SYS_sigaltstack,
    ];

    /// Installs the filter. A call that is not allowed fails with `EPERM`.
    pub(super) fn apply() -> Result<(), String> {
        let program = program().map_err(|error| error.to_string())?;
        seccompiler::apply_filter(&program).map_err(|error| error.to_string())
    }

    fn program() -> Result<BpfProgram, BackendError> {
        let mut rules = std::collections::BTreeMap::new();
        for call in ALLOWED {
            rules.insert(call, Vec::new());
        }
        // Memory may be had, but not to execute.
        let not_executable = || only(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0);
        rules.insert(libc::SYS_mmap, vec![not_executable()?]);
        rules.insert(libc::SYS_mprotect, vec![not_executable()?]);
        // Requests come from standard input, answers go to standard output.
        rules.insert(libc::SYS_read, vec![only(0, SeccompCmpOp::Eq, 0)?]);
        rules.insert(libc::SYS_write, vec![only(0, SeccompCmpOp::Eq, 1)?]);
        let arch = std::env::consts::ARCH.try_into()?;
        let denied = SeccompAction::Errno(libc::EPERM as u32);
        SeccompFilter::new(rules, denied, SeccompAction::Allow, arch)?.try_into()
    }

    fn only(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
        SeccompRule::new(vec![condition])
    }

    #[cfg(test)]
    mod tests {
        use std::io::{ErrorKind, Read};

        /// The filter binds the thread that installs it, so a test can do without a process of its own.
        #[test]
        fn under_the_filter_nothing_can_be_opened_started_or_executed() {
            let mut opened = std::fs::File::open("/proc/self/status").unwrap();
            let outcomes = std::thread::spawn(move || {
                super::apply().unwrap();
                [
                    std::fs::File::open("/etc/hostname").map(drop),
                    std::fs::File::create("/tmp/sandbox-escape").map(drop),
                    std::fs::read_dir("/").map(drop),
                    std::fs::metadata("/").map(drop),
                    std::net::TcpStream::connect("127.0.0.1:1").map(drop),
                    std::net::UdpSocket::bind("127.0.0.1:0").map(drop),
                    std::process::Command::new("/bin/true").status().map(drop),
                    opened.read(&mut [0; 8]).map(drop),
                    rustix::process::setrlimit(
                        rustix::process::Resource::Cpu,
                        rustix::process::Rlimit { current: Some(1), maximum: None },
                    )
                    .map_err(Into::into),
                ]
                .map(|outcome| outcome.map_err(|error| error.kind()))
            });
            for (index, outcome) in outcomes.join().unwrap().into_iter().enumerate() {
                assert_eq!(outcome, Err(ErrorKind::PermissionDenied), "attempt {index}");
            }
        }
    }
}
