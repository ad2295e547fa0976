-- What has been used is forgotten: a ticket of the last minute could be used again by whoever has it.
DROP TABLE used_once;
