DROP TABLE collectors;
DROP TABLE dismantlers;
DROP TABLE merchants;
DROP TABLE entitlements;
DROP TABLE filed_prices;
DROP TABLE vehicle_models;
DROP TABLE scrap_certificates;
DROP TABLE efficiency_labels;
