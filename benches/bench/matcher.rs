//! The matcher with many keywords: every view on, beside two that see plain text only.

use std::{fs, hint::black_box, path::Path, sync::Arc, time::Instant};

use aho_corasick::AhoCorasick;
use jiff::Timestamp;
use regex::RegexSetBuilder;
use tidegate::{
    bundle::{Bundle, Sources, load},
    demo::WavePost,
    engine::Engine,
    files::RuleFolder,
    post::Post,
    rules::ScanPart,
    text::standard,
};

use super::{
    clock::median_seconds, engine::decode, float, report::Report, support::kafka::scratch,
};

/// Numbers of keywords, with their names in the report.
const SIZES: [(usize, &str); 3] = [(1_000, "1k"), (10_000, "10k"), (100_000, "100k")];
/// One post in so many has a keyword, so that there is something to find.
const PLANTED: usize = 50;
/// Keywords for which a set of regexes can be compiled in a time and space worth the wait.
const SET_KEYWORDS_MAX: usize = 10_000;
/// Memory of that set, in bytes.
const SET_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Measures the matcher and writes it into the report.
pub(crate) fn measure(posts: &[WavePost], home: &Path, report: &mut Report) {
    let screens = SIZES.map(|(size, name)| one_size(posts, home, size, name, report));
    report.ratio("screen 100k, to 1k", "screen_100k_vs_1k", screens[0] / screens[2]);
}

/// Everything with so many keywords; the seconds that screening the posts takes.
fn one_size(posts: &[WavePost], home: &Path, size: usize, name: &str, report: &mut Report) -> f64 {
    let keywords = keywords(size);
    let posts = planted(posts, &keywords);
    let count = float(posts.len());
    let started = Instant::now();
    let bundle = Arc::new(bundle(home, &keywords));
    let loaded = started.elapsed().as_secs_f64();
    report.figure(&format!("load {name} keywords"), &format!("compile_{name}_s"), loaded, "s");
    let matched = matcher(&posts, &bundle);
    let key = format!("match_{name}_posts_per_s");
    report.rate(&format!("match {name}, every view"), &key, count / matched);
    let megabytes = float(posts.iter().map(|post| post.parts[0].text.len()).sum()) / 1e6;
    let key = format!("match_{name}_mb_per_s");
    report.figure(&format!("match {name}, every view"), &key, megabytes / matched, "MB/s");
    let screened = screen(&posts, &bundle);
    let key = format!("screen_{name}_posts_per_s");
    report.rate(&format!("screen {name}"), &key, count / screened);
    let plain = plain(&posts, &keywords);
    // The limit: a pass that folds nothing, judges nothing and finds less.
    let key = match size {
        10_000 => "match_vs_plain_aho_corasick".to_owned(),
        _ => format!("match_{name}_vs_plain_aho_corasick"),
    };
    report.ratio(&format!("match {name}, to a plain automaton"), &key, plain / matched);
    if size <= SET_KEYWORDS_MAX {
        let key = format!("match_{name}_vs_regex_set");
        let ratio = regex_set(&posts, &keywords) / matched;
        report.ratio(&format!("match {name}, to a set of regexes"), &key, ratio);
    }
    screened
}

/// Seconds that the views and the scan of every post take.
fn matcher(posts: &[Post], bundle: &Bundle) -> f64 {
    let hits = |post: &Post| {
        let views = [standard(&post.parts[0].text)];
        bundle.rules().scan(&ScanPart::of(&post.parts, &views), post.surface).hits.len()
    };
    seconds(posts, hits)
}

/// Seconds that looking through every post takes, once it is seen to find what was planted.
fn seconds(posts: &[Post], found: impl Fn(&Post) -> usize) -> f64 {
    let mut planted = posts.iter().step_by(PLANTED);
    assert!(planted.all(|post| found(post) > 0), "planted keywords are found");
    median_seconds(
        || (),
        |()| {
            black_box(posts.iter().map(&found).sum::<usize>());
        },
    )
}

/// Seconds that screening takes: the same with languages and hashes.
fn screen(posts: &[Post], bundle: &Arc<Bundle>) -> f64 {
    let engine = Engine::new(Arc::clone(bundle));
    median_seconds(
        || posts.to_vec(),
        |posts| {
            for post in posts {
                black_box(engine.screen(post, Timestamp::UNIX_EPOCH));
            }
        },
    )
}

/// Seconds of one pass over the text as it is, with an automaton over bytes.
fn plain(posts: &[Post], keywords: &[String]) -> f64 {
    let automaton = AhoCorasick::new(keywords).expect("the keywords fit");
    let found = |post: &Post| automaton.find_overlapping_iter(&post.parts[0].text).count();
    seconds(posts, found)
}

/// Seconds of one pass over the text as it is, with a set of regexes.
fn regex_set(posts: &[Post], keywords: &[String]) -> f64 {
    let escaped = keywords.iter().map(|keyword| regex::escape(keyword));
    let set = RegexSetBuilder::new(escaped)
        .size_limit(SET_BYTES_MAX)
        .dfa_size_limit(SET_BYTES_MAX)
        .build()
        .expect("the keywords fit");
    let found = |post: &Post| set.matches(&post.parts[0].text).iter().count();
    seconds(posts, found)
}

/// A bundle of one rule with these keywords.
fn bundle(home: &Path, keywords: &[String]) -> Bundle {
    let folder = scratch("keywords");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it lies in the folder"))
            .and_then(|()| fs::write(path, text))
            .expect("the scratch folder can be written");
    };
    let taxonomy = fs::read_to_string(home.join("rules/taxonomy.yaml")).expect("it is shipped");
    write("taxonomy.yaml", &taxonomy);
    write("bundle.yaml", "regions: [default]\n");
    write(
        "policies/default.yaml",
        "region: default\nowner: bench\ncategories: {spam: {review: {severity: 2}}}\n",
    );
    write("lists/keywords.txt", &keywords.join("\n"));
    let first = &keywords[0];
    write(
        "packs/keywords.yaml",
        &format!(
            "pack: keywords\nowner: bench\nlists:\n  all: {{file: ../lists/keywords.txt}}\nrules:\n  \
             - id: keyword\n    category: spam\n    severity: 2\n    status: enforced\n    \
             any: [{{list: all}}]\n    hit: [\"{first}\"]\n    miss: [\"-\"]\n"
        ),
    );
    let folder = RuleFolder::read(folder.path()).expect("the folder was just written");
    let sources = Sources { folders: &[folder], shipped_rules: true, models: None };
    load(&sources).expect("the keywords load").bundle
}

/// The posts, some with a keyword behind them.
fn planted(posts: &[WavePost], keywords: &[String]) -> Vec<Post> {
    let mut posts = posts.to_vec();
    for (place, post) in posts.iter_mut().enumerate().step_by(PLANTED) {
        post.text = format!("{} {}", post.text, keywords[place % keywords.len()]);
    }
    let json: Vec<String> = posts.iter().map(WavePost::to_json).collect();
    decode(&json)
}

/// Invented keywords: three in five of Latin syllables, the others of Han.
fn keywords(count: usize) -> Vec<String> {
    let mut random = 0x0005_EED0_F1D3_6A7E_u64;
    let mut next = |below: u64| {
        // Marsaglia's xorshift: any spread of letters will do.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut keywords = std::collections::BTreeSet::new();
    while keywords.len() < count {
        let keyword: String = if keywords.len() % 5 < 3 {
            (0..3 + next(2)).flat_map(|_| syllable(&mut next)).collect()
        } else {
            (0..3 + next(2)).map(|_| han(next(3000))).collect()
        };
        keywords.insert(keyword);
    }
    keywords.into_iter().collect()
}

fn syllable(next: &mut impl FnMut(u64) -> u64) -> [char; 2] {
    let mut pick = |letters: &str| {
        let place = next(letters.len() as u64);
        letters.chars().nth(usize::try_from(place).expect("few letters")).expect("it is below")
    };
    [pick("bcdfghjklmnprstvwxz"), pick("aeiou")]
}

/// One of the more frequent characters.
fn han(number: u64) -> char {
    u32::try_from(number).ok().and_then(|n| char::from_u32(0x4E00 + n)).expect("it is Han")
}
