"""What can go wrong on the model's side, by the situation's name."""


class ReeltoneError(Exception):
    """An error whose message is for the person at the keyboard: what is wrong and what to do."""


class ArchiveError(ReeltoneError):
    """The data set's archive is missing, incomplete or not the one it should be."""


class ConfigError(ReeltoneError):
    """A training setting is unknown or has a value that it cannot have."""


class HardwareError(ReeltoneError):
    """The hardware that was asked and paid for is not there."""


class BundleError(ReeltoneError):
    """A model bundle is incomplete, or its parts do not belong together."""


class PretrainedError(ReeltoneError):
    """A transformer's pre-trained weights cannot be had, or are not the ones they should be."""
