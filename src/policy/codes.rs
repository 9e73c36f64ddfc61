//! The codes of everything that can be wrong with policy files, in one place.

macro_rules! codes {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        $(pub(super) const $name: &str = $code;)*

        /// Every code of policy files with its meaning in one line.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning)),*];
    };
}

codes! {
    PLACE_MISSING = "P001", "the file does not say which region or group it is for";
    REGION_UNKNOWN = "P002", "no such region or group";
    MEMBERS_MISPLACED = "P003", "a group without members, or members without a group";
    PLACE_TWICE = "P004", "two files of one directory are for the same region";
    PARENT_TWICE = "P005", "a region is a member of two groups";
    GROUP_CYCLE = "P006", "groups are members of each other";
    ROOT_MISSING = "P007", "no file is for `default`, the root of all policies";
    CATEGORY_UNKNOWN = "P008", "no such category in the taxonomy";
    RULE_UNKNOWN = "P009", "no such rule in any pack";
    CELL_EMPTY = "P010", "a cell or a bar of it says nothing";
    SCORE_BLOCKS = "P011", "a score blocks outside a language key";
    THRESHOLD_ORDER = "P012", "the bar for review is not below the bar for block";
    PROFANITY_BLOCKS = "P013", "swearing alone would block";
    UMBRELLA_MISUSED = "P014", "`toxic` is used for more than a score that asks for review";
    LOCAL_LAW_MISPLACED = "P015", "`local_law` is used outside a row of a place";
    EVIDENCE_MISSING = "P016", "the model has no evidence for this category or language";
    SEVERITY_RANGE = "P017", "a severity outside its range";
    SCORE_RANGE = "P018", "a score outside its range";
    ID_INVALID = "P019", "an id has the wrong form or is there twice";
    SELECTORS = "P020", "a row selects nothing, or nothing could satisfy it";
    TIER_MISUSED = "P021", "action, tier and effects of a row contradict each other";
    LAW_MISSING = "P022", "a row of tier `illegal` names no law";
    REVIEW_MISSING = "P023", "a block with exceptions has no look by a person after it";
    SCOPE_MISUSED = "P024", "`scope: global` outside the root or outside `global_for`";
    EFFECTIVE_INVALID = "P025", "dates between which a row acts are wrong";
    DROP_UNKNOWN = "P026", "`drop` names nothing that is inherited";
    MANDATORY_WEAKENED = "P027", "a mandatory category or a global row is weakened";
    REVIEW_INVALID = "P028", "the terms of a review are wrong";
    CAP_INVALID = "P029", "a cap names not exactly one category or rule";
    ROOT_ONLY = "P030", "a key that only the root may have";
    TEST_INVALID = "P031", "a test cannot be run as it is written";
    TEST_FAILED = "P032", "a test expects another verdict";
    URL_INVALID = "P033", "the source of a law is no https address";
    TOO_MANY = "P034", "the file has more rows, cells or tests than a file may have";
    LANGUAGE_UNKNOWN = "P035", "no such language code";
    ROW_WITHOUT_RULE = "P040", "a row names a rule that is not enforced";
    RULE_WITHOUT_ROW = "P041", "a severity-0 rule that no row names does nothing";
    REVIEW_OF_ALL = "P042", "every post goes to review while the model is unavailable";
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn codes_rise_and_every_one_has_a_meaning() {
        assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(CODES.iter().all(|(code, meaning)| code.len() == 4 && !meaning.is_empty()));
    }
}
