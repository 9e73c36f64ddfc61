//! A post and the closed vocabularies around it, as the engine sees them.
//!
//! Nothing here knows JSON or Kafka. Every text and list has a limit, which the constructors hold.
//! `Debug` of anything with a user's words shows lengths only.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use jiff::Timestamp;

/// Longest post id, in bytes.
pub const POST_ID_BYTES_MAX: usize = 256;
/// Most bytes of all texts of a post together; the default limit of a record is below it.
pub const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most regions an audience may name: every ISO 3166-1 code and some.
pub const AUDIENCE_MAX: usize = 300;
/// Most texts a post may have over all its fields.
pub const PARTS_MAX: usize = 256;

/// The identity a platform gave to a post: 1 to 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostId(Arc<str>);

impl PostId {
    /// The id, or nothing when it is empty or over [`POST_ID_BYTES_MAX`].
    pub fn new(id: &str) -> Option<Self> {
        (1..=POST_ID_BYTES_MAX).contains(&id.len()).then(|| Self(id.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A jurisdiction or market: an ISO 3166-1 alpha-2 code, a group such as `EU`, or `default`.
///
/// Codes are 1 to 15 ASCII letters, digits or hyphens, kept in upper case but for `default`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    code: [u8; 15],
    len: u8,
}

impl Region {
    /// The region whose policy applies where no other does.
    pub const DEFAULT: Self = Self { code: *b"default\0\0\0\0\0\0\0\0", len: 7 };

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.code[..usize::from(self.len)]).expect("a code is ASCII")
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(code: &str) -> Result<Self, InvalidRegion> {
        if code == Self::DEFAULT.as_str() {
            return Ok(Self::DEFAULT);
        }
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let len = u8::try_from(code.len()).map_err(|_| InvalidRegion)?;
        if !(1..=15).contains(&len) || !code.bytes().all(valid) {
            return Err(InvalidRegion);
        }
        let mut bytes = [0; 15];
        bytes[..code.len()].copy_from_slice(code.to_ascii_uppercase().as_bytes());
        Ok(Self { code: bytes, len })
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is no region code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a region is a code such as DE, EU or default: 1 to 15 letters, digits or hyphens")]
pub struct InvalidRegion;

/// A named part of a post. The order is the order of reading and of hashing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The headline.
    Title,
    /// The main text.
    Body,
    /// Hashtags and topics.
    Tags,
    /// Text read off pictures.
    Ocr,
    /// Text heard in sound.
    Transcript,
    /// Descriptions of pictures.
    Alt,
    /// Addresses the post links to.
    Links,
}

impl Field {
    /// Every field, in order.
    pub const ALL: [Self; 7] =
        [Self::Title, Self::Body, Self::Tags, Self::Ocr, Self::Transcript, Self::Alt, Self::Links];

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
            Self::Tags => "tags",
            Self::Ocr => "ocr",
            Self::Transcript => "transcript",
            Self::Alt => "alt",
            Self::Links => "links",
        }
    }
}

/// One text of a post: a field, and its place when the field is a list.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    /// The field it stands in.
    pub field: Field,
    /// Its place in the field's list, from 0; nothing when the field is a single text.
    pub index: Option<u16>,
    /// What the author wrote.
    pub text: String,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{:?}]: {} bytes", self.field.as_str(), self.index, self.text.len())
    }
}

/// Where on the platform a post stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Surface {
    /// A post of its own.
    #[default]
    Post,
    /// An answer below another post.
    Comment,
    /// An author's description of themselves.
    Bio,
    /// The text below a picture or film.
    Caption,
    /// A private or group message.
    Message,
}

impl Surface {
    /// Every surface.
    pub const ALL: [Self; 5] = [Self::Post, Self::Comment, Self::Bio, Self::Caption, Self::Message];

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Comment => "comment",
            Self::Bio => "bio",
            Self::Caption => "caption",
            Self::Message => "message",
        }
    }
}

/// What happened to the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operation {
    /// It was published.
    #[default]
    Create,
    /// Its text was changed.
    Edit,
    /// It was removed.
    Delete,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 3] = [Self::Create, Self::Edit, Self::Delete];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Delete => "delete",
        }
    }
}

/// What is known of the author. Everything is optional: a missing value is a state of its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Author {
    /// The platform's id of the author.
    pub id: Option<String>,
    /// When the account was made.
    pub created_at: Option<Timestamp>,
    /// The platform's trust in the author, 0 to 1.
    pub trust: Option<f64>,
    /// Restrictions the author has had.
    pub strikes: Option<u32>,
    /// Whether the platform verified the author.
    pub verified: Option<bool>,
    /// Readers of the author.
    pub followers: Option<u64>,
    /// Where the author is.
    pub region: Option<Region>,
}

/// Why the post is looked at, which sets the clock of legal deadlines.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// What asked for the look.
    pub kind: TriggerKind,
    /// When.
    pub at: Timestamp,
    /// The asker's reference.
    pub reference: Option<String>,
}

/// What asked for a look at a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerKind {
    /// It was published.
    Publication,
    /// A notice by a user (DSA article 16).
    Notice,
    /// A notice by a trusted flagger (DSA article 22).
    TrustedFlagger,
    /// An order by an authority (DSA article 9).
    Order,
}

impl TriggerKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Publication, Self::Notice, Self::TrustedFlagger, Self::Order];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publication => "publication",
            Self::Notice => "notice",
            Self::TrustedFlagger => "trusted_flagger",
            Self::Order => "order",
        }
    }
}

/// A standing decision of a person about exactly this text.
#[derive(Debug, Clone, PartialEq)]
pub struct HumanDecision {
    /// The `text_hash` it was made on.
    pub text_hash: String,
    /// What the person decided, as the platform names it.
    pub outcome: String,
    /// The policy rows it lifts.
    pub rows: Vec<String>,
    /// When it was made.
    pub at: Timestamp,
    /// When it ends, if it does.
    pub until: Option<Timestamp>,
}

/// A platform's own value about a post, declared in the bundle.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A yes or no.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A short text.
    Text(String),
}

/// One piece of content to decide about.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// The platform's id.
    pub id: PostId,
    /// Its texts, sorted by field and index.
    pub parts: Vec<Part>,
    /// Where it stands.
    pub surface: Surface,
    /// Who wrote it.
    pub author: Author,
    /// Where it was written.
    pub region: Option<Region>,
    /// Where it will be seen; absent: the configured regions. Never empty.
    pub audience: Option<Vec<Region>>,
    /// The language the author declared: a hint.
    pub language: Option<String>,
    /// When it was written.
    pub created_at: Option<Timestamp>,
    /// Which revision of the post this is, from 0.
    pub revision: u64,
    /// What happened to it.
    pub operation: Operation,
    /// Why it is looked at.
    pub trigger: Option<Trigger>,
    /// What a person decided about it before.
    pub human: Option<HumanDecision>,
    /// The platform's own values.
    pub extra: BTreeMap<String, Scalar>,
}

impl Post {
    /// A post with one text in its body and nothing else known.
    pub fn of_text(id: PostId, text: &str) -> Self {
        let body = Part { field: Field::Body, index: None, text: text.to_owned() };
        Self {
            id,
            parts: vec![body],
            surface: Surface::default(),
            author: Author::default(),
            region: None,
            audience: None,
            language: None,
            created_at: None,
            revision: 0,
            operation: Operation::default(),
            trigger: None,
            human: None,
            extra: BTreeMap::new(),
        }
    }
}
