"""What the project is checked with beyond its tests; see docs/testing.md."""
