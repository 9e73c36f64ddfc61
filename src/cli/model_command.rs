//! `tidegate model encode|score|verify`: what a model reads, what it says, and whether it still says it.

use std::{
    fs,
    io::{self, BufRead, BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

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
/// The golden outputs in a model folder.
const GOLDEN: &str = "golden.jsonl";
/// What the speed is measured on: posts of a round, bytes of a post, rounds.
const SPEED_POSTS: usize = 64;
const SPEED_BYTES: usize = 200;
const SPEED_ROUNDS: usize = 100;

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Print the standard view of each text, and its n-gram ids when a model is given
    Encode(EncodeArgs),
    /// Print the scores of each text
    Score(ScoreArgs),
    /// Check a model folder: hashes, shapes and golden outputs, on this machine
    Verify(VerifyArgs),
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

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The model folders
    #[arg(value_name = "FOLDER", required = true)]
    models: Vec<PathBuf>,
    #[command(flatten)]
    parts: PartArgs,
}

/// One line of input.
#[derive(Deserialize)]
struct Line {
    id: String,
    text: String,
}

/// One line of the golden outputs; `text` is a standard view.
#[derive(Deserialize)]
struct Golden {
    text: String,
    language: Option<String>,
    ids: Vec<Vec<i32>>,
    scores: serde_json::Map<String, serde_json::Value>,
}

pub(super) fn run(command: &ModelCommand) -> Result<Exit, Failure> {
    match command {
        ModelCommand::Encode(args) => encode(args),
        ModelCommand::Score(args) => score(args),
        ModelCommand::Verify(args) => verify(args),
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
            folder.encoder.encode(view.text(), |ids| windows.push(ids));
            windows
        });
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

fn verify(args: &VerifyArgs) -> Result<Exit, Failure> {
    let mut wrong = 0;
    for path in &args.models {
        let differences = differences(path, &args.parts)?;
        if differences.is_empty() {
            let micros = micros_a_post(path, &args.parts)?;
            println!(
                "{}: as its golden outputs say; {micros:.1} µs a post of {SPEED_BYTES} bytes here",
                path.display()
            );
        }
        for difference in &differences {
            println!("{}: {difference}", path.display());
        }
        wrong += differences.len();
    }
    Ok(if wrong == 0 { Exit::Done } else { Exit::Findings })
}

/// Where ids or scores are not what the golden outputs say.
fn differences(path: &Path, parts: &PartArgs) -> Result<Vec<String>, Failure> {
    let folder = check_folder(path).map_err(|error| refused(&error))?;
    let mut classifier = open(path, parts)?;
    let mut found = Vec::new();
    for (number, wanted) in read_golden(path)?.into_iter().enumerate() {
        let mut ids = Vec::new();
        folder.encoder.encode(&wanted.text, |window| ids.push(window));
        if ids != wanted.ids {
            found.push(format!("{GOLDEN}:{}: other n-gram ids", number + 1));
        }
        let language = wanted.language.as_deref().and_then(Language::new);
        let input = Input { text: &wanted.text, language };
        let scores = classifier.score(&[input]).map_err(|error| refused(&error))?;
        let scores = scores.first().map(object).unwrap_or_default();
        if scores != wanted.scores {
            found.push(format!("{GOLDEN}:{}: other scores", number + 1));
        }
    }
    Ok(found)
}

/// Time for one post when posts of like length come in full micro-batches; the best of many rounds,
/// since everything that disturbs a measurement makes it longer.
fn micros_a_post(path: &Path, parts: &PartArgs) -> Result<f64, Failure> {
    let mut classifier = open(path, parts)?;
    let golden = read_golden(path)?;
    let corpus: String = golden.iter().flat_map(|line| [line.text.as_str(), " "]).collect();
    let mut posts = Vec::new();
    let mut rest = corpus.repeat(SPEED_POSTS);
    while posts.len() < SPEED_POSTS && !rest.is_empty() {
        let post = rest.split_off(rest.floor_char_boundary(rest.len().saturating_sub(SPEED_BYTES)));
        posts.push(post);
    }
    let inputs: Vec<Input<'_>> = posts.iter().map(|text| Input { text, language: None }).collect();
    let mut best = Duration::MAX;
    for _ in 0..SPEED_ROUNDS {
        let began = Instant::now();
        classifier.score(&inputs).map_err(|error| refused(&error))?;
        best = best.min(began.elapsed());
    }
    let posts = u32::try_from(inputs.len().max(1)).expect("a micro-batch is small");
    Ok(best.as_secs_f64() * 1e6 / f64::from(posts))
}

fn read_golden(path: &Path) -> Result<Vec<Golden>, Failure> {
    let place = path.join(GOLDEN);
    let text = fs::read_to_string(&place)
        .map_err(|error| Failure::new(Exit::NoInput, format!("{}: {error}", place.display())))?;
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            let place = format!("{}:{}", place.display(), number + 1);
            Failure::new(Exit::Configuration, format!("{place}: {error}"))
        })
    };
    text.lines().enumerate().map(parse).collect()
}

fn open(path: &Path, parts: &PartArgs) -> Result<Box<dyn Classifier>, Failure> {
    let home = parts.home.clone().unwrap_or_else(|| PathBuf::from("."));
    let library =
        locate::onnx_library(parts, &home).map_err(|error| Failure::new(Exit::NoInput, error))?;
    let model = load_model(path, &library).map_err(|error| refused(&error))?;
    model.open().map_err(|error| refused(&error))
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
