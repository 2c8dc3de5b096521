pub mod lexer {
    #[derive(Debug, Clone, PartialEq)]
    pub enum Token {
        Number(f64),
        Sign(char),
    }

    /// The tokens of a line such as "3 4 +"; None when a word is neither number nor sign.
    pub fn tokens(line: &str) -> Option<Vec<Token>> {
        line.split_whitespace()
            .map(|word| match word {
                "+" | "-" | "*" | "/" => word.chars().next().map(Token::Sign),
                _ => word.parse().ok().map(Token::Number),
            })
            .collect()
    }
}

pub mod machine {
    use super::lexer::Token;

    /// Computes tokens in reverse Polish order; None unless exactly one value is left.
    pub fn compute(tokens: &[Token]) -> Option<f64> {
        let mut stack: Vec<f64> = Vec::new();
