//! Settings: read, checked, and turned into what the parts need.

pub mod kafka;
