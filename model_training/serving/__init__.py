"""What SageMaker's container runs: the bundle's reader, the scorer, the four functions, servers.

Imports: nothing.
"""
