//! Grants, written to a node in Kafka's own protocol: the client library has no call for them.

use std::io::{Read, Write};
use std::net::TcpStream;

/// What may be granted.
#[derive(Clone, Copy)]
pub(crate) enum Resource {
    Topic = 2,
    Group = 3,
    TransactionalId = 5,
}

/// What somebody may do with it.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Read = 3,
    Write = 4,
    Describe = 8,
}

/// One grant, to all resources whose names begin so.
pub(crate) struct Grant<'a> {
    pub(crate) to: &'a str,
    pub(crate) resource: Resource,
    pub(crate) prefix: &'a str,
    pub(crate) operation: Operation,
}

/// `CreateAcls`, in the last version without tagged fields.
const CREATE_ACLS: (i16, i16) = (30, 1);
const PREFIXED: u8 = 4;
const ALLOW: u8 = 3;

/// Creates the grants on the node at this address, where we may do everything.
pub(crate) fn grant(address: &str, grants: &[Grant<'_>]) {
    let mut request = Vec::new();
    request.extend(CREATE_ACLS.0.to_be_bytes());
    request.extend(CREATE_ACLS.1.to_be_bytes());
    request.extend(7_i32.to_be_bytes());
    text(&mut request, "tests");
    request.extend(i32::try_from(grants.len()).expect("a few").to_be_bytes());
    for grant in grants {
        request.push(grant.resource as u8);
        text(&mut request, grant.prefix);
        request.push(PREFIXED);
        text(&mut request, grant.to);
        text(&mut request, "*");
        request.push(grant.operation as u8);
        request.push(ALLOW);
    }
    let answer = ask(address, &request);
    // The number of the request, a time, and a count stand before the first result.
    let mut results = &answer[12..];
    for grant in grants {
        let (code, rest) = results.split_at(2);
        assert_eq!(code, [0, 0], "a grant to {} was refused: {answer:?}", grant.to);
        let (length, rest) = rest.split_at(2);
        let length = i16::from_be_bytes([length[0], length[1]]);
        results = &rest[usize::try_from(length).unwrap_or(0)..];
    }
}

fn text(request: &mut Vec<u8>, text: &str) {
    request.extend(i16::try_from(text.len()).expect("a short text").to_be_bytes());
    request.extend(text.as_bytes());
}

fn ask(address: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("the node answers");
    let length = i32::try_from(request.len()).expect("a short request");
    stream.write_all(&length.to_be_bytes()).expect("the node listens");
    stream.write_all(request).expect("the node listens");
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("the node answers");
    let length = usize::try_from(i32::from_be_bytes(length)).expect("a length");
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).expect("the node answers");
    answer
}
