"""From a run to a bundle and to the archive that ships, with the proof that they are one model.

Imports: recipes, corpus, networks, serving, evaluation, training.
"""
