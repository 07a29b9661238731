//! The tables of what is known before a claim comes: goods, papers, merchants, and who takes back and dismantles.

diesel::table! {
    collectors (credit_code) {
        credit_code -> Text,
        name -> Text,
        jurisdiction -> Text,
        licensed_until -> Date,
    }
}

diesel::table! {
    dismantlers (credit_code) {
        credit_code -> Text,
        name -> Text,
        jurisdiction -> Text,
        licensed_until -> Date,
    }
}

diesel::table! {
    efficiency_labels (record) {
        record -> Text,
        category -> Text,
        brand -> Text,
        model -> Text,
        grade -> Int2,
        standard -> Text,
        filed_on -> Date,
    }
}

diesel::table! {
    entitlements (code) {
        code -> Text,
        programme -> Text,
        applicant -> Bytea,
        category -> Text,
        issued_on -> Date,
        expires_on -> Date,
    }
}

diesel::table! {
    filed_prices (merchant, model, filed_on) {
        merchant -> Text,
        model -> Text,
        filed_on -> Date,
        price -> Int8,
    }
}

diesel::table! {
    merchants (credit_code) {
        credit_code -> Text,
        name -> Text,
        kind -> Text,
        jurisdiction -> Text,
        status -> Text,
    }
}

diesel::table! {
    scrap_certificates (number) {
        number -> Text,
        issued_on -> Date,
        owner -> Bytea,
        vin -> Bytea,
        plate -> Bytea,
        energy -> Text,
        vehicle_type -> Text,
        first_registered_on -> Date,
        dismantler -> Text,
    }
}

diesel::table! {
    vehicle_models (model) {
        model -> Text,
        energy -> Text,
        vehicle_type -> Text,
        displacement_ml -> Int4,
        listed_from -> Date,
        listed_until -> Nullable<Date>,
    }
}
