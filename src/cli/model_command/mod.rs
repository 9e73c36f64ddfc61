//! `tidegate model …`: what a model reads, what it says, whether it still says it, and how one is
//! brought in.

mod import;
mod verify;

use std::{
    io::{self, BufRead, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use self::{import::ModelImportArgs, verify::VerifyArgs};
use super::{
    PartArgs,
    exit::{Exit, Failure},
    locate,
};
use crate::{
    classify::{Classifier, Input, Scores, check_folder, load_model},
    signal::Language,
    text::{NormalizedText, languages, standard},
};

/// Lines scored together.
const LINES: usize = 256;

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Print the standard view of each text, and its ids when a model is given
    Encode(EncodeArgs),
    /// Print the scores of each text
    Score(ScoreArgs),
    /// Print what model folders hold: inputs, labels, sizes, golden outputs, speed on this machine
    Inspect(VerifyArgs),
    /// Check model folders: hashes, shapes and golden outputs, on this machine
    Verify(VerifyArgs),
    /// Make a model folder of a Hugging Face export of a classifier
    Import(ModelImportArgs),
}

#[derive(Debug, Args)]
pub(super) struct EncodeArgs {
    /// The model folder
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ScoreArgs {
    /// The model folder
    #[arg(long, value_name = "FOLDER", default_value = "models/core")]
    model: PathBuf,
    #[command(flatten)]
    parts: PartArgs,
}

/// One line of input.
#[derive(Deserialize)]
struct Line {
    id: String,
    text: String,
}

pub(super) fn run(command: &ModelCommand) -> Result<Exit, Failure> {
    match command {
        ModelCommand::Encode(args) => encode(args),
        ModelCommand::Score(args) => score(args),
        ModelCommand::Inspect(args) => verify::inspect(args),
        ModelCommand::Verify(args) => verify::verify(args),
        ModelCommand::Import(args) => import::import(args),
    }
}

fn encode(args: &EncodeArgs) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Encoded<'a> {
        id: &'a str,
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        ids: Option<Vec<Vec<i32>>>,
    }
    let folder = args.model.as_deref().map(check_folder).transpose().map_err(|e| refused(&e))?;
    let mut output = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = parse(&line.map_err(|error| broken(&error))?)?;
        let view = standard(&line.text);
        let ids = folder.as_ref().map(|folder| {
            let mut windows = Vec::new();
            let encoded = folder.encoder.encode(view.text(), |ids| windows.push(ids));
            encoded.map(|()| windows).map_err(|error| refused(&error))
        });
        let ids = ids.transpose()?;
        print(&mut output, &Encoded { id: &line.id, text: view.text(), ids })?;
    }
    output.flush().map_err(|error| broken(&error))?;
    Ok(Exit::Done)
}

fn score(args: &ScoreArgs) -> Result<Exit, Failure> {
    let mut classifier = open(&args.model, &args.parts)?;
    let lines: Vec<String> =
        io::stdin().lock().lines().collect::<Result<_, _>>().map_err(|error| broken(&error))?;
    let mut output = BufWriter::new(io::stdout().lock());
    for chunk in lines.chunks(LINES) {
        let lines: Vec<Line> = chunk.iter().map(|line| parse(line)).collect::<Result<_, _>>()?;
        let views: Vec<_> = lines.iter().map(|line| standard(&line.text)).collect();
        let texts: Vec<&str> = views.iter().map(NormalizedText::text).collect();
        let spoken: Vec<Option<Language>> = texts.iter().map(|text| main_language(text)).collect();
        let inputs: Vec<Input<'_>> =
            texts.iter().zip(&spoken).map(|(text, &language)| Input { text, language }).collect();
        let scores = classifier.score(&inputs).map_err(|error| refused(&error))?;
        for ((line, language), scores) in lines.iter().zip(&spoken).zip(&scores) {
            let language = language.as_ref().map(Language::as_str);
            let line =
                serde_json::json!({"id": line.id, "language": language, "scores": object(scores)});
            print(&mut output, &line)?;
        }
    }
    output.flush().map_err(|error| broken(&error))?;
    Ok(Exit::Done)
}

/// The post's main language as the engine takes it.
fn main_language(view: &str) -> Option<Language> {
    let first = languages(view, None).into_iter().next()?;
    (first.language != Language::UNDETERMINED).then_some(first.language)
}

fn open(path: &Path, parts: &PartArgs) -> Result<Box<dyn Classifier>, Failure> {
    let model = load_model(path, &library(parts)?).map_err(|error| refused(&error))?;
    model.open().map_err(|error| refused(&error))
}

/// ONNX Runtime's library.
fn library(parts: &PartArgs) -> Result<PathBuf, Failure> {
    let home = parts.home.clone().unwrap_or_else(|| PathBuf::from("."));
    locate::onnx_library(parts, &home).map_err(|error| Failure::new(Exit::NoInput, error))
}

fn object(scores: &Scores) -> serde_json::Map<String, serde_json::Value> {
    scores.iter().map(|(of, score)| (of.as_str().to_owned(), score.probability().into())).collect()
}

fn parse(line: &str) -> Result<Line, Failure> {
    serde_json::from_str(line)
        .map_err(|error| Failure::new(Exit::BadData, format!("a line is no {{id, text}}: {error}")))
}

fn print(output: &mut impl Write, value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| broken(&error.into()))?;
    writeln!(output, "{text}").map_err(|error| broken(&error))
}

fn refused(error: &impl ToString) -> Failure {
    Failure::new(Exit::Configuration, error.to_string())
}

fn broken(error: &io::Error) -> Failure {
    Failure::new(Exit::Io, format!("reading or writing failed: {error}"))
}
