DROP INDEX events_reads_person_idx;
DROP INDEX events_reads_idx;
DROP TRIGGER programmes_in_pairs ON programmes;
DROP FUNCTION programmes_refuse_alone;
ALTER TABLE programmes DROP COLUMN draft, DROP COLUMN draft_jurisdiction;
DROP TABLE programme_drafts;
DROP FUNCTION programme_drafts_refuse_change;
