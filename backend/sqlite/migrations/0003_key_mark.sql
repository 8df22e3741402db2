-- Which keys belong to this database: one row, with nothing secret in it.
CREATE TABLE key_mark (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	ring   TEXT NOT NULL, -- fingerprint of the key file
	pepper TEXT NOT NULL  -- id of the newest pepper that hashes are made with
) STRICT;
