"""The model's side of Reeltone: data, training, evaluation, bundle, the endpoint's program."""
