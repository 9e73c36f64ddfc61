//! Tidegate stands between a post being published and the world seeing it.
//!
//! A post moves one way, one type a step:
//!
//! ```text
//! Kafka ─poll→ Batch ─decode→ Post ─screen→ Screened ─score→ Signals ─decide→ Decision ─encode→ Kafka
//! ```
//!
//! - [`engine`] is the whole flow on one screen: a pure function of a post, a time and a [`bundle`].
//! - [`text`] folds a post and finds its languages; [`rules`] find what their authors described;
//!   [`classify`] scores; [`policy`] turns that evidence into a verdict for every region.
//! - [`wire`] is the contract with the platform; [`delivery`] is how no record is lost.
//! - [`config`], [`files`], [`telemetry`], [`worker`] and [`cli`] are the edges: everything that
//!   touches disk, clock, network or environment.

pub mod decision;
pub mod diagnostic;
pub mod policy;
pub mod post;
pub mod signal;
pub mod taxonomy;
pub mod text;
pub mod yaml;
