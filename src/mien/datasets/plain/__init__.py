"""A user's own pictures: a table, or class folders."""
