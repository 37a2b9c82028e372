//! The answer to a request for embeddings, the same for every model of this family.
//!
//! Not here: which model answers, and where it comes from.

use crate::{DIMENSION, Embedded};
use knowhost_plugin_sdk::{EmbedRequest, Embeddings, Error, Result, Usage};

/// Rows in the order of the texts, [`DIMENSION`] numbers each, with the tokens that went into them.
///
/// # Errors
/// `invalid` when other dimensions are wanted, before the model is asked for; what `load` says when there is no model.
pub fn embeddings<E: Fn(&str) -> Embedded>(request: &EmbedRequest, load: impl FnOnce() -> Result<E>) -> Result<Embeddings> {
    if let Some(wanted) = request.dimensions.filter(|wanted| *wanted as usize != DIMENSION) {
        return Err(Error::invalid(format!("this model's rows have {DIMENSION} numbers, not {wanted}")));
    }
    let embed = load()?;
    let mut data = Vec::with_capacity(request.texts.len() * DIMENSION);
    let mut tokens = 0;
    for text in &request.texts {
        let embedded = embed(text);
        data.extend_from_slice(&embedded.row);
        tokens += embedded.tokens;
    }
    let usage = Usage { input_tokens: u32::try_from(tokens).unwrap_or(u32::MAX), output_tokens: 0 };
    Ok(Embeddings { dimension: DIMENSION as u32, data, usage: Some(usage) })
}
