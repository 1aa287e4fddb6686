-- What is unusual about an event, as JSON. Few events have a row. It is not a
-- column of events, because that would be behind the body, which lists do not
-- read.
CREATE TABLE event_marks (
  event BLOB NOT NULL PRIMARY KEY,
  marks TEXT NOT NULL
) WITHOUT ROWID;
