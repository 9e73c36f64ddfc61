//! The broker of the demo: a child process that serves Kafka's protocol and ends with its owner.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use tidegate::worker::embedded::{EmbeddedBroker, SUBCOMMAND};

use crate::support::kafka::{Kafka, NewRecord};
use crate::support::process::poll_until;

const SOON: Duration = Duration::from_secs(30);

fn start() -> EmbeddedBroker {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args([SUBCOMMAND, "posts:3", "decisions:1"]);
    EmbeddedBroker::spawn(command).expect("it starts")
}

#[test]
fn it_keeps_what_is_produced_while_it_lives() {
    let broker = start();
    let port = broker.brokers().rsplit(':').next().and_then(|port| port.parse().ok());
    let clients = Kafka::at(port.expect("it names its port"));
    clients.produce("posts", (0..30).map(|n| NewRecord::keyed(n.to_string(), "tide")));
    assert_eq!(clients.read_all("posts").len(), 30);
    assert_eq!(clients.read_all("decisions").len(), 0);
}

#[test]
fn it_ends_with_its_owner() {
    let broker = start();
    let address = broker.brokers().to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    drop(broker);
    let gone = poll_until(SOON, || TcpStream::connect(&address).err().map(|_| ()));
    assert!(gone.is_some(), "{address} still answers");
}

#[test]
fn a_topic_without_partitions_is_refused() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args([SUBCOMMAND, "posts"]);
    assert!(EmbeddedBroker::spawn(command).is_err());
}
