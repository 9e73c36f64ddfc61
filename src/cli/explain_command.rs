//! `tidegate rules explain`: one post, and everything that led to its decision.

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use jiff::Timestamp;

use super::{
    Format, PartArgs,
    exit::{Exit, Failure},
    sources,
};
use crate::{
    engine::Engine,
    explain::Explanation,
    moderator::Moderator,
    post::{Post, Region},
    wire::{DecisionId, Limits, Origin, Published, WireError, canonical, decode_post},
};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The post's text; without it and without --file the post is read from standard input
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    text: Option<String>,
    /// A file with the post: its JSON or plain text; - is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The regions that will see the post, in place of its own audience
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    audience: Vec<Region>,
    /// How the explanation is written
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Judge a post without a time of its own at this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    #[command(flatten)]
    parts: PartArgs,
}

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, Failure> {
    let json = json(args)?;
    let post = post(args, &json)?;
    let (loaded, overrides) = sources::load_bundle(&args.parts)?;
    let engine = Engine::new(Arc::new(loaded.bundle)).under(overrides);
    let mut moderator = Moderator::new(engine.clone())
        .map_err(|error| Failure::new(Exit::NoInput, error.to_string()))?;
    let as_of = args.at.or(post.created_at).unwrap_or_else(Timestamp::now);
    let decided = moderator.decide(vec![(post.clone(), as_of)]).0.remove(0);
    let decision =
        decided.map_err(|panicked| Failure::new(Exit::Internal, panicked.to_string()))?;
    let explanation = Explanation::new(&engine, &loaded.drafts, &post, decision);
    match args.format {
        Format::Human => anstream::print!("{}", explanation.human()),
        Format::Json => {
            let published = Published {
                id: DecisionId::of(Origin::Direct { post: &canonical(json.as_bytes()) }),
                source: None,
                received_at: as_of,
                decided_at: as_of,
                text: None,
            };
            let explained = explanation.json(&published, engine.bundle().decision_bytes());
            println!("{explained:#}");
        }
    }
    Ok(Exit::Done)
}

/// The post with its audience replaced where the arguments say so.
fn post(args: &ExplainArgs, json: &str) -> Result<Post, Failure> {
    let bad = |error: WireError| Failure::new(Exit::BadData, format!("the post is none: {error}"));
    let mut post = decode_post(json.as_bytes(), &Limits::default()).map_err(bad)?.post;
    if !args.audience.is_empty() {
        post.audience = Some(args.audience.clone());
    }
    Ok(post)
}

/// The post as JSON: what was given when that is an object, else a post with it as text.
fn json(args: &ExplainArgs) -> Result<String, Failure> {
    let text = match (&args.text, args.file.as_deref().filter(|path| *path != Path::new("-"))) {
        (Some(text), _) => return Ok(of_text(text)),
        (None, Some(path)) => {
            let failed = |error: io::Error| {
                Failure::new(Exit::NoInput, format!("{}: {error}", path.display()))
            };
            read(File::open(path).map_err(failed)?).map_err(failed)?
        }
        (None, None) => {
            if io::stdin().is_terminal() {
                eprintln!("Type a post, then Control-D.");
            }
            let failed = |error: io::Error| Failure::new(Exit::Io, error.to_string());
            read(io::stdin().lock()).map_err(failed)?
        }
    };
    if text.len() > Limits::default().record_bytes {
        let message = format!("a post has at most {} bytes", Limits::default().record_bytes);
        return Err(Failure::new(Exit::BadData, message));
    }
    let text = String::from_utf8(text)
        .map_err(|error| Failure::new(Exit::BadData, format!("the post is no UTF-8: {error}")))?;
    let trimmed = text.trim();
    if trimmed.starts_with('{') && trimmed.ends_with('}') {
        return Ok(trimmed.to_owned());
    }
    Ok(of_text(text.strip_suffix('\n').unwrap_or(&text)))
}

fn of_text(text: &str) -> String {
    serde_json::json!({"id": "explained", "text": text}).to_string()
}

/// Everything up to what a record may have, and one byte more, which is refused later.
fn read(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(Limits::default().record_bytes).unwrap_or(u64::MAX);
    input.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
