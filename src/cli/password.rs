//! Passwords from a terminal (not echoed) or from standard input.

use std::io::{BufRead, IsTerminal as _};
use zeroize::Zeroizing;

/// Longest password that is read, bytes.
const LONGEST: u64 = 4096;

/// Asks on the terminal without echo; where standard input is no terminal its next line is the answer.
pub fn ask(prompt: &str) -> std::io::Result<Zeroizing<String>> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("{prompt}: ")).map(Zeroizing::new);
    }
    line(&mut std::io::stdin().lock())
}

/// The same for a new password: on a terminal it is asked twice, since nobody sees a slip. `None`: they differ.
pub fn ask_new(prompt: &str) -> std::io::Result<Option<Zeroizing<String>>> {
    let first = ask(prompt)?;
    if !std::io::stdin().is_terminal() {
        return Ok(Some(first));
    }
    let again = ask(&format!("{prompt} (again)"))?;
    Ok((*first == *again).then_some(first))
}

/// The next line without its end.
pub fn line(from: &mut dyn BufRead) -> std::io::Result<Zeroizing<String>> {
    // Room beforehand: a text that grows leaves copies behind that nobody wipes.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize + 1));
    std::io::Read::take(from, LONGEST).read_line(&mut text)?;
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_where_it_ends() {
        let mut input = &b"correct horse \r\nnext\nlast"[..];
        let mut next = || line(&mut input).expect("read").to_string();
        assert_eq!([next(), next(), next(), next()], ["correct horse ", "next", "last", ""]);
    }
}
