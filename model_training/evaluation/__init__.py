"""How good models are: metrics, calibration, the test reviews, faithfulness, the peers.

Imports: corpus, networks, serving.
"""
