//! Dense matrices of `f64` in row-major order.

use std::fmt;
use std::ops::{Add, Index, IndexMut, Mul, Sub};

/// Why an operation on matrices could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatrixError {
    /// The shapes of the two operands do not fit together.
    Shape { left: (usize, usize), right: (usize, usize) },
    /// The matrix has no inverse.
    Singular,
}

impl fmt::Display for MatrixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MatrixError::Shape { left, right } => {
                write!(f, "shapes {}x{} and {}x{} do not fit", left.0, left.1, right.0, right.1)
            }
            MatrixError::Singular => f.write_str("matrix is singular"),
        }
    }
}

impl std::error::Error for MatrixError {}

/// A matrix with `rows * columns` elements.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    data: Vec<f64>,
}

impl Matrix {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, data: vec![0.0; rows * columns] }
    }

    /// The square matrix with ones on its diagonal.
    pub fn identity(n: usize) -> Self {
        let mut matrix = Self::zeros(n, n);
        for i in 0..n {
            matrix[(i, i)] = 1.0;
        }
        matrix
    }

    /// Builds a matrix by calling `f` with each row and column.
    pub fn from_fn<F>(rows: usize, columns: usize, mut f: F) -> Self
    where
        F: FnMut(usize, usize) -> f64,
    {
        let mut data = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            for column in 0..columns {
                data.push(f(row, column));
            }
        }
        Self { rows, columns, data }
    }

    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    pub fn row(&self, row: usize) -> &[f64] {
        let start = row * self.columns;
        &self.data[start..start + self.columns]
    }

    pub fn transpose(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |row, column| self[(column, row)])
    }

    /// Matrix product, with the inner loop along rows of `other` for the sake of the cache.
    pub fn multiply(&self, other: &Self) -> Result<Self, MatrixError> {
        if self.columns != other.rows {
            return Err(MatrixError::Shape { left: self.shape(), right: other.shape() });
        }
        let mut product = Self::zeros(self.rows, other.columns);
        for i in 0..self.rows {
            for k in 0..self.columns {
                let factor = self[(i, k)];
                for j in 0..other.columns {
                    product[(i, j)] += factor * other[(k, j)];
                }
            }
        }
        Ok(product)
    }

    fn swap_rows(&mut self, a: usize, b: usize) {
        if a != b {
            for column in 0..self.columns {
                self.data.swap(a * self.columns + column, b * self.columns + column);
            }
        }
    }

    /// Gauss-Jordan elimination with partial pivoting.
    pub fn inverse(&self) -> Result<Self, MatrixError> {
        let n = self.rows;
        if n != self.columns {
            return Err(MatrixError::Shape { left: self.shape(), right: self.shape() });
        }
        let mut left = self.clone();
        let mut right = Self::identity(n);
        for pivot in 0..n {
            let best = (pivot..n)
                .max_by(|&a, &b| left[(a, pivot)].abs().total_cmp(&left[(b, pivot)].abs()))
                .ok_or(MatrixError::Singular)?;
            if left[(best, pivot)].abs() < 1e-12 {
                return Err(MatrixError::Singular);
            }
            left.swap_rows(pivot, best);
            right.swap_rows(pivot, best);
            let scale = 1.0 / left[(pivot, pivot)];
            for column in 0..n {
                left[(pivot, column)] *= scale;
                right[(pivot, column)] *= scale;
            }
            for row in (0..n).filter(|&row| row != pivot) {
                let factor = left[(row, pivot)];
                for column in 0..n {
                    let (l, r) = (left[(pivot, column)], right[(pivot, column)]);
                    left[(row, column)] -= factor * l;
                    right[(row, column)] -= factor * r;
                }
            }
        }
        Ok(right)
    }
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;

    fn index(&self, (row, column): (usize, usize)) -> &f64 {
        &self.data[row * self.columns + column]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut f64 {
        &mut self.data[row * self.columns + column]
    }
}

impl Add for &Matrix {
    type Output = Matrix;

    fn add(self, other: &Matrix) -> Matrix {
        assert_eq!(self.shape(), other.shape(), "shapes differ");
        Matrix::from_fn(self.rows, self.columns, |i, j| self[(i, j)] + other[(i, j)])
    }
}

impl Sub for &Matrix {
    type Output = Matrix;

    fn sub(self, other: &Matrix) -> Matrix {
        assert_eq!(self.shape(), other.shape(), "shapes differ");
        Matrix::from_fn(self.rows, self.columns, |i, j| self[(i, j)] - other[(i, j)])
    }
}

impl Mul<f64> for &Matrix {
    type Output = Matrix;

    fn mul(self, factor: f64) -> Matrix {
        Matrix::from_fn(self.rows, self.columns, |i, j| self[(i, j)] * factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_times_matrix_is_identity() {
        let matrix = Matrix::from_fn(3, 3, |i, j| if i == j { 4.0 } else { 1.0 + i as f64 });
        let product = matrix.multiply(&matrix.inverse().unwrap()).unwrap();
        let difference = &product - &Matrix::identity(3);
        assert!(difference.data.iter().all(|x| x.abs() < 1e-9));
    }

    #[test]
    fn singular_matrix_has_no_inverse() {
        assert_eq!(Matrix::zeros(2, 2).inverse(), Err(MatrixError::Singular));
    }
}
