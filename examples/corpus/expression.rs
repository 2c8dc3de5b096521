//! Arithmetic expressions: a lexer, a parser by precedence climbing, and an evaluator.

use std::collections::HashMap;
use std::fmt;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Operator(char),
    Open,
    Close,
    Comma,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    UnexpectedCharacter(char),
    UnexpectedEnd,
    UnexpectedToken(String),
    UnknownName(String),
    WrongArguments { function: String, given: usize },
    DivisionByZero,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::UnexpectedCharacter(c) => write!(f, "unexpected character '{c}'"),
            Error::UnexpectedEnd => write!(f, "unexpected end of the expression"),
            Error::UnexpectedToken(t) => write!(f, "unexpected {t}"),
            Error::UnknownName(name) => write!(f, "unknown name '{name}'"),
            Error::WrongArguments { function, given } => {
                write!(f, "{function} does not take {given} arguments")
            }
            Error::DivisionByZero => write!(f, "division by zero"),
        }
    }
}

impl std::error::Error for Error {}

fn lex(text: &str) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let token = match c {
            c if c.is_whitespace() => continue,
            '+' | '-' | '*' | '/' | '%' | '^' => Token::Operator(c),
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            c if c.is_ascii_digit() || c == '.' => {
                let mut end = start + 1;
                while let Some(&(at, _)) =
                    chars.peek().filter(|(_, c)| c.is_ascii_digit() || *c == '.')
                {
                    end = at + 1;
                    chars.next();
                }
                let number = text[start..end].parse().map_err(|_| Error::UnexpectedCharacter(c))?;
                Token::Number(number)
            }
            c if c.is_alphabetic() || c == '_' => {
                let mut name = String::from(c);
                while let Some((_, c)) = chars.next_if(|(_, c)| c.is_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                Token::Name(name)
            }
            c => return Err(Error::UnexpectedCharacter(c)),
        };
        tokens.push(token);
    }
    Ok(tokens)
}

/// The tree of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Number(f64),
    Variable(String),
    Negate(Box<Node>),
    Binary(char, Box<Node>, Box<Node>),
    Call(String, Vec<Node>),
}

/// Binding power to the left and to the right; a higher one on the right makes it left-associative.
fn power(operator: char) -> (u8, u8) {
    match operator {
        '+' | '-' => (1, 2),
        '*' | '/' | '%' => (3, 4),
        '^' => (8, 7),
        _ => unreachable!("the lexer makes no other operator"),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Parser {
    fn expression(&mut self, least: u8) -> Result<Node, Error> {
        let mut left = self.operand()?;
        while let Some(Token::Operator(operator)) = self.tokens.peek() {
            let operator = *operator;
            let (left_power, right_power) = power(operator);
            if left_power < least {
                break;
            }
            self.tokens.next();
            let right = self.expression(right_power)?;
            left = Node::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Node, Error> {
        match self.tokens.next().ok_or(Error::UnexpectedEnd)? {
            Token::Number(number) => Ok(Node::Number(number)),
            Token::Operator('-') => Ok(Node::Negate(Box::new(self.expression(5)?))),
            Token::Open => {
                let inner = self.expression(0)?;
                self.close()?;
                Ok(inner)
            }
            Token::Name(name) => {
                if self.tokens.next_if_eq(&Token::Open).is_none() {
                    return Ok(Node::Variable(name));
                }
                let mut arguments = Vec::new();
                if self.tokens.peek() != Some(&Token::Close) {
                    arguments.push(self.expression(0)?);
                    while self.tokens.next_if_eq(&Token::Comma).is_some() {
                        arguments.push(self.expression(0)?);
                    }
                }
                self.close()?;
                Ok(Node::Call(name, arguments))
            }
            other => Err(Error::UnexpectedToken(format!("{other:?}"))),
        }
    }

    fn close(&mut self) -> Result<(), Error> {
        match self.tokens.next() {
            Some(Token::Close) => Ok(()),
            Some(other) => Err(Error::UnexpectedToken(format!("{other:?}"))),
            None => Err(Error::UnexpectedEnd),
        }
    }
}

/// Turns text into a tree.
pub fn parse(text: &str) -> Result<Node, Error> {
    let mut parser = Parser { tokens: lex(text)?.into_iter().peekable() };
    let tree = parser.expression(0)?;
    match parser.tokens.next() {
        None => Ok(tree),
        Some(token) => Err(Error::UnexpectedToken(format!("{token:?}"))),
    }
}

impl Node {
    /// Value of the tree, with the variables of `scope`.
    pub fn evaluate(&self, scope: &HashMap<String, f64>) -> Result<f64, Error> {
        match self {
            Node::Number(number) => Ok(*number),
            Node::Variable(name) => {
                scope.get(name).copied().ok_or_else(|| Error::UnknownName(name.clone()))
            }
            Node::Negate(inner) => Ok(-inner.evaluate(scope)?),
            Node::Binary(operator, left, right) => {
                let (a, b) = (left.evaluate(scope)?, right.evaluate(scope)?);
                match operator {
                    '+' => Ok(a + b),
                    '-' => Ok(a - b),
                    '*' => Ok(a * b),
                    '/' | '%' if b == 0.0 => Err(Error::DivisionByZero),
                    '/' => Ok(a / b),
                    '%' => Ok(a.rem_euclid(b)),
                    _ => Ok(a.powf(b)),
                }
            }
            Node::Call(function, arguments) => {
                let values: Vec<f64> =
                    arguments.iter().map(|a| a.evaluate(scope)).collect::<Result<_, _>>()?;
                match (function.as_str(), values.as_slice()) {
                    ("sqrt", [x]) => Ok(x.sqrt()),
                    ("abs", [x]) => Ok(x.abs()),
                    ("min", [first, rest @ ..]) => Ok(rest.iter().fold(*first, |a, &b| a.min(b))),
                    ("max", [first, rest @ ..]) => Ok(rest.iter().fold(*first, |a, &b| a.max(b))),
                    ("sqrt" | "abs" | "min" | "max", _) => Err(Error::WrongArguments {
                        function: function.clone(),
                        given: values.len(),
                    }),
                    _ => Err(Error::UnknownName(function.clone())),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<f64, Error> {
        let scope = HashMap::from([("x".to_string(), 3.0)]);
        parse(text)?.evaluate(&scope)
    }

    #[test]
    fn precedence_and_association() {
        assert_eq!(value("1 + 2 * x"), Ok(7.0));
        assert_eq!(value("10 - 4 - 3"), Ok(3.0));
        assert_eq!(value("2 ^ 3 ^ 2"), Ok(512.0));
        assert_eq!(value("-x ^ 2"), Ok(-9.0));
        assert_eq!(value("max(1, x, 2) / min(2, 4)"), Ok(1.5));
    }

    #[test]
    fn errors() {
        assert_eq!(value("1 / 0"), Err(Error::DivisionByZero));
        assert_eq!(value("1 +"), Err(Error::UnexpectedEnd));
        assert_eq!(value("y"), Err(Error::UnknownName("y".into())));
    }
}
