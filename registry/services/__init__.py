"""Verbs: plain functions, one transaction each. A view, a job and a command that do the same thing call the same one."""
