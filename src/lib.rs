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
//! - [`explain`] says why a decision is what it is.
//! - [`wire`] is the contract with the platform; [`delivery`] is how no record is lost.
//! - [`config`], [`files`], [`telemetry`], [`worker`], [`http`] and [`cli`] are the edges: everything
//!   that touches disk, clock, network or environment.

pub mod bundle;
pub mod classify;
pub mod cli;
pub mod condition;
#[cfg(feature = "http")]
pub mod config;
pub mod decision;
pub mod delivery;
#[cfg(feature = "kafka")]
pub mod demo;
pub mod diagnostic;
pub mod direct;
pub mod engine;
pub mod explain;
pub mod files;
pub mod hash;
#[cfg(feature = "http")]
pub mod http;
pub mod import;
pub mod moderator;
pub mod overrides;
pub mod policy;
pub mod post;
pub mod reload;
pub mod rules;
pub mod signal;
pub mod stop;
pub mod taxonomy;
pub mod telemetry;
pub mod text;
pub mod units;
pub mod wire;
#[cfg(feature = "kafka")]
pub mod worker;
pub mod yaml;
