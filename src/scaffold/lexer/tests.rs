//! What the lexer takes for code.

use super::*;

fn words(code: &str) -> Vec<String> {
    let tokens = lex(code).tokens;
    let shown = |token: Token| match token.sort {
        Sort::Text => format!("\"{}\"", token.text),
        _ => token.text,
    };
    tokens.into_iter().map(shown).collect()
}

#[test]
fn code_is_split_into_names_texts_numbers_and_marks() {
    assert_eq!(
        words("x.y_1 <- data.table::fread('a b', nrows = 10L) %>% f()"),
        [
            "x.y_1",
            "<-",
            "data.table",
            "::",
            "fread",
            "(",
            "\"a b\"",
            ",",
            "nrows",
            "=",
            "10L",
            ")",
            "%>%",
            "f",
            "(",
            ")"
        ]
    );
    assert_eq!(words("5 %% 2 % 3"), ["5", "%%", "2", "%", "3"]);
    assert_eq!(words("a |> b:::c"), ["a", "|>", "b", ":::", "c"]);
    assert_eq!(words(".5 + .x"), [".5", "+", ".x"]);
    assert_eq!(words("größe <- 1"), ["größe", "<-", "1"]);
}

#[test]
fn comments_and_strings_are_no_code() {
    let code = "a # library(x) 'not open\nb <- \"library(y) # no \\\" comment\" ; c";
    assert_eq!(
        words(code),
        ["a", "b", "<-", "\"library(y) # no \" comment\"", ";", "c"]
    );
    let comments = lex(code).comments;
    assert_eq!(comments.len(), 1);
    assert_eq!(comments[0].text, "# library(x) 'not open");
    assert_eq!(words("'it''s'"), ["\"it\"", "\"s\""]);
}

#[test]
fn raw_strings_end_at_their_own_closing() {
    assert_eq!(words(r#"r"(a "b" \ )x)" y"#), ["\"a \"b\" \\ )x\"", "y"]);
    assert_eq!(words(r#"R"--[a]" b]--" y"#), ["\"a]\" b\"", "y"]);
    assert_eq!(words(r"r'{q}' r (1) r"), ["\"q\"", "r", "(", "1", ")", "r"]);
}

#[test]
fn backticks_are_names() {
    assert_eq!(
        words("`my pkg`::`f(`(1)"),
        ["my pkg", "::", "f(", "(", "1", ")"]
    );
}

#[test]
fn lines_and_depths_are_counted() {
    let tokens = lex("f(\n  'two\nlines',\n  { g }\n)\nh").tokens;
    let at = |name: &str| {
        let token = tokens.iter().find(|token| token.text == name).unwrap();
        (token.line, token.depth)
    };
    assert_eq!(at("f"), (1, 0));
    assert_eq!(at("two\nlines"), (2, 1));
    assert_eq!(at("g"), (4, 2));
    assert_eq!(at(")"), (5, 0));
    assert_eq!(at("h"), (6, 0));
}

#[test]
fn what_is_not_closed_goes_to_the_end() {
    assert_eq!(words("a 'b"), ["a", "\"b\""]);
    assert_eq!(words("r\"(x"), ["\"x\""]);
    assert_eq!(words("``"), [""]);
    assert_eq!(words(") )"), [")", ")"]);
}
