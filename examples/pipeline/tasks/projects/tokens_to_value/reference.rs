        for token in tokens {
            let value = match token {
                Token::Number(n) => *n,
                Token::Sign(sign) => {
                    let b = stack.pop()?;
                    let a = stack.pop()?;
                    match sign {
                        '+' => a + b,
                        '-' => a - b,
                        '*' => a * b,
                        _ => a / b,
                    }
                }
            };
            stack.push(value);
        }
        if stack.len() == 1 {
            stack.pop()
        } else {
            None
        }
    }
}
