"""What Reeltone's speed and size are, measured on this machine."""
