//! The table that holds in one region once everything is inherited.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    cap::Cap, cell::Cell, evidence, fallback::Fallback, file::PolicyFile, ground::Ground, row::Row,
};
use crate::{
    decision::{Action, RowId},
    post::Region,
    signal::{Category, Score},
};

/// Everything that holds in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// Sorted by category.
    pub(super) cells: Vec<(Category, Cell)>,
    /// Sorted by id.
    pub(super) rows: Vec<Arc<Row>>,
    /// Sorted by id.
    pub(super) caps: Vec<Cap>,
    pub(super) unavailable: Vec<Unavailable>,
    pub(super) truncated: Option<(Category, Ground)>,
    /// The lowest score that anything in the table acts on.
    pub(super) lowest_score: Option<Score>,
}

/// What follows for one category while the model gives no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unavailable {
    pub(super) category: Category,
    pub(super) needs_signal: bool,
    pub(super) ground: Ground,
}

/// Whether what a file marks as shadow takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shadow {
    /// It does nothing: what it would replace stays.
    Ignored,
    /// It acts as if it were enforced.
    Tried,
}

impl Table {
    /// Inherits along `chain`, the root first.
    pub(super) fn inherit(chain: &[&PolicyFile], shadow: Shadow) -> Self {
        let mut draft = Draft::default();
        for file in chain {
            draft.lay(file, shadow);
        }
        draft.finish()
    }

    /// The cell of the most specific key that covers `category`.
    pub(super) fn cell(&self, category: &Category) -> Option<&Cell> {
        let mut path = category.as_str();
        loop {
            if let Ok(at) = self.cells.binary_search_by(|(key, _)| key.as_str().cmp(path)) {
                return Some(&self.cells[at].1);
            }
            path = path.rsplit_once('/')?.0;
        }
    }

    fn find_lowest_score(&self) -> Option<Score> {
        let of_cells = self.cells.iter().filter_map(|(_, cell)| match cell {
            Cell::Never => None,
            Cell::Acts(bars) => bars.lowest_score(),
        });
        let of_rows = self.rows.iter().filter_map(|row| row.selectors.score);
        of_cells.chain(of_rows).min()
    }
}

/// A table that is being put together.
#[derive(Default)]
struct Draft {
    cells: BTreeMap<Category, Cell>,
    rows: BTreeMap<RowId, Arc<Row>>,
    caps: BTreeMap<RowId, Cap>,
    unavailable: BTreeMap<Category, (Fallback, Region)>,
    truncated: Option<(Action, Region)>,
}

impl Draft {
    /// Lays a nearer file over what is there.
    fn lay(&mut self, file: &PolicyFile, shadow: Shadow) {
        let acts = |is_shadow: bool| !is_shadow || shadow == Shadow::Tried;
        for (id, _) in &file.drop {
            let id = RowId::new(id);
            self.rows.remove(&id);
            self.caps.remove(&id);
        }
        for entry in file.cells.iter().filter(|entry| acts(entry.shadow)) {
            self.cells.insert(entry.category.clone(), entry.cell.clone());
        }
        for entry in file.rows.iter().filter(|entry| acts(entry.shadow)) {
            self.rows.insert(entry.row.ground.id.clone(), Arc::clone(&entry.row));
        }
        for entry in &file.caps {
            self.caps.insert(entry.cap.id.clone(), entry.cap.clone());
        }
        for entry in &file.unavailable {
            self.unavailable.insert(entry.category.clone(), (entry.fallback, file.region()));
        }
        self.truncated = file.truncated.map(|action| (action, file.region())).or(self.truncated);
    }

    fn finish(self) -> Table {
        let unavailable = self.unavailable.into_iter();
        let unavailable = unavailable.filter(|(_, (fallback, _))| *fallback != Fallback::Allow);
        let unavailable = unavailable.map(|(category, (fallback, region))| {
            let id = format!("{region}/model_unavailable/{}", category.as_str());
            let needs_signal = fallback == Fallback::ReviewIfSignal;
            Unavailable { category, needs_signal, ground: Ground::made(&id, Action::Review) }
        });
        let truncated = self.truncated.filter(|(action, _)| *action != Action::Allow);
        let truncated = truncated.map(|(action, region)| {
            (evidence::truncated(), Ground::made(&format!("{region}/truncated"), action))
        });
        let mut table = Table {
            cells: self.cells.into_iter().collect(),
            rows: self.rows.into_values().collect(),
            caps: self.caps.into_values().collect(),
            unavailable: unavailable.collect(),
            truncated,
            lowest_score: None,
        };
        table.lowest_score = table.find_lowest_score();
        table
    }
}
