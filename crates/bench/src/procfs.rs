//! CPU time and memory of processes, as the kernel counts them in `/proc`: CPU time in clock ticks
//! of 10 ms, resident memory in pages.

use std::fs;

/// Linux gives user space 100 ticks a second on every architecture it still supports.
const TICKS: f64 = 100.0;

struct Stat {
    parent: u32,
    own: f64,
    children: f64,
}

fn stat(pid: &str) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold any character, so that the fields are counted after it.
    let (_, rest) = text.rsplit_once(')')?;
    let fields = rest.split_whitespace().collect::<Vec<_>>();
    let number = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    Some(Stat {
        parent: number(1)? as u32,
        own: (number(11)? + number(12)?) / TICKS,
        children: (number(13)? + number(14)?) / TICKS,
    })
}

/// CPU seconds of one process, all its threads.
pub(crate) fn cpu(pid: u32) -> f64 {
    stat(&pid.to_string()).map_or(0.0, |stat| stat.own)
}

/// CPU seconds of this process.
pub(crate) fn own_cpu() -> f64 {
    stat("self").map_or(0.0, |stat| stat.own)
}

/// CPU seconds of a process and all its children, those that have ended included.
pub(crate) fn family_cpu(parent: u32) -> f64 {
    let Some(head) = stat(&parent.to_string()) else {
        return 0.0;
    };
    let names = fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = names.filter_map(|entry| {
        let name = entry.file_name();
        let name = name
            .to_str()
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))?;
        stat(name)
            .filter(|stat| stat.parent == parent)
            .map(|stat| stat.own)
    });
    head.own + head.children + children.sum::<f64>()
}

fn status_mb(pid: u32, field: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| {
        line.trim_start_matches(':')
            .split_whitespace()
            .next()?
            .parse::<f64>()
            .ok()
    });
    kilobytes.unwrap_or(0.0) / 1_024.0
}

/// Resident memory, in MiB.
pub(crate) fn rss_mb(pid: u32) -> f64 {
    status_mb(pid, "VmRSS")
}

/// The largest resident memory so far, in MiB.
pub(crate) fn peak_rss_mb(pid: u32) -> f64 {
    status_mb(pid, "VmHWM")
}

/// The machine, for the head of the output.
pub(crate) fn machine() -> Vec<(String, String)> {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .unwrap_or("unknown");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    vec![
        (
            "processor".into(),
            model.map_or("unknown", |(_, model)| model.trim()).into(),
        ),
        ("cores".into(), cores.to_string()),
        ("memory".into(), memory.trim().into()),
        ("kernel".into(), kernel.trim().into()),
    ]
}
