//! Dokuei.
