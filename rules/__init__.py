"""Xinheng's rules: frames and days in, classes and reasons out.

Nothing in this package reads a database, a clock or the network. A scheme is loaded once
(:func:`rules.scheme.load`), and :func:`rules.engine.grade` answers for any number of entities and days.
"""
