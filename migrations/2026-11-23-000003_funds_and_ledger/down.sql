DROP TABLE cap_changes;
DROP TABLE caps;
DROP TABLE appropriations;
DROP TABLE transfers;
DROP FUNCTION transfers_refuse_change();
DROP TABLE funds;
DROP TABLE ledgers;
