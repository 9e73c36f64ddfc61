//! `tidegate moderate`: JSON lines in, JSON lines out, one for one and in order.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::{
    PartArgs,
    exit::{Exit, Failure},
    sources,
};
use crate::{
    direct::{Direct, DirectSettings},
    engine::Engine,
    moderator::{Moderator, Upkeep},
    wire::{Limits, WireError},
};

/// Lines decided together.
const BATCH_LINES: usize = 256;

#[derive(Debug, Args)]
pub(super) struct ModerateArgs {
    /// Posts, one JSON object a line; - or nothing: standard input
    #[arg(value_name = "FILE")]
    input: Option<PathBuf>,
    /// Where decisions go; nothing: standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    parts: PartArgs,
    /// Judge every post without a time of its own at this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Ask no model for a second opinion
    #[arg(long)]
    no_second_opinion: bool,
    /// Repeat the post's text in the decision
    #[arg(long)]
    include_text: bool,
}

pub(super) fn run(args: &ModerateArgs) -> Result<Exit, Failure> {
    let (loaded, overrides) = sources::load_bundle(&args.parts)?;
    let engine = Engine::new(Arc::new(loaded.bundle)).under(overrides);
    let upkeep = Upkeep::default();
    let upkeep = if args.no_second_opinion { upkeep.without_second_opinions() } else { upkeep };
    let moderator = Moderator::with(engine, Arc::new(upkeep))
        .map_err(|error| Failure::new(Exit::NoInput, error.to_string()))?;
    let (input, size) = open_input(args.input.as_deref())?;
    let output = open_output(args.output.as_deref())?;
    let progress = progress(size, args);
    let settings =
        DirectSettings { limits: Limits::default(), include_text: args.include_text, at: args.at };
    let direct = Direct::new(moderator, settings);
    let mut door = Door { direct, output: BufWriter::new(output), refused: 0 };
    door.run(BufReader::new(progress.wrap_read(input)))
        .map_err(|error| Failure::new(Exit::Io, format!("reading or writing failed: {error}")))?;
    progress.finish_and_clear();
    if door.refused > 0 {
        let message =
            format!("{} lines were no posts; each has an error in its place", door.refused);
        return Err(Failure::new(Exit::BadData, message));
    }
    Ok(Exit::Done)
}

struct Door<W: Write> {
    direct: Direct,
    output: BufWriter<W>,
    refused: u64,
}

impl<W: Write> Door<W> {
    fn run(&mut self, mut input: BufReader<impl Read>) -> io::Result<()> {
        let mut number = 0;
        loop {
            let mut lines: Vec<(u64, Vec<u8>)> = Vec::new();
            let mut ended = false;
            while lines.len() < BATCH_LINES {
                let Some(bytes) = read_line(&mut input, self.direct.limits().record_bytes)? else {
                    ended = true;
                    break;
                };
                number += 1;
                if !bytes.iter().all(u8::is_ascii_whitespace) {
                    lines.push((number, bytes));
                }
                // A person who types, or a pipe that pauses, wants the answer now.
                if !input.buffer().contains(&b'\n') {
                    break;
                }
            }
            self.answer(&lines)?;
            if ended {
                return self.output.flush();
            }
        }
    }

    fn answer(&mut self, lines: &[(u64, Vec<u8>)]) -> io::Result<()> {
        let posts: Vec<&[u8]> = lines.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        let (answers, _) = self.direct.answer(&posts);
        for (&(line, _), answer) in lines.iter().zip(answers) {
            match answer {
                Ok(answered) => self.output.write_all(&answered.json)?,
                Err(error) => {
                    self.refused += 1;
                    let error = WireError { line: Some(line), ..error };
                    self.output.write_all(error.to_json().as_bytes())?;
                }
            }
            self.output.write_all(b"\n")?;
        }
        self.output.flush()
    }
}

/// The next line without its end; at most one byte more than `limit` of it is kept, which is enough
/// to see that it is too long.
fn read_line(input: &mut impl BufRead, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut seen = false;
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() {
            return Ok(seen.then_some(line));
        }
        seen = true;
        let newline = available.iter().position(|&byte| byte == b'\n');
        let length = newline.unwrap_or(available.len());
        let room = (limit + 1).saturating_sub(line.len());
        line.extend_from_slice(&available[..length.min(room)]);
        let used = length + usize::from(newline.is_some());
        input.consume(used);
        if newline.is_some() {
            return Ok(Some(line));
        }
    }
}

fn open_input(path: Option<&Path>) -> Result<(Box<dyn Read>, Option<u64>), Failure> {
    let Some(path) = path.filter(|path| *path != Path::new("-")) else {
        return Ok((Box::new(io::stdin()), None));
    };
    let missing =
        |error: io::Error| Failure::new(Exit::NoInput, format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(missing)?;
    let size = file.metadata().ok().map(|metadata| metadata.len());
    Ok((Box::new(file), size))
}

fn open_output(path: Option<&Path>) -> Result<Box<dyn Write>, Failure> {
    let Some(path) = path else { return Ok(Box::new(io::stdout())) };
    let failed = |error: io::Error| Failure::new(Exit::Io, format!("{}: {error}", path.display()));
    Ok(Box::new(File::create(path).map_err(failed)?))
}

/// A progress bar over the input's bytes, where somebody watches and the output does not run through.
fn progress(size: Option<u64>, args: &ModerateArgs) -> ProgressBar {
    let watched =
        io::stderr().is_terminal() && (args.output.is_some() || !io::stdout().is_terminal());
    let Some(size) = size.filter(|_| watched) else { return ProgressBar::hidden() };
    let style = "{bar:30} {percent}% {bytes}/{total_bytes} {elapsed} (about {eta} to go)";
    let style = ProgressStyle::with_template(style).expect("the template is valid");
    let bar = ProgressBar::new(size).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
