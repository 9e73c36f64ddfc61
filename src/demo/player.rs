//! Writes posts to the worker's topic and reads back what it decided.

use std::time::{Duration, Instant};

use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, Producer},
    topic_partition_list::{Offset, TopicPartitionList},
};

use super::wave::WavePost;

/// How long one wait for the broker may take.
const WAIT: Duration = Duration::from_millis(10);

/// The demonstration cannot speak to its broker.
#[derive(Debug, thiserror::Error)]
pub enum PlayerError {
    /// Kafka's client failed.
    #[error("the demonstration's broker failed: {0}")]
    Kafka(#[from] KafkaError),
    /// The worker did not decide about everything in time.
    #[error("{decided} of {sent} posts were decided after {} s", waited.as_secs())]
    Slow {
        /// Posts that were sent.
        sent: usize,
        /// Decisions and dead letters that came back.
        decided: usize,
        /// How long that was waited for.
        waited: Duration,
    },
}

/// Both ends of the worker.
pub struct Player {
    producer: BaseProducer,
    consumer: BaseConsumer,
    posts: String,
    sent: usize,
}

impl Player {
    /// Connects to a broker: posts go to `posts`, and `outputs` are read from their beginning.
    pub fn new(
        brokers: &str,
        posts: &str,
        outputs: &[&str],
        partitions: i32,
    ) -> Result<Self, PlayerError> {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            // Small waves should be there at once.
            .set("linger.ms", "2")
            .create()?;
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            // No group is joined; the client asks for a name all the same.
            .set("group.id", "tidegate-demo-reader")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut assignment = TopicPartitionList::new();
        for topic in outputs {
            for partition in 0..partitions {
                assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
            }
        }
        consumer.assign(&assignment)?;
        Ok(Self { producer, consumer, posts: posts.to_owned(), sent: 0 })
    }

    /// Sends a post.
    pub fn send(&mut self, post: &WavePost) -> Result<(), PlayerError> {
        let json = post.to_json();
        let full = RDKafkaErrorCode::QueueFull;
        let mut record = BaseRecord::to(&self.posts).key(post.author.as_str()).payload(&json);
        while let Err((error, refused)) = self.producer.send(record) {
            if error.rdkafka_error_code() != Some(full) {
                return Err(error.into());
            }
            self.producer.poll(WAIT);
            record = refused;
        }
        self.sent += 1;
        Ok(())
    }

    /// Waits until everything that was sent is with the broker.
    pub fn flush(&self) -> Result<(), PlayerError> {
        Ok(self.producer.flush(Duration::from_secs(10))?)
    }

    /// The next output, if one is there soon.
    pub fn receive(&self) -> Result<Option<Vec<u8>>, PlayerError> {
        match self.consumer.poll(WAIT) {
            None => Ok(None),
            Some(Ok(record)) => Ok(Some(record.payload().unwrap_or_default().to_vec())),
            Some(Err(error)) if is_passing(&error) => Ok(None),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// Hands over outputs until there is one for every post. Gives up after `deadline`, or when
    /// `ended` says that nobody decides any more.
    pub fn receive_all(
        &self,
        deadline: Duration,
        mut each: impl FnMut(&[u8]),
        ended: impl Fn() -> bool,
    ) -> Result<(), PlayerError> {
        let started = Instant::now();
        let mut decided = 0;
        while decided < self.sent {
            if let Some(output) = self.receive()? {
                each(&output);
                decided += 1;
            } else if started.elapsed() > deadline || ended() {
                let waited = started.elapsed();
                return Err(PlayerError::Slow { sent: self.sent, decided, waited });
            }
        }
        Ok(())
    }
}

/// Errors that the client mends by itself.
fn is_passing(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    matches!(
        code,
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
        )
    )
}
