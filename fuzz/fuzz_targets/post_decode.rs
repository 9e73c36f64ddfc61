//! A record of any bytes: a post within its limits, or an error that quotes nothing of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::{
    post::{PARTS_MAX, POST_ID_BYTES_MAX},
    wire::{Limits, decode_post, error::MESSAGE_BYTES_MAX},
};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { record_bytes: 64 * 1024, json_depth: 16 };
    match decode_post(bytes, &limits) {
        Ok(decoded) => {
            let post = decoded.post;
            assert!((1..=POST_ID_BYTES_MAX).contains(&post.id.as_str().len()));
            assert!(post.parts.len() <= PARTS_MAX);
            let place = |part: &tidegate::post::Part| (part.field, part.index);
            assert!(post.parts.is_sorted_by_key(place), "parts stand in the order of hashing");
            assert!(post.audience.is_none_or(|audience| !audience.is_empty()));
        }
        Err(error) => {
            assert!(error.message.len() <= MESSAGE_BYTES_MAX);
            let answer: serde_json::Value =
                serde_json::from_str(&error.to_json()).expect("an error is JSON");
            assert_eq!(answer["error"]["code"], error.code.as_str());
        }
    }
});
