//! How the processes of a Kafka node are set up: Java, folders, settings.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::kafka::{Extras, START};
use super::process::Process;

/// After so long without a word a controller that is a process of its own gives a broker up.
pub(super) const BROKER_SESSION: Duration = Duration::from_secs(3);
/// Names this cluster; any 16 bytes in Base64.
const CLUSTER_ID: &str = "dGlkZWdhdGUtdGVzdGluZw";

/// A JVM that finds Kafka's classes.
pub(super) fn java() -> Command {
    #[expect(clippy::disallowed_methods, reason = "where Java is, is not one of our settings")]
    let home = env::var_os("JAVA_HOME");
    let program = home.map_or("java".into(), |home| Path::new(&home).join("bin/java"));
    let jars = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tidegate/kafka");
    let has_java = Command::new(&program)
        .arg("-version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    assert!(has_java, "these tests start a real Kafka, which needs Java 17: run `make setup-test`");
    assert!(jars.join("jars.sha256").exists(), "Kafka's jars are missing: run `make setup-test`");
    let mut command = Command::new(program);
    // A small heap and the quick compiler: the node lives for seconds.
    command.args(["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    command.arg("-cp").arg(jars.join("*"));
    command
}

/// Makes a node's folder ready.
pub(super) fn format_in(folder: &Path, kind: &[&str], more: &[String]) {
    let mut command = java();
    command.arg("kafka.tools.StorageTool").args(["format", "-t", CLUSTER_ID]);
    command.args(kind).arg("-c").arg(settings(folder)).args(more);
    let mut process = Process::start("format", folder, &mut command);
    let status = process.wait(START);
    assert!(status.success(), "Kafka's folder was not formatted:\n{}", process.last_lines());
}

/// Where a node's settings lie.
pub(super) fn settings(folder: &Path) -> PathBuf {
    folder.join("server.properties")
}

/// The settings of a broker, and of its controller unless that is apart.
pub(super) fn server_properties(
    folder: &Path,
    port: u16,
    controller: u16,
    extras: &Extras,
    ports: &BTreeMap<&'static str, u16>,
) -> String {
    let more: Vec<String> =
        ports.iter().map(|(name, port)| format!(",{name}://127.0.0.1:{port}")).collect();
    let more = more.concat();
    let protocols = extras.listeners.iter().map(|(name, protocol)| format!(",{name}:{protocol}"));
    let protocols = protocols.collect::<Vec<String>>().concat();
    let way = extras.way.unwrap_or(port);
    let (roles, own) = if extras.controller_apart {
        ("broker", String::new())
    } else {
        ("broker,controller", format!(",CONTROLLER://127.0.0.1:{controller}"))
    };
    format!(
        "\
process.roles={roles}
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port}{own}{more}
advertised.listeners=PLAINTEXT://127.0.0.1:{way}{more}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT{protocols}
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
# A mistyped topic must fail.
auto.create.topics.enable=false
# One node, so one copy of everything.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
# Transactions of killed workers are looked for often.
transaction.abort.timed.out.transaction.cleanup.interval.ms=200
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# A killed worker is missed after the shortest session a client may ask for, not after 45 s.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
group.consumer.min.session.timeout.ms=500
group.consumer.session.timeout.ms=3000
group.consumer.min.heartbeat.interval.ms=200
group.consumer.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=2
log.segment.bytes=67108864
",
        data = folder.join("data").display(),
    )
}

/// The settings of a controller apart.
pub(super) fn controller_properties(folder: &Path, port: u16) -> String {
    format!(
        "\
process.roles=controller
node.id=2
controller.quorum.bootstrap.servers=127.0.0.1:{port}
listeners=CONTROLLER://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
broker.session.timeout.ms={session}
",
        data = folder.join("data").display(),
        session = BROKER_SESSION.as_millis(),
    )
}
