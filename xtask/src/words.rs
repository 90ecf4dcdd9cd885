//! Names that may stand only in certain places.

use crate::Finding;
use crate::sources::SourceFile;

/// A word and the folders in which it may stand.
struct Rule {
    word: &'static str,
    allowed: &'static [&'static str],
    reason: &'static str,
}

const EXECUTION: &[&str] = &["crates/exec/"];
const THREADS: &[&str] = &[
    "crates/service/",
    "crates/node/state/",
    "crates/node/threads/",
    "crates/stream/",
    "crates/bench/",
    "bin/",
    "crates/root-thread/",
];

const RULES: &[Rule] = &[
    Rule {
        word: ".transact_one(",
        allowed: &[],
        reason: "leaks warm state after a failure",
    },
    Rule {
        word: ".transact_commit(",
        allowed: &[],
        reason: "leaks warm state after a failure",
    },
    Rule {
        word: ".inspect_tx(",
        allowed: &[],
        reason: "leaks warm state after a failure",
    },
    Rule {
        word: ".inspect_one_tx(",
        allowed: &[],
        reason: "leaks warm state after a failure",
    },
    Rule {
        word: ".transact_raw(",
        allowed: &[],
        reason: "leaks warm state after a failure",
    },
    Rule {
        word: ".transact(",
        allowed: EXECUTION,
        reason: "only exec runs transactions",
    },
    Rule {
        word: ".inspect_run(",
        allowed: EXECUTION,
        reason: "only exec runs transactions",
    },
    Rule {
        word: "unbounded_channel",
        // reth's handle to a payload builder is made of one.
        allowed: &["bin/op-reth/"],
        reason: "every queue is bounded",
    },
    Rule {
        word: "channel::unbounded",
        allowed: &[],
        reason: "every queue is bounded",
    },
    Rule {
        word: "thread::spawn(",
        allowed: THREADS,
        reason: "threads start in few places",
    },
    Rule {
        word: "thread::Builder",
        allowed: THREADS,
        reason: "threads start in few places",
    },
    Rule {
        word: "todo!(",
        allowed: &[],
        reason: "no stubs",
    },
    Rule {
        word: "unimplemented!(",
        allowed: &[],
        reason: "no stubs",
    },
    Rule {
        word: "too_many_arguments",
        allowed: &[],
        reason: "take a struct instead",
    },
];

/// What the algorithm may not know.
const CORE_FORBIDDEN: &[&str] = &[
    "std::time",
    "std::thread",
    "std::fs",
    "std::net",
    "tokio",
    "metrics::",
    "rand::",
];

/// Forbidden everywhere, tests included: a checkout builds and passes wherever it lies.
const MACHINE_PATHS: &[&str] = &["../shared", "\"/work/", "\"/root/", "\"/home/"];

/// Checks one file.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    if file.is_in("xtask/") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let place = || format!("{}:{}", file.path, number + 1);
        if file.is_production() {
            for rule in RULES {
                let allowed = rule.allowed.iter().any(|folder| file.is_in(folder));
                if code.contains(rule.word) && !allowed {
                    findings.push(Finding::new(
                        place(),
                        format!("{}: {}", rule.word, rule.reason),
                    ));
                }
            }
            if file.is_in("crates/core/src/") {
                for word in CORE_FORBIDDEN.iter().filter(|word| code.contains(**word)) {
                    findings.push(Finding::new(
                        place(),
                        format!("core must not know `{word}`"),
                    ));
                }
            }
        }
        for word in MACHINE_PATHS.iter().filter(|word| code.contains(**word)) {
            findings.push(Finding::new(
                place(),
                format!("a path outside the repository: {word}"),
            ));
        }
    }
    findings
}
