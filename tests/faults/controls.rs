//! Controls: the checker must catch workers with well-known mistakes, and evidence that was good
//! until it was falsified. A suite without them proves nothing.

use std::env;
use std::process::Command;
use std::time::Duration;

use crate::checker::{Invariant, check};
use crate::evidence::{Content, Crash, Evidence, Kind};
use crate::faults::{FAULTS, Fault};
use crate::lab::{Lab, SOON, Site};
use crate::ledger::{CANARY, Expect};
use crate::naive::{Mistake, ROLE};
use crate::report::Control;
use crate::support::kafka::NewRecord;
use crate::support::worker::Worker;

/// Numbers of the controls' topics; faults have lower ones.
const FIRST: u8 = 200;

/// Runs all of them.
pub(crate) fn run(seed: u64) -> Vec<Control> {
    let mut controls: Vec<Control> = std::thread::scope(|scope| {
        let live = Mistake::ALL.map(|mistake| scope.spawn(move || live(mistake, seed)));
        live.into_iter().map(|one| one.join().expect("a control does not panic")).collect()
    });
    controls.extend(falsified(&good(seed)));
    controls.push(documented());
    controls
}

/// Who reads about the faults reads about all of them.
fn documented() -> Control {
    let page = include_str!("../../docs/operations.md");
    let row = |fault: &Fault| format!("| {} | {} | ", fault.number, fault.name);
    let caught = FAULTS.iter().all(|fault| page.contains(&row(fault)));
    Control { name: "docs/operations.md lists every fault", caught }
}

/// A worker with a mistake, killed three times.
fn live(mistake: Mistake, seed: u64) -> Control {
    let (name, invariant) = match mistake {
        Mistake::CommitFirst => ("a worker that commits before it is done", Invariant::Complete),
        Mistake::OffByOne => ("a worker whose positions are one too high", Invariant::Complete),
        Mistake::Unordered => ("a worker that writes in another order", Invariant::Ordered),
        Mistake::FreshIds => ("a worker whose repeats have other ids", Invariant::Bounded),
    };
    let at = Mistake::ALL.iter().position(|each| *each == mistake).expect("all are listed");
    let number = FIRST + u8::try_from(at).expect("a few");
    let mut lab = Lab::open(number, Site::Kafka, seed, 1);
    let good = |number: usize| {
        let json = format!(r#"{{"id":"post-{number}","text":"hello"}}"#);
        (NewRecord::keyed(format!("author-{}", number % 17), json), Expect::Decision)
    };
    for kill in 1..=4 {
        lab.produce_these((kill * 1_000..(kill + 1) * 1_000).map(good));
        let mut worker = start(mistake, &lab);
        let before = lab.outputs_count();
        worker.until("decisions", SOON, || {
            std::thread::sleep(Duration::from_millis(20));
            lab.outputs_count() >= before + 400
        });
        if kill < 4 {
            lab.crash(worker);
        } else {
            // It has no orderly end: what it has not done after a while it will never do.
            std::thread::sleep(Duration::from_secs(3));
        }
    }
    Control { name, caught: check(&lab.evidence()).broke(invariant) }
}

fn start(mistake: Mistake, lab: &Lab) -> Worker {
    let mut command = Command::new(env::current_exe().expect("this binary has a path"));
    command.arg(ROLE).arg(mistake.name()).arg(lab.kafka().address()).arg(lab.group());
    command.arg(&lab.topics.posts).arg(&lab.topics.decisions);
    Worker::spawn(&mut command)
}

/// The evidence of a run without any fault.
fn good(seed: u64) -> Evidence {
    let mut lab = Lab::open(FIRST - 1, Site::Mock(1), seed, 1);
    lab.produce(600);
    let worker = lab.worker();
    lab.finish([worker]);
    lab.evidence()
}

/// A change to good evidence that must be seen, and as what.
type Falsification = (&'static str, Invariant, fn(&mut Evidence));

const FALSIFICATIONS: &[Falsification] = &[
    ("one decision taken away", Invariant::Complete, |evidence| {
        evidence.outputs.remove(7);
    }),
    ("one post of the ledger was never written", Invariant::Complete, |evidence| {
        evidence.unwritten = 1;
    }),
    ("a decision beside a dead letter", Invariant::Exclusive, |evidence| {
        let letter = evidence.outputs.iter().find(|output| output.kind() == Kind::Letter);
        let mut both = letter.expect("some are no posts").clone();
        both.stands_in.0 = Kind::Decision;
        evidence.outputs.push(both);
    }),
    ("one repeat too many", Invariant::Bounded, |evidence| {
        let again = evidence.outputs[3].clone();
        evidence.outputs.push(again);
    }),
    ("a repeat with another id", Invariant::Bounded, |evidence| {
        let mut again = evidence.outputs[3].clone();
        if let Content::Decision { id, .. } = &mut again.content {
            id.push('x');
        }
        evidence.outputs.push(again);
        evidence.repeats_max = 1;
    }),
    ("two decisions of one author change places", Invariant::Ordered, |evidence| {
        let first = evidence.outputs[0].clone();
        let same = |output: &&crate::evidence::Output| {
            output.key == first.key
                && output.about.0 == first.about.0
                && output.about != first.about
        };
        let other = evidence.outputs.iter().find(same).expect("authors write twice").about;
        let at = evidence.outputs.iter().position(|output| output.about == other);
        evidence.outputs.swap(0, at.expect("it was just found"));
    }),
    ("a decision with another key", Invariant::Genuine, |evidence| {
        evidence.outputs[5].key = Some(b"somebody else".to_vec());
    }),
    ("a decision about a post that never was", Invariant::Genuine, |evidence| {
        evidence.outputs[5].about.1 += 1_000_000;
    }),
    ("a decision under the id of another post", Invariant::Genuine, |evidence| {
        if let Content::Decision { post_id, .. } = &mut evidence.outputs[5].content {
            post_id.push('x');
        }
    }),
    ("a dead letter with other bytes", Invariant::Genuine, |evidence| {
        for output in &mut evidence.outputs {
            if let Content::Letter { value: Some(value), .. } = &mut output.content {
                value.push(b' ');
            }
        }
    }),
    ("a dead letter for another reason", Invariant::Genuine, |evidence| {
        for output in &mut evidence.outputs {
            if let Content::Letter { code, .. } = &mut output.content {
                "too_deep".clone_into(code);
            }
        }
    }),
    ("a position committed before its decision", Invariant::NotEarly, |evidence| {
        let ended = evidence.outputs.iter().skip(1).map(|output| output.about).collect();
        let committed = evidence.committed.clone();
        evidence.crashes.push(Crash { committed, ended });
    }),
    ("a position that stayed behind", Invariant::Alive, |evidence| {
        let last = evidence.committed.values_mut().next().expect("all have posts");
        *last -= 1;
    }),
    ("memory beyond its budget", Invariant::Frugal, |evidence| {
        evidence.memory.1 = evidence.memory.0 - 1;
    }),
    ("something that the fault did not expect", Invariant::Clear, |evidence| {
        evidence.surprises.push("exit code 0".to_owned());
    }),
    ("a post's words in the log", Invariant::Discreet, |evidence| {
        evidence.said.push(format!("decided about {CANARY} again"));
    }),
];

fn falsified(good: &Evidence) -> Vec<Control> {
    let sound = Control {
        name: "good evidence is found good",
        caught: check(good).broken.is_empty() && good.memory.0 > 0,
    };
    let falsified = FALSIFICATIONS.iter().map(|(name, invariant, falsify)| {
        let mut evidence = good.clone();
        falsify(&mut evidence);
        Control { name, caught: check(&evidence).broke(*invariant) }
    });
    std::iter::once(sound).chain(falsified).collect()
}
