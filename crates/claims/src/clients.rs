//! Clients of the service and the rights of their roles.

use words::words;

words! {
    /// The role of a client.
    pub enum Role {
        Retailer = "retailer",
        Platform = "platform",
        Dealer = "dealer",
        Reviewer = "reviewer",
        Approver = "approver",
        Treasury = "treasury",
        Auditor = "auditor",
        Admin = "admin",
    }
}

impl Role {
    /// Whether the role belongs to a merchant and sees only its own claims.
    pub fn is_merchant(self) -> bool {
        match self {
            Self::Retailer | Self::Platform | Self::Dealer => true,
            Self::Reviewer | Self::Approver | Self::Treasury | Self::Auditor | Self::Admin => false,
        }
    }
}

words! {
    /// Whether a client is given tokens.
    pub enum ClientStatus {
        Active = "active",
        Disabled = "disabled",
    }
}
