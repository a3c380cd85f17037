"""AffectNet: both its releases, and the 13-emotion set that grew from it."""
