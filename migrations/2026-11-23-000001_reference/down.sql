DROP TABLE programmes;
DROP FUNCTION programmes_refuse_change();
DROP TABLE clients;
DROP TABLE jurisdictions;
