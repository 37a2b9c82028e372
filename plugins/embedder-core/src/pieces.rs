//! The pieces' vectors: directions kept in stages of product quantisation, lengths apart.
//!
//! Not here: what is made of them (`network`, `statics`).

use super::DIMENSION;
use super::network::Vectors;
use super::table::{Meta, Table, TableError, to_floats};

/// Entries of a code book.
const CENTROIDS: usize = 256;

struct Stage {
    /// one byte for each subspace of each row
    codes: &'static [u8],
    /// subspaces x 256 x width numbers
    book: Vec<f32>,
}

pub(super) struct Pieces {
    subspaces: usize,
    width: usize,
    stages: Vec<Stage>,
    centre: Vec<f32>,
    lengths: &'static [u8],
}

impl Pieces {
    pub(super) fn read(table: &Table, meta: &Meta) -> Result<Self, TableError> {
        let book_bytes = DIMENSION * CENTROIDS;
        let books = table.sized("BOOK", 12 + 3 * book_bytes)?;
        let (scales, books) = books.split_at(12);
        let mut stages = Vec::new();
        for (index, (scale, book)) in to_floats(scales).into_iter().zip(books.chunks_exact(book_bytes)).enumerate() {
            stages.push(Stage {
                codes: table.sized(&format!("COD{}", index + 1), meta.stage_rows[index] * meta.subspaces)?,
                book: book.iter().map(|byte| f32::from(*byte as i8) * scale).collect(),
            });
        }
        Ok(Self {
            subspaces: meta.subspaces,
            width: meta.width,
            stages,
            centre: table.floats("CENT", DIMENSION)?,
            lengths: table.sized("LOUD", meta.pieces)?,
        })
    }

    /// Writes the direction of a piece, near unit length, into `row`.
    pub(super) fn direction(&self, id: u32, row: &mut [f32]) {
        row.copy_from_slice(&self.centre);
        let start = id as usize * self.subspaces;
        for stage in &self.stages {
            let Some(codes) = stage.codes.get(start..start + self.subspaces) else { break };
            for (space, (code, part)) in codes.iter().zip(row.chunks_exact_mut(self.width)).enumerate() {
                let at = (space * CENTROIDS + usize::from(*code)) * self.width;
                for (x, y) in part.iter_mut().zip(&stage.book[at..at + self.width]) {
                    *x += y;
                }
            }
        }
    }

    /// The length of the piece's vector.
    fn length(&self, id: u32) -> f32 {
        (f32::from(self.lengths[id as usize]) / 32.0).exp2()
    }
}

impl Vectors for Pieces {
    fn vector(&self, id: u32, row: &mut [f32]) {
        self.direction(id, row);
        let length = self.length(id);
        row.iter_mut().for_each(|x| *x *= length);
    }
}
