"""Pictures of one's own: a table, or class folders."""
