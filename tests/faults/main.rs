//! The fault suite: real workers, real failures, and a checker that reads what is left behind.
//!
//! Each fault runs one or more workers in processes of their own, does something bad to them, to the
//! broker, to files or to the machine, and lets them finish. Then ten invariants are held against the
//! topics, the committed positions, logs and metrics. Controls prove that the checker sees: workers
//! with well-known mistakes, and good evidence falsified in every way that matters.
//!
//! ```text
//! faults [short|long]     SEED=7 repeats a run, FAULT=kill runs those whose name or number fits
//! ```

#[path = "../it/support/mod.rs"]
mod support;

mod checker;
mod clock;
mod controls;
mod evidence;
mod faults;
mod lab;
mod ledger;
mod naive;
mod report;
mod seed;

use std::collections::VecDeque;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use self::checker::{Findings, check};
use self::faults::{FAULTS, Fault};
use self::lab::Lab;
use self::report::{Control, Outcome};

/// Faults that run side by side: most of them wait for sessions, leaders and restarts.
const SIDE_BY_SIDE: usize = 6;
/// How much more the long run asks.
const LONG: usize = 4;

/// What was asked for.
struct Plan {
    seed: u64,
    scale: usize,
    chosen: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [role, rest @ ..] = arguments.as_slice()
        && role == naive::ROLE
    {
        return naive::run(rest);
    }
    let plan = Plan::read(&arguments);
    println!("  seed {}: SEED={} repeats this run", plan.seed, plan.seed);
    let outcomes = run(&plan);
    let all = plan.chosen.is_none();
    let controls = if all { controls::run(plan.seed) } else { Vec::new() };
    print!("{}", report::table(&outcomes, &controls));
    report::write(&report::json(&outcomes, &controls));
    let survived = outcomes.iter().all(Outcome::survived) && !outcomes.is_empty();
    let caught = controls.iter().all(|Control { caught, .. }| *caught);
    if survived && caught { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Plan {
    #[expect(clippy::disallowed_methods, reason = "what this run is to do is asked for by make")]
    fn read(arguments: &[String]) -> Self {
        let given = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let clock = || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::from(now.subsec_nanos())
        };
        let seed = given("SEED").and_then(|seed| seed.parse().ok()).unwrap_or_else(clock);
        let is_long = arguments.iter().any(|argument| argument == "long");
        let scale = if is_long { LONG } else { 1 };
        Self { seed, scale, chosen: given("FAULT") }
    }

    fn takes(&self, fault: &Fault) -> bool {
        match &self.chosen {
            Some(chosen) => chosen == &fault.number.to_string() || fault.name.contains(chosen),
            None => self.scale > 1 || fault.short,
        }
    }
}

/// Runs the chosen faults, some side by side; in the order of their numbers.
fn run(plan: &Plan) -> Vec<Outcome> {
    let (alone, beside): (Vec<&Fault>, Vec<&Fault>) =
        FAULTS.iter().filter(|fault| plan.takes(fault)).partition(|fault| fault.alone);
    let waiting = Mutex::new(VecDeque::from(beside));
    let done = Mutex::new(Vec::new());
    let next = || waiting.lock().expect("nobody panics while holding this").pop_front();
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(fault) = next() {
                    let outcome = one(fault, plan);
                    done.lock().expect("nobody panics while holding this").push(outcome);
                }
            });
        }
    });
    let mut done = done.into_inner().expect("all threads have ended");
    done.extend(alone.into_iter().map(|fault| one(fault, plan)));
    done.sort_by_key(|outcome| outcome.fault.number);
    done
}

fn one(fault: &'static Fault, plan: &Plan) -> Outcome {
    let began = Instant::now();
    let judged = catch_unwind(AssertUnwindSafe(|| {
        let mut lab = Lab::open(fault.number, fault.site, plan.seed, plan.scale);
        (fault.run)(&mut lab);
        let evidence = lab.evidence();
        let findings = check(&evidence);
        if !findings.broken.is_empty() {
            report::keep(fault, &evidence.said);
        }
        findings
    }));
    let seconds = began.elapsed().as_secs_f64();
    let (findings, died) = match judged {
        Ok(findings) => (findings, None),
        Err(panic) => (Findings::default(), Some(words(panic.as_ref()))),
    };
    let outcome = Outcome { fault, findings, died, seconds };
    let word = if outcome.survived() { "survived" } else { "FAILED" };
    println!("  {:>2} {}: {word} ({seconds:.0} s)", fault.number, fault.name);
    print!("{}", outcome.complaints());
    outcome
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}
