-- Times are microseconds since 1970, UTC. Ids are 16 bytes and sort by time;
-- a delivery's id begins with its event's, an attempt's with its delivery's.

-- What was received. Rows never change, but for the body and header, which are
-- set to NULL when their retention ends.
CREATE TABLE events (
  id            BLOB    NOT NULL PRIMARY KEY,
  tenant        TEXT    NOT NULL,
  source        TEXT    NOT NULL,
  type          TEXT    NOT NULL,
  delivery_id   TEXT    NOT NULL,
  received_at   INTEGER NOT NULL,
  size          INTEGER NOT NULL,
  sha256        BLOB    NOT NULL,
  redelivery_of BLOB,
  decisions     TEXT    NOT NULL,
  header        BLOB,
  body          BLOB
);

-- state: 0 pending, 1 retrying, 2 held, 3 delivered, 4 dead, 5 cancelled
CREATE TABLE deliveries (
  id          BLOB    NOT NULL PRIMARY KEY,
  tenant      TEXT    NOT NULL,
  shard       INTEGER NOT NULL,
  destination TEXT    NOT NULL,
  route       TEXT    NOT NULL,
  state       INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  round       INTEGER NOT NULL,
  next_at     INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  last_status INTEGER NOT NULL,
  last_error  TEXT    NOT NULL
) WITHOUT ROWID;

-- What waits, by destination. Finished deliveries leave it.
CREATE INDEX deliveries_waiting ON deliveries (shard, destination, next_at, id, state) WHERE state <= 2;
CREATE INDEX deliveries_dead ON deliveries (destination, id, state) WHERE state = 4;

-- outcome: 0 success, 1 retry, 2 refused, 3 unknown
CREATE TABLE attempts (
  id          BLOB    NOT NULL PRIMARY KEY,
  started_at  INTEGER NOT NULL,
  duration    INTEGER NOT NULL,
  outcome     INTEGER NOT NULL,
  status      INTEGER NOT NULL,
  error       TEXT    NOT NULL,
  retry_after INTEGER NOT NULL,
  response    BLOB
) WITHOUT ROWID;

CREATE TABLE redeliveries (
  event     BLOB    NOT NULL,
  number    INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  same_body INTEGER NOT NULL,
  requeued  INTEGER NOT NULL,
  added     INTEGER NOT NULL,
  PRIMARY KEY (event, number)
) WITHOUT ROWID;

-- A ring: the row of rejection n is n modulo the size of the ring.
CREATE TABLE rejections (
  slot        INTEGER NOT NULL PRIMARY KEY,
  number      INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  source      TEXT    NOT NULL,
  status      INTEGER NOT NULL,
  reason      TEXT    NOT NULL,
  detail      TEXT    NOT NULL,
  size        INTEGER NOT NULL,
  sha256      TEXT    NOT NULL,
  peer        TEXT    NOT NULL,
  delivery_id TEXT    NOT NULL
);

-- Which event first had a source and delivery id, as sorted runs; see dedupe.go.
CREATE TABLE dedupe_runs (
  run    INTEGER NOT NULL PRIMARY KEY,
  newest BLOB    NOT NULL,
  filter BLOB    NOT NULL
);
CREATE TABLE dedupe_keys (
  run   INTEGER NOT NULL,
  key   INTEGER NOT NULL,
  event BLOB    NOT NULL,
  PRIMARY KEY (run, key)
) WITHOUT ROWID;
