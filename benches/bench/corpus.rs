//! The posts that everything is measured on: the demonstration's mix, made from a seed.

use tidegate::demo::{Wave, WavePost};

/// Seed of the corpus; another one would be another bench.
const SEED: u64 = 20_250_114;

/// The first `count` posts. Most carry the text of another post as well, which brings the mean to some
/// 200 bytes.
pub(crate) fn posts(count: usize) -> Vec<WavePost> {
    let mut wave = Wave::new(SEED);
    let mut next = || wave.next().expect("a wave has no end");
    let mut posts: Vec<WavePost> = Vec::with_capacity(count);
    for index in 0..count {
        let mut post = next();
        if index % 10 != 0 {
            post.text = format!("{}\n{}", post.text, next().text);
        }
        post.id = format!("p{index}");
        posts.push(post);
    }
    posts
}

/// Mean bytes of the texts.
pub(crate) fn bytes_mean(posts: &[WavePost]) -> f64 {
    let bytes: usize = posts.iter().map(|post| post.text.len()).sum();
    super::float(bytes) / super::float(posts.len())
}
