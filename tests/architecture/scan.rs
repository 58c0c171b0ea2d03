//! What a Rust source names: a small lexer and the paths found in its tokens.
//!
//! It is no parser: it drops comments and the contents of literals, and then follows `a::{b, c::d}`
//! wherever a path stands, in a `use` line or in the middle of an expression.

use std::collections::BTreeSet;

/// A path with the line on which it starts, such as `["crate", "study", "StudyUid"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub line: usize,
    /// Segments as written; a glob ends the path.
    pub path: Vec<String>,
    /// Whether it was written with a leading `::`.
    pub outside: bool,
    /// Inline modules of the file around it, outermost first.
    pub within: Vec<String>,
}

/// What the rules need to know of one file.
#[derive(Debug, Default)]
pub struct Scan {
    pub paths: Vec<Named>,
    /// Names that the file itself brings into scope: its `mod`s and the ends of its inner `use` paths.
    pub local: BTreeSet<String>,
    /// Lines with `async` or `.await`.
    pub async_lines: Vec<usize>,
    /// String literals, with their line.
    pub strings: Vec<(usize, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `::`
    Sep,
    Mark(char),
}

/// Reads one file.
pub fn scan(text: &str) -> Scan {
    let (tokens, strings) = lex(text);
    let mut out = Scan { strings, ..Scan::default() };
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut depth = 0_usize;
    let mut in_use = false;
    let mut i = 0;
    while i < tokens.len() {
        let (line, token) = &tokens[i];
        match token {
            Token::Mark('{') => depth += 1,
            Token::Mark('}') => {
                depth = depth.saturating_sub(1);
                inline.retain(|(_, opened)| *opened <= depth);
            }
            Token::Mark(';') => in_use = false,
            Token::Word(word) if word == "mod" => {
                if let Some((_, Token::Word(name))) = tokens.get(i + 1) {
                    out.local.insert(name.clone());
                    if matches!(tokens.get(i + 2), Some((_, Token::Mark('{')))) {
                        inline.push((name.clone(), depth + 1));
                    }
                    i += 2;
                    continue;
                }
            }
            Token::Word(word) if word == "async" || word == "await" => out.async_lines.push(*line),
            // Not the `use<'a>` of a return type.
            Token::Word(word) if word == "use" && !matches!(tokens.get(i + 1), Some((_, Token::Mark('<')))) => {
                in_use = true;
                i += 1;
                let within = names(&inline);
                let tree = Tree::read(&tokens, &mut i);
                for (path, outside, alias) in tree.paths() {
                    let inner = matches!(path.first().map(String::as_str), Some("crate" | "self" | "super"));
                    let bound = alias.or_else(|| path.last().cloned());
                    if let (true, Some(bound)) = (inner, bound) {
                        out.local.insert(bound);
                    }
                    out.paths.push(Named { line: *line, path, outside, within: within.clone() });
                }
                continue;
            }
            Token::Word(_) | Token::Sep if !in_use && starts_path(&tokens, i) => {
                let within = names(&inline);
                let outside = *token == Token::Sep;
                if outside {
                    i += 1;
                }
                let path = plain_path(&tokens, &mut i);
                if path.len() > 1 || outside {
                    out.paths.push(Named { line: *line, path, outside, within });
                }
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    out
}

fn names(inline: &[(String, usize)]) -> Vec<String> {
    inline.iter().map(|(name, _)| name.clone()).collect()
}

/// Whether a path begins here: nothing before it that would make it the tail of another.
fn starts_path(tokens: &[(usize, Token)], i: usize) -> bool {
    let mark = |back: usize| i.checked_sub(back).map(|b| &tokens[b].1);
    let before = mark(1);
    // `x.name` is a field or a method; in `0..name` a path follows the range.
    let field = before == Some(&Token::Mark('.')) && mark(2) != Some(&Token::Mark('.'));
    match &tokens[i].1 {
        Token::Word(_) => !field && before != Some(&Token::Sep) && matches!(tokens.get(i + 1), Some((_, Token::Sep))),
        // `<T>::x` and `a::<T>::x` go on after a bracket; `::x` after anything else is a root.
        Token::Sep => {
            !matches!(before, Some(Token::Word(_) | Token::Mark('>' | ')' | ']')))
                && matches!(tokens.get(i + 1), Some((_, Token::Word(_))))
        }
        Token::Mark(_) => false,
    }
}

/// `a::b::c` outside a `use`; leaves `i` behind it.
fn plain_path(tokens: &[(usize, Token)], i: &mut usize) -> Vec<String> {
    let mut path = Vec::new();
    while let Some((_, Token::Word(word))) = tokens.get(*i) {
        path.push(word.clone());
        *i += 1;
        if matches!(tokens.get(*i), Some((_, Token::Sep))) && matches!(tokens.get(*i + 1), Some((_, Token::Word(_)))) {
            *i += 1;
        } else {
            break;
        }
    }
    path
}

/// One branch of a `use` tree.
#[derive(Debug, Default)]
struct Tree {
    outside: bool,
    path: Vec<String>,
    alias: Option<String>,
    branches: Vec<Tree>,
}

impl Tree {
    fn read(tokens: &[(usize, Token)], i: &mut usize) -> Self {
        let mut tree = Self::default();
        if matches!(tokens.get(*i), Some((_, Token::Sep))) {
            tree.outside = true;
            *i += 1;
        }
        loop {
            match tokens.get(*i) {
                Some((_, Token::Word(word))) if word == "as" => {
                    if let Some((_, Token::Word(alias))) = tokens.get(*i + 1) {
                        tree.alias = Some(alias.clone());
                    }
                    *i += 2;
                }
                Some((_, Token::Word(word))) => {
                    tree.path.push(word.clone());
                    *i += 1;
                }
                Some((_, Token::Sep | Token::Mark('*'))) => *i += 1,
                Some((_, Token::Mark('{'))) => {
                    *i += 1;
                    while !matches!(tokens.get(*i), None | Some((_, Token::Mark('}' | ';')))) {
                        let before = *i;
                        tree.branches.push(Self::read(tokens, i));
                        if matches!(tokens.get(*i), Some((_, Token::Mark(',')))) || *i == before {
                            *i += 1;
                        }
                    }
                    if matches!(tokens.get(*i), Some((_, Token::Mark('}')))) {
                        *i += 1;
                    }
                    return tree;
                }
                _ => return tree,
            }
        }
    }

    /// Every leaf as `(path, written with a leading ::, alias)`.
    fn paths(&self) -> Vec<(Vec<String>, bool, Option<String>)> {
        if self.branches.is_empty() {
            let mut path = self.path.clone();
            if path.len() > 1 && path.last().is_some_and(|end| end == "self") {
                path.pop();
            }
            return vec![(path, self.outside, self.alias.clone())];
        }
        let mut out = Vec::new();
        for branch in &self.branches {
            for (tail, outside, alias) in branch.paths() {
                let mut path = self.path.clone();
                path.extend(tail);
                if path.len() > 1 && path.last().is_some_and(|end| end == "self") {
                    path.pop();
                }
                out.push((path, self.outside || outside, alias));
            }
        }
        out
    }
}

type Tokens = Vec<(usize, Token)>;

fn lex(text: &str) -> (Tokens, Vec<(usize, String)>) {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0, line: 1, tokens: Vec::new(), strings: Vec::new() };
    lexer.run();
    (lexer.tokens, lexer.strings)
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Tokens,
    strings: Vec<(usize, String)>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn run(&mut self) {
        while let Some(c) = self.peek(0) {
            match c {
                '/' if self.peek(1) == Some('/') => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.next();
                    }
                }
                '/' if self.peek(1) == Some('*') => self.block_comment(),
                '"' => self.string(),
                '\'' => self.quote(),
                ':' if self.peek(1) == Some(':') => {
                    self.tokens.push((self.line, Token::Sep));
                    self.at += 2;
                }
                c if c.is_alphanumeric() || c == '_' => self.word(),
                c => {
                    if !c.is_whitespace() {
                        self.tokens.push((self.line, Token::Mark(c)));
                    }
                    self.next();
                }
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.peek(0).is_some() {
            if self.peek(0) == Some('/') && self.peek(1) == Some('*') {
                depth += 1;
                self.at += 2;
            } else if self.peek(0) == Some('*') && self.peek(1) == Some('/') {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.next();
            }
        }
    }

    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.next();
        while let Some(c) = self.next() {
            match c {
                '"' => break,
                '\\' => text.extend(self.next()),
                c => text.push(c),
            }
        }
        self.strings.push((line, text));
    }

    /// `'a'`, `'\n'` or the start of a lifetime.
    fn quote(&mut self) {
        self.next();
        if self.peek(0) == Some('\\') {
            self.next();
            self.next();
            while self.next().is_some_and(|c| c != '\'') {}
        } else if self.peek(1) == Some('\'') {
            self.at += 2;
        }
    }

    /// A word, a number, or the prefix of a raw or byte string.
    fn word(&mut self) {
        let line = self.line;
        let mut word = String::new();
        while let Some(c) = self.peek(0).filter(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
            self.at += 1;
        }
        match (word.as_str(), self.peek(0)) {
            ("r" | "br" | "cr", Some('"')) => self.raw_string(0),
            ("r" | "br" | "cr", Some('#')) => {
                let mut hashes = 0;
                while self.peek(hashes) == Some('#') {
                    hashes += 1;
                }
                if self.peek(hashes) == Some('"') {
                    self.at += hashes;
                    self.raw_string(hashes);
                } else {
                    // A raw identifier: `r#type`.
                    self.at += hashes;
                }
            }
            ("b" | "c", Some('"')) => self.string(),
            ("b", Some('\'')) => self.quote(),
            _ => self.tokens.push((line, Token::Word(word))),
        }
    }

    fn raw_string(&mut self, hashes: usize) {
        let line = self.line;
        let mut text = String::new();
        self.next();
        while let Some(c) = self.next() {
            if c == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                self.at += hashes;
                break;
            }
            text.push(c);
        }
        self.strings.push((line, text));
    }
}
