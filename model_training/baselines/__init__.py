"""What the LSTM is measured against, and what its choices were measured with."""
