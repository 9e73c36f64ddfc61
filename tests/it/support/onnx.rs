//! Small networks, written as ONNX by hand: a classifier with one attention head over a few words.

/// Element types of `onnx.proto3`.
pub(crate) const FLOAT: u64 = 1;
const INT64: u64 = 7;
const BOOL: u64 = 9;

/// Words that have a token of their own, after the special ones; the last one's id is the largest.
pub(crate) const WORDS: [&str; 12] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "idiot", "fool", "hang", "river", "the", "and", "people",
    "nice",
];
/// The word over which a network takes its time that was made so.
pub(crate) const HANG: &str = "hang";
/// Turns of a loop that no test would live to see the end of.
pub(crate) const YEARS: i64 = 4_000_000_000_000_000_000;

/// What a network is made to do.
#[derive(Clone)]
pub(crate) struct Network {
    /// How strongly a word speaks for each label.
    pub(crate) words: Vec<(&'static str, Vec<f32>)>,
    /// The log odds of a text without such words.
    pub(crate) bias: f32,
    /// It reads `token_type_ids` too, and makes nothing of them.
    pub(crate) types: bool,
    /// Its embeddings go through a scale over the whole batch.
    pub(crate) mixes_rows: bool,
    /// How often it turns in a loop over [`HANG`].
    pub(crate) turns: i64,
    /// It has so many words, where that is not all of [`WORDS`].
    pub(crate) vocabulary: usize,
    /// The domain of one of its operators.
    pub(crate) domain: &'static str,
}

impl Network {
    pub(crate) fn of(words: &[(&'static str, &[f32])]) -> Self {
        Self {
            words: words.iter().map(|(word, says)| (*word, says.to_vec())).collect(),
            bias: -4.0,
            types: false,
            mixes_rows: false,
            turns: 0,
            vocabulary: WORDS.len(),
            domain: "",
        }
    }

    fn labels(&self) -> usize {
        self.words[0].1.len()
    }

    /// The file.
    pub(crate) fn onnx(&self) -> Vec<u8> {
        let graph = self.graph();
        let opset = message(8, &[number(2, 17)]);
        [number(1, 8), message(7, &graph), opset].concat()
    }

    fn graph(&self) -> Vec<Vec<u8>> {
        let (labels, size) = (self.labels(), self.vocabulary);
        let of = |id: usize| {
            let found = self.words.iter().find(|(word, _)| *word == WORDS[id]);
            found.map_or_else(|| vec![0.0; labels], |(_, says)| says.clone())
        };
        let embeddings: Vec<f32> = (0..size).flat_map(of).collect();
        let identity: Vec<f32> = (0..labels * labels)
            .map(|at| if at % (labels + 1) == 0 { 20.0 } else { 0.0 })
            .collect();
        let mut parts = vec![
            text(2, "classifier"),
            floats("embeddings", &[size, labels], &embeddings),
            floats("weights", &[labels, labels], &identity),
            floats("bias", &[labels], &vec![self.bias; labels]),
            floats("one", &[1], &[1.0]),
            floats("far", &[1], &[10_000.0]),
            integers("axis_one", &[1]),
            integers("axis_two", &[2]),
            input("input_ids", INT64),
            input("attention_mask", INT64),
            output("logits", labels),
        ];
        let gathered = if self.mixes_rows { "raw" } else { "x" };
        let mut gather = node("Gather", &["embeddings", "input_ids"], &[gathered], &[]);
        if !self.domain.is_empty() {
            gather = [gather, text(7, self.domain)].concat();
        }
        parts.push(message(1, &[gather]));
        parts.extend(attention(self.mixes_rows));
        let last = if self.types || self.turns > 0 { "judged" } else { "logits" };
        parts.push(message(1, &[node("Add", &["weighed", "bias"], &[last], &[])]));
        if self.types {
            parts.push(input("token_type_ids", INT64));
            parts.extend(nothing_of_types(if self.turns > 0 { "typed" } else { "logits" }));
        }
        if self.turns > 0 {
            parts.extend(loops(self.turns, if self.types { "typed" } else { "judged" }));
        }
        parts
    }
}

/// From embeddings to weighed words: one head of attention, the mean of what is no padding.
fn attention(mixes_rows: bool) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    let mut then = |operator, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]| {
        parts.push(message(1, &[node(operator, inputs, outputs, attributes)]));
    };
    if mixes_rows {
        then("DynamicQuantizeLinear", &["raw"], &["small", "scale", "zero"], &[]);
        then("DequantizeLinear", &["small", "scale", "zero"], &["x"], &[]);
    }
    then("Transpose", &["x"], &["turned"], &[list("perm", &[0, 2, 1])]);
    then("MatMul", &["x", "turned"], &["likeness"], &[]);
    then("Cast", &["attention_mask"], &["mask"], &[integer("to", FLOAT)]);
    then("Unsqueeze", &["mask", "axis_one"], &["across"], &[]);
    then("Sub", &["across", "one"], &["hidden"], &[]);
    then("Mul", &["hidden", "far"], &["away"], &[]);
    then("Add", &["likeness", "away"], &["masked"], &[]);
    then("Softmax", &["masked"], &["attention"], &[integer("axis", u64::MAX)]);
    then("MatMul", &["attention", "x"], &["context"], &[]);
    then("Unsqueeze", &["mask", "axis_two"], &["down"], &[]);
    then("Mul", &["context", "down"], &["seen"], &[]);
    then("ReduceSum", &["seen", "axis_one"], &["sum"], &[integer("keepdims", 0)]);
    then("ReduceSum", &["mask", "axis_one"], &["tokens"], &[integer("keepdims", 1)]);
    then("Div", &["sum", "tokens"], &["pooled"], &[]);
    then("MatMul", &["pooled", "weights"], &["weighed"], &[]);
    parts
}

/// Adds the largest token type, times nothing, to what was judged.
fn nothing_of_types(into: &str) -> Vec<Vec<u8>> {
    let nodes = [
        node("Cast", &["token_type_ids"], &["types"], &[integer("to", FLOAT)]),
        node("ReduceMax", &["types"], &["type"], &[integer("keepdims", 0)]),
        node("Mul", &["type", "nothing"], &["no_type"], &[]),
        node("Add", &["judged", "no_type"], &[into], &[]),
    ];
    let nothing = floats("nothing", &[1], &[0.0]);
    nodes.into_iter().map(|node| message(1, &[node])).chain([nothing]).collect()
}

/// A loop that turns `turns` times where [`HANG`] was read, and not once otherwise.
fn loops(turns: i64, from: &str) -> Vec<Vec<u8>> {
    let id = WORDS.iter().position(|word| *word == HANG).expect("it is there");
    let id = i64::try_from(id).expect("small");
    let body = [
        text(2, "body"),
        message(1, &[node("Identity", &["goes_on"], &["on"], &[])]),
        message(1, &[node("Sin", &["value"], &["next"], &[])]),
        scalar(11, "turn", INT64),
        scalar(11, "goes_on", BOOL),
        scalar(11, "value", FLOAT),
        scalar(12, "on", BOOL),
        scalar(12, "next", FLOAT),
    ];
    let body = message(5, &[text(1, "body"), message(6, &body), number(20, 5)]);
    let nodes = [
        node("Equal", &["input_ids", "hang_id"], &["same"], &[]),
        node("Cast", &["same"], &["counted"], &[integer("to", INT64)]),
        node("ReduceMax", &["counted"], &["whether"], &[integer("keepdims", 0)]),
        node("Mul", &["whether", "often"], &["turns"], &[]),
        [node("Loop", &["turns", "", "begin"], &["ended"], &[]), body].concat(),
        node("Mul", &["ended", "naught"], &["naughts"], &[]),
        node("Add", &[from, "naughts"], &["logits"], &[]),
    ];
    let constants = [
        integers("hang_id", &[id]),
        tensor("often", &[], INT64, &turns.to_le_bytes()),
        tensor("begin", &[], FLOAT, &0.5_f32.to_le_bytes()),
        floats("naught", &[1], &[0.0]),
    ];
    nodes.into_iter().map(|node| message(1, &[node])).chain(constants).collect()
}

/// A `tokenizer.json` of [`WORDS`], as `tokenizers` writes it for networks of this family.
pub(crate) fn tokenizer() -> String {
    let vocabulary: Vec<String> =
        WORDS.iter().enumerate().map(|(id, word)| format!("\"{word}\": {id}")).collect();
    let special: Vec<String> = WORDS[..4]
        .iter()
        .enumerate()
        .map(|(id, word)| {
            format!(
                r#"{{"id": {id}, "content": "{word}", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}}"#
            )
        })
        .collect();
    format!(
        r#"{{"version": "1.0", "truncation": {{"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0}}, "padding": null,
"added_tokens": [{}],
"normalizer": {{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}},
"pre_tokenizer": {{"type": "BertPreTokenizer"}},
"post_processor": {{"type": "TemplateProcessing",
 "single": [{{"SpecialToken": {{"id": "[CLS]", "type_id": 0}}}}, {{"Sequence": {{"id": "A", "type_id": 0}}}}, {{"SpecialToken": {{"id": "[SEP]", "type_id": 0}}}}],
 "pair": [{{"Sequence": {{"id": "A", "type_id": 0}}}}, {{"Sequence": {{"id": "B", "type_id": 1}}}}],
 "special_tokens": {{"[CLS]": {{"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}, "[SEP]": {{"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}}}}},
"decoder": null,
"model": {{"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "\#\#", "max_input_chars_per_word": 100, "vocab": {{{}}}}}}}"#,
        special.join(", "),
        vocabulary.join(", ")
    )
    .replace("\\#", "#")
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7F).expect("seven bits");
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    let len = u64::try_from(value.len()).expect("small");
    [varint(field << 3 | 2), varint(len), value.to_vec()].concat()
}

fn text(field: u64, value: &str) -> Vec<u8> {
    bytes(field, value.as_bytes())
}

fn message(field: u64, parts: &[Vec<u8>]) -> Vec<u8> {
    bytes(field, &parts.concat())
}

/// The inside of a node.
fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|name| text(1, name));
    let outputs = outputs.iter().flat_map(|name| text(2, name));
    let named: Vec<u8> = inputs.chain(outputs).chain(text(4, operator)).collect();
    [named, attributes.concat()].concat()
}

fn integer(name: &str, value: u64) -> Vec<u8> {
    message(5, &[text(1, name), number(3, value), number(20, 2)])
}

fn list(name: &str, values: &[u64]) -> Vec<u8> {
    let values = values.iter().flat_map(|value| number(8, *value)).collect();
    message(5, &[text(1, name), values, number(20, 7)])
}

fn tensor(name: &str, sizes: &[usize], kind: u64, raw: &[u8]) -> Vec<u8> {
    let sizes = sizes.iter().flat_map(|size| number(1, u64::try_from(*size).expect("small")));
    message(5, &[sizes.collect(), number(2, kind), text(8, name), bytes(9, raw)])
}

fn floats(name: &str, sizes: &[usize], values: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, sizes, FLOAT, &raw)
}

fn integers(name: &str, values: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, &[values.len()], INT64, &raw)
}

/// A value of a graph: `[rows, ?]` of a name's own.
fn input(name: &str, kind: u64) -> Vec<u8> {
    value(11, name, kind, &[text(2, "rows"), text(2, "tokens")])
}

fn output(name: &str, columns: usize) -> Vec<u8> {
    let columns = number(1, u64::try_from(columns).expect("small"));
    value(12, name, FLOAT, &[text(2, "rows"), columns])
}

fn scalar(field: u64, name: &str, kind: u64) -> Vec<u8> {
    value(field, name, kind, &[])
}

fn value(field: u64, name: &str, kind: u64, sizes: &[Vec<u8>]) -> Vec<u8> {
    let sizes: Vec<u8> = sizes.iter().flat_map(|size| bytes(1, size)).collect();
    let kind = message(1, &[number(1, kind), bytes(2, &sizes)]);
    message(field, &[text(1, name), message(2, &[kind])])
}
