//! A broker for the demo and for trying things out: librdkafka's mock cluster in a child process.
//!
//! It keeps 5 MiB a partition, nothing on disk, and fakes transactions: nobody's data belongs here.
//! The child lives until its standard input closes, so it never outlives its parent.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
};

use rdkafka::{error::KafkaError, mocking::MockCluster};

/// The hidden subcommand that runs [`serve`]; its arguments are `topic:partitions`.
pub const SUBCOMMAND: &str = "embedded-broker";

/// A broker in a child process; dropping it ends the process.
#[derive(Debug)]
pub struct EmbeddedBroker {
    child: Child,
    brokers: String,
}

/// A topic of the embedded broker.
#[derive(Debug, Clone, Copy)]
pub struct Topic<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many partitions it has.
    pub partitions: i32,
}

/// The embedded broker does not work.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The child process could not be started or spoken to.
    #[error("the embedded broker did not start: {0}")]
    Start(#[from] io::Error),
    /// The child ended before it named its address.
    #[error("the embedded broker ended at once")]
    Ended,
    /// The mock cluster refused something.
    #[error("the embedded broker failed: {0}")]
    Broker(#[from] KafkaError),
    /// An argument is not `topic:partitions`.
    #[error("{0} is not topic:partitions")]
    Argument(String),
}

impl EmbeddedBroker {
    /// Starts this program again as a broker that has these topics.
    pub fn start(topics: &[Topic<'_>]) -> Result<Self, EmbeddedError> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(SUBCOMMAND);
        command.args(topics.iter().map(|topic| format!("{}:{}", topic.name, topic.partitions)));
        Self::spawn(command)
    }

    /// Starts a command that does what [`serve`] does.
    pub fn spawn(mut command: Command) -> Result<Self, EmbeddedError> {
        // A group of its own: Ctrl-C is for us, and the worker still needs the broker to drain.
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn()?;
        let mut brokers = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut brokers)?;
        }
        let brokers = brokers.trim().to_owned();
        if brokers.is_empty() {
            child.wait()?;
            return Err(EmbeddedError::Ended);
        }
        Ok(Self { child, brokers })
    }

    /// Where it listens, for `kafka.brokers`.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        // Both fail only where the child has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the broker: prints its address on standard output and lives until standard input closes.
pub fn serve(topics: &[String]) -> Result<(), EmbeddedError> {
    let cluster = MockCluster::new(1)?;
    for argument in topics {
        let refused = || EmbeddedError::Argument(argument.clone());
        let (name, partitions) = argument.rsplit_once(':').ok_or_else(refused)?;
        let partitions = partitions.parse().map_err(|_| refused())?;
        cluster.create_topic(name, partitions, 1)?;
    }
    println!("{}", cluster.bootstrap_servers());
    io::stdout().flush()?;
    io::copy(&mut io::stdin().take(u64::MAX), &mut io::sink())?;
    Ok(())
}
