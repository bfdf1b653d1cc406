"""The data set: archive, cache, encoded reviews, the dev split, short texts made of reviews.

Imports: nothing.
"""
