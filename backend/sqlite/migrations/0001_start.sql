-- Times are milliseconds since 1970, UTC; NULL is absent. Lists are JSON.
-- Each index names the query that it serves.

CREATE TABLE users (
	id             TEXT PRIMARY KEY,
	name           TEXT NOT NULL,
	email          TEXT NOT NULL,
	email_key      TEXT NOT NULL UNIQUE, -- UserByEmail
	password_hash  TEXT NOT NULL,
	platform_admin INTEGER NOT NULL,
	created_at     INTEGER NOT NULL,
	verified_at    INTEGER,
	disabled_at    INTEGER,
	version        INTEGER NOT NULL
) STRICT;

CREATE TABLE signups (
	id            TEXT PRIMARY KEY,
	name          TEXT NOT NULL,
	email         TEXT NOT NULL,
	email_key     TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	team_name     TEXT NOT NULL,
	code_hash     TEXT NOT NULL,
	browser_hash  TEXT NOT NULL,
	created_at    INTEGER NOT NULL,
	expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX signups_by_code ON signups (code_hash);                   -- SignupByCode
CREATE INDEX signups_by_email ON signups (email_key, created_at, id);  -- Signups, DeleteSignups
CREATE INDEX signups_by_end ON signups (expires_at);                   -- Prune

CREATE TABLE sessions (
	id           TEXT PRIMARY KEY,
	hash         TEXT NOT NULL UNIQUE, -- SessionByHash
	user         TEXT NOT NULL REFERENCES users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
	created_at   INTEGER NOT NULL,
	last_seen_at INTEGER,
	expires_at   INTEGER NOT NULL,
	fresh_until  INTEGER,
	address      TEXT NOT NULL,
	user_agent   TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user, created_at, id); -- Sessions, DeleteSessions
CREATE INDEX sessions_by_end ON sessions (expires_at);            -- Prune

CREATE TABLE teams (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL,
	platform   INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	abilities  TEXT, -- NULL: all that the catalogue has
	rev        INTEGER NOT NULL
) STRICT;
CREATE INDEX teams_by_name ON teams (name);                                  -- TeamsNamed
CREATE UNIQUE INDEX teams_platform ON teams (platform) WHERE platform = 1;   -- PlatformTeam; at most one

CREATE TABLE members (
	team      TEXT NOT NULL REFERENCES teams ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
	user      TEXT NOT NULL REFERENCES users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
	role      TEXT NOT NULL,
	joined_at INTEGER NOT NULL,
	PRIMARY KEY (team, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user, joined_at); -- Memberships

-- A token outlives its team and its maker as a tombstone, so it refers to
-- neither. What they say about it (portal.Standing) is joined when it is read.
CREATE TABLE tokens (
	id             TEXT PRIMARY KEY,
	team           TEXT NOT NULL,
	name           TEXT NOT NULL,
	name_folded    TEXT NOT NULL, -- in lower case, for the search
	env            TEXT NOT NULL,
	maker          TEXT NOT NULL,
	created_at     INTEGER NOT NULL,
	expires_at     INTEGER,
	not_before     INTEGER,
	suspended_at   INTEGER,
	revoked_at     INTEGER,
	first_used_at  INTEGER,
	last_used_at   INTEGER,
	abilities      TEXT NOT NULL,
	rev            INTEGER NOT NULL,
	note           TEXT NOT NULL,
	addresses      TEXT NOT NULL,
	quota          INTEGER NOT NULL,
	window_ns      INTEGER NOT NULL,
	suspended_by   TEXT NOT NULL,
	suspend_reason TEXT NOT NULL,
	revoked_by     TEXT NOT NULL,
	revoke_reason  TEXT NOT NULL,
	revoke_note    TEXT NOT NULL,
	last_used_from TEXT NOT NULL,
	generations    TEXT NOT NULL,
	-- What is absent comes last in a list, whichever way it runs.
	use_order      INTEGER AS (coalesce(last_used_at, -9223372036854775808)) VIRTUAL,
	expiry_order   INTEGER AS (coalesce(expires_at, 9223372036854775807)) VIRTUAL
) STRICT;
CREATE INDEX tokens_by_created ON tokens (team, created_at, id); -- Tokens, one per order
CREATE INDEX tokens_by_name ON tokens (team, name, id);
CREATE INDEX tokens_by_use ON tokens (team, use_order, id);
CREATE INDEX tokens_by_expiry ON tokens (team, expiry_order, id);
CREATE INDEX tokens_by_maker ON tokens (maker, team);                          -- whose standing a member's change touches
CREATE INDEX tokens_living ON tokens (team, expires_at, revoked_at) WHERE revoked_at IS NULL; -- LivingTokens
CREATE INDEX tokens_revoked ON tokens (revoked_at) WHERE revoked_at IS NOT NULL;  -- Prune
CREATE INDEX tokens_expiring ON tokens (expires_at) WHERE expires_at IS NOT NULL; -- Prune

CREATE TABLE names (
	team    TEXT NOT NULL REFERENCES teams ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
	name    TEXT NOT NULL,
	token   TEXT NOT NULL,
	ends_at INTEGER, -- NULL: never
	PRIMARY KEY (team, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX names_by_end ON names (ends_at) WHERE ends_at IS NOT NULL; -- Prune

CREATE TABLE orders (
	team         TEXT NOT NULL REFERENCES teams ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
	env          TEXT NOT NULL,
	id           TEXT NOT NULL,
	reference    TEXT NOT NULL,
	currency     TEXT NOT NULL,
	amount_minor INTEGER NOT NULL,
	lines        TEXT NOT NULL,
	created_at   INTEGER NOT NULL,
	updated_at   INTEGER NOT NULL,
	cancelled_at INTEGER,
	version      INTEGER NOT NULL,
	PRIMARY KEY (team, env, id) -- Order, Orders
) STRICT, WITHOUT ROWID;

-- Calls and sums may arrive after their team was deleted, so they do not refer
-- to it; retention takes them.

-- A row is a block of calls: those of one batch, team and clock hour. A row for
-- each call would cost ten times as much to write.
CREATE TABLE calls (
	id        INTEGER PRIMARY KEY,
	team      TEXT NOT NULL,
	newest_at INTEGER NOT NULL,
	oldest_at INTEGER NOT NULL,
	first_id  TEXT NOT NULL, -- of the first call: a batch that is sent again is known by it
	count     INTEGER NOT NULL,
	tokens    BLOB NOT NULL, -- the ids of the tokens, if they are few
	data      BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX calls_by_time ON calls (team, newest_at, first_id, oldest_at); -- Calls; Prune

CREATE TABLE rollups (
	team    TEXT NOT NULL,
	step    TEXT NOT NULL,
	at      INTEGER NOT NULL,
	token   TEXT NOT NULL,
	route   TEXT NOT NULL,
	status  INTEGER NOT NULL,
	calls   INTEGER NOT NULL,
	buckets BLOB NOT NULL, -- unsigned varints, trailing zeros left out
	PRIMARY KEY (team, step, at, token, route, status) -- Rollups
) STRICT, WITHOUT ROWID;

-- Sums of batches that are not added to rollups yet: many batches add to the
-- same sums, so they are added together.
CREATE TABLE rollup_log (
	id   INTEGER PRIMARY KEY,
	data BLOB NOT NULL
) STRICT;

CREATE TABLE events (
	chain  TEXT NOT NULL,
	seq    INTEGER NOT NULL,
	at     INTEGER NOT NULL,
	actor  TEXT NOT NULL,
	action TEXT NOT NULL,
	target TEXT NOT NULL,
	data   TEXT NOT NULL,
	prev   TEXT NOT NULL,
	hash   TEXT NOT NULL,
	PRIMARY KEY (chain, seq) -- Head, Events; forks are impossible
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_target ON events (chain, target, seq); -- Events of one target
CREATE INDEX events_by_time ON events (at);                   -- Prune

CREATE TABLE onces (
	key     TEXT PRIMARY KEY,
	ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX onces_by_end ON onces (ends_at); -- Prune

CREATE TABLE counters (
	key     TEXT PRIMARY KEY,
	count   INTEGER NOT NULL,
	ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX counters_by_end ON counters (ends_at); -- Prune

CREATE TABLE idempotents (
	key         TEXT PRIMARY KEY,
	fingerprint TEXT NOT NULL,
	done        INTEGER NOT NULL,
	status      INTEGER NOT NULL,
	header      TEXT,
	body        BLOB,
	lease_until INTEGER NOT NULL,
	expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotents_by_end ON idempotents (expires_at); -- Prune
