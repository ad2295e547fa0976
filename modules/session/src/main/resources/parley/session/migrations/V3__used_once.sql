-- What has been used and must not be used again, such as a browser's ticket.

CREATE TABLE used_once (
  key VARCHAR(255) NOT NULL,
  until TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (key)
);

CREATE INDEX used_once_until_idx ON used_once (until);
