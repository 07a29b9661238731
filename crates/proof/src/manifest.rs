//! The manifest of a bundle.

use serde::{Deserialize, Serialize};

pub const FORMAT: &str = "huanxin-bundle/1";

/// The text in the place of a county in the origin of the note over the manifest.
pub const SIGNED_AS: &str = "bundle";

/// The first part of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: String,
    pub made_at: String,
    /// The log's name.
    pub log: String,
    /// By code.
    pub counties: Vec<CountyManifest>,
    /// Every part but this one and the note over it, in their order.
    pub parts: Vec<PartManifest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountyManifest {
    pub jurisdiction: String,
    /// Leaves.
    pub size: u64,
    /// Base64.
    pub root: String,
    /// The checkpoint of the preceding bundle.
    pub previous: Option<Previous>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    pub size: u64,
    pub root: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartManifest {
    pub name: String,
    pub bytes: u64,
    /// Hexadecimal.
    pub sha256: String,
}

/// `consistency.json`; hashes in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyPart {
    pub from: u64,
    pub from_root: String,
    pub to: u64,
    pub to_root: String,
    pub hashes: Vec<String>,
}
