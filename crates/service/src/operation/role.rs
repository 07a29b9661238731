//! The roles that a credential may have.

/// What a credential may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Retailer,
    Platform,
    Dealer,
    Reviewer,
    Approver,
    Treasury,
    Auditor,
    Admin,
}

impl Role {
    pub const ALL: [Role; 8] = [
        Self::Retailer,
        Self::Platform,
        Self::Dealer,
        Self::Reviewer,
        Self::Approver,
        Self::Treasury,
        Self::Auditor,
        Self::Admin,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retailer => "retailer",
            Self::Platform => "platform",
            Self::Dealer => "dealer",
            Self::Reviewer => "reviewer",
            Self::Approver => "approver",
            Self::Treasury => "treasury",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether the role belongs to a merchant and sees only its own claims.
    pub fn is_merchant(self) -> bool {
        matches!(self, Self::Retailer | Self::Platform | Self::Dealer)
    }
}
