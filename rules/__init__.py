"""Xinheng's rules: frames and days in, classes and reasons out.

Nothing in this package reads a database, a clock or the network. A scheme is loaded once
(:func:`rules.scheme.load`), and :func:`rules.engine.grade` answers for any number of entities and days.

Read `engine` from top to bottom first: facts are cut into parts (`asked`, `slices`), become indicators (`indicators`,
`dependents`), rules and a class (`judging`), the next day on which that may change (`breakpoints`) and a digest
(`receipt`). docs/architecture.md says what every other file is for.
"""
