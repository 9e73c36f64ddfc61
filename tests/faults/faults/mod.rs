//! Every fault, by its number: what is done, on which broker, and whether the short run has it.

mod broker;
mod files;
mod group;
mod input;
mod load;
mod machine;
mod network;
mod process;
mod security;
mod topics;
mod transactions;

use crate::lab::{Lab, Site};

/// One fault.
pub(crate) struct Fault {
    /// Its number in `docs/operations.md`; a number is never given again.
    pub(crate) number: u8,
    /// What happens, in a few words.
    pub(crate) name: &'static str,
    pub(crate) site: Site,
    /// Whether `make test` runs it.
    pub(crate) short: bool,
    /// Whether it needs the machine, or this process, for itself.
    pub(crate) alone: bool,
    /// Does it, and lets the workers finish.
    pub(crate) run: fn(&mut Lab),
}

impl Fault {
    /// Where it runs, for the table.
    pub(crate) fn on(&self) -> &'static str {
        match self.site {
            Site::Mock(_) => "mock",
            Site::Kafka | Site::OwnKafka | Site::WatchedKafka | Site::Secured => "kafka",
        }
    }
}

const MOCK: Site = Site::Mock(1);
const SHORT: bool = true;
const LONG: bool = false;

const fn fault(
    number: u8,
    name: &'static str,
    (site, short): (Site, bool),
    run: fn(&mut Lab),
) -> Fault {
    Fault { number, name, site, short, alone: false, run }
}

const fn alone(
    number: u8,
    name: &'static str,
    (site, short): (Site, bool),
    run: fn(&mut Lab),
) -> Fault {
    Fault { number, name, site, short, alone: true, run }
}

/// All of them.
pub(crate) const FAULTS: &[Fault] = &[
    fault(1, "kill -9 in the middle, again and again", (Site::Kafka, SHORT), process::kills),
    fault(
        2,
        "kill -9 after acknowledgements, before any commit",
        (MOCK, SHORT),
        process::uncommitted,
    ),
    fault(
        3,
        "exactly once: kill -9 inside transactions",
        (Site::Kafka, SHORT),
        transactions::kills,
    ),
    fault(4, "SIGTERM under load", (MOCK, SHORT), process::stops),
    fault(5, "SIGTERM while the broker is away", (MOCK, SHORT), process::stop_without_broker),
    fault(
        6,
        "the broker restarts, then dies and comes back",
        (Site::OwnKafka, SHORT),
        broker::restarts,
    ),
    fault(7, "all brokers away for long", (MOCK, SHORT), broker::away),
    fault(8, "a slow broker: half a second for every answer", (MOCK, SHORT), broker::slow),
    fault(
        9,
        "connections stall half-open, then are reset",
        (Site::Kafka, SHORT),
        network::half_open,
    ),
    fault(10, "leaders move all the time", (Site::Mock(3), SHORT), broker::leaders),
    fault(11, "workers join and leave under load", (Site::Kafka, SHORT), group::join_and_leave),
    fault(
        12,
        "a worker is frozen beyond its session, then goes on",
        (Site::Kafka, SHORT),
        group::zombie,
    ),
    fault(
        13,
        "polls stay away too long while partitions are given back",
        (Site::Mock(2), LONG),
        group::poll_interval,
    ),
    fault(14, "commits are refused, the coordinator moves", (Site::Mock(2), SHORT), group::commits),
    fault(15, "the posts topic is missing, then is made", (Site::Kafka, SHORT), topics::posts),
    fault(
        16,
        "the dead-letter topic is missing, at start and in the middle",
        (Site::Kafka, SHORT),
        topics::dead_letters,
    ),
    fault(17, "the producer's queue is full", (MOCK, SHORT), broker::full_queue),
    fault(
        18,
        "deliveries are refused: replicas, timeouts, for good",
        (MOCK, SHORT),
        broker::refusals,
    ),
    fault(19, "one post in a hundred is no JSON, then all of them", (MOCK, SHORT), input::poison),
    fault(20, "no UTF-8, lone surrogates, NULs, empty, no value", (MOCK, SHORT), input::bytes),
    fault(21, "a post of ten megabytes", (Site::Kafka, SHORT), input::huge),
    fault(22, "JSON nested, keyed and numbered beyond all measure", (MOCK, SHORT), input::bombs),
    fault(
        23,
        "texts made to be slow: one letter, marks, joiners",
        (MOCK, SHORT),
        input::explosions,
    ),
    fault(24, "the same id many times", (MOCK, SHORT), input::same_ids),
    fault(25, "records stamped a day off, in 1970 and in 2100", (MOCK, SHORT), machine::clocks),
    fault(26, "broken rules are put into place", (MOCK, SHORT), files::broken_rules),
    fault(27, "rule files half written, swapped, deleted", (MOCK, SHORT), files::half_written),
    fault(28, "a hundred reloads under load", (MOCK, SHORT), files::many_reloads),
    fault(
        29,
        "a model that is cut, changed, or of another shape",
        (MOCK, SHORT),
        files::broken_models,
    ),
    fault(30, "a classifier whose scores are no numbers", (MOCK, SHORT), files::nan_model),
    fault(31, "the engine panics over some posts", (MOCK, SHORT), machine::panics),
    fault(
        32,
        "the disk for logs is full, the log's pipe is closed",
        (MOCK, SHORT),
        machine::no_log,
    ),
    fault(34, "fifty scrapers, and one that never reads", (MOCK, SHORT), machine::scrapers),
    fault(
        37,
        "a wrong password, a grant that is missing",
        (Site::Secured, SHORT),
        security::access,
    ),
    fault(
        38,
        "certificates that we do not trust, no encryption",
        (Site::Secured, SHORT),
        security::trust,
    ),
    fault(
        39,
        "exactly once: a worker is frozen, then goes on",
        (Site::Kafka, SHORT),
        transactions::zombie,
    ),
    fault(
        40,
        "exactly once: the broker dies and comes back",
        (Site::WatchedKafka, SHORT),
        transactions::broker,
    ),
    fault(
        41,
        "exactly once: answers to commits stay away",
        (Site::Kafka, SHORT),
        transactions::half_open,
    ),
    fault(
        42,
        "the worker's clock steps a day ahead, then two back",
        (MOCK, SHORT),
        machine::clock_steps,
    ),
    // Workers inherit the connections of the mocks beside them, and would have none left.
    alone(33, "too few file descriptors", (MOCK, SHORT), machine::descriptors),
    alone(35, "ten times the load, then silence", (Site::Kafka, SHORT), load::surge),
    alone(36, "a large backlog at start", (Site::Kafka, SHORT), load::backlog),
];
