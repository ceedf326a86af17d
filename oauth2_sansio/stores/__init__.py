"""Stores of tokens. Each lies in a module of its own, loaded when it is first used."""
