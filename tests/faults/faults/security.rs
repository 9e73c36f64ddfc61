//! Faults of access: who is not let in is told why, with an exit code, and nothing is read or lost.

use std::process::Command;

use crate::clock::Clock;
use crate::lab::Lab;
use crate::support::secured::secured;

/// A client of one of the secured listeners.
fn as_client(command: &mut Command, listener: &str, ca: Option<&str>, user: Option<(&str, &str)>) {
    let kafka = secured();
    command.env("TIDEGATE__KAFKA__BROKERS", kafka.address_of(listener));
    command.env("TIDEGATE__KAFKA__STARTUP_DEADLINE", "10s");
    command.env("TIDEGATE__PUBLISH__GIVE_UP", "5s");
    if let Some(ca) = ca {
        command.env("TIDEGATE__KAFKA__TLS__CA_FILE", kafka.folder().join(ca));
    }
    if let Some((user, password)) = user {
        let mechanism = if listener == "SCRAM" { "SCRAM-SHA-512" } else { "PLAIN" };
        command.env("TIDEGATE__KAFKA__SASL__MECHANISM", mechanism);
        command.env("TIDEGATE__KAFKA__SASL__USERNAME", user);
        command.env("TIDEGATE__KAFKA__SASL__PASSWORD", password);
    }
}

pub(crate) fn access(lab: &mut Lab) {
    lab.produce(300);
    lab.keep_secret("a-guess");
    lab.keep_secret("gate-secret");
    let user = Some(("gate", "gate-secret"));
    let worker = lab.worker_with(|command| as_client(command, "SCRAM", Some("ca.pem"), user));
    lab.finish([worker]);
    lab.produce(300);
    let refused = [
        (("gate", "a-guess"), "does not let us in"),
        (("blind", "blind-secret"), "may not read the topic own-posts"),
        (("mute", "mute-secret"), "may not write to the topic own-decisions"),
        (("loner", "loner-secret"), "may not join the group own-"),
    ];
    for (user, says) in refused {
        let mut worker = lab.worker_with(|command| as_client(command, "PLAIN", None, Some(user)));
        lab.ends_with(&mut worker, 77, says);
    }
    // Who may not write decisions wrote dead letters until it was refused.
    lab.remember_crash();
    let user = Some(("gate", "gate-secret"));
    let worker = lab.worker_with(|command| as_client(command, "PLAIN", None, user));
    lab.finish([worker]);
}

pub(crate) fn trust(lab: &mut Lab) {
    lab.produce(300);
    let worker = lab.worker_with(|command| {
        as_client(command, "MTLS", Some("ca.pem"), None);
        let folder = secured().folder();
        command.env("TIDEGATE__KAFKA__TLS__CERTIFICATE_FILE", folder.join("client.pem"));
        command.env("TIDEGATE__KAFKA__TLS__KEY_FILE", folder.join("client.key"));
    });
    lab.finish([worker]);
    let mut stranger =
        lab.worker_with(|command| as_client(command, "TLS", Some("stranger.pem"), None));
    lab.ends_with(&mut stranger, 69, "is not trusted");
    let clock = Clock::in_folder(lab.folder());
    clock.shows(10);
    let mut late = lab.worker_with(|command| {
        as_client(command, "TLS", Some("ca.pem"), None);
        clock.is_asked_by(command);
    });
    lab.ends_with(&mut late, 69, "is not trusted");
    let mut elsewhere =
        lab.worker_with(|command| as_client(command, "ELSEWHERE", Some("ca.pem"), None));
    lab.ends_with(&mut elsewhere, 69, "is not trusted");
    let mut open = lab.worker_with(|command| as_client(command, "TLS", None, None));
    lab.ends_with(&mut open, 69, "no Kafka broker");
}
