//! Every shared part, built once; each part replaceable by a test.
