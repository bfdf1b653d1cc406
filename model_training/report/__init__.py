"""What people read about data and models: the model card and its pictures.

Imports: corpus, evaluation, jobs, serving.
"""
