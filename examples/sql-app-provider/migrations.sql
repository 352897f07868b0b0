-- What the database has been through, in order. `PRAGMA user_version` counts the migrations that it has seen.
-- Never change one that was released: append another.

-- migration 1: what an app cannot do without
CREATE TABLE apps (
  id      TEXT NOT NULL PRIMARY KEY,
  key     TEXT NOT NULL UNIQUE,
  secret  TEXT NOT NULL,
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1))
) STRICT;

-- migration 2: settings of an app's own; NULL is the server's
ALTER TABLE apps ADD COLUMN client_events INTEGER CHECK (client_events IN (0, 1));
ALTER TABLE apps ADD COLUMN allowed_origins TEXT; -- separated by commas
ALTER TABLE apps ADD COLUMN max_connections INTEGER CHECK (max_connections >= 0);
ALTER TABLE apps ADD COLUMN max_event_bytes INTEGER CHECK (max_event_bytes > 0);
