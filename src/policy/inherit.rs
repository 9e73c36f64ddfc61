//! Who inherits from whom: `default`, then groups, then the region.

use std::collections::{BTreeMap, BTreeSet};

use super::{codes, context::unknown_region, file::PolicyFile, region};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Location},
    post::Region,
};

/// All files, by what they are for, and the groups between them.
#[derive(Debug)]
pub(super) struct Family<'f> {
    /// Layers of one region or group, the farthest first.
    layers: BTreeMap<Region, Vec<&'f PolicyFile>>,
    /// The group that a region or group is a member of.
    parents: BTreeMap<Region, Region>,
}

impl<'f> Family<'f> {
    /// Brings the files in order; what contradicts itself is reported and left out.
    pub(super) fn new(files: &'f [PolicyFile], out: &mut Diagnostics) -> Self {
        let mut layers: BTreeMap<Region, Vec<&PolicyFile>> = BTreeMap::new();
        for file in files {
            let of_region = layers.entry(file.region()).or_default();
            if of_region.iter().any(|other| directory(other) == directory(file)) {
                let message = format!("another file of this directory is for `{}`", file.region());
                let found = Diagnostic::error(codes::PLACE_TWICE, place(file), message);
                out.push(found.help("join them; a layer over a file stands in a later directory"));
            }
            of_region.push(file);
        }
        if !layers.contains_key(&Region::DEFAULT) {
            let message = "no policy file is for `default`";
            let found = Diagnostic::global(codes::ROOT_MISSING, message);
            out.push(found.help("add one with `region: default`; all others inherit from it"));
        }
        let mut it = Self { layers, parents: BTreeMap::new() };
        it.find_parents(out);
        it.break_cycles(out);
        it
    }

    /// The files that hold for `region`, the root first.
    pub(super) fn chain(&self, region: Region) -> Vec<&'f PolicyFile> {
        let mut line = vec![region];
        while let Some(parent) = self.parents.get(line.last().expect("it starts with one")) {
            line.push(*parent);
        }
        if region != Region::DEFAULT {
            line.push(Region::DEFAULT);
        }
        line.iter().rev().filter_map(|place| self.layers.get(place)).flatten().copied().collect()
    }

    /// Every region and group that a file names, with the files of its own.
    pub(super) fn places(&self) -> impl Iterator<Item = (Region, &[&'f PolicyFile])> {
        let members = self.parents.keys().filter(|region| !self.layers.contains_key(region));
        let described = self.layers.iter().map(|(region, files)| (*region, &files[..]));
        described.chain(members.map(|region| (*region, &[][..])))
    }

    /// Every group with the countries in it, sorted.
    pub(super) fn groups(&self) -> BTreeMap<Region, Vec<Region>> {
        let mut groups: BTreeMap<Region, Vec<Region>> = BTreeMap::new();
        for &region in self.parents.keys().filter(|region| region::is_assigned(region.as_str())) {
            let mut place = region;
            while let Some(&parent) = self.parents.get(&place) {
                groups.entry(parent).or_default().push(region);
                place = parent;
            }
        }
        groups
    }

    fn find_parents(&mut self, out: &mut Diagnostics) {
        for (&group, files) in &self.layers {
            let is_group = files.iter().any(|file| file.is_group);
            // The nearest layer that names members says all of them.
            let named = files.iter().rev().find(|file| !file.members.is_empty());
            match (is_group, named) {
                (true, None) => {
                    let location = place(files[0]);
                    let message = format!("the group `{group}` has no members");
                    let found = Diagnostic::error(codes::MEMBERS_MISPLACED, location, message);
                    out.push(found.help("add `members: [AT, BE, …]`"));
                }
                (false, Some(file)) => {
                    let message = format!("`{group}` is a region: only groups have members");
                    let location = place(file);
                    out.push(Diagnostic::error(codes::MEMBERS_MISPLACED, location, message));
                }
                (true, Some(file)) => {
                    for (member, range) in &file.members {
                        let location = file.location(range);
                        if let Err(found) = self.join(*member, group, &location) {
                            out.push(*found);
                        } else {
                            self.parents.insert(*member, group);
                        }
                    }
                }
                (false, None) => {}
            }
        }
    }

    /// Whether `member` may become a member of `group`.
    fn join(&self, member: Region, group: Region, at: &Location) -> Result<(), Box<Diagnostic>> {
        let refuse = |code, message: String, help: String| {
            Err(Box::new(Diagnostic::error(code, at.clone(), message).help(help)))
        };
        let described = self.layers.get(&member).is_some_and(|files| files[0].is_group);
        if !region::is_assigned(member.as_str()) && !described {
            let (message, help) = unknown_region(member);
            return refuse(codes::REGION_UNKNOWN, message, help);
        }
        if let Some(other) = self.parents.get(&member).filter(|other| **other != group) {
            let message = format!("`{member}` is a member of `{other}` already");
            let help = "a region inherits from one group; groups may be members of groups";
            return refuse(codes::PARENT_TWICE, message, help.to_owned());
        }
        Ok(())
    }

    /// Groups that are members of each other inherit from nothing.
    fn break_cycles(&mut self, out: &mut Diagnostics) {
        for &start in self.layers.keys() {
            let mut seen = BTreeSet::from([start]);
            let mut place_in_line = start;
            while let Some(&parent) = self.parents.get(&place_in_line) {
                if seen.insert(parent) {
                    place_in_line = parent;
                    continue;
                }
                self.parents.remove(&place_in_line);
                let message = format!("the group `{parent}` is a member of itself");
                let location = place(self.layers[&parent][0]);
                let found = Diagnostic::error(codes::GROUP_CYCLE, location, message);
                out.push(found.help("take one of the groups out of the other's `members`"));
            }
        }
    }
}

fn place(file: &PolicyFile) -> Location {
    file.location(&file.place.1)
}

fn directory(file: &PolicyFile) -> &str {
    file.source.path.rsplit_once('/').map_or("", |(directory, _)| directory)
}
