//! What was produced: every record that the broker has acknowledged, and what must become of it.

use std::sync::Arc;

use serde_json::json;

use crate::seed::Seed;
use crate::support::kafka::NewRecord;

/// The header that carries a record's number in the ledger.
pub(crate) const NUMBER: &str = "ledger";
/// Words that stand in every post, and must stand nowhere else.
pub(crate) const CANARY: &str = "kanarienvogel";
/// The same in every key.
pub(crate) const KEY_CANARY: &str = "zaunkoenig";

/// What must become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// A decision.
    Decision,
    /// A dead letter with this code.
    Letter(&'static str),
}

/// The records that were produced, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Vec<Arc<Entry>>);

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) expect: Expect,
}

impl Ledger {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The record of a number.
    pub(crate) fn get(&self, number: usize) -> Option<&Arc<Entry>> {
        self.0.get(number)
    }

    /// Enters a record, and gives it as it is to be produced.
    pub(crate) fn enter(&mut self, mut record: NewRecord, expect: Expect) -> NewRecord {
        let number = self.0.len();
        record.headers.push((NUMBER.to_owned(), number.to_string().into_bytes()));
        let (key, value) = (record.key.clone(), record.value.clone());
        self.0.push(Arc::new(Entry { key, value, expect }));
        record
    }

    /// Enters so many ordinary posts: a hundred authors, texts of all lengths, some that the rule
    /// finds, one in fifty no post at all.
    pub(crate) fn posts(&mut self, count: usize, seed: &mut Seed) -> Vec<NewRecord> {
        let numbers = self.len()..self.len() + count;
        numbers.map(|number| self.post(number, seed)).collect()
    }

    fn post(&mut self, number: usize, seed: &mut Seed) -> NewRecord {
        let words = "the tide is out ".repeat(seed.between(1, 12));
        let (text, expect) = match seed.between(0, 50) {
            0 => (json!({"id": number, "text": CANARY}), Expect::Letter("invalid_schema")),
            1..10 => (post(number, &format!("{CANARY} please buy now {words}")), Expect::Decision),
            _ => (post(number, &format!("{CANARY} {words}")), Expect::Decision),
        };
        let key = format!("{KEY_CANARY}-{}", seed.between(0, 100));
        self.enter(NewRecord::keyed(key, text.to_string()), expect)
    }
}

fn post(number: usize, text: &str) -> serde_json::Value {
    json!({"id": format!("post-{number}"), "text": text})
}
