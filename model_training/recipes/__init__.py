"""What decides a model's result: one TOML file for each, and the settings that are read from it.

Imports: nothing.
"""
