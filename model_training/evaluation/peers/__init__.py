"""What the LSTM is compared with, and what its choices were measured with."""
