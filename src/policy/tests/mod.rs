//! Policies as their authors and the engine see them.

mod conditions;
mod evaluation;
mod mistakes;
mod properties;
mod shipped;
mod world;
