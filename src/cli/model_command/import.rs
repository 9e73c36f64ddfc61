//! `tidegate model import`: a Hugging Face export of a classifier becomes a model folder.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use sha2::{Digest, Sha256};

use super::{library, refused};
use crate::{
    classify::{
        Input, Model, check_folder,
        folder::{FILE_BYTES_MAX, MANIFEST, hex},
        golden::GOLDEN,
        graph,
        import::{Config, Found, Wishes, manifest},
        manifest::Head,
        onnx::{OnnxModel, Runtime},
        tokens::TokenInput,
    },
    cli::{
        PartArgs,
        exit::{Exit, Failure},
        locate,
    },
    diagnostic::{Diagnostics, nearest},
    files::read_text,
    signal::{Category, Language, Score},
    taxonomy::Taxonomy,
    text::standard,
};

/// The files of an export, and of the folder that is made of it.
const NETWORK: &str = "model.onnx";
const TOKENIZER: &str = "tokenizer.json";
const CONFIG: &str = "config.json";
/// Decent sentences whose scores are written down as golden outputs.
const SENTENCES: [&str; 10] = [
    "",
    "The library opens at nine tomorrow.",
    "Wer hat Lust, am Samstag schwimmen zu gehen?",
    "Le marché du port ouvre à dix heures.",
    "¿Dónde puedo comprar entradas para el concierto?",
    "今天的天气真好，我们去公园吧。",
    "明日の電車は何時に出ますか。",
    "오늘 점심은 뭐 먹을까요?",
    "Завтра обещают дождь, возьми зонт.",
    "متى يفتح المتحف يوم الجمعة؟",
];

#[derive(Debug, Args)]
pub(in crate::cli) struct ModelImportArgs {
    /// The export: a folder with model.onnx, tokenizer.json and config.json
    #[arg(value_name = "FOLDER")]
    from: PathBuf,
    /// The category of each label that counts, such as toxic=toxic,insult=harassment
    #[arg(long, value_name = "LABEL=CATEGORY", value_delimiter = ',', required = true)]
    map: Vec<String>,
    /// The model folder to write; it must not be there yet
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The model's name; nothing: that of the folder
    #[arg(long)]
    name: Option<String>,
    /// The model's version
    #[arg(long, value_name = "VERSION", default_value = "1")]
    model_version: String,
    /// The licence of the weights
    #[arg(long, value_name = "LICENCE", default_value = "not stated")]
    licence: String,
    /// Where you have measured it, such as en,de: there it may give second opinions
    #[arg(long, value_name = "LANGUAGES", value_delimiter = ',')]
    languages: Vec<String>,
    /// Most tokens of a window; nothing: 256, or what the network has places for
    #[arg(long, value_name = "TOKENS")]
    window: Option<usize>,
    /// How outputs become probabilities; nothing: as config.json says
    #[arg(long, value_enum)]
    head: Option<HeadArg>,
    #[command(flatten)]
    parts: PartArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum HeadArg {
    /// Labels that may hold together
    Sigmoid,
    /// Labels of which one holds
    Softmax,
}

/// The files of an export.
struct Export {
    network: Vec<u8>,
    tokenizer: Vec<u8>,
    config: Config,
}

pub(super) fn import(args: &ModelImportArgs) -> Result<Exit, Failure> {
    let wishes = wishes(args)?;
    known_categories(args, &wishes)?;
    let export = read(&args.from)?;
    let library = library(&args.parts)?;
    if args.out.exists() {
        let place = args.out.display();
        return Err(refused(&format!("{place} is there already: import into a new folder")));
    }
    let notes = write(&export, &wishes, &args.out, &library).inspect_err(|_| {
        // Half a model folder is worse than none; what cannot be removed is seen.
        let _ = fs::remove_dir_all(&args.out);
    })?;
    for note in notes {
        eprintln!("note: {note}");
    }
    eprintln!("{} is written; name it in bundle.yaml below `models`", args.out.display());
    Ok(Exit::Done)
}

fn wishes(args: &ModelImportArgs) -> Result<Wishes, Failure> {
    let pair = |pair: &String| {
        let parts = pair.split_once('=').map(|(label, of)| (label.to_owned(), of.to_owned()));
        parts.ok_or_else(|| refused(&format!("--map takes label=category, not `{pair}`")))
    };
    let language = |code: &String| {
        Language::new(code).ok_or_else(|| refused(&format!("`{code}` is no language code")))
    };
    let of_folder = args.out.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(Wishes {
        map: args.map.iter().map(pair).collect::<Result<_, _>>()?,
        name: args.name.clone().or(of_folder).unwrap_or_else(|| "imported".to_owned()),
        version: args.model_version.clone(),
        licence: args.licence.clone(),
        languages: args.languages.iter().map(language).collect::<Result<_, _>>()?,
        window: args.window,
        head: args.head.map(|head| match head {
            HeadArg::Sigmoid => Head::Sigmoid,
            HeadArg::Softmax => Head::Softmax,
        }),
    })
}

/// A category that the taxonomy has not would be found out when a bundle is loaded; where there is a
/// taxonomy, it is said here.
fn known_categories(args: &ModelImportArgs, wishes: &Wishes) -> Result<(), Failure> {
    let Ok(home) = locate::home(&args.parts) else { return Ok(()) };
    let Ok(file) = read_text(&home.join("rules/taxonomy.yaml")) else { return Ok(()) };
    let Some(taxonomy) = Taxonomy::compile(&file, &mut Diagnostics::default()) else {
        return Ok(());
    };
    for (_, name) in &wishes.map {
        let category = Category::new(name);
        if !taxonomy.contains(&category) && !taxonomy.is_umbrella(&category) {
            let near = nearest(name, taxonomy.paths());
            let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            return Err(refused(&format!("the taxonomy has no category `{name}`{near}")));
        }
    }
    Ok(())
}

fn read(from: &Path) -> Result<Export, Failure> {
    let config = String::from_utf8(bytes(&from.join(CONFIG))?)
        .map_err(|error| refused(&format!("{}: {error}", from.join(CONFIG).display())))?;
    let config = Config::parse(&config)
        .map_err(|reason| refused(&format!("{}: {reason}", from.join(CONFIG).display())))?;
    let network = [from.join(NETWORK), from.join("onnx").join(NETWORK)];
    let network = network.iter().find(|path| path.is_file()).unwrap_or(&network[0]);
    Ok(Export { network: bytes(network)?, tokenizer: bytes(&from.join(TOKENIZER))?, config })
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let missing = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::NoInput, format!("{}: {error}", path.display()))
    };
    let size = fs::metadata(path).map_err(|error| missing(&error))?.len();
    if size > FILE_BYTES_MAX {
        return Err(missing(&format!("it has {size} bytes, and {FILE_BYTES_MAX} are allowed")));
    }
    fs::read(path).map_err(|error| missing(&error))
}

/// Writes the folder, opens it as a worker would, and writes down what it says.
fn write(
    export: &Export,
    wishes: &Wishes,
    out: &Path,
    library: &Path,
) -> Result<Vec<String>, Failure> {
    let network = graph::check(&export.network)
        .map_err(|error| refused(&format!("{NETWORK} cannot be used: {error}")))?;
    let runtime = Runtime::load(library).map_err(|error| refused(&error))?;
    let named = OnnxModel::inputs_of(&export.network, &runtime).map_err(|error| refused(&error))?;
    let files = [(NETWORK, &export.network), (TOKENIZER, &export.tokenizer)];
    let found = Found {
        inputs: inputs(&named)?,
        mixes_rows: network.mixes_rows,
        files: BTreeMap::from(files.map(|(name, b)| (name.to_owned(), hex(&Sha256::digest(b))))),
    };
    let imported = manifest(&export.config, wishes, &found).map_err(|reason| refused(&reason))?;
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Io, format!("{} cannot be written: {error}", out.display()))
    };
    fs::create_dir_all(out).map_err(failed)?;
    for (name, bytes) in files {
        fs::write(out.join(name), bytes).map_err(failed)?;
    }
    fs::write(out.join(MANIFEST), &imported.manifest).map_err(failed)?;
    fs::write(out.join("README.md"), card(wishes)).map_err(failed)?;
    let folder = check_folder(out).map_err(|error| refused(&error))?;
    let model = OnnxModel::new(folder, &runtime).map_err(|error| refused(&error))?;
    let mut golden = fs::File::create(out.join(GOLDEN)).map_err(failed)?;
    for line in golden_lines(&model)? {
        writeln!(golden, "{line}").map_err(failed)?;
    }
    Ok(imported.notes)
}

fn inputs(named: &[String]) -> Result<Vec<TokenInput>, Failure> {
    let input = |name: &String| {
        TokenInput::ALL.into_iter().find(|input| input.as_str() == name).ok_or_else(|| {
            let known = TokenInput::ALL.map(TokenInput::as_str).join(", ");
            refused(&format!("{NETWORK} wants the input `{name}`; what can be given is {known}"))
        })
    };
    named.iter().map(input).collect()
}

fn golden_lines(model: &OnnxModel) -> Result<Vec<serde_json::Value>, Failure> {
    let mut session = model.open().map_err(|error| refused(&error))?;
    let long = SENTENCES.join(" ").repeat(20);
    let texts = SENTENCES.into_iter().chain([long.as_str()]);
    let line = |text: &str| {
        let view = standard(text);
        let mut ids = Vec::new();
        let encoder: &Arc<_> = &model.folder().encoder;
        encoder.encode(view.text(), |window| ids.push(window)).map_err(|error| refused(&error))?;
        let input = Input { text: view.text(), language: None };
        let scores = session.score(&[input]).map_err(|error| refused(&error))?.remove(0);
        let score = |(of, score): &(Category, Score)| (of.as_str().to_owned(), score.probability());
        let scores: BTreeMap<String, f64> = scores.iter().map(score).collect();
        Ok(serde_json::json!({"text": view.text(), "language": null, "ids": ids, "scores": scores}))
    };
    texts.map(line).collect()
}

/// The beginning of a model card, for whoever measures the model.
fn card(wishes: &Wishes) -> String {
    let mapped: Vec<String> =
        wishes.map.iter().map(|(label, of)| format!("| `{label}` | `{of}` |")).collect();
    format!(
        "# {}\n\nImported from a Hugging Face export. Licence: {}.\n\nThe model reads the *standard \
         view* of a post: lower case, compatibility forms folded. Networks that tell upper from lower \
         case lose something by that.\n\n| label | category |\n| --- | --- |\n{}\n\n## Measured\n\n\
         Nothing yet. Calibration, thresholds, bands and evidence in `model.yaml` are placeholders \
         until somebody has measured the model on posts like yours.\n",
        wishes.name,
        wishes.licence,
        mapped.join("\n"),
    )
}
