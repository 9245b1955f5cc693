"""Tests of the kinds of record, one file a subject."""
