-- The team that a person looked at last, where the portal opens the next time.
ALTER TABLE users ADD COLUMN last_team TEXT NOT NULL DEFAULT '';
