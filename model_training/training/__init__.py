"""The command that trains, its stages, and what a finished run is.

Imports: recipes, corpus, networks, evaluation.
"""
