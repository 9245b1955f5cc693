"""Facts, and the verbs on them. The only package that writes the database."""
