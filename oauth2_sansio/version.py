"""The version of this distribution, written here alone."""

__version__ = "0.1.0"
