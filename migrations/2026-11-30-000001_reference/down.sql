DROP TABLE programmes;
DROP FUNCTION programmes_refuse_alone();
DROP FUNCTION programmes_refuse_change();
DROP TABLE programme_drafts;
DROP FUNCTION programme_drafts_refuse_change();
DROP TABLE clients;
DROP TABLE jurisdictions;
