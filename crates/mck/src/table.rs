//! Tables that are aligned and fit the terminal.

use mck_blueprint::views::Table;

use crate::style::Style;

/// The space between columns.
const GAP: usize = 2;

/// A column is not made narrower than this.
const NARROWEST: usize = 12;

/// A table as lines: title, headings, rows. Without a width no cell is broken into lines.
pub fn render(table: &Table, style: Style, width: Option<usize>) -> String {
    let widths = column_widths(table, width);
    let right: Vec<bool> = (0..table.columns.len())
        .map(|column| is_numeric(table, column))
        .collect();
    let mut lines = Vec::new();
    if !table.title.is_empty() {
        lines.push(style.bold(&table.title));
    }
    let headings: Vec<String> = row(&table.columns, &widths, &right);
    lines.extend(headings.iter().map(|line| style.dim(line)));
    for cells in &table.rows {
        lines.extend(row(cells, &widths, &right));
    }
    lines.join("\n")
}

/// A table from parts.
pub fn table(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Table {
    Table {
        title: title.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        rows,
    }
}

/// A size in its largest binary unit.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

/// The lines of one row, as many as its tallest cell has.
fn row(cells: &[String], widths: &[usize], right: &[bool]) -> Vec<String> {
    let wrapped: Vec<Vec<String>> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| wrap(&one_line(cell), *width))
        .collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|index| {
            let mut line = String::from("  ");
            for ((cell, width), right) in wrapped.iter().zip(widths).zip(right) {
                let text = cell.get(index).map_or("", String::as_str);
                let padding = " ".repeat(width.saturating_sub(text.chars().count()));
                if *right {
                    line.push_str(&padding);
                    line.push_str(text);
                } else {
                    line.push_str(text);
                    line.push_str(&padding);
                }
                line.push_str(&" ".repeat(GAP));
            }
            line.truncate(line.trim_end().len());
            line
        })
        .collect()
}

fn column_widths(table: &Table, limit: Option<usize>) -> Vec<usize> {
    let mut widths: Vec<usize> = (0..table.columns.len())
        .map(|column| {
            let cells = table.rows.iter().filter_map(|row| row.get(column));
            let lengths = cells
                .chain([&table.columns[column]])
                .map(|cell| cell.chars().count());
            lengths.max().unwrap_or(0)
        })
        .collect();
    let Some(limit) = limit else { return widths };
    let total = |widths: &[usize]| GAP + widths.iter().map(|width| width + GAP).sum::<usize>();
    while total(&widths) > limit {
        let Some(widest) = widths.iter_mut().max().filter(|width| **width > NARROWEST) else {
            break;
        };
        *widest -= 1;
    }
    widths
}

/// A cell's text with spaces for line breaks: rows are lines.
fn one_line(cell: &str) -> String {
    cell.replace('\n', " ")
}

/// Whether all cells of a column are numbers, or all amounts of money.
fn is_numeric(table: &Table, column: usize) -> bool {
    let mut cells = table
        .rows
        .iter()
        .filter_map(|row| row.get(column))
        .filter(|cell| !cell.is_empty());
    let numeric = |cell: &String| cell.chars().all(|one| one.is_ascii_digit());
    if cells.clone().all(is_amount) {
        return cells.next().is_some();
    }
    cells.next().is_some_and(numeric) && cells.all(numeric)
}

/// Whether a text is an amount of money, such as `1,234.50`, or what stands for one.
fn is_amount(cell: &String) -> bool {
    if cell == "?" {
        return true;
    }
    let text = cell.trim_start_matches(['+', '-']);
    text.split_once('.').is_some_and(|(dollars, cents)| {
        let digits = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b',')
        };
        !dollars.is_empty() && digits(dollars) && cents.len() == 2 && digits(cents)
    })
}

/// Text as lines of at most `width` characters, broken at spaces where there are any.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let mut rest: Vec<char> = word.chars().collect();
        let last_is_empty = length == 0;
        let needed = rest.len() + usize::from(!last_is_empty);
        if !last_is_empty && length + needed > width {
            lines.push(String::new());
            length = 0;
        }
        while rest.len() > width {
            let (head, tail) = rest.split_at(width);
            let line = lines
                .last_mut()
                .expect("there is a line from the beginning");
            line.extend(head);
            rest = tail.to_vec();
            lines.push(String::new());
            length = 0;
        }
        let line = lines
            .last_mut()
            .expect("there is a line from the beginning");
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        length += rest.len();
        line.extend(rest);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let rows = [
            ["shop", "2", "Answers requests that no other app answers"],
            ["administration", "10", "Short"],
        ];
        table(
            "Apps",
            &["App", "Tasks", "What"],
            rows.iter()
                .map(|row| row.map(str::to_owned).to_vec())
                .collect(),
        )
    }

    #[test]
    fn columns_are_aligned_and_numbers_to_the_right() {
        insta::assert_snapshot!(render(&example(), Style::new(false), None));
    }

    #[test]
    fn a_narrow_terminal_breaks_the_widest_cells() {
        let text = render(&example(), Style::new(false), Some(44));
        assert!(
            text.lines().all(|line| line.chars().count() <= 44),
            "{text}"
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let sizes = [0, 1_023, 1_024, 3_500_000, 5_000_000_000];
        let told = sizes.map(size);
        assert_eq!(told, ["0 B", "1023 B", "1 KiB", "3 MiB", "4768 MiB"]);
    }

    #[test]
    fn words_that_are_too_long_are_broken() {
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("a b c", 3), ["a b", "c"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
