//! A node that lets in only whom it knows, and lets them do only what is granted.
//!
//! Its open listener is for the tests themselves, who may do everything. The others: `TLS` encrypts,
//! `MTLS` asks for a certificate as well, `ELSEWHERE` has a certificate for another place, `SCRAM` encrypts and asks for a password, `PLAIN` asks for
//! a password alone. Certificates are made for one run and lie in the node's folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tidegate::config::kafka::{Sasl, Secret, Tls};

use super::acls::{Grant, Operation, Resource, grant};
use super::kafka::{Extras, Kafka};

/// Whom the node knows by a password, which is the name and `-secret`.
pub(crate) const USERS: [&str; 5] = ["gate", "blind", "mute", "loner", "plain"];

/// The name in the client's certificate.
const SUBJECT: &str = "/CN=gate-certificate";

/// The node, shared by all tests that need it.
pub(crate) fn secured() -> &'static Kafka {
    static SECURED: OnceLock<Kafka> = OnceLock::new();
    SECURED.get_or_init(|| {
        let kafka = Kafka::start_with(|folder| {
            make_certificates(folder);
            Extras {
                listeners: vec![
                    ("TLS", "SSL"),
                    ("MTLS", "SSL"),
                    ("ELSEWHERE", "SSL"),
                    ("SCRAM", "SASL_SSL"),
                    ("PLAIN", "SASL_PLAINTEXT"),
                ],
                properties: properties(folder),
                format: vec![
                    "--add-scram".into(),
                    "SCRAM-SHA-512=[name=gate,password=gate-secret]".into(),
                ],
                ..Extras::default()
            }
        });
        grant(&kafka.address(), &grants());
        kafka
    })
}

/// Encryption that trusts the node.
pub(crate) fn tls(kafka: &Kafka) -> Tls {
    Tls { ca_file: Some(file(kafka, "ca.pem")), ..Tls::default() }
}

/// The same, with a certificate of our own.
pub(crate) fn mutual_tls(kafka: &Kafka) -> Tls {
    Tls {
        certificate_file: Some(file(kafka, "client.pem")),
        key_file: Some(file(kafka, "client.key")),
        ..tls(kafka)
    }
}

/// Encryption that trusts somebody else.
pub(crate) fn misled_tls(kafka: &Kafka) -> Tls {
    Tls { ca_file: Some(file(kafka, "stranger.pem")), ..Tls::default() }
}

/// A name with a password.
pub(crate) fn sasl(mechanism: &str, user: &str, password: &str) -> Sasl {
    Sasl {
        mechanism: Some(mechanism.into()),
        username: Some(user.into()),
        password: Some(Secret(password.into())),
    }
}

fn file(kafka: &Kafka, name: &str) -> PathBuf {
    kafka.folder().join(name)
}

/// The least that a worker needs, for two who have it, and something less for the others. Topics and
/// groups begin with `own-`, and so do transactional ids, which begin with the group.
fn grants() -> Vec<Grant<'static>> {
    use {Operation as May, Resource as On};
    let grant = |to, resource, operation, prefix| Grant { to, resource, prefix, operation };
    let least = |to| {
        [
            grant(to, On::Topic, May::Read, "own-posts"),
            grant(to, On::Topic, May::Write, "own-decisions"),
            grant(to, On::Topic, May::Write, "own-dead"),
            grant(to, On::Topic, May::Write, "own-reviews"),
            grant(to, On::Group, May::Read, "own-"),
        ]
    };
    let mut grants = Vec::new();
    for to in ["User:gate", "User:CN=gate-certificate"] {
        grants.extend(least(to));
        grants.push(grant(to, On::TransactionalId, May::Write, "own-"));
    }
    // May do everything but transactions.
    grants.extend(least("User:plain"));
    // May not read posts.
    grants.extend(least("User:blind").into_iter().skip(1));
    grants.push(grant("User:blind", On::Topic, May::Describe, "own-posts"));
    // May not write decisions.
    grants.extend(least("User:mute").into_iter().filter(|g| g.prefix != "own-decisions"));
    grants.push(grant("User:mute", On::Topic, May::Describe, "own-decisions"));
    grants.push(grant("User:mute", On::TransactionalId, May::Write, "own-"));
    // May not join the group.
    grants.extend(least("User:loner").into_iter().take(4));
    grants
}

fn properties(folder: &Path) -> String {
    let users: Vec<String> =
        USERS.iter().map(|user| format!(" user_{user}=\"{user}-secret\"")).collect();
    let users = users.concat();
    format!(
        "\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.store
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.mtls.ssl.client.auth=required
listener.name.elsewhere.ssl.keystore.type=PEM
listener.name.elsewhere.ssl.keystore.location={folder}/elsewhere.store
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.plain.sasl.enabled.mechanisms=PLAIN
listener.name.plain.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required{users};
",
        folder = folder.display()
    )
}

/// Two authorities; from the first a certificate for the node, one for another place, and one for a
/// client.
fn make_certificates(folder: &Path) {
    const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for name in ["ca", "stranger"] {
        let files = format!("-keyout {name}.key -out {name}.pem");
        openssl(folder, &format!("req -x509 {KEY} -days 2 -subj /CN={name} {files}"));
    }
    let names = "subjectAltName=IP:127.0.0.1,DNS:localhost";
    for (name, subject, extension) in [
        ("server", "/CN=localhost", names),
        ("elsewhere", "/CN=elsewhere", "subjectAltName=DNS:elsewhere"),
        ("client", SUBJECT, "basicConstraints=CA:FALSE"),
    ] {
        let files = format!("-keyout {name}.key -out {name}.csr");
        openssl(folder, &format!("req {KEY} -subj {subject} {files}"));
        fs::write(folder.join(format!("{name}.ext")), extension)
            .expect("the scratch folder can be written");
        let signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2";
        let files = format!("-in {name}.csr -extfile {name}.ext -out {name}.pem");
        openssl(folder, &format!("x509 -req {signed} {files}"));
    }
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("openssl wrote it");
    for name in ["server", "elsewhere"] {
        let both = read(&format!("{name}.key")) + &read(&format!("{name}.pem"));
        fs::write(folder.join(format!("{name}.store")), both)
            .expect("the scratch folder can be written");
    }
}

/// Runs openssl with these arguments, none of which has a space.
fn openssl(folder: &Path, arguments: &str) {
    let made = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("openssl is needed (apt-get install openssl): {error}"));
    let told = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "openssl {arguments:?}: {told}");
}
