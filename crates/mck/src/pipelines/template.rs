//! Templates: `@NAME@` stands for a value, and alone on its line for a block that takes over the
//! line's indentation.

/// The template with its values; `@NAME@` alone on a line becomes all lines of the value, and none
/// where it is empty.
pub fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for line in template.lines() {
        let found = values
            .iter()
            .find(|(name, _)| is_placeholder(line.trim(), name));
        match found {
            Some((_, value)) => text.push_str(&block(value, indentation(line))),
            None => {
                let mut line = line.to_owned();
                for (name, value) in values {
                    line = line.replace(&format!("@{name}@"), value);
                }
                text.push_str(&line);
                text.push('\n');
            }
        }
    }
    text
}

/// Lines with so many spaces before them.
fn block(text: &str, spaces: usize) -> String {
    let line = |line: &str| match line {
        "" => "\n".to_owned(),
        line => format!("{}{line}\n", " ".repeat(spaces)),
    };
    text.lines().map(line).collect()
}

fn is_placeholder(word: &str, name: &str) -> bool {
    word.strip_prefix('@').and_then(|it| it.strip_suffix('@')) == Some(name)
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_take_over_the_indentation() {
        let template = "a: @A@\n  @B@\n  @C@\nend\n";
        let values = [("A", "1"), ("B", "x\n\n  y"), ("C", "")];
        assert_eq!(filled(template, &values), "a: 1\n  x\n\n    y\nend\n");
    }
}
