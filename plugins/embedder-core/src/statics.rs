//! The static variant: a mean of the pieces' directions, rare pieces counting more.
//!
//! Not here: anything that looks at the order of the pieces (`network`).

use super::pieces::Pieces;
use super::table::{Meta, Table, TableError};
use super::tokenise::Tokeniser;
use super::{DIMENSION, exact, to_unit};

pub(super) struct Statics {
    /// what the pieces of a group share; without it a language would count as a topic
    means: [Vec<f32>; 2],
    /// group of each piece: 1 where it holds a Chinese or Japanese character
    groups: Vec<u8>,
    weights: Vec<f32>,
}

impl Statics {
    pub(super) fn read(table: &Table, meta: &Meta, tokeniser: &Tokeniser) -> Result<Self, TableError> {
        let sif = meta.sif;
        let weight = |(id, score): (usize, &f32)| if id < meta.controls { 0.0 } else { sif / (sif + exact::exp(*score)) };
        let weights = tokeniser.scores().iter().enumerate().map(weight).collect();
        let mut means = table.floats("SMEA", 2 * DIMENSION)?;
        let second = means.split_off(DIMENSION);
        let groups = tokeniser.pieces().iter().map(|piece| u8::from(holds_cjk(piece))).collect();
        Ok(Self { means: [means, second], groups, weights })
    }

    pub(super) fn start(&self) -> Vec<f32> {
        vec![0.0; DIMENSION]
    }

    pub(super) fn add(&self, pieces: &Pieces, ids: &[u32], sum: &mut [f32]) {
        let mut row = [0.0; DIMENSION];
        for id in ids {
            let weight = self.weights[*id as usize];
            if weight > 0.0 {
                pieces.direction(*id, &mut row);
                to_unit(&mut row);
                let mean = &self.means[usize::from(self.groups[*id as usize])];
                for ((total, x), mean) in sum.iter_mut().zip(&row).zip(mean) {
                    *total += weight * (x - mean);
                }
            }
        }
    }

    /// Unit length; a text without known pieces gets a direction that says nothing.
    pub(super) fn finish(&self, mut sum: Vec<f32>) -> Vec<f32> {
        if sum.iter().all(|x| x.abs() < 1e-9) {
            sum.copy_from_slice(&self.means[0]);
        }
        to_unit(&mut sum);
        sum
    }
}

/// The ranges that `derive.py` calls Chinese and Japanese.
fn holds_cjk(piece: &[u8]) -> bool {
    let is_cjk = |c| matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}');
    std::str::from_utf8(piece).is_ok_and(|piece| piece.chars().any(is_cjk))
}
