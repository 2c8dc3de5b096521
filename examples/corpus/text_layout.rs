//! Laying out text for a terminal: wrapping paragraphs and aligning tables.

use std::fmt::Write;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    #[default]
    Left,
    Right,
    Center,
}

/// Breaks `text` into lines of at most `width` characters, at blanks. A longer word gets a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    if used > 0 {
        lines.push(line);
    }
    lines
}

/// Shortens `text` to `width` characters, with an ellipsis where something is missing.
pub fn shorten(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) if width == 0 => String::new(),
        Some(_) => text.chars().take(width - 1).chain(['…']).collect(),
    }
}

fn pad(text: &str, width: usize, align: Align) -> String {
    match align {
        Align::Left => format!("{text:<width$}"),
        Align::Right => format!("{text:>width$}"),
        Align::Center => format!("{text:^width$}"),
    }
}

/// A table whose columns are as wide as their widest cell.
#[derive(Debug, Default)]
pub struct Table {
    titles: Vec<String>,
    aligns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn column(mut self, title: impl Into<String>, align: Align) -> Self {
        self.titles.push(title.into());
        self.aligns.push(align);
        self
    }

    pub fn row<I>(&mut self, cells: I) -> &mut Self
    where
        I: IntoIterator,
        I::Item: ToString,
    {
        let mut row: Vec<String> = cells.into_iter().map(|cell| cell.to_string()).collect();
        row.resize(self.titles.len(), String::new());
        self.rows.push(row);
        self
    }

    fn widths(&self) -> Vec<usize> {
        (0..self.titles.len())
            .map(|column| {
                let cells = self.rows.iter().map(|row| &row[column]);
                cells
                    .chain(std::iter::once(&self.titles[column]))
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect()
    }

    pub fn render(&self) -> String {
        let widths = self.widths();
        let mut out = String::new();
        for row in std::iter::once(&self.titles).chain(&self.rows) {
            let cells: Vec<String> = row
                .iter()
                .zip(widths.iter().zip(&self.aligns))
                .map(|(cell, (&width, &align))| pad(cell, width, align))
                .collect();
            // Blanks at the end of a line only make trouble in a terminal that is narrower.
            writeln!(out, "{}", cells.join("  ").trim_end()).expect("a String takes everything");
        }
        out
    }
}

/// A number of bytes for people: `1.5 KiB`.
pub fn format_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_blanks() {
        assert_eq!(wrap("the quick brown  fox", 9), ["the quick", "brown fox"]);
        assert_eq!(wrap("incomprehensible", 4), ["incomprehensible"]);
        assert_eq!(shorten("abcdef", 4), "abc…");
    }

    #[test]
    fn aligns() {
        let mut table = Table::new().column("name", Align::Left).column("size", Align::Right);
        table.row(["lib.rs", "12"]).row(["main.rs", "3"]);
        assert_eq!(table.render(), "name     size\nlib.rs     12\nmain.rs     3\n");
        assert_eq!(format_bytes(1536), "1.5 KiB");
    }
}
