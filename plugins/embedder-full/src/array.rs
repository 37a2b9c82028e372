//! NumPy arrays out of the archive, and the layout that the network's code reads them in.
//!
//! Not here: which arrays there are (`source`).

use embedder_core::TableError;

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// A one- or two-dimensional array of numbers.
pub(crate) struct Floats {
    pub(crate) columns: usize,
    pub(crate) data: Vec<f32>,
}

/// The numbers of an array of this type, and its shape.
fn body<'a>(name: &str, bytes: &'a [u8], descr: &str) -> Result<(Vec<usize>, &'a [u8]), TableError> {
    let damaged = |what: &str| TableError::new(format!("the array {name} {what}"));
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("is none"))?;
    let (length, rest) = rest.split_first_chunk().ok_or_else(|| damaged("is cut"))?;
    let (head, data) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length))).ok_or_else(|| damaged("is cut"))?;
    let head = std::str::from_utf8(head).unwrap_or_default();
    if !head.contains(descr) || !head.contains("'fortran_order': False") {
        return Err(damaged("is of another type"));
    }
    let shape = head.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(shape, _)| shape).unwrap_or_default();
    let shape = shape.split(',').map(str::trim).filter(|size| !size.is_empty()).map(str::parse).collect::<Result<_, _>>();
    Ok((shape.map_err(|_| damaged("has no shape"))?, data))
}

pub(crate) fn floats(name: &str, bytes: &[u8]) -> Result<Floats, TableError> {
    let (shape, data) = body(name, bytes, "'<f4'")?;
    let data: Vec<f32> = data.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    let fits = matches!(shape.len(), 1 | 2) && shape.iter().try_fold(1_usize, |all, size| all.checked_mul(*size)) == Some(data.len());
    if !fits || !data.iter().all(|number| number.is_finite()) {
        return Err(TableError::new(format!("the array {name} is not what it says")));
    }
    Ok(Floats { columns: shape.last().copied().unwrap_or(1), data })
}

/// The bytes of an array of `length` small numbers.
pub(crate) fn small<'a>(name: &str, bytes: &'a [u8], length: usize) -> Result<&'a [u8], TableError> {
    let (_, data) = body(name, bytes, "'|u1'")?;
    if data.len() == length { Ok(data) } else { Err(TableError::new(format!("the array {name} has not the length {length}"))) }
}

impl Floats {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.data.iter().flat_map(|number| number.to_le_bytes()).collect()
    }
}

/// Matrices side by side as one section: a scale for each output, then a row of 8-bit weights for each output.
///
/// The source holds each matrix in 255 steps, so nothing is lost.
pub(crate) fn matrix(parts: &[Floats]) -> Vec<u8> {
    let (mut scales, mut weights) = (Vec::new(), Vec::new());
    for part in parts {
        let most = part.data.iter().fold(1e-9_f32, |most, weight| most.max(weight.abs()));
        let scale = most / 127.0;
        for output in 0..part.columns {
            scales.extend_from_slice(&scale.to_le_bytes());
            weights.extend(part.data.iter().skip(output).step_by(part.columns).map(|weight| (weight / scale).round() as i8 as u8));
        }
    }
    scales.extend_from_slice(&weights);
    scales
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let head = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
        [MAGIC, &(head.len() as u16).to_le_bytes(), head.as_bytes(), data].concat()
    }

    #[test]
    fn matrix_is_turned_and_loses_nothing_that_lies_on_its_steps() {
        let data: Vec<u8> = [127.0_f32, -1.0, 0.0, 3.0, -127.0, 64.0].iter().flat_map(|x| (x * 0.5).to_le_bytes()).collect();
        let floats = floats("w", &array("'<f4'", "(3, 2)", &data)).unwrap();
        assert_eq!(floats.columns, 2);
        let section = matrix(&[floats]);
        assert_eq!(section[..8], [0.5_f32.to_le_bytes(), 0.5_f32.to_le_bytes()].concat());
        let weights: Vec<i8> = section[8..].iter().map(|byte| *byte as i8).collect();
        assert_eq!(weights, [127, 0, -127, -1, 3, 64]);
    }

    #[test]
    fn arrays_that_are_not_what_they_say_are_refused() {
        assert!(floats("x", &array("'<f8'", "(1,)", &[0; 8])).is_err());
        assert!(floats("x", &array("'<f4'", "(3,)", &[0; 8])).is_err());
        assert!(floats("x", &array("'<f4'", "(1,)", &f32::NAN.to_le_bytes())).is_err());
        assert!(floats("x", &array("'<f4'", "(99999999999, 99999999999)", &[0; 8])).is_err());
        assert!(floats("x", b"\x93NUMPY\x01\x00\xff\xff").is_err() && floats("x", b"").is_err());
        assert!(small("x", &array("'|u1'", "(2,)", &[1, 2]), 3).is_err());
        assert_eq!(small("x", &array("'|u1'", "(2,)", &[1, 2]), 2).unwrap(), [1, 2]);
    }
}
