//! From a document to chunks, vectors and index changes. Not here: HTTP requests.
