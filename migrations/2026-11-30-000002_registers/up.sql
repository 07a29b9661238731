-- The authorities' registers: the facts that rules read. Each is keyed by the value that stands on
-- the paper, whatever the county, and is read by that key only, so none has another index. Personal
-- columns (`owner`, `vin`, `plate`, `applicant`) are keyed hashes: they can be compared, not read.

-- Energy-efficiency labels of appliances, by the number of their record.
CREATE TABLE efficiency_labels (
    record    text NOT NULL,
    category  text NOT NULL,
    brand     text NOT NULL,
    model     text NOT NULL,
    grade     smallint NOT NULL,
    standard  text NOT NULL,
    filed_on  date NOT NULL,
    CONSTRAINT efficiency_labels_pkey PRIMARY KEY (record),
    CONSTRAINT efficiency_labels_grade_range CHECK (grade BETWEEN 1 AND 5)
);

-- Certificates that a car was scrapped.
CREATE TABLE scrap_certificates (
    number               text NOT NULL,
    issued_on            date NOT NULL,
    owner                bytea NOT NULL,
    vin                  bytea NOT NULL,
    plate                bytea NOT NULL,
    energy               text NOT NULL,
    vehicle_type         text NOT NULL,
    first_registered_on  date NOT NULL,
    dismantler           text NOT NULL,
    CONSTRAINT scrap_certificates_pkey PRIMARY KEY (number)
);

-- The purchase-tax catalogue of car models, with the days between which each is listed.
CREATE TABLE vehicle_models (
    model            text NOT NULL,
    energy           text NOT NULL,
    vehicle_type     text NOT NULL,
    displacement_ml  integer NOT NULL,
    listed_from      date NOT NULL,
    listed_until     date,
    CONSTRAINT vehicle_models_pkey PRIMARY KEY (model),
    CONSTRAINT vehicle_models_listed_in_order CHECK (listed_until IS NULL OR listed_from <= listed_until)
);

-- Prices that merchants filed, in fen. History is kept: the price in force on the invoice's day is
-- the last one filed by then, found in the primary key.
CREATE TABLE filed_prices (
    merchant  text NOT NULL,
    model     text NOT NULL,
    filed_on  date NOT NULL,
    price     bigint NOT NULL,
    CONSTRAINT filed_prices_pkey PRIMARY KEY (merchant, model, filed_on),
    CONSTRAINT filed_prices_price_positive CHECK (price > 0)
);

-- Entitlements that applicants drew before they bought.
CREATE TABLE entitlements (
    code        text NOT NULL,
    programme   text NOT NULL,
    applicant   bytea NOT NULL,
    category    text NOT NULL,
    issued_on   date NOT NULL,
    expires_on  date NOT NULL,
    CONSTRAINT entitlements_pkey PRIMARY KEY (code),
    CONSTRAINT entitlements_dates_in_order CHECK (issued_on <= expires_on)
);

-- Firms, by unified social credit code: merchants that may submit, and those that take old cars and
-- goods apart or collect them.
CREATE TABLE merchants (
    credit_code   text NOT NULL,
    name          text NOT NULL,
    kind          text NOT NULL,
    jurisdiction  text NOT NULL,
    status        text NOT NULL,
    CONSTRAINT merchants_pkey PRIMARY KEY (credit_code),
    CONSTRAINT merchants_kind_known CHECK (kind IN ('retailer', 'platform', 'dealer')),
    CONSTRAINT merchants_status_known CHECK (status IN ('admitted', 'suspended', 'removed'))
);

CREATE TABLE dismantlers (
    credit_code     text NOT NULL,
    name            text NOT NULL,
    jurisdiction    text NOT NULL,
    licensed_until  date NOT NULL,
    CONSTRAINT dismantlers_pkey PRIMARY KEY (credit_code)
);

CREATE TABLE collectors (
    credit_code     text NOT NULL,
    name            text NOT NULL,
    jurisdiction    text NOT NULL,
    licensed_until  date NOT NULL,
    CONSTRAINT collectors_pkey PRIMARY KEY (credit_code)
);
