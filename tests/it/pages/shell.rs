//! Lines of a shell, as far as documents need them.

/// The commands of a shell example: words without comments, redirections and what stands before them.
pub(super) fn commands(script: &str) -> Vec<Vec<String>> {
    let joined = script.replace("\\\n", " ").replace("|\n", "| ");
    joined.lines().flat_map(line).filter(|words| !words.is_empty()).collect()
}

/// One line, cut at `|`, `&&` and `;`.
fn line(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words) = (Vec::new(), Vec::new());
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, '|' | ';' | '&') => {
                words.extend(word.take());
                commands.push(std::mem::take(&mut words));
            }
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    assert!(quote.is_none(), "a quote is not closed: {line}");
    words.extend(word);
    commands.push(words);
    commands
}

#[test]
fn quotes_comments_and_pipes_are_those_of_a_shell() {
    let words =
        commands("echo '{\"a\": 1}' |\n  tidegate moderate # all of it\ncp x/. y && make demo");
    let expected: Vec<Vec<String>> = [
        vec!["echo", "{\"a\": 1}"],
        vec!["tidegate", "moderate"],
        vec!["cp", "x/.", "y"],
        vec!["make", "demo"],
    ]
    .into_iter()
    .map(|words| words.into_iter().map(str::to_owned).collect())
    .collect();
    assert_eq!(words, expected);
}
