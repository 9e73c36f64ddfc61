//! `tidegate model inspect|verify`: what a model folder holds, and whether it still says what it said.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;

use super::{library, refused};
use crate::{
    classify::{
        Input, Model, check_folder,
        manifest::{EncoderSpec, Manifest},
        onnx::{OnnxModel, Port, Runtime},
    },
    cli::{
        PartArgs,
        exit::{Exit, Failure},
    },
    signal::{Category, Language},
};

/// What the speed is measured on: posts of a round, bytes of a post.
const SPEED_POSTS: usize = 64;
const SPEED_BYTES: usize = 200;
/// For how long, and how many rounds at most.
const SPEED_TIME: Duration = Duration::from_secs(1);
const SPEED_ROUNDS: usize = 100;
/// What is read where a folder tells no golden outputs.
const SENTENCE: &str = "the ferry leaves at nine, and the market by the harbour opens at ten. ";

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// The model folders
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    parts: PartArgs,
}

/// Checks each folder, and goes on after one that is refused.
pub(super) fn verify(args: &VerifyArgs) -> Result<Exit, Failure> {
    let library = library(&args.parts)?;
    let mut wrong = 0;
    for path in &args.folders {
        let place = path.display();
        let said = verified(path, &library).unwrap_or_else(|reason| vec![reason]);
        if said.is_empty() {
            let micros = micros_a_post(&open(path, &library).map_err(|e| refused(&e))?)?;
            println!(
                "{place}: as its golden outputs say; {micros:.1} µs a post of {SPEED_BYTES} bytes here"
            );
        }
        for difference in &said {
            println!("{place}: {difference}");
        }
        wrong += said.len();
    }
    Ok(if wrong == 0 { Exit::Done } else { Exit::Findings })
}

/// What is wrong with a folder; one without golden outputs tells nothing, which is wrong too.
fn verified(path: &Path, library: &Path) -> Result<Vec<String>, String> {
    let model = open(path, library)?;
    if model.folder().golden.is_empty() {
        return Err("it has no golden outputs, so nobody knows what it should say".to_owned());
    }
    model.differences().map_err(|error| error.to_string())
}

fn open(path: &Path, library: &Path) -> Result<OnnxModel, String> {
    let folder = check_folder(path).map_err(|error| error.to_string())?;
    let runtime = Runtime::load(library).map_err(|error| error.to_string())?;
    OnnxModel::new(folder, &runtime).map_err(|error| error.to_string())
}

/// Prints what each folder holds.
pub(super) fn inspect(args: &VerifyArgs) -> Result<Exit, Failure> {
    let library = library(&args.parts)?;
    for path in &args.folders {
        let model = open(path, &library).map_err(|reason| refused(&reason))?;
        println!("{}", described(&model)?);
    }
    Ok(Exit::Done)
}

fn described(model: &OnnxModel) -> Result<String, Failure> {
    let (inputs, outputs) = model.ports().map_err(|error| refused(&error))?;
    let folder = model.folder();
    let manifest = &folder.manifest;
    let mut lines = vec![format!(
        "{} {} ({}), {}",
        manifest.name,
        manifest.version,
        manifest.licence,
        manifest.encoder.kind()
    )];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<12} {value}"));
    line("inputs", listed(&inputs));
    line("outputs", listed(&outputs));
    line("head", manifest.head.as_str().to_owned());
    line("labels", labels(manifest));
    line("windows", windows(&manifest.encoder));
    line("network", format!("{} operators, {} bytes", folder.network.nodes, folder.graph.len()));
    line("files", format!("{}, each with its SHA-256", manifest.files.len()));
    if let Some(asked) = &manifest.asked {
        let languages: Vec<&str> = asked.languages.iter().map(Language::as_str).collect();
        let bands: Vec<&str> = asked.bands.keys().map(Category::as_str).collect();
        let (languages, bands) = (languages.join(", "), bands.join(", "));
        line("asked", format!("in {languages}, about {bands}"));
    }
    let differences = model.differences().map_err(|error| refused(&error))?.len();
    let golden = folder.golden.len();
    line("golden", format!("{golden} texts, {differences} differences on this machine"));
    let micros = micros_a_post(model)?;
    line("speed", format!("{micros:.1} µs a post of {SPEED_BYTES} bytes on this machine"));
    Ok(lines.join("\n"))
}

fn listed(ports: &[Port]) -> String {
    let all: Vec<String> =
        ports.iter().map(|port| format!("{} {}", port.name, port.kind)).collect();
    all.join("; ")
}

fn labels(manifest: &Manifest) -> String {
    let name = |output: &Option<Category>| output.as_ref().map_or("~", |of| of.as_str()).to_owned();
    manifest.outputs.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn windows(encoder: &EncoderSpec) -> String {
    match encoder {
        EncoderSpec::NGrams { parameters, .. } => {
            format!("up to {} of {} code points", parameters.windows, parameters.window)
        }
        EncoderSpec::Tokens { parameters, .. } => {
            let (windows, window, batch) =
                (parameters.windows, parameters.window, parameters.batch);
            format!("up to {windows} of {window} tokens, {batch} at a time")
        }
    }
}

/// Time for one post when posts of like length come together; the best of many rounds, since
/// everything that disturbs a measurement makes it longer.
fn micros_a_post(model: &OnnxModel) -> Result<f64, Failure> {
    let mut classifier = model.open().map_err(|error| refused(&error))?;
    let golden = &model.folder().golden;
    let mut corpus: String = golden.iter().flat_map(|line| [line.text.as_str(), " "]).collect();
    if corpus.is_empty() {
        SENTENCE.clone_into(&mut corpus);
    }
    let needed = SPEED_POSTS * SPEED_BYTES;
    let mut rest = corpus.repeat(needed.div_ceil(corpus.len()));
    let mut posts = Vec::new();
    while posts.len() < SPEED_POSTS && !rest.is_empty() {
        let post = rest.split_off(rest.floor_char_boundary(rest.len().saturating_sub(SPEED_BYTES)));
        posts.push(post);
    }
    let inputs: Vec<Input<'_>> = posts.iter().map(|text| Input { text, language: None }).collect();
    let started = Instant::now();
    let mut best = Duration::MAX;
    for _ in 0..SPEED_ROUNDS {
        let began = Instant::now();
        classifier.score(&inputs).map_err(|error| refused(&error))?;
        best = best.min(began.elapsed());
        if started.elapsed() > SPEED_TIME {
            break;
        }
    }
    let posts = u32::try_from(inputs.len().max(1)).expect("a micro-batch is small");
    Ok(best.as_secs_f64() * 1e6 / f64::from(posts))
}
