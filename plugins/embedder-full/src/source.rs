//! The whole model out of its two files: vectors of all pieces as they are, and the network's weights without further rounding.
//!
//! Not here: the forward pass (`embedder-core`).

use crate::archive::Archive;
use crate::array::{self, Floats};
use crate::pieces;
use embedder_core::{DIMENSION, Embedded, Network, Table, TableError, Tokeniser, Vectors, pack};
use std::io::{Read, Seek};

const PIECES: usize = 128_000;
/// The vectors lie in parts: the vector of a piece is row `id / PARTS` of part `id % PARTS`.
const PARTS: usize = 17;
const PART_ROWS: usize = 7_530;
const PART_BYTES: usize = PART_ROWS * DIMENSION;
const BRANCHES: [usize; 3] = [2, 3, 5];

/// A byte for each number of each vector, with a scale and a least value for each part.
struct Codes {
    codes: Vec<u8>,
    scales: Vec<f32>,
    least: Vec<f32>,
}

impl Vectors for Codes {
    fn vector(&self, id: u32, row: &mut [f32]) {
        let (part, index) = (id as usize % PARTS, id as usize / PARTS);
        let start = part * PART_BYTES + index * DIMENSION;
        let (scale, least) = (self.scales[part], self.least[part]);
        for (x, code) in row.iter_mut().zip(&self.codes[start..start + DIMENSION]) {
            *x = f32::from(*code) * scale + least;
        }
    }
}

pub struct FullModel {
    tokeniser: Tokeniser,
    codes: Codes,
    network: Network,
}

impl FullModel {
    /// Reads both files; everything that is slow is done here.
    pub(crate) fn read(mut pieces: impl Read, weights: impl Read + Seek) -> Result<Self, TableError> {
        let mut archive = Archive::open(weights)?;
        let codes = codes(&mut archive)?;
        let network = Network::read(&Table::read(pack(&sections(&mut archive)?).leak())?)?;
        let mut model = Vec::new();
        pieces.read_to_end(&mut model).map_err(|error| TableError::new(format!("sp.model can not be read: {error}")))?;
        Ok(Self { tokeniser: pieces::tokeniser(model, PIECES)?, codes, network })
    }

    pub fn embed(&self, text: &str) -> Embedded {
        let ids = self.tokens(text);
        Embedded { row: self.network.embed(&self.codes, &ids), tokens: ids.len() }
    }

    pub(crate) fn tokens(&self, text: &str) -> Vec<u32> {
        self.tokeniser.tokens(text)
    }
}

fn floats<R: Read + Seek>(archive: &mut Archive<R>, name: &str) -> Result<Floats, TableError> {
    array::floats(name, &archive.read(&format!("{name}.npy"))?)
}

fn codes<R: Read + Seek>(archive: &mut Archive<R>) -> Result<Codes, TableError> {
    // The largest piece of memory first, so that what is needed only while reading lies behind it and is used again.
    let mut codes = vec![0; PARTS * PART_BYTES];
    for (part, room) in codes.chunks_exact_mut(PART_BYTES).enumerate() {
        let name = format!("q{}", part + 1);
        room.copy_from_slice(array::small(&name, &archive.read(&format!("{name}.npy"))?, PART_BYTES)?);
    }
    let (scales, least) = (floats(archive, "scale")?.data, floats(archive, "lo")?.data);
    if scales.len() != PARTS || least.len() != PARTS {
        return Err(TableError::new("the vectors have another number of parts than this plugin knows"));
    }
    Ok(Codes { codes, scales, least })
}

/// The network's weights under the names that `embedder-core` reads. The vectors here are not turned, so `ONES` adds up all numbers,
/// and the gain of the last normalisation stays apart, because inside of `POOL` it would cost the weights their steps.
fn sections<R: Read + Seek>(archive: &mut Archive<R>) -> Result<Vec<(&'static str, Vec<u8>)>, TableError> {
    let mut all = |prefix: &str| BRANCHES.iter().map(|n| floats(archive, &format!("{prefix}{n}"))).collect::<Result<Vec<_>, _>>();
    let side_by_side = |parts: &[Floats]| parts.iter().flat_map(Floats::to_bytes).collect::<Vec<u8>>();
    let mut sections = vec![
        ("PROJ", array::matrix(&all("proj")?)),
        ("PRJB", side_by_side(&all("proj_b")?)),
        ("LNGA", side_by_side(&all("ln_g")?)),
        ("LNBE", side_by_side(&all("ln_b")?)),
        ("ONES", [1.0_f32; DIMENSION].iter().flat_map(|one| one.to_le_bytes()).collect()),
    ];
    for (tag, name) in [
        ("C2W1", "w1_2"),
        ("C2W2", "w2_2"),
        ("C3W1", "w1_3"),
        ("C3W2", "w2_3"),
        ("C5W1", "w1_5"),
        ("C5W2", "w2_5"),
        ("HDD0", "d0"),
        ("HDP1", "p1"),
        ("HDD1", "d1"),
        ("HDD2", "d2"),
        ("HDP3", "p3"),
        ("HDD3", "d3"),
    ] {
        sections.push((tag, array::matrix(&[floats(archive, name)?])));
    }
    for (tag, name) in [("C2B1", "b1_2"), ("C2B2", "b2_2"), ("C3B1", "b1_3"), ("C3B2", "b2_3"), ("C5B1", "b1_5"), ("C5B2", "b2_5")] {
        sections.push((tag, floats(archive, name)?.to_bytes()));
    }
    let (gain, shift) = (floats(archive, "ln_g")?, floats(archive, "ln_b")?);
    let (pool, mut bias) = (floats(archive, "cnn_W")?, floats(archive, "cnn_b")?);
    let mut sum = Floats { columns: 1, data: vec![0.0; pool.columns] };
    for ((row, gain), shift) in pool.data.chunks_exact(pool.columns.max(1)).zip(&gain.data).zip(&shift.data) {
        for ((weight, sum), bias) in row.iter().zip(&mut sum.data).zip(&mut bias.data) {
            *sum += gain * weight;
            *bias += shift * weight;
        }
    }
    sections.extend([("POGA", gain.to_bytes()), ("PSUM", sum.to_bytes()), ("PBIA", bias.to_bytes()), ("POOL", array::matrix(&[pool]))]);
    Ok(sections)
}
