-- What a run was begun with, but for the pseudonym key: whoever judges its numbers without that key compares this.
ALTER TABLE {database}.runs ADD COLUMN IF NOT EXISTS rules String DEFAULT '' COMMENT 'digest; empty until a worker continues the run';
