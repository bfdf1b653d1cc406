"""The model's side of Reeltone, in rooms along the way from reviews to a served model.

Each room says in its first lines what belongs there and which rooms it imports. All of them may
import what lies beside the rooms: errors, files, archives, paths and documents.
"""
