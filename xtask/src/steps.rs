//! The steps of the check, in the order in which they run: what is quick to fail comes first.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use crate::{
    Project,
    check::{Outcome, Step},
    process::{Failure, Process},
    python,
    tally::Tally,
};

/// All of them.
pub(crate) const ALL: &[Step] = &[
    Step { name: "fmt", about: "the Rust code is formatted", needs: &[], run: fmt },
    Step { name: "clippy", about: "the lints of the workspace", needs: &[], run: clippy },
    Step {
        name: "doc",
        about: "the documentation of the crates, without warnings",
        needs: &[],
        run: doc,
    },
    Step { name: "rust", about: "the tests in Rust", needs: &[], run: rust },
    Step { name: "build", about: "the release build", needs: &[], run: build },
    Step { name: "setup", about: "virtual environments for the rest", needs: &[], run: setup },
    Step {
        name: "generated",
        about: "generated files are up to date, no snapshot waits for review",
        needs: &["setup"],
        run: generated,
    },
    Step {
        name: "launcher",
        about: "the binary is linked with no Python",
        needs: &["build"],
        run: launcher,
    },
    Step {
        name: "python",
        about: "the Python modules under each Python, with a stand-in for the engine and with it",
        needs: &["build", "setup"],
        run: python_modules,
    },
    Step {
        name: "package",
        about: "the wheel in environments of its own: its size, its stubs, servers from each \
                Python, and the same tests against the reference",
        needs: &["build", "setup"],
        run: package,
    },
    Step {
        name: "conformance",
        about: "the server against the reference, and the reference against itself",
        needs: &["build", "setup"],
        run: conformance,
    },
    Step {
        name: "end-to-end",
        about: "the binary as its users see it",
        needs: &["build", "setup"],
        run: end_to_end,
    },
    Step {
        name: "bench-tests",
        about: "the benches' own tests",
        needs: &["setup"],
        run: bench_tests,
    },
    Step {
        name: "malformed",
        about: "thousands of malformed requests",
        needs: &["build", "setup"],
        run: malformed,
    },
    Step { name: "fuzz-build", about: "the fuzz targets compile", needs: &[], run: fuzz_build },
];

const MALFORMED_REQUESTS: &str = "2000";
/// In bytes.
const MAX_WHEEL: u64 = 8 << 20;

fn fmt(project: &mut Project) -> Result<Outcome, Failure> {
    // rustfmt would write a terminal's codes into a pipe too.
    let fmt = |which| Process::cargo(project).arguments(which).arguments("-- --color never");
    let workspace = fmt("fmt --all --check").run();
    let fuzz = fmt("fmt --check --manifest-path fuzz/Cargo.toml").run();
    let ceiling = fmt("fmt --check --manifest-path bench/ceiling/Cargo.toml").run();
    workspace.and(fuzz).and(ceiling).map(|_output| Outcome::Passed(Tally::default()))
}

fn clippy(project: &mut Project) -> Result<Outcome, Failure> {
    done(Process::cargo(project).arguments("clippy --workspace --all-targets -- -D warnings"))
}

fn doc(project: &mut Project) -> Result<Outcome, Failure> {
    let doc = Process::cargo(project).arguments("doc --workspace --lib --no-deps");
    done(doc.variable("RUSTDOCFLAGS", "-D warnings"))
}

fn rust(project: &mut Project) -> Result<Outcome, Failure> {
    if !Process::cargo(project).arguments("nextest --version").succeeds() {
        return tested(Process::cargo(project).arguments("test --workspace --no-fail-fast"));
    }
    let nextest = Process::cargo(project).arguments("nextest run --workspace --no-fail-fast");
    let examples = Process::cargo(project).arguments("test --workspace --doc --no-fail-fast");
    all_tested([nextest, examples])
}

fn build(project: &mut Project) -> Result<Outcome, Failure> {
    done(Process::cargo(project).arguments("build --release"))
}

fn setup(project: &mut Project) -> Result<Outcome, Failure> {
    project.environments = python::environments(project)?;
    Ok(Outcome::Passed(Tally::default()))
}

fn generated(project: &mut Project) -> Result<Outcome, Failure> {
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml", "bench/ceiling/Cargo.toml"] {
        Process::cargo(project)
            .arguments("metadata --locked --format-version 1 --manifest-path")
            .argument(manifest)
            .quiet()
            .run()
            .map_err(|mut failure| {
                failure.message.push_str("; build once and commit the Cargo.lock beside it");
                failure
            })?;
    }
    // Cargo brings Cargo.lock up to date when it runs this program, so that a clone tells by what
    // changed. A developer's own change is on its way to a commit.
    if env::var_os("CI").is_some() && project.root.join(".git").exists() {
        let changed = Process::new(project, "git").arguments("diff --stat --exit-code Cargo.lock");
        changed.run()?;
    }

    let mut snapshots = Vec::new();
    for folder in ["crates", "xtask"] {
        pending_snapshots(&project.root.join(folder), &mut snapshots)
            .map_err(|error| format!("{folder} cannot be read: {error}"))?;
    }
    if let Some(first) = snapshots.first() {
        let (count, first) = (snapshots.len(), project.shown(first));
        return Err(
            format!("new snapshots wait for `cargo insta review`: {count}, as {first}").into()
        );
    }

    if project.root.join("bench/results/latest.json").is_file() {
        python(project).arguments("bench/report.py --check").quiet().run().map_err(|failure| {
            // What the command says of it is in its output.
            Failure { message: failure.output.trim().to_owned(), ..failure }
        })?;
    }
    Ok(Outcome::Passed(Tally::default()))
}

fn launcher(project: &mut Project) -> Result<Outcome, Failure> {
    if !Process::new(project, "ldd").argument("--version").succeeds() {
        return Ok(Outcome::Skipped("there is no ldd here".to_owned()));
    }
    for file in [project.binary(), project.extension()] {
        let libraries = Process::new(project, "ldd").argument(&file).run()?;
        if let Some(line) = libraries.lines().find(|line| line.contains("libpython")) {
            let file = project.shown(&file);
            return Err(format!("{file} is linked with Python: {}", line.trim()).into());
        }
    }
    done(Process::new(project, project.binary()).argument("--version"))
}

fn python_modules(project: &mut Project) -> Result<Outcome, Failure> {
    let reference = &environment(project).site;
    let mut runs = Vec::new();
    for environment in &project.environments {
        let pytest = || {
            Process::new(project, &environment.python)
                .arguments("-m pytest -q -p no:cacheprovider python/tests")
        };
        runs.push(pytest());
        // The reference takes its time, and is asked once for each Python.
        runs.push(
            pytest()
                .variable("WPTSERVE_EXTENSION", project.extension())
                .variable("REFERENCE_SITE", reference),
        );
    }
    all_tested(runs)
}

fn package(project: &mut Project) -> Result<Outcome, Failure> {
    let folder = project.root.join(".cache/package");
    let wheels = folder.join("wheel");
    if wheels.is_dir() {
        fs::remove_dir_all(&wheels)
            .map_err(|error| format!("{} cannot be removed: {error}", project.shown(&wheels)))?;
    }
    // As a user does it: the build's own requirements come from the registry.
    Process::new(project, &environment(project).python)
        .arguments("-m pip wheel --quiet --no-deps --wheel-dir")
        .argument(&wheels)
        .argument(&project.root)
        .run()?;
    let wheel = the_wheel(&wheels)?;

    let mut runs = Vec::new();
    for (index, environment) in project.environments.iter().enumerate() {
        // One wheel for all versions.
        let folder = folder.join(&environment.version);
        let installed = folder.join("bin/python");
        Process::new(project, &environment.python)
            .arguments("-m venv --clear")
            .argument(&folder)
            .run()?;
        let pip = || Process::new(project, &installed).arguments("-m pip install --quiet");
        pip().arguments("pytest mypy h2").run()?;
        pip().argument(&wheel).run()?;
        if index == 0 {
            Process::new(project, &installed)
                .arguments("-m mypy.stubtest wptserve --ignore-disjoint-bases --allowlist")
                .argument("python/stubtest_allowlist.txt")
                .run()?;
        }
        runs.push(servers(project, &installed, "installed"));
    }
    runs.push(servers(project, &environment(project).python, "wptserve"));
    all_tested(runs)
}

/// The tests of servers in a program.
fn servers(project: &Project, python: &Path, subject: &str) -> Process {
    Process::new(project, python)
        .arguments("-m pytest -q -p no:cacheprovider python/tests")
        .variable("SUBJECT", subject)
}

/// The only file in a folder, a wheel of a size that may be.
fn the_wheel(folder: &Path) -> Result<PathBuf, Failure> {
    let told = |error: io::Error| format!("{} cannot be read: {error}", folder.display());
    let mut entries = fs::read_dir(folder).map_err(told)?;
    let wheel = entries.next().ok_or("pip has made no wheel".to_owned())?.map_err(told)?;
    let size = wheel.metadata().map_err(told)?.len();
    if size > MAX_WHEEL {
        let message =
            format!("{} has {size} bytes; {MAX_WHEEL} are allowed", wheel.path().display());
        return Err(message.into());
    }
    Ok(wheel.path())
}

fn conformance(project: &mut Project) -> Result<Outcome, Failure> {
    let ours = || {
        python(project)
            .arguments("-m pytest conformance")
            .variable("WPTSERVE_BIN", project.binary())
    };
    all_tested([ours(), ours().variable("SUBJECT", "wptserve")])
}

fn end_to_end(project: &mut Project) -> Result<Outcome, Failure> {
    if !project.root.join("tests").is_dir() {
        return Ok(Outcome::Skipped("there is no folder tests".to_owned()));
    }
    let pytest = python(project)
        .arguments("-m pytest -p no:cacheprovider tests")
        .variable("WPTSERVE_BIN", project.binary());
    tested(pytest)
}

fn bench_tests(project: &mut Project) -> Result<Outcome, Failure> {
    tested(python(project).arguments("-m unittest discover bench/tests"))
}

fn malformed(project: &mut Project) -> Result<Outcome, Failure> {
    let requests = python(project)
        .arguments("bench/malformed.py --corpus fuzz/corpus --count")
        .argument(MALFORMED_REQUESTS)
        .argument("--bin")
        .argument(project.binary());
    done(requests)
}

fn fuzz_build(project: &mut Project) -> Result<Outcome, Failure> {
    // libFuzzer is compiled from source.
    if !Process::new(project, "c++").argument("--version").succeeds() {
        return Ok(Outcome::Skipped("there is no C++ compiler (c++)".to_owned()));
    }
    done(Process::cargo(project).arguments("check --locked --manifest-path fuzz/Cargo.toml"))
}

/// The environment with the reference.
fn environment(project: &Project) -> &python::Environment {
    // The steps that ask for it need `setup`, which fails rather than make none.
    &project.environments[0]
}

fn python(project: &Project) -> Process {
    Process::new(project, &environment(project).python)
}

fn done(process: Process) -> Result<Outcome, Failure> {
    process.run().map(|_output| Outcome::Passed(Tally::default()))
}

fn tested(process: Process) -> Result<Outcome, Failure> {
    all_tested([process])
}

/// Runs all, also after one has failed. The failure tells of the first, its output of all.
fn all_tested(processes: impl IntoIterator<Item = Process>) -> Result<Outcome, Failure> {
    let mut output = String::new();
    let mut messages = Vec::new();
    for process in processes {
        match process.run() {
            Ok(printed) => output.push_str(&printed),
            Err(failure) => {
                output.push_str(&failure.output);
                messages.push(failure.message);
            }
        }
    }
    if messages.is_empty() {
        return Ok(Outcome::Passed(Tally::of(&output)));
    }
    Err(Failure { message: messages.join("\n    "), output })
}

fn pending_snapshots(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            pending_snapshots(&entry.path(), found)?;
        } else if entry.file_name().to_string_lossy().ends_with(".snap.new") {
            found.push(entry.path());
        }
    }
    Ok(())
}
