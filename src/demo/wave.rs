//! A wave of posts made from templates: the same seed gives the same wave.

use std::fmt::Write as _;

/// The templates, as data.
const TEMPLATES: &str = include_str!("wave.txt");
/// Who sees the posts.
const AUDIENCE: &str = r#"["US","DE","SG"]"#;

/// One post of the wave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WavePost {
    /// Its id.
    pub id: String,
    /// Its author, the key of its record.
    pub author: String,
    /// What it says.
    pub text: String,
}

impl WavePost {
    /// The post as the wire has it.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string(&self.text).expect("a text is JSON");
        let (id, author) = (&self.id, &self.author);
        format!(
            r#"{{"id":"{id}","text":{text},"author":{{"id":"{author}"}},"audience":{AUDIENCE}}}"#
        )
    }
}

/// An endless wave.
#[derive(Debug)]
pub struct Wave {
    templates: Vec<(u64, &'static str, &'static str)>,
    weights: u64,
    random: SplitMix,
    made: u64,
}

impl Wave {
    /// The wave of this seed.
    pub fn new(seed: u64) -> Self {
        let templates: Vec<_> = TEMPLATES.lines().filter_map(template).collect();
        let weights = templates.iter().map(|(weight, ..)| weight).sum();
        Self { templates, weights, random: SplitMix(seed), made: 0 }
    }

    fn pick(&mut self) -> (&'static str, &'static str) {
        let mut left = self.random.below(self.weights);
        for &(weight, kind, text) in &self.templates {
            if left < weight {
                return (kind, text);
            }
            left -= weight;
        }
        unreachable!("the weights sum up to the total")
    }
}

impl Iterator for Wave {
    type Item = WavePost;

    fn next(&mut self) -> Option<WavePost> {
        let (kind, template) = self.pick();
        let mut text = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, choices)) = rest.split_once('{') {
            let (choices, after) = choices.split_once('}').expect("a choice is closed");
            let options: Vec<&str> = choices.split('|').collect();
            let count = u64::try_from(options.len()).expect("a choice has few options");
            let picked = usize::try_from(self.random.below(count)).expect("below a few");
            let _ = write!(text, "{before}{}", options[picked]);
            rest = after;
        }
        text.push_str(rest);
        self.made += 1;
        let author = format!("{kind}-{}", self.random.below(400));
        Some(WavePost { id: format!("{kind}-{}", self.made), author, text })
    }
}

/// `weight kind text`; nothing for comments and blank lines.
fn template(line: &'static str) -> Option<(u64, &'static str, &'static str)> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (weight, rest) = line.split_once(' ')?;
    let (kind, text) = rest.split_once(' ')?;
    Some((weight.parse().ok()?, kind, text))
}

/// Vigna's `SplitMix64`: small, and good enough to pick templates.
#[derive(Debug, Clone)]
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read_and_every_choice_is_closed() {
        let written = TEMPLATES.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).count();
        assert_eq!(Wave::new(1).templates.len(), written);
        assert!(Wave::new(1).take(5000).all(|post| !post.text.contains(['{', '}', '|'])));
    }

    #[test]
    fn the_same_seed_gives_the_same_wave_and_another_seed_another() {
        let texts = |seed| Wave::new(seed).take(50).collect::<Vec<_>>();
        assert_eq!(texts(7), texts(7));
        assert_ne!(texts(7), texts(8));
    }

    #[test]
    fn posts_are_valid_on_the_wire() {
        for post in Wave::new(3).take(2000) {
            let value = serde_json::from_str(&post.to_json()).expect("the post is JSON");
            crate::wire::decode_value(&value).expect("the post can be decoded");
        }
    }
}
