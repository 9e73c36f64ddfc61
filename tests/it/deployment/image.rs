//! The Dockerfile: it builds from what there is, and the program finds its parts where it puts them.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    process::Command,
    thread,
};

use super::{USER, files_below, pinned, read, root, text_at, yaml};

/// An instruction with its words.
type Instruction = (String, String);

#[test]
fn it_is_built_from_pinned_images_of_one_debian() {
    let stages = all("FROM");
    assert_eq!(stages.len(), 2, "one stage builds, one runs");
    for stage in &stages {
        let tag = pinned(stage.split_whitespace().next().expect("an image"));
        // The binary is linked with the C library and the OpenSSL of the first.
        assert!(tag.split('-').any(|word| word == "bookworm"), "{stage} is another Debian");
        assert!(tag.ends_with("-slim") || tag.contains("-slim-"), "{stage} is more than is needed");
    }
}

#[test]
fn its_compiler_is_new_enough() {
    let from = all("FROM").remove(0);
    let version = from.strip_prefix("rust:").and_then(|rest| rest.split('-').next());
    let needed = env!("CARGO_PKG_RUST_VERSION");
    assert!(numbers(version.expect("Rust's own image")) >= numbers(needed), "{from} < {needed}");
}

/// The script pins the version and the checksum; the Dockerfile has none of its own to go stale.
#[test]
fn onnx_runtime_is_the_one_that_the_set_up_script_pins() {
    let script = read("scripts/setup.sh");
    let version = between(&script, "onnxruntime_version=", "\n");
    let pin = read("scripts/pins/onnxruntime.txt");
    assert_eq!(between(&pin, "onnxruntime==", " "), version);
    let runs = all("RUN");
    let fetches = runs.iter().filter(|run| run.contains("scripts/setup.sh onnxruntime"));
    assert_eq!(fetches.count(), 1);
    assert!(!read("Dockerfile").contains(version), "the script alone says the version");
}

#[test]
fn it_installs_what_the_set_up_script_asks_for() {
    let script = read("scripts/setup.sh");
    let tools = between(&script, "build_tools=(", ")");
    let installed = all("RUN").remove(0);
    for tool in tools.split_whitespace().chain(["pip"]) {
        let package = between(&script, &format!("\n    {tool}) echo "), " ;;");
        let found = installed.split_whitespace().any(|word| word == package);
        assert!(found, "{package} is not installed");
    }
}

#[test]
fn what_it_copies_is_there_and_not_ignored() {
    let shown = read(".dockerignore");
    let shown: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for copy in all("COPY").iter().filter(|copy| !copy.contains("--from=")) {
        let mut words: Vec<&str> =
            copy.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        words.pop();
        for source in words {
            assert!(root().join(source).exists(), "{source} is not there");
            let visible = shown.iter().any(|one| {
                source
                    .strip_prefix(one)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            assert!(visible, ".dockerignore hides {source}");
        }
    }
}

/// A file that the compiler reads must be there before it runs.
#[test]
fn what_is_compiled_in_is_copied_before_it_is_compiled() {
    let instructions = instructions();
    let build = instructions.iter().position(|(_, words)| words.contains("cargo build"));
    let before = &instructions[..build.expect("it is built")];
    let copied: Vec<&str> = before
        .iter()
        .filter(|(name, _)| name == "COPY")
        .flat_map(|(_, words)| words.split_whitespace())
        .collect();
    let mut checked = 0;
    for path in files_below("src", ".rs") {
        // Modules of tests are not compiled there.
        if path.components().any(|part| part.as_os_str().to_string_lossy().contains("test")) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("it is text");
        for after in text.split("include_str!(\"").skip(1) {
            let written = after.split('"').next().expect("the path ends");
            let file = path.parent().expect("a folder").join(written);
            let file = file.canonicalize().expect("it is there");
            let file = file.strip_prefix(root().canonicalize().expect("it is there"));
            let file = file.expect("it lies here").display().to_string();
            let there = copied.iter().any(|folder| file.starts_with(&format!("{folder}/")));
            assert!(there, "{file} is not copied before the build");
            checked += 1;
        }
    }
    assert!(checked > 0, "some files are compiled in");
}

#[test]
fn the_program_finds_its_parts() {
    let copies = all("COPY");
    let to = |start: &str| {
        let copy = copies.iter().find(|copy| copy.contains(start));
        copy.and_then(|copy| copy.split_whitespace().next_back()).map(str::to_owned)
    };
    let binary = to("/out/bin/tidegate").expect("the program is copied");
    let prefix = binary.strip_suffix("/bin/tidegate").expect("it lies in a folder bin");
    assert_eq!(to("libonnxruntime.so"), Some(format!("{prefix}/lib/libonnxruntime.so")));
    assert_eq!(to("rules "), Some(format!("{prefix}/share/tidegate/rules")));
    assert_eq!(to("models "), Some(format!("{prefix}/share/tidegate/models")));
    assert_eq!(all("ENTRYPOINT"), [format!("[\"{binary}\"]")]);
    assert_eq!(all("CMD"), ["[\"run\"]"]);
    // A folder `rules` in the working folder would come before the shipped ones.
    assert_eq!(all("WORKDIR").last().map(String::as_str), Some("/var/lib/tidegate"));
}

#[test]
fn it_does_not_run_as_root_and_stops_in_order() {
    assert_eq!(all("USER"), [format!("{USER}:{USER}")]);
    assert_eq!(all("STOPSIGNAL"), ["SIGTERM"]);
    assert!(all("ADD").is_empty(), "ADD fetches and unpacks; COPY says what it does");
    let version = env!("CARGO_PKG_VERSION");
    assert!(all("ARG").contains(&format!("VERSION={version}")));
    for label in ["title", "description", "licenses", "version", "revision"] {
        assert!(all("LABEL")[0].contains(&format!("org.opencontainers.image.{label}=")), "{label}");
    }
    let exposed = all("EXPOSE").remove(0);
    let configuration = yaml("deploy/tidegate.yaml");
    for key in ["http/listen", "admin/listen"] {
        let port = super::port(text_at(&configuration, key));
        assert!(exposed.split_whitespace().any(|one| one == port), "{port} is not exposed");
    }
    let compose = yaml("deploy/compose.yaml");
    assert_eq!(text_at(&compose, "services/tidegate/image"), format!("tidegate:{version}"));
}

#[test]
fn the_health_check_lies_where_it_is_called() {
    let copies = all("COPY");
    let copy =
        copies.iter().find(|copy| copy.contains("deploy/image/healthcheck")).expect("copied");
    let place = copy.split_whitespace().next_back().expect("a place");
    let check = all("HEALTHCHECK").remove(0);
    assert!(check.contains(&format!("[\"{place}\", \"/livez\"]")), "{check}");
    assert!(read("deploy/compose.yaml").contains(&format!("[CMD, {place}, /readyz]")));
    let file = fs::metadata(root().join("deploy/image/healthcheck")).expect("it is there");
    assert_eq!(file.permissions().mode() & 0o111, 0o111, "it can be run");
}

#[test]
fn the_health_check_tells_well_from_unwell() {
    let cases = [
        ("HTTP/1.1 200 OK\r\n\r\nlive\n", true),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\nstalled\n", false),
        ("", false),
    ];
    for (answer, well) in cases {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port().to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody asks");
            // The shell sends a request in pieces; one that is closed on unread ones resets the line.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut piece = [0; 512];
                let read = stream.read(&mut piece).expect("a request");
                assert!(read > 0, "the request ends with a blank line");
                request.extend_from_slice(&piece[..read]);
            }
            stream.write_all(answer.as_bytes()).expect("it listens");
            String::from_utf8_lossy(&request).into_owned()
        });
        let script = root().join("deploy/image/healthcheck");
        let status = Command::new(&script).args(["/livez", &port]).status().expect("it runs");
        let request = server.join().expect("the server ends");
        assert!(request.starts_with("GET /livez HTTP/1.1\r\n"), "{request}");
        assert_eq!(status.success(), well, "{answer}");
        // Nobody listens any more.
        let output = Command::new(&script).args(["/livez", &port]).output().expect("it runs");
        assert!(!output.status.success());
    }
}

/// Instructions in order, with lines that go on joined and comments left out.
fn instructions() -> Vec<Instruction> {
    let text = read("Dockerfile");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(name, words)| (name.to_owned(), words.trim().to_owned())).collect()
}

/// The words of every instruction of a name.
fn all(name: &str) -> Vec<String> {
    let found = instructions().into_iter().filter(|(found, _)| found == name);
    found.map(|(_, words)| words).collect()
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().expect("a number")).collect()
}

/// The text between two others.
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, after) = text.split_once(start).unwrap_or_else(|| panic!("there is no {start:?}"));
    after.split(end).next().expect("a split has a first part")
}
