"""What is trained: LSTM, language model, n-grams, word vectors, and the batches that they read.

Imports: recipes, corpus.
"""
