//! Texts to vectors.

use super::{BoxFuture, CallContext, PluginIdentity, ProviderResult, Usage};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EmbedPurpose {
    Chunk,
    Query,
}

/// Rows of `dimension` numbers, one for each text, in order, flat.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    pub dimension: usize,
    pub data: Vec<f32>,
    pub usage: Option<Usage>,
}

impl Embeddings {
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.data.chunks_exact(self.dimension.max(1))
    }
}

/// A fixed monotone map from raw similarity to the score that thresholds and people see, as a list of (raw, shown) points.
///
/// Between points it is linear; outside it stays at the first or last. Empty: the score is the similarity clamped to [0, 1].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreMap {
    pub points: Vec<(f32, f32)>,
}

impl ScoreMap {
    pub fn apply(&self, raw: f32) -> f32 {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return raw.clamp(0.0, 1.0);
        };
        if raw <= first.0 {
            return first.1;
        }
        if raw >= last.0 {
            return last.1;
        }
        let right = self.points.partition_point(|point| point.0 < raw);
        let (x0, y0) = self.points[right - 1];
        let (x1, y1) = self.points[right];
        if x1 > x0 { y0 + (y1 - y0) * (raw - x0) / (x1 - x0) } else { y1 }
    }
}

/// An embedding model of one model row. Rows it returns have unit length; their dot product is the cosine.
pub trait Embedder: Send + Sync {
    /// Embeds `texts`; an empty list gives no rows. Long lists are cut into batches inside.
    fn embed<'a>(
        &'a self,
        context: &'a CallContext,
        purpose: EmbedPurpose,
        texts: &'a [String],
    ) -> BoxFuture<'a, ProviderResult<Embeddings>>;

    fn plugin(&self) -> &PluginIdentity;

    /// Id of the model row.
    fn model_id(&self) -> &str;

    /// Changes whenever vectors of before do not compare with vectors of after.
    fn digest(&self) -> &str;

    fn score_map(&self) -> &ScoreMap;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_map_is_linear_between_points_and_flat_outside() {
        let map = ScoreMap { points: vec![(0.0, 0.1), (0.5, 0.5), (1.0, 1.0)] };
        assert_eq!(map.apply(-1.0), 0.1);
        assert!((map.apply(0.25) - 0.3).abs() < 1e-6);
        assert_eq!(map.apply(2.0), 1.0);
        assert_eq!(ScoreMap::default().apply(1.5), 1.0);
    }
}
