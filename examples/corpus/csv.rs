//! Comma-separated values as RFC 4180 describes them.

use std::borrow::Cow;
use std::io::{self, BufRead, Write};

/// Reads records from anything that can be read by lines.
pub struct Reader<R> {
    input: R,
    separator: char,
    line: usize,
}

#[derive(Debug)]
pub enum CsvError {
    Io(io::Error),
    /// A quoted field that does not end; the line is the one where its record begins.
    OpenQuote {
        line: usize,
    },
}

impl From<io::Error> for CsvError {
    fn from(error: io::Error) -> Self {
        CsvError::Io(error)
    }
}

impl<R: BufRead> Reader<R> {
    pub fn new(input: R) -> Self {
        Self { input, separator: ',', line: 0 }
    }

    pub fn with_separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    fn read_record(&mut self) -> Result<Option<Vec<String>>, CsvError> {
        let mut text = String::new();
        let first_line = self.line + 1;
        loop {
            if self.input.read_line(&mut text)? == 0 {
                return match text.is_empty() {
                    true => Ok(None),
                    false => Err(CsvError::OpenQuote { line: first_line }),
                };
            }
            self.line += 1;
            // An odd number of quotes: the record goes on in the next line.
            if text.matches('"').count() % 2 == 0 {
                let record = text.trim_end_matches(['\r', '\n']);
                return Ok(Some(split(record, self.separator)));
            }
        }
    }
}

fn split(record: &str, separator: char) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut is_quoted = false;
    let mut chars = record.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => is_quoted = !is_quoted,
            c if c == separator && !is_quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Vec<String>, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_record().transpose()
    }
}

/// The field as it must be written: unchanged where nothing in it needs quotes.
pub fn quote(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(field)
    }
}

pub fn write_record<W, I, S>(output: &mut W, fields: I) -> io::Result<()>
where
    W: Write,
    I: IntoIterator<Item = S>,
    S: AsRef<str>,
{
    for (i, field) in fields.into_iter().enumerate() {
        if i > 0 {
            output.write_all(b",")?;
        }
        output.write_all(quote(field.as_ref()).as_bytes())?;
    }
    output.write_all(b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let record = ["plain", "with, comma", "with \"quotes\"", "two\nlines", ""];
        let mut bytes = Vec::new();
        write_record(&mut bytes, record).unwrap();
        let mut reader = Reader::new(bytes.as_slice());
        assert_eq!(reader.next().unwrap().unwrap(), record);
        assert!(reader.next().is_none());
    }

    #[test]
    fn an_open_quote_is_an_error() {
        let mut reader = Reader::new("a;b\n\"c".as_bytes()).with_separator(';');
        assert_eq!(reader.next().unwrap().unwrap(), ["a", "b"]);
        assert!(matches!(reader.next(), Some(Err(CsvError::OpenQuote { line: 2 }))));
    }
}
