pub mod export_query;
pub mod exports;
pub mod samples;
pub mod transparency;
