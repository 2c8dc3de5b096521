//! Exact fractions of 64-bit integers.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::num::ParseIntError;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::str::FromStr;

/// A fraction in lowest terms; the denominator is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rational {
    numerator: i64,
    denominator: i64,
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Rational {
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// `None` when the denominator is zero.
    pub fn new(numerator: i64, denominator: i64) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let divisor =
            greatest_common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs()) as i64;
        let sign = denominator.signum();
        Some(Self {
            numerator: sign * numerator / divisor,
            denominator: sign * denominator / divisor,
        })
    }

    pub fn recip(self) -> Option<Self> {
        Self::new(self.denominator, self.numerator)
    }

    pub fn is_integer(self) -> bool {
        self.denominator == 1
    }

    pub fn floor(self) -> i64 {
        self.numerator.div_euclid(self.denominator)
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        let denominator = self.denominator.checked_mul(other.denominator)?;
        Self::new(left.checked_add(right)?, denominator)
    }

    pub fn checked_mul(self, other: Self) -> Option<Self> {
        // Crosswise reduction first keeps the products small.
        let a = Self::new(self.numerator, other.denominator)?;
        let b = Self::new(other.numerator, self.denominator)?;
        Self::new(a.numerator.checked_mul(b.numerator)?, a.denominator.checked_mul(b.denominator)?)
    }

    /// Terms of the continued fraction.
    pub fn continued_fraction(self) -> impl Iterator<Item = i64> {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let current = rest?;
            let whole = current.floor();
            rest = (current - Rational::from(whole)).recip();
            Some(whole)
        })
    }
}

impl From<i64> for Rational {
    fn from(numerator: i64) -> Self {
        Self { numerator, denominator: 1 }
    }
}

impl Add for Rational {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.checked_add(other).expect("overflow in addition of fractions")
    }
}

impl Neg for Rational {
    type Output = Self;

    fn neg(self) -> Self {
        Self { numerator: -self.numerator, ..self }
    }
}

impl Sub for Rational {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Rational {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.checked_mul(other).expect("overflow in multiplication of fractions")
    }
}

impl Div for Rational {
    type Output = Self;

    #[allow(clippy::suspicious_arithmetic_impl)]
    fn div(self, other: Self) -> Self {
        self * other.recip().expect("division by zero")
    }
}

impl Sum for Rational {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::ZERO, Add::add)
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = i128::from(self.numerator) * i128::from(other.denominator);
        let right = i128::from(other.numerator) * i128::from(self.denominator);
        left.cmp(&right)
    }
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_integer() {
            write!(f, "{}", self.numerator)
        } else {
            write!(f, "{}/{}", self.numerator, self.denominator)
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseRationalError {
    Integer(ParseIntError),
    ZeroDenominator,
}

impl FromStr for Rational {
    type Err = ParseRationalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
        let parse = |part: &str| part.trim().parse().map_err(ParseRationalError::Integer);
        Self::new(parse(numerator)?, parse(denominator)?).ok_or(ParseRationalError::ZeroDenominator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic() {
        let half: Rational = "1/2".parse().unwrap();
        let third: Rational = "-2/-6".parse().unwrap();
        assert_eq!((half + third).to_string(), "5/6");
        assert_eq!((half / third).to_string(), "3/2");
        assert!(third < half);
        assert_eq!(
            (1..=4).filter_map(|n| Rational::new(1, n)).sum::<Rational>().to_string(),
            "25/12"
        );
        assert_eq!("1/0".parse::<Rational>(), Err(ParseRationalError::ZeroDenominator));
    }

    #[test]
    fn continued_fraction_of_355_113() {
        let terms: Vec<i64> = Rational::new(355, 113).unwrap().continued_fraction().collect();
        assert_eq!(terms, [3, 7, 16]);
    }
}
