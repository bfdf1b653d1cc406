"""Training and scoring on SageMaker, a file for each command.

Imports: recipes, corpus, serving, evaluation, training, export.
"""
