//! Commands in examples exist, with their subcommands and arguments.

use clap::Parser as _;
use tidegate::cli::Cli;

use super::{fences, read, shell::commands};

#[test]
fn every_tidegate_command_in_the_pages_is_one() {
    let mut checked = 0;
    for fence in fences().iter().filter(|fence| fence.is("sh")) {
        for words in commands(&fence.body) {
            let program = words[0].rsplit('/').next().unwrap_or_default();
            if program == "tidegate" {
                if let Err(error) = Cli::try_parse_from(&words) {
                    panic!("{}: {words:?}\n{error}", fence.place);
                }
                checked += 1;
            }
        }
    }
    assert!(checked >= 15, "only {checked} commands were found");
}

/// Commands in running text, between single backticks.
#[test]
fn every_tidegate_subcommand_in_the_text_is_one() {
    let mut checked = 0;
    for page in super::PAGES {
        for code in read(page).split('`').filter(|code| code.starts_with("tidegate ")) {
            let words: Vec<&str> = code.split_whitespace().collect();
            if code.contains(['|', '\n', '…']) {
                continue;
            }
            let kind = Cli::try_parse_from(&words).err().map(|error| error.kind());
            // What only lacks an argument is named, not run.
            let named = [
                None,
                Some(clap::error::ErrorKind::MissingRequiredArgument),
                Some(clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
            ];
            assert!(named.contains(&kind), "{page}: `{code}`: {kind:?}");
            checked += 1;
        }
    }
    assert!(checked >= 10, "only {checked} were found");
}

#[test]
fn every_make_target_in_the_pages_is_one() {
    let makefile = read("Makefile");
    let mut named: Vec<(String, String)> = Vec::new();
    for fence in fences().iter().filter(|fence| fence.is("sh")) {
        let makes = commands(&fence.body).into_iter().filter(|words| words[0] == "make");
        named.extend(makes.map(|words| (fence.place.clone(), words[1].clone())));
    }
    for page in super::PAGES {
        let page_text = read(page);
        let codes = page_text.split('`').filter_map(|code| code.strip_prefix("make "));
        named.extend(codes.map(|target| (page.to_owned(), target.to_owned())));
    }
    for (place, target) in named {
        assert!(makefile.contains(&format!("\n{target}:")), "{place}: make {target}");
    }
}
