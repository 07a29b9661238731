DROP TABLE clawback_waivers;
DROP TABLE clawbacks;
DROP TABLE waitlist_calls;
DROP TABLE quotas;
DROP TABLE unique_keys;
DROP TABLE decisions;
DROP TABLE claims;
DROP FUNCTION refuse_unknown_programme();
