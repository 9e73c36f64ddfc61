//! The closed vocabulary of conditions, and where its values come from.

use std::{fmt, sync::Arc};

use super::{Circumstances, DAY, Seen};
use crate::{
    post::{Field, Scalar, Surface},
    text::addresses,
};

/// What a condition may ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Whole days since the author's account was made.
    AuthorAgeDays,
    /// The platform's trust in the author, 0 to 1.
    AuthorTrust,
    /// Restrictions the author has had.
    AuthorStrikes,
    /// Whether the platform verified the author.
    AuthorVerified,
    /// Readers of the author.
    AuthorFollowers,
    /// Where the author is.
    AuthorRegion,
    /// The platform's id of the author.
    AuthorId,
    /// Where the post was written.
    Region,
    /// Where on the platform it stands.
    Surface,
    /// Its largest language, where that is certain.
    Language,
    /// The field that the evidence was seen in.
    Field,
    /// Whether the evidence was seen only through disguise.
    Obfuscated,
    /// How many addresses the post has.
    Links,
    /// How many hashtags the post has.
    Hashtags,
    /// Whether it stands below another post.
    Reply,
    /// A value of the platform's own, declared in `bundle.yaml`.
    Extra(Arc<str>),
}

/// The kind of a key's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Bool,
    Word,
    /// Said in `bundle.yaml`.
    Declared,
}

/// A value that a post gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Number(f64),
    Bool(bool),
    Word(&'a str),
}

impl Key {
    /// Every key with a name of its own.
    pub(super) const NAMED: [Self; 15] = [
        Self::AuthorAgeDays,
        Self::AuthorTrust,
        Self::AuthorStrikes,
        Self::AuthorVerified,
        Self::AuthorFollowers,
        Self::AuthorRegion,
        Self::AuthorId,
        Self::Region,
        Self::Surface,
        Self::Language,
        Self::Field,
        Self::Obfuscated,
        Self::Links,
        Self::Hashtags,
        Self::Reply,
    ];

    /// The name in files and in metrics; that of all the platform's own values is `extra`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::AuthorAgeDays => "author.age_days",
            Self::AuthorTrust => "author.trust",
            Self::AuthorStrikes => "author.strikes",
            Self::AuthorVerified => "author.verified",
            Self::AuthorFollowers => "author.followers",
            Self::AuthorRegion => "author.region",
            Self::AuthorId => "author.id",
            Self::Region => "region",
            Self::Surface => "surface",
            Self::Language => "language",
            Self::Field => "field",
            Self::Obfuscated => "obfuscated",
            Self::Links => "links",
            Self::Hashtags => "hashtags",
            Self::Reply => "reply",
            Self::Extra(_) => "extra",
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::AuthorAgeDays
            | Self::AuthorTrust
            | Self::AuthorStrikes
            | Self::AuthorFollowers
            | Self::Links
            | Self::Hashtags => Kind::Number,
            Self::AuthorVerified | Self::Obfuscated | Self::Reply => Kind::Bool,
            Self::AuthorRegion
            | Self::AuthorId
            | Self::Region
            | Self::Surface
            | Self::Language
            | Self::Field => Kind::Word,
            Self::Extra(_) => Kind::Declared,
        }
    }

    /// What the post gives.
    pub(super) fn value<'a>(&self, of: &'a Circumstances<'_>, seen: Seen) -> Option<Value<'a>> {
        let author = &of.post.author;
        Some(match self {
            Self::AuthorAgeDays => {
                let age = of.as_of?.duration_since(author.created_at?);
                number((age.as_secs() / DAY).max(0).unsigned_abs())
            }
            Self::AuthorTrust => Value::Number(author.trust?),
            Self::AuthorStrikes => Value::Number(author.strikes?.into()),
            Self::AuthorVerified => Value::Bool(author.verified?),
            Self::AuthorFollowers => number(author.followers?),
            Self::AuthorRegion => Value::Word(author.region.as_ref()?.as_str()),
            Self::AuthorId => Value::Word(author.id.as_deref()?),
            Self::Region => Value::Word(of.post.region.as_ref()?.as_str()),
            Self::Surface => Value::Word(of.post.surface.as_str()),
            Self::Language => Value::Word(of.language.as_ref()?.as_str()),
            Self::Field => Value::Word(seen.field?.as_str()),
            Self::Obfuscated => Value::Bool(seen.obfuscated),
            Self::Links => counted(of, Field::Links, addresses::count_addresses),
            Self::Hashtags => counted(of, Field::Tags, addresses::count_hashtags),
            Self::Reply => Value::Bool(of.post.surface == Surface::Comment),
            Self::Extra(name) => match of.post.extra.get(&**name)? {
                Scalar::Bool(value) => Value::Bool(*value),
                Scalar::Number(value) => Value::Number(*value),
                Scalar::Text(value) => Value::Word(value),
            },
        })
    }

    fn bit(&self) -> u16 {
        let place = Self::NAMED.iter().position(|key| key == self).unwrap_or(Self::NAMED.len());
        1 << place
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extra(name) => write!(f, "extra.{name}"),
            named => f.write_str(named.as_str()),
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
            Self::Word(word) => write!(f, "`{word}`"),
        }
    }
}

/// A count as a number; beyond 32 bits all are the same.
fn number(value: u64) -> Value<'static> {
    Value::Number(u32::try_from(value).unwrap_or(u32::MAX).into())
}

/// What a field lists, or what stands in the texts: platforms that list it took it from there.
fn counted(of: &Circumstances<'_>, listed: Field, count: fn(&str) -> usize) -> Value<'static> {
    let (of_field, texts): (Vec<_>, Vec<_>) =
        of.post.parts.iter().partition(|part| part.field == listed);
    let in_texts = texts.iter().map(|part| count(&part.text)).sum();
    number(u64::try_from(of_field.len().max(in_texts)).unwrap_or(u64::MAX))
}

/// A set of keys that were asked for and not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MissingKeys(u16);

impl MissingKeys {
    /// The same with one more.
    #[must_use]
    pub fn with(self, key: &Key) -> Self {
        Self(self.0 | key.bit())
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the keys; `extra` stands for all of the platform's own values.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let named = Key::NAMED.into_iter().filter(move |key| self.0 & key.bit() != 0);
        let extra = self.0 & (1 << Key::NAMED.len()) != 0;
        named.map(|key| key.as_str()).chain(extra.then_some("extra"))
    }
}
