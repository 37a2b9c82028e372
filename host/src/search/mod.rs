//! Query embedding, retrieval, fusion and rerank. Not here: which engine answers.
